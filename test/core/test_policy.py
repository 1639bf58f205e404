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
"""The rules of the house around the engine: each case, its effect on state and command."""

from __future__ import annotations

import math
import time

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from ltc_control.core.contracts import Command, Frame, ImuWindow
from ltc_control.core.contracts import InputCase as Case
from ltc_control.core.engine import Engine
from ltc_control.core.errors import ModelError
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec
from ltc_control.core.policy import Policy
import numpy as np
import pytest

DT, MS = 0.04, 1_000_000
CURVATURE = CommandSpec('curvature', '1/m', -0.1, 0.1)


def frame(at_ms, value=10):
    return Frame(round(at_ms * MS), np.full((4, 6, 3), value, np.uint8))


def imu(yaw_rate=0.2):
    return ImuWindow(np.zeros(2, np.int64), np.full((2, 3), yaw_rate), np.full((2, 3), 9.81))


def features(yaw_rate=0.2):
    return np.array([yaw_rate / 2.0, 1.0])


NO_IMU = np.zeros(2)


@pytest.fixture
def policy(tiny_model):
    return Policy.load(tiny_model())


def counted(policy):
    return {case: n for case, n in policy.counts.items() if n}


def test_a_drive_with_uneven_stamps_equals_plain_numpy(policy, tiny_model):
    state, last = np.zeros(3), None
    for at, value in [(0, 90), (40, 10), (85, 200), (100, 30), (250, 60), (290, 0)]:
        decision = policy.step(frame(at, value), imu())
        dt = DT if last is None else (at - last) / 1e3
        command, state, tau = tiny_model.reference(
            frame(at, value).rgb, features(), state, dt / DT)
        last = at
        assert decision.dt_s == pytest.approx(dt)
        assert decision.command.stamp_ns == at * MS
        assert decision.command.curvature == pytest.approx(command[0], abs=1e-6)
        assert decision.command.speed == pytest.approx(command[1], abs=1e-5)
        np.testing.assert_allclose(decision.state, state, atol=1e-5)
        np.testing.assert_allclose(decision.tau, tau, atol=1e-6)
        assert decision.valid
    assert counted(policy) == {Case.FIRST_FRAME: 1, Case.OK: 4, Case.LONG_STEP: 1}


@pytest.mark.parametrize(('at', 'case', 'resets', 'dt_s'), [
    (160, Case.OK, False, 0.06), (161, Case.LONG_STEP, False, 0.061),
    (600, Case.LONG_STEP, False, 0.5), (600.001, Case.GAP, True, DT),
    (99, Case.JUMP_BACK, True, DT), (-5000, Case.JUMP_BACK, True, DT),
])
def test_late_and_early_frames(policy, tiny_model, at, case, resets, dt_s):
    first = policy.step(frame(100), imu())
    decision = policy.step(frame(at), imu())
    start = np.zeros(3) if resets else first.state
    _, expected, _ = tiny_model.reference(frame(at).rgb, features(), start, dt_s / DT)
    assert (decision.case, decision.cases, decision.valid) == (case, (case,), True)
    assert decision.dt_s == pytest.approx(dt_s)
    np.testing.assert_allclose(decision.state, expected, atol=1e-5)
    assert policy.counts[case] == 1


def test_a_repeated_frame_holds_under_its_own_stamp_and_makes_no_step(policy):
    first = policy.step(frame(0), imu())
    for _ in range(3):
        again = policy.step(frame(0, 255), imu(9.0))       # other content, same stamp
        assert again.command == first.command
        assert np.array_equal(again.state, first.state)
        assert (again.case, again.dt_s) == (Case.REPEATED_FRAME, 0.0)
    assert policy.step(frame(40), imu()).dt_s == pytest.approx(DT)
    assert counted(policy) == {Case.FIRST_FRAME: 1, Case.REPEATED_FRAME: 3, Case.OK: 1}


