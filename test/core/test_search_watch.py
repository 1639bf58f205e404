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
"""A search ends after so many turns on the spot, whichever way, and never on the way somewhere."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.contracts import Odometry, Velocity, Verdict
from ltc_control.core.flight_gate import FlightGateConfig, FlightGateState, step
from ltc_control.core.search_watch import REACH_M, Search, searched
import pytest

TURNING = Velocity(0, 0.1, 0.0, 0.0, 0.8)
FLYING = Velocity(0, 2.0, 0.0, 0.0, 0.0)


def place(yaw: float, *, x: float = 0.0, y: float = 0.0) -> Odometry:
    return Odometry(0, x, y, math.remainder(yaw, math.tau), 0.0, 0.0, 3.0)


def turned(turns: float, *, search: Search | None = None, limit: float = 2.0) -> Search:
    """Turn on the spot, a tenth of a radian at a time."""
    search = search or Search()
    count = round(abs(turns) * math.tau / 0.1)
    for k in range(count + 1):
        search = searched(search, place(math.copysign(0.1 * k, turns)), TURNING, turns=limit)
    return search


@pytest.mark.parametrize('side', [1.0, -1.0])
def test_it_is_over_after_the_turns_and_not_before(side: float) -> None:
    assert not turned(side * 1.9).over
    assert turned(side * 2.1).over
    assert not turned(side * 50.0, limit=0.0).over


@given(st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=200))
def test_looking_left_and_right_is_no_turn(changes: list[float]) -> None:
    search, yaw = searched(Search(), place(0.0), TURNING, turns=2.0), 0.0
    for change in changes:
        yaw += change
        search = searched(search, place(yaw), TURNING, turns=1e9)
    assert search.turned == pytest.approx(yaw, abs=1e-6)        # signed, and unwrapped


def test_another_place_is_another_search() -> None:
    search = turned(1.9)
    search = searched(search, place(0.0, x=1.1 * REACH_M), TURNING, turns=2.0)
    assert (search.turned, search.x) == (0.0, 1.1 * REACH_M)
    for k in range(400):                                         # a circle round a pylon
        at = 0.1 * k
        search = searched(search, place(at, x=9 * math.cos(at), y=9 * math.sin(at)), FLYING,
                          turns=2.0)
        assert not search.over


def test_it_holds_until_someone_knows_where_to_go() -> None:
    search = turned(2.1)
    assert searched(search, place(0.0), TURNING, turns=2.0).over
    assert not searched(search, place(0.0), FLYING, turns=2.0).over


def test_the_gate_hovers_says_so_falls_silent_and_flies_on_when_it_is_found() -> None:
    config, state = FlightGateConfig(search_turns=1.0), FlightGateState()
    said, heard, period = [], [], 33_333_333
    for k in range(600):                                         # 0.8 rad/s: a turn in 8 s
        now = 10**9 + k * period
        yaw = min(0.8 * k / 30, 1.01 * math.tau)
        where = Odometry(now, 0.0, 0.0, math.remainder(yaw, math.tau), 0.0, 0.8, 3.0)
        wish = Velocity(now, 0.0, 0.0, 0.0, 0.8)
        state, command, verdict = step(state, now_ns=now, request=wish, odometry=where,
                                       config=config)
        said.append(verdict)
        heard.append(command)
    first = said.index(Verdict.SEARCH_OVER)
    assert first / 30 == pytest.approx(math.tau / 0.8, abs=0.1)
    assert set(said[first:]) == {Verdict.SEARCH_OVER}
    hover = [one for one in heard[first:] if one is not None]
    assert all((one.forward, one.yaw_rate) == (0.0, 0.0) for one in hover)
    assert len(hover) / 30 == pytest.approx(config.hover_s, abs=0.1)
    now += period
    _, command, verdict = step(
        state, now_ns=now, request=Velocity(now, 2.0, 0.0, 0.0, 0.0),
        odometry=Odometry(now, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0), config=config)
    assert command is not None
    assert command.forward > 0.0
    assert verdict is Verdict.LIMITED
