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
"""The gate over time: no sequence of inputs breaks a limit, and stops end as they should."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core import gate as real_gate
from ltc_control.core.contracts import Command, InCommand, Odometry, Verdict
from ltc_control.core.obstacle import Returns
import numpy as np
import pytest

NOW, MS = 1_000_000_000_000, 1_000_000
A_LAT, K_MAX, V_MAX = 3.5886, 0.2, 12.0      # written again on purpose
UP, DOWN, RATE = 2.5, 5.0, 0.3
MOVING = (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN, Verdict.OBSTACLE_SLOW)

any_float = st.floats(allow_nan=True, allow_infinity=True)
some_command = st.builds(
    Command, st.integers(NOW - 300 * MS, NOW + 100 * MS),
    st.one_of(st.floats(-0.6, 0.6), any_float), st.one_of(st.floats(0, 32), any_float))
some_odometry = st.builds(
    Odometry, st.integers(NOW - 700 * MS, NOW + 100 * MS), *[st.just(0.0)] * 3,
    st.one_of(st.floats(-1, 15), any_float), st.one_of(st.floats(-1, 1), any_float))
some_returns = st.builds(
    Returns, st.integers(NOW - 700 * MS, NOW + 100 * MS),
    st.lists(st.tuples(st.floats(-5, 40), st.floats(-3, 3)), max_size=3).map(
        lambda points: np.array(points, float).reshape(-1, 2)))
some_sight = st.fixed_dictionaries({'scan': st.lists(some_returns, max_size=4).map(tuple)})
some_tick = st.tuples(
    st.integers(-40 * MS, 150 * MS), st.none() | some_command, st.none() | some_odometry,
    st.sampled_from([False] * 6 + [True]),
    st.sampled_from([False] * 6 + [True]), st.booleans(),
    st.none() | some_command, st.none() | some_sight)


@settings(max_examples=150, deadline=None)
@given(st.lists(some_tick, min_size=2, max_size=25))
def test_no_sequence_breaks_the_invariants(sequence):
    config, state, now = real_gate.GateConfig(), real_gate.GateState(), NOW
    stopped = False
    for advance, request, odometry, take_over, e_stop, release, human, sight in sequence:
        before, now = state, now + advance
        state, command, verdict = real_gate.step(
            state, now_ns=now, request=request, odometry=odometry, take_over=take_over,
            e_stop=e_stop, release=release, human=human, sight=sight, config=config)
        stopped = e_stop or (stopped and not release)
        assert (verdict is Verdict.E_STOP) == stopped
        assert (state.in_command is InCommand.POLICY) <= (not take_over)
        if verdict not in MOVING:
            assert (command.curvature, command.speed) == (0.0, 0.0)
            continue
        assert (state.in_command is InCommand.HUMAN) >= take_over
        assert state.in_command is not InCommand.NOBODY
        if sight is not None:
            assert command.speed ** 2 <= 2 * 2.0 * state.distance_m + 1e-9     # v^2 = 2 a d
        assert abs(command.curvature) <= K_MAX
        assert abs(command.curvature) * odometry.speed * odometry.speed <= A_LAT + 1e-9
        assert 0.0 <= command.speed <= V_MAX
        if before.verdict in MOVING:
            dt = min(max(advance / 1e9, 0.0), 0.1)
            change = command.speed - before.command.speed
            assert change <= UP * dt + 1e-9
            assert change >= -DOWN * dt - 1e-9 or verdict is Verdict.OBSTACLE_SLOW
            bound = min(K_MAX, A_LAT / max(odometry.speed * odometry.speed, 1e-9))
            inside = min(max(before.command.curvature, -bound), bound)
            assert abs(command.curvature - inside) <= RATE * dt + 1e-9


def drive(state, *, now, age=0, k=0.0, v=8.0, speed=8.0, yaw_rate=0.0, **switches):
    return real_gate.step(
        state, now_ns=now, request=Command(now - age, k, v),
        odometry=Odometry(now, 0, 0, 0, speed, yaw_rate), config=real_gate.GateConfig(),
        **switches)


def test_an_emergency_stop_stays_until_it_is_released():
    state, now, verdicts = real_gate.GateState(), NOW, []
    for e_stop, release in [(0, 0), (1, 0), (1, 1), (0, 0), (0, 0), (0, 1), (0, 0)]:
        now += 20 * MS
        state, _, verdict = drive(state, now=now, e_stop=bool(e_stop), release=bool(release))
        verdicts.append(verdict.value)
    assert verdicts == ['pass', 'e_stop', 'e_stop', 'e_stop', 'e_stop', 'pass', 'pass']


def test_a_silent_policy_is_stopped_after_its_time_and_resumes_from_the_cars_motion():
    state, _, _ = drive(real_gate.GateState(), now=NOW, k=0.02, yaw_rate=0.16)
    request = Command(NOW, 0.02, 8.0)
    config, found = real_gate.GateConfig(), []
    for later in (100, 200, 201, 5000):
        odometry = Odometry(NOW + later * MS, 0, 0, 0, 8.0, 0.16)
        state, command, verdict = real_gate.step(
            state, now_ns=NOW + later * MS, request=request, odometry=odometry, config=config)
        found.append((verdict.value, command.speed))
    assert found == [('pass', 8.0)] * 2 + [('stale', 0.0)] * 2
    # Measured curvature 0.16 / 8 = 0.02 is where the command goes on: no jolt, no ramp.
    state, command, verdict = drive(
        state, now=NOW + 5020 * MS, k=0.02, v=6.5, speed=6.5, yaw_rate=0.13)
    assert (verdict, command.curvature, command.speed) == (Verdict.PASS, pytest.approx(0.02), 6.5)


def test_a_clock_set_back_stops_until_a_request_of_the_new_time():
    state, _, verdict = drive(real_gate.GateState(), now=NOW)
    assert verdict is Verdict.PASS
    back = NOW - 3_600_000 * MS
    old = Command(NOW, 0.0, 8.0)
    odometry = Odometry(back, 0, 0, 0, 8.0, 0.0)
    state, command, verdict = real_gate.step(
        state, now_ns=back, request=old, odometry=odometry, config=real_gate.GateConfig())
    assert (verdict, command) == (Verdict.STALE, Command(back, 0.0, 0.0))
    _, _, verdict = drive(state, now=back + 20 * MS)
    assert verdict is Verdict.PASS


def test_a_car_at_rest_reaches_the_asked_speed_at_the_rate_of_the_limits():
    state, now, speed, ticks_needed = real_gate.GateState(), NOW, 0.0, 0
    verdict = Verdict.LIMITED
    while verdict is Verdict.LIMITED:
        now, ticks_needed = now + 20 * MS, ticks_needed + 1
        state, command, verdict = drive(state, now=now, v=5.0, speed=speed)
        speed = command.speed
    assert speed == pytest.approx(5.0)
    assert ticks_needed == pytest.approx(5.0 / 2.5 / 0.02, abs=2)