@pytest.mark.parametrize('rgb', [
    np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3)), np.zeros((0, 6, 3), np.uint8), None,
])
def test_a_bad_image_is_bridged_for_a_while_and_then_stops(policy, rgb):
    good = policy.step(frame(0), imu())
    for at in (40, 120, 200):
        held = policy.step(Frame(at * MS, rgb), imu())
        assert held.command == good.command                # its own stamp: it ages at the gate
        assert held.valid
        assert held.case is Case.BAD_IMAGE
    late = policy.step(Frame(201 * MS, rgb), imu())
    assert (late.command, late.valid) == (Command.stop(201 * MS), False)
    # The state waited: the next good frame makes one long step from it.
    after = policy.step(frame(240), imu())
    assert (after.case, after.dt_s) == (Case.LONG_STEP, pytest.approx(0.24))
    assert policy.counts[Case.BAD_IMAGE] == 4


def test_a_bad_first_image_has_nothing_to_hold(policy):
    decision = policy.step(Frame(7, np.zeros(3, np.uint8)), imu())
    assert (decision.command, decision.valid) == (Command.stop(7), False)
    assert decision.cases == (Case.BAD_IMAGE, Case.FIRST_FRAME)
    assert policy.step(frame(40), imu()).case is Case.FIRST_FRAME


def test_a_bad_image_of_an_earlier_time_is_not_bridged(policy):
    policy.step(frame(1000), imu())
    decision = policy.step(Frame(900 * MS, None), imu())
    assert not decision.valid
    assert decision.cases == (Case.BAD_IMAGE, Case.JUMP_BACK)


@pytest.mark.parametrize('window', [
    ImuWindow.empty(), imu(np.nan), imu(np.inf),
])
def test_bad_imu_steps_with_validity_zero(policy, tiny_model, window):
    decision = policy.step(frame(0), window)
    _, expected, _ = tiny_model.reference(frame(0).rgb, NO_IMU, np.zeros(3), 1.0)
    np.testing.assert_allclose(decision.state, expected, atol=1e-6)
    assert decision.valid
    assert decision.cases == (Case.BAD_IMU, Case.FIRST_FRAME)
    assert counted(policy) == {Case.BAD_IMU: 1, Case.FIRST_FRAME: 1}


def test_a_model_without_imu_never_misses_it(tiny_model):
    policy = Policy.load(tiny_model(imu=ImuSpec()))
    assert policy.step(frame(0), ImuWindow.empty()).cases == (Case.FIRST_FRAME,)


def test_a_state_out_of_its_envelope_stops_and_starts_anew(policy, tiny_model):
    # White images: x = 1.1, then 1.65 > 1.5, the bound in the model file.
    white = [policy.step(frame(40 * k, 255), imu(0.0)) for k in range(3)]
    assert [d.valid for d in white] == [True, False, True]
    assert white[1].case is Case.BAD_STATE
    assert white[1].command == Command.stop(40 * MS)
    assert np.isnan(white[1].tau).all()
    assert np.array_equal(white[1].state, np.zeros(3))
    np.testing.assert_allclose(white[2].state, white[0].state, atol=1e-6)
    assert policy.counts[Case.BAD_STATE] == 1
    # A repeat of the frame that broke is a stop too.
    policy.reset()
    for at in (0, 40, 40):
        last = policy.step(frame(at, 255), imu(0.0))
    assert (last.valid, last.command) == (False, Command.stop(40 * MS))


@pytest.mark.parametrize(('high', 'valid'), [(1.1, True), (1.1 - 2e-5, False)])
def test_the_envelope_has_a_tolerance_of_rounding_only(tiny_model, high, valid):
    policy = Policy.load(tiny_model(envelope_high=(high,) * 3))
    assert policy.step(frame(0, 255), imu(0.0)).valid is valid


def test_a_command_that_is_not_finite_stops(tiny_model):
    policy = Policy.load(tiny_model(broken='log', envelope_low=None, envelope_high=None))
    assert policy.step(frame(0, 200), imu()).valid
    decision = policy.step(frame(40, 0), imu())            # log of black
    assert (decision.valid, decision.case) == (False, Case.BAD_STATE)
    assert decision.command == Command.stop(40 * MS)


def test_commands_are_clamped_to_the_ranges_of_the_model(tiny_model):
    policy = Policy.load(tiny_model(commands=(
        CommandSpec('curvature', '1/m', -0.01, 0.02), CommandSpec('speed', 'm/s', 5.0, 6.0))))
    white, black = policy.step(frame(0, 255), imu()), None
    policy.reset()
    black = policy.step(frame(0, 0), imu(-20.0))
    assert (white.command.curvature, white.command.speed) == (0.02, 6.0)
    assert (black.command.curvature, black.command.speed) == (-0.01, 5.0)


