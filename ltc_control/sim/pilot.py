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
A pilot who knows where the target is, and flies so that a camera could teach it.

The velocity it asks for is a function of where the target is from the drone: turn towards it, fly
at it as fast as the distance allows, stand off, keep its height, swerve round what is in the way.
Of a target that has not been seen for a while it knows no more than a camera: it turns to the
left, always, because a side that was lost long ago is nothing that a learner could know.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.core.flight_tasks import STAND_OFF_M
from ltc_control.sim.observation import FlightTruth
from ltc_control.sim.thicket import Thicket


@dataclass(frozen=True)
class PilotStyle:
    """How the pilot flies; SI units."""

    top_speed: float = 3.5                 # [m/s]
    approach: float = 0.7                  # [1/s] speed per metre off the stand-off, both ways
    pace: float = 1.0                      # share of the target's own speed that is added
    turn: float = 1.5                      # [1/s] yaw rate per bearing
    most_turn: float = 1.0                 # [rad/s]
    climb: float = 0.9                     # [1/s]
    most_climb: float = 1.0                # [m/s]
    search_turn: float = 0.8               # [rad/s]
    remembered_s: float = 2.5              # so long an unseen target is flown at
    most_reverse: float = 1.0              # [m/s]
    push: float = 2.5                      # [m/s] away from a thing at contact
    push_room: float = 1.1                 # [m] where that begins
    swerve_room: float = 0.9               # [m] kept beside obstacles
    swerve_ahead: float = 5.0              # [m] it looks ahead for them


# A camera shows how far a person is, and hardly how fast: a learner adds the mean of their speeds,
# also to one who stands. Hence little of it, a higher slope, and more room to back off (0025).
STYLES = {'reach': PilotStyle(), 'follow': PilotStyle(approach=1.0, pace=0.6, most_reverse=1.5)}


class Pilot:
    """Flies one task; keeps no state between commands."""

    def __init__(self, task: str, thicket: Thicket, *,
                 style: PilotStyle | None = None) -> None:
        self.stand_off = STAND_OFF_M[task]
        self._thicket, self._style = thicket, style or STYLES[task]

    def command(self, truth: FlightTruth, _: Odometry | None = None) -> Velocity:
        """Return the command for the frame of ``truth``; call it anywhere, in any order."""
        style = self._style
        if truth.unseen_s > style.remembered_s:
            return Velocity(truth.stamp_ns, 0.0, 0.0, 0.0, style.search_turn)
        bearing = math.atan2(truth.target_left, truth.target_ahead)
        flat = math.hypot(truth.target_ahead, truth.target_left)
        gap = math.sqrt(flat**2 + truth.target_up**2) - self.stand_off
        towards = max(math.cos(bearing), 0.0) ** 2
        speed = style.approach * gap + style.pace * truth.target_speed_ahead
        forward = min(max(speed, -style.most_reverse), style.top_speed) * towards
        left = self._swerve(truth, forward)
        push_ahead, push_left = self._push(truth)
        forward, left = forward + push_ahead, left + push_left
        yaw_rate = min(max(style.turn * bearing, -style.most_turn), style.most_turn)
        up = min(max(style.climb * truth.target_up, -style.most_climb), style.most_climb)
        scale = min(1.0, style.top_speed / max(math.hypot(forward, left), 1e-6))
        return Velocity(truth.stamp_ns, forward * scale, left * scale, up, yaw_rate)

    def _push(self, truth: FlightTruth) -> tuple[float, float]:
        """Return a velocity (ahead, left) [m/s] away from what is close on any side."""
        style = self._style
        x, y = self._thicket.push(truth.x, truth.y, truth.z, room=style.push_room)
        cos, sin = math.cos(truth.yaw), math.sin(truth.yaw)
        return style.push * (x * cos + y * sin), style.push * (y * cos - x * sin)

    def _swerve(self, truth: FlightTruth, forward: float) -> float:
        """Return a sideways speed [m/s] round the nearest thing before the target."""
        style = self._style
        far = min(style.swerve_ahead, truth.target_ahead)
        found = self._thicket.ahead((truth.x, truth.y, truth.z), truth.yaw, far=far,
                                    room=style.swerve_room, tall=0.6)
        if found is None or forward < 0.2:
            return 0.0
        gap, left, needed = found
        strength = (1.0 - gap / style.swerve_ahead) * (needed - abs(left)) / needed
        return -math.copysign(0.6 + 2.2 * strength, left)
