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
"""
Who is in command: a person before the policy, and a soft way back.

A person drives by a joystick with a dead man's button, or by a topic of commands. While the
button is held, or commands keep coming, theirs are followed; the policy's are not. When the link
breaks with the button down nobody drives on: the car stands until the button is seen up. When the
person lets go, the policy's command fades in over ``hand_back_s``, as cruise controls do
after an override, and the rates of the limits hold all the while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

from ltc_control.core.contracts import Command, InCommand, Verdict
from ltc_control.core.errors import ConfigError

# Verdicts under which nobody's wish is followed; an obstacle only bounds the wish of somebody.
_NOBODY = (Verdict.NO_REQUEST, Verdict.STALE, Verdict.INVALID, Verdict.NO_TELEMETRY,
           Verdict.E_STOP)


@dataclass(frozen=True, slots=True)
class HandBack:
    """A person's last command and when they let go; the policy fades in from there."""

    since_ns: int
    command: Command


@dataclass(frozen=True, slots=True)
class JoystickMap:
    """
    Which button and axes of a joystick mean what; the defaults are those of an Xbox pad.

    An axis reads 1 to the left and up, as ``joy_node`` gives it. Negative scales turn it round.
    """

    dead_man_button: int = 4
    steering_axis: int = 0
    speed_axis: int = 1
    full_curvature: float = 0.1                # [1/m] at 1
    full_speed: float = 6.0                    # [m/s] at 1; below 0 the car stands: no reverse

    def __post_init__(self) -> None:
        """Refuse indices below 0 and scales that are not finite."""
        if min(self.dead_man_button, self.steering_axis, self.speed_axis) < 0:
            raise ConfigError(f'buttons and axes are counted from 0, got {self!r}')
        if not (math.isfinite(self.full_curvature) and math.isfinite(self.full_speed)):
            raise ConfigError(f'the scales of a joystick must be finite, got {self!r}')


def joystick_command(axes: Sequence[float], buttons: Sequence[int], *, stamp_ns: int,
                     mapping: JoystickMap) -> Command | None:
    """
    Return what the person asks for, or None while the dead man's button is up or missing.

    With the button held an axis that does not exist gives NaN, which the gate refuses.
    """
    pressed = mapping.dead_man_button
    if pressed >= len(buttons) or not buttons[pressed]:
        return None
    steering, speed = (float(axes[index]) if index < len(axes) else math.nan
                       for index in (mapping.steering_axis, mapping.speed_axis))
    wish = speed * mapping.full_speed
    return Command(stamp_ns, steering * mapping.full_curvature, 0.0 if wish < 0.0 else wish)


def who_drives(*, take_over: bool, human_is_fresh: bool) -> InCommand:
    """Return whose command counts: a person's while they hold on or their command is fresh."""
    return InCommand.HUMAN if take_over or human_is_fresh else InCommand.POLICY


def in_command(driver: InCommand, verdict: Verdict) -> InCommand:
    """Return whose command is followed under this verdict."""
    return InCommand.NOBODY if verdict in _NOBODY else driver


def handed_back(
    before: HandBack | None, *, now_ns: int, last: Command | None, hand_back_s: float,
) -> HandBack | None:
    """
    Return the hand-over in progress at ``now_ns``, or None.

    ``last`` is a person's command if that was published last and the policy's turn begins now.
    """
    if last is not None:
        before = HandBack(now_ns, last)
    if before is None or not 0 <= now_ns - before.since_ns < hand_back_s * 1e9:
        return None
    return before


def faded(wish: Command, back: HandBack | None, *, now_ns: int, hand_back_s: float) -> Command:
    """Return the wish of the policy mixed with the person's last command, linear in time."""
    if back is None:
        return wish
    share = (now_ns - back.since_ns) / 1e9 / hand_back_s
    return Command(
        wish.stamp_ns, back.command.curvature + share * (wish.curvature - back.command.curvature),
        back.command.speed + share * (wish.speed - back.command.speed))
