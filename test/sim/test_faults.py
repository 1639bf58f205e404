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
"""A failing camera goes black or freezes for the declared time, at the declared rate."""

from __future__ import annotations

from ltc_control.core.contracts import Frame
from ltc_control.core.errors import SimulationError
from ltc_control.sim.faults import CameraFault
import numpy as np
import pytest

PERIOD_NS = 33_333_333


def frames(count: int) -> list[Frame]:
    return [Frame(i * PERIOD_NS, np.full((2, 2, 3), 1 + i % 250, np.uint8)) for i in range(count)]


@pytest.mark.parametrize('seconds', [0.3, 0.5, 1.0])
def test_black_lasts_as_long_as_declared_and_comes_as_often(seconds: float) -> None:
    fault = CameraFault(kind='black', seconds=seconds, mean_interval_s=5.0, seed=1)
    seen = [fault.apply(frame) for frame in frames(60_000)]
    black = np.array([not frame.rgb.any() for frame in seen])
    assert [frame.stamp_ns for frame in seen] == [frame.stamp_ns for frame in frames(60_000)]
    edges = np.flatnonzero(np.diff(np.r_[False, black, False].astype(int)))
    runs = edges[1::2] - edges[::2]
    assert np.median(runs) == pytest.approx(seconds * 30.0, abs=1.0)
    assert len(runs) == fault.count
    assert len(runs) == pytest.approx(2000.0 / (5.0 + seconds), rel=0.15)


def test_frozen_repeats_the_last_good_picture() -> None:
    fault = CameraFault(kind='frozen', seconds=0.5, mean_interval_s=2.0, seed=3)
    good, stuck = None, 0
    for frame in frames(900):
        seen = fault.apply(frame)
        assert seen.stamp_ns == frame.stamp_ns
        if fault.active:
            stuck += 1
            np.testing.assert_array_equal(seen.rgb, good)
        else:
            good = seen.rgb
            assert seen.rgb is frame.rgb
    assert stuck > 30


def test_the_seed_decides_when() -> None:
    def pattern(seed: int) -> list[bool]:
        fault = CameraFault(seconds=0.3, mean_interval_s=2.0, seed=seed)
        return [fault.apply(frame) is not frame for frame in frames(600)]

    assert pattern(5) == pattern(5)
    assert pattern(5) != pattern(6)


@pytest.mark.parametrize('wrong', [{'kind': 'green', 'seconds': 0.3}, {'seconds': -1.0},
                                   {'seconds': 0.3, 'mean_interval_s': 0.0}])
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SimulationError, match='camera fault'):
        CameraFault(**wrong)  # type: ignore[arg-type]