def test_reset_every_step_forgets_and_keeps_the_true_dt(tiny_model):
    policy = Policy(Engine(tiny_model()), reset_every_step=True)
    for k, at in enumerate((0, 40, 90)):
        decision = policy.step(frame(at), imu())
        dt = DT if k == 0 else (0.04, 0.05)[k - 1]
        _, expected, _ = tiny_model.reference(frame(at).rgb, features(), np.zeros(3), dt / DT)
        np.testing.assert_allclose(decision.state, expected, atol=1e-6)


def test_reset_starts_a_new_drive(policy):
    first = policy.step(frame(0), imu())
    policy.step(frame(40), imu())
    policy.reset()
    again = policy.step(frame(0), imu())
    assert again.case is Case.FIRST_FRAME
    assert np.array_equal(again.state, first.state)
    assert policy.counts[Case.FIRST_FRAME] == 2


def test_camera_size_is_brought_to_the_models(policy):
    large = Frame(0, np.full((8, 12, 3), 10, np.uint8))
    small = policy.step(frame(0), imu())
    policy.reset()
    assert policy.step(large, imu()).command == small.command


def test_order_of_commands_is_by_name(tiny_model):
    speed = CommandSpec('speed', 'm/s', 0.0, 12.0)
    policy = Policy.load(tiny_model(commands=(speed, CURVATURE)))
    decision = policy.step(frame(0, 255), imu(0.0))        # graph gives (0.055, 10)
    assert decision.command.speed == pytest.approx(0.055)
    assert decision.command.curvature == 0.1


def test_a_model_for_something_else_is_refused(tiny_model):
    with pytest.raises(ModelError, match='drone'):
        Policy.load(tiny_model(vehicle='drone'))
    other = (CommandSpec('yaw_rate', 'rad/s', -1, 1), CURVATURE)
    folder = tiny_model(commands=other)
    with pytest.raises(ModelError, match='speed'):
        Policy.load(folder)
    policy = Policy.load(folder, cruise_speed=7.0)
    assert policy.step(frame(0), imu()).command.speed == 7.0


@settings(max_examples=60, deadline=None, suppress_health_check=[
    HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(
    st.integers(-600, 900), st.sampled_from(['good', 'white', 'bad', 'none']),
    st.sampled_from([0.0, 0.3, math.nan, -30.0])), min_size=1, max_size=40))
def test_no_sequence_is_silent_or_unsafe(policy, sequence):
    policy.reset()
    before = dict(policy.counts)
    stamp_ns, named = 0, 0
    for later, kind, yaw_rate in sequence:
        stamp_ns += later * MS
        rgb = {'good': frame(0, 50).rgb, 'white': frame(0, 255).rgb,
               'bad': np.zeros((4, 6), np.uint8), 'none': None}[kind]
        decision = policy.step(Frame(stamp_ns, rgb), imu(yaw_rate))
        named += len(decision.cases)
        assert decision.case is decision.cases[0]
        assert math.isfinite(decision.command.curvature + decision.command.speed)
        assert abs(decision.command.curvature) <= 0.1
        assert np.isfinite(decision.state).all()
        assert np.isfinite(policy.state.neurons).all()
        assert np.abs(policy.state.neurons).max() <= 1.5 + 1e-5
        assert 0 <= stamp_ns - decision.command.stamp_ns <= 200 * MS
        if not decision.valid:
            assert (decision.command.curvature, decision.command.speed) == (0.0, 0.0)
    assert sum(policy.counts.values()) - sum(before.values()) == named


def test_the_rules_cost_little_beside_the_engine(policy):
    # A wide bound against gross mistakes (a copy of the model a frame, say), not a benchmark.
    frames = [frame(40 * k, 20) for k in range(300)]
    window = imu()
    times = []
    for one in frames:
        start = time.thread_time()         # others may have the machine
        policy.step(one, window)
        times.append(time.thread_time() - start)
    assert sorted(times)[len(times) // 2] < 2e-3
