# Copyright 2026 The ltc_control authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""Labels equal a plain search through the commands, frame by frame."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.data.labels import Commands, labels_at
from ltc_control.data.topics import TopicMap
import numpy as np
import pytest

stamps = st.lists(st.integers(0, 10**9), min_size=1, max_size=20)


def commands_at(times: list[int]) -> Commands:
    return Commands.of([(at, at, float(k), float(-k)) for k, at in enumerate(times)])


@given(times=stamps, frames=stamps, age=st.floats(1e-3, 1.0), lag=st.floats(-0.5, 0.5))
def test_hold_is_the_newest_command_not_too_old(times: list[int], frames: list[int], age: float,
                                                lag: float) -> None:
    topics = TopicMap(longest_command_age_s=age, command_lag_s=lag)
    got, valid = labels_at(np.array(sorted(frames)), commands_at(times), topics)
    for k, frame in enumerate(sorted(frames)):
        when = frame + round(lag * 1e9)
        held = max((at for at in times if at <= when), default=None)
        fits = held is not None and when - held <= round(age * 1e9)
        assert valid[k] == fits
        last = float(max((n for n, at in enumerate(times) if at == held), default=0))
        assert got[k].tolist() == ([last, -last] if fits else [0.0, 0.0])


@given(times=st.lists(st.integers(0, 10**9), min_size=2, max_size=20, unique=True),
       frames=stamps)
def test_interpolation_is_the_straight_line(times: list[int], frames: list[int]) -> None:
    times, inside = sorted(times), sorted(t for t in frames if min(times) <= t <= max(times))
    topics = TopicMap(longest_command_age_s=2.0, interpolate=True)
    got, valid = labels_at(np.array(inside, np.int64), commands_at(times), topics)
    assert valid.all()
    assert np.allclose(got[:, 0], np.interp(inside, times, range(len(times))), atol=1e-4)


def test_a_command_that_is_not_finite_is_no_label() -> None:
    commands = Commands.of([(1, 1, float('nan'), 1.0), (2, 2, 0.5, float('inf')),
                            (3, 3, 0.5, 1.0)])
    for interpolate in (False, True):
        got, valid = labels_at(np.array([1, 2, 3]), commands, TopicMap(interpolate=interpolate))
        assert valid.tolist() == [False, False, True]
        assert got.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.5, 1.0]]


def test_topic_maps_survive_yaml_and_refuse_nonsense() -> None:
    topics = TopicMap(command='/x', wheelbase_m=0.25, command_lag_s=0.1)
    assert TopicMap.from_dict(topics.to_dict()) == topics
    with pytest.raises(ConfigError, match=r"\['wheelbase'\]; known are"):
        TopicMap.from_dict({'wheelbase': 0.25})
    with pytest.raises(ConfigError, match="turn_kind 'angle'"):
        TopicMap(turn_kind='angle')
    with pytest.raises(ConfigError, match=r'longest_command_age_s is 0\.0'):
        TopicMap(longest_command_age_s=0.0)
