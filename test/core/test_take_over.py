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
"""Who is in command, tick by tick; a joystick's axes; how the policy fades in."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core import gate
from ltc_control.core.contracts import Command, InCommand, Odometry, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.reasons import reason
from ltc_control.core.take_over import joystick_command, JoystickMap
import pytest

NOW, MS = 1_000_000_000_000, 1_000_000


def run(ticks, *, hand_back_s=0.5, speed=6.0):
    """Step the gate at 50 Hz by (command of the human or None, take_over, policy curvature)."""
    state, now, found = gate.GateState(), NOW, []
    config = gate.GateConfig(hand_back_s=hand_back_s)
    for human, take_over, curvature in ticks:
        now += 20 * MS
        if human is not None:
            human = Command(now, *human)
        state, command, verdict = gate.step(
            state, now_ns=now, request=Command(now, curvature, 6.0), human=human,
            odometry=Odometry(now, 0, 0, 0, speed, 0.0), take_over=take_over, config=config)
        found.append((command, verdict, state.in_command))
    return found


@pytest.mark.parametrize(('human', 'take_over', 'verdict', 'who'), [
    (None, False, Verdict.PASS, InCommand.POLICY),
    (None, True, Verdict.TAKE_OVER, InCommand.HUMAN),            # a switch alone is standstill
    ((0.0, 6.0), False, Verdict.HUMAN, InCommand.HUMAN),         # commands that keep coming
    ((0.0, 6.0), True, Verdict.HUMAN, InCommand.HUMAN),          # the dead man's button
    ((0.0, math.nan), True, Verdict.INVALID, InCommand.NOBODY),
    ((0.0, -1.0), False, Verdict.INVALID, InCommand.NOBODY),
])
def test_who_is_in_command(human, take_over, verdict, who):
    command, said, commander = run([(human, take_over, 0.0)])[0]
    assert (said, commander) == (verdict, who)
    assert (command.speed > 0) == (verdict in (Verdict.PASS, Verdict.HUMAN))


@pytest.mark.parametrize(('button', 'who', 'verdict'), [
    (True, InCommand.HUMAN, Verdict.TAKE_OVER),          # the link broke: nobody drives on
    (False, InCommand.POLICY, Verdict.PASS)])            # they stopped sending: the policy drives
def test_a_persons_command_that_grows_old(button, who, verdict):
    state, old = gate.GateState(), Command(NOW, 0.0, 6.0)
    config = gate.GateConfig(hand_back_s=0.0)
    for later in (0, 300, 320):
        now = NOW + later * MS
        state, command, said = gate.step(
            state, now_ns=now, request=Command(now, 0.0, 6.0), human=old, take_over=button,
            odometry=Odometry(now, 0, 0, 0, 6.0, 0.0), config=config)
        if later <= 300:
            assert (said, command) == (Verdict.HUMAN, old)
    assert (said, state.in_command) == (verdict, who)
    assert reason(state)


def test_a_stale_policy_does_not_stop_a_person_and_an_emergency_stop_does():
    human = Command(NOW, 0.0, 6.0)
    odometry = Odometry(NOW, 0, 0, 0, 6.0, 0.0)
    for request in (None, Command(NOW - 900 * MS, 0.0, 6.0), Command(NOW, math.nan, 6.0)):
        _, command, verdict = gate.step(gate.GateState(), now_ns=NOW, request=request, human=human,
                                        odometry=odometry, config=gate.GateConfig())
        assert (verdict, command.speed) == (Verdict.HUMAN, 6.0)
    _, command, verdict = gate.step(
        gate.GateState(), now_ns=NOW, request=None, human=human, odometry=odometry, e_stop=True,
        config=gate.GateConfig())
    assert (verdict, command.speed) == (Verdict.E_STOP, 0.0)


def test_the_policy_fades_in_on_a_straight_line_when_a_person_lets_go():
    steps = run([((0.05, 6.0), True, -0.05)] * 20 + [(None, False, -0.05)] * 30, hand_back_s=0.4)
    after = [command.curvature for command, _, who in steps[20:] if who is InCommand.POLICY]
    assert len(after) == 30
    assert steps[19][0].curvature == pytest.approx(0.05)
    # 0.1 in 0.4 s is 0.005 a tick, slower than the 0.006 that the limits allow
    line = [0.05 - 0.005 * tick for tick in range(20)] + [-0.05] * 10
    assert after == pytest.approx(line)
    assert [verdict for _, verdict, _ in steps[40:]] == [Verdict.PASS] * 10


def test_whoever_takes_the_wheel_again_gets_it_at_once():
    ticks = [((0.0, 6.0), True, 0.0)] * 3 + [(None, False, 0.04)] * 3 + [((0.02, 6.0), True, 0.04)]
    command, verdict, _ = run(ticks * 2)[-1]
    assert verdict is Verdict.HUMAN
    before = run(ticks * 2)[-2][0].curvature
    assert command.curvature == pytest.approx(min(before + 0.006, 0.02))


@given(st.lists(st.sampled_from(['policy', 'human', 'switch']), min_size=2, max_size=60),
       st.floats(0, 1))
def test_no_change_of_hands_moves_the_wheel_faster_than_the_limits(hands, hand_back_s):
    asked = {'policy': (None, False, 0.06), 'human': ((-0.06, 6.0), True, 0.06),
             'switch': (None, True, 0.06)}
    steps = run([asked[hand] for hand in hands], hand_back_s=hand_back_s)
    for (before, said, _), (command, verdict, _) in itertools.pairwise(steps):
        if Verdict.TAKE_OVER not in (said, verdict):
            assert abs(command.curvature - before.curvature) <= 0.3 * 0.02 + 1e-9
        if verdict is Verdict.TAKE_OVER:
            assert (command.curvature, command.speed) == (0.0, 0.0)


def test_a_joystick_steers_left_and_never_backwards():
    def asked(axes, buttons=(0, 0, 0, 0, 1), **mapping):
        return joystick_command(axes, buttons, stamp_ns=7, mapping=JoystickMap(**mapping))

    assert asked([1.0, 0.5]) == Command(7, 0.1, 3.0)             # left, half speed
    assert asked([-0.5, -1.0]) == Command(7, -0.05, 0.0)         # pulled back: stand
    assert asked([1.0, 0.5], full_curvature=-0.2).curvature == -0.2
    assert asked([0.0, 0.0, -1.0], speed_axis=2, full_speed=-4.0).speed == 4.0
    assert asked([1.0, 1.0], buttons=(0, 0, 0, 0, 0)) is None    # dead man's button up
    assert asked([1.0, 1.0], buttons=(1,)) is None               # a pad that has none
    assert math.isnan(asked([1.0]).speed)                        # no such axis: the gate refuses


@pytest.mark.parametrize('wrong', [
    {'dead_man_button': -1}, {'speed_axis': -1}, {'full_speed': math.nan}])
def test_a_joystick_that_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError):
        JoystickMap(**wrong)
