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
"""The flight gate: nothing harmful passes; on doubt it hovers, then falls silent."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.contracts import InCommand, Odometry, Velocity, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.flight_gate import FlightGateConfig, FlightGateState, step
from ltc_control.core.flight_limits import bounded, eased, FlightLimits, Motion
import pytest

CONFIG = FlightGateConfig()
LIMITS = CONFIG.limits
TICK_NS = 33_333_333
SECOND_NS = 1_000_000_000
anything = st.floats(allow_nan=True, allow_infinity=True, width=32)


def here(stamp_ns: int = SECOND_NS, *, x: float = 0.0, y: float = 0.0, z: float = 3.0,
         yaw: float = 0.0) -> Odometry:
    return Odometry(stamp_ns, x, y, yaw, 0.0, 0.0, z)


def ask(stamp_ns: int = SECOND_NS, *, forward: float = 0.0, left: float = 0.0, up: float = 0.0,
        yaw_rate: float = 0.0) -> Velocity:
    return Velocity(stamp_ns, forward, left, up, yaw_rate)


def ticks(wish: Velocity, *, count: int, where: Odometry | None = None, **more: object,
          ) -> tuple[FlightGateState, Velocity | None, Verdict]:
    """Step with fresh copies of one wish and one place."""
    state, command, verdict = FlightGateState(), None, Verdict.PASS
    for k in range(count):
        now = SECOND_NS + k * TICK_NS
        place = here(now) if where is None else Odometry(now, *astuple_after_stamp(where))
        fresh = Velocity(now, wish.forward, wish.left, wish.up, wish.yaw_rate)
        state, command, verdict = step(state, now_ns=now, request=fresh, odometry=place,
                                       config=CONFIG, **more)
    return state, command, verdict


def astuple_after_stamp(odometry: Odometry) -> tuple[float, ...]:
    return (odometry.x, odometry.y, odometry.yaw, odometry.speed, odometry.yaw_rate, odometry.z)


def test_a_wish_inside_the_limits_is_flown_after_a_while() -> None:
    state, command, verdict = ticks(ask(forward=2.0, left=-0.5, up=0.3, yaw_rate=0.4), count=60)
    assert (command.forward, command.left, command.up, command.yaw_rate) == pytest.approx(
        (2.0, -0.5, 0.3, 0.4), abs=1e-6)
    assert verdict is Verdict.PASS
    assert state.in_command is InCommand.POLICY


@pytest.mark.parametrize(('change', 'verdict'), [
    ({'request': None}, Verdict.NO_REQUEST),
    ({'request': ask(SECOND_NS - 310_000_000)}, Verdict.STALE),
    ({'request': ask(SECOND_NS + 60_000_000)}, Verdict.STALE),
    ({'request': ask(forward=math.nan)}, Verdict.INVALID),
    ({'request': ask(up=math.inf)}, Verdict.INVALID),
    ({'request': ask(left=16.0)}, Verdict.INVALID),
    ({'request': ask(yaw_rate=-4.1)}, Verdict.INVALID),
    ({'odometry': None}, Verdict.NO_TELEMETRY),
    ({'odometry': here(SECOND_NS - 510_000_000)}, Verdict.NO_TELEMETRY),
    ({'odometry': here(z=math.nan)}, Verdict.NO_TELEMETRY),
    ({'take_over': True}, Verdict.TAKE_OVER),
    ({'e_stop': True}, Verdict.E_STOP),
    ({'e_stop': True, 'request': None, 'odometry': None}, Verdict.E_STOP),
])
def test_on_doubt_it_hovers_and_says_why(change: dict[str, object], verdict: Verdict) -> None:
    inputs = {'request': ask(forward=3.0), 'odometry': here(), **change}
    before = FlightGateState(tick_ns=SECOND_NS - TICK_NS, motion=Motion(forward=3.0))
    state, command, said = step(before, now_ns=SECOND_NS, config=CONFIG, **inputs)
    assert said is verdict
    assert command == Velocity.stop(SECOND_NS)
    assert state.in_command is InCommand.NOBODY
    assert state.motion == Motion()


def test_after_hovering_for_its_time_it_is_silent_until_there_is_something_to_follow() -> None:
    state, spoken = FlightGateState(), []
    for k in range(round(8.0 * SECOND_NS / TICK_NS)):
        now = SECOND_NS + k * TICK_NS
        state, command, _ = step(state, now_ns=now, request=None, odometry=here(now),
                                 config=CONFIG)
        spoken.append(command is not None)
    last = max(k for k, heard in enumerate(spoken) if heard)
    assert all(spoken[:last + 1])                      # steady until then: never below 2 Hz
    assert last * TICK_NS / SECOND_NS == pytest.approx(CONFIG.hover_s, abs=0.05)
    now += TICK_NS
    _, command, verdict = step(state, now_ns=now, request=ask(now), odometry=here(now),
                               config=CONFIG)
    assert command is not None
    assert verdict is Verdict.PASS


def test_an_emergency_stop_latches_until_it_is_released() -> None:
    state, _, _ = step(FlightGateState(), now_ns=SECOND_NS, request=ask(), odometry=here(),
                       e_stop=True, config=CONFIG)
    for release, wanted in ((False, Verdict.E_STOP), (True, Verdict.PASS)):
        state, _, verdict = step(state, now_ns=SECOND_NS, request=ask(), odometry=here(),
                                 release=release, config=CONFIG)
        assert verdict is wanted


def test_a_person_comes_before_the_policy() -> None:
    state, command, _ = ticks(ask(forward=3.0), count=60)
    now = SECOND_NS + 60 * TICK_NS
    for _ in range(60):
        now += TICK_NS
        state, command, _ = step(state, now_ns=now, request=ask(now, forward=3.0),
                                 human=ask(now, forward=-1.0), odometry=here(now), config=CONFIG)
    assert command.forward == pytest.approx(-1.0, abs=1e-6)
    assert state.in_command is InCommand.HUMAN
    now += 400_000_000                                 # they let go: it grows stale
    state, command, verdict = step(state, now_ns=now, request=ask(now, forward=3.0),
                                   human=ask(now - 400_000_000), odometry=here(now),
                                   config=CONFIG)
    assert state.in_command is InCommand.POLICY
    assert verdict is Verdict.LIMITED
    assert command.forward < -0.5                      # handed back softly


@pytest.mark.parametrize(('where', 'wish', 'check'), [
    (here(z=LIMITS.floor), ask(up=-1.0), lambda c: c.up >= 0.0),
    (here(z=LIMITS.floor - 0.3), ask(up=-1.0), lambda c: c.up > 0.2),
    (here(z=LIMITS.ceiling), ask(up=1.0), lambda c: c.up <= 0.0),
    (here(z=LIMITS.ceiling + 0.4), ask(up=1.0), lambda c: c.up < -0.3),
    (here(x=LIMITS.fence_radius), ask(forward=4.0), lambda c: c.forward <= 0.0),
    (here(x=LIMITS.fence_radius), ask(left=4.0), lambda c: c.left == 4.0),
    (here(x=LIMITS.fence_radius), ask(forward=-4.0), lambda c: c.forward == -4.0),
    (here(y=LIMITS.fence_radius + 2.0, yaw=math.pi / 2), ask(forward=4.0),
     lambda c: c.forward <= -1.0),
])
def test_floor_ceiling_and_fence_hold_and_let_back_in(where, wish, check) -> None:
    assert check(bounded(wish, where, LIMITS))


@given(x=st.floats(-55, 55), y=st.floats(-55, 55), z=st.floats(0.7, 7.9),
       yaw=st.floats(-4, 4), forward=st.floats(-15, 15), left=st.floats(-15, 15),
       up=st.floats(-15, 15))
@settings(max_examples=25, deadline=None)
def test_whatever_is_asked_the_drone_stays_inside(x, y, z, yaw, forward, left, up) -> None:
    """A point that moves exactly as commanded, for 20 s."""
    state, dt = FlightGateState(), TICK_NS / SECOND_NS
    for k in range(600):
        now = SECOND_NS + k * TICK_NS
        state, command, _ = step(state, now_ns=now, request=ask(
            now, forward=forward, left=left, up=up), odometry=here(now, x=x, y=y, z=z, yaw=yaw),
            config=CONFIG)
        x += (command.forward * math.cos(yaw) - command.left * math.sin(yaw)) * dt
        y += (command.forward * math.sin(yaw) + command.left * math.cos(yaw)) * dt
        z += command.up * dt
        assert math.hypot(command.forward, command.left) <= LIMITS.max_speed + 1e-6
        assert math.hypot(x, y) < LIMITS.fence_radius + 0.5
        assert LIMITS.floor - 0.15 < z < LIMITS.ceiling + 0.15


@given(wishes=st.lists(st.tuples(*[st.floats(-5, 5)] * 4), min_size=2, max_size=40),
       dt=st.floats(0.005, 0.1))
@settings(max_examples=100, deadline=None)
def test_acceleration_and_jerk_stay_within_their_limits(wishes, dt) -> None:
    motion = Motion()
    for forward, left, up, turn in wishes:
        after = eased(ask(forward=forward, left=left, up=up, yaw_rate=turn), motion, dt_s=dt,
                      limits=LIMITS)
        pull = (after.pull_forward, after.pull_left, after.pull_up)
        before = (motion.pull_forward, motion.pull_left, motion.pull_up)
        assert math.dist(pull, (0.0, 0.0, 0.0)) <= LIMITS.max_acceleration * (1 + 1e-9)
        assert math.dist(pull, before) <= LIMITS.max_jerk * dt * (1 + 1e-9)
        if math.hypot(after.forward, after.left) < LIMITS.max_speed - 1e-9:
            assert after.forward == pytest.approx(motion.forward + pull[0] * dt)
        assert abs(after.yaw_rate - motion.yaw_rate) <= LIMITS.max_yaw_acceleration * dt + 1e-9
        motion = after


@given(numbers=st.lists(anything, min_size=13, max_size=13), take_over=st.booleans(),
       e_stop=st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_number_whatever_raises_or_gets_through(numbers, take_over, e_stop) -> None:
    request, human = ask(), ask()
    request = Velocity(SECOND_NS, *numbers[:4])
    human = Velocity(SECOND_NS, *numbers[4:8])
    where = Odometry(SECOND_NS, *numbers[8:13], numbers[0])
    state = FlightGateState(tick_ns=SECOND_NS - TICK_NS)
    _, command, verdict = step(state, now_ns=SECOND_NS, request=request, human=human,
                               odometry=where, take_over=take_over, e_stop=e_stop, config=CONFIG)
    values = (command.forward, command.left, command.up, command.yaw_rate)
    assert all(map(math.isfinite, values))
    assert math.hypot(command.forward, command.left) <= LIMITS.max_speed + 1e-6
    if verdict not in (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN):
        assert values == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize('change', [
    {'floor': 0.0}, {'ceiling': math.inf}, {'max_jerk': math.nan}, {'floor': 7.8},
    {'max_speed': -1.0}])
def test_limits_that_leave_no_room_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        FlightLimits(**change)
    with pytest.raises(ConfigError, match='stale_s'):
        FlightGateConfig(stale_s=-1.0)
