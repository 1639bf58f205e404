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
A driver who knows the road: centre of the lane, speed that suits the curves.

The curvature it asks for is a function of where the car is, so that a network which sees the
road can learn it: the road's curvature where the car will be when the steering has answered,
less a feedback on offset and heading at that place (a linear preview law). Heading is compared
with the side-slip angle of the steady arc, which takes the offset bias out of curves.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.contracts import Command, Odometry
from ltc_control.sim.car import CarSpec
from ltc_control.sim.observation import Truth
from ltc_control.sim.track import Track
import numpy as np


@dataclass(frozen=True)
class ExpertStyle:
    """How the expert drives; times in seconds, lengths in metres."""

    top_speed: float = 12.0                # [m/s]
    lateral_acceleration: float = 2.5      # [m/s^2] that sets the speed in curves
    acceleration: float = 1.2
    braking: float = 1.5
    steering_preview: float = 0.17         # delay plus lag of the steering
    speed_preview: float = 0.35            # the same of the drive, and its gain
    return_length: float = 5.0             # over which an offset is steered out
    damping: float = 0.8
    strongest_correction: float = 0.07     # [1/m] of the feedback
    strongest: float = 0.12                # [1/m] in all


def speed_profile(track: Track, style: ExpertStyle) -> np.ndarray:
    """Return the speed [m/s] at each sample of the road, (N,), within all three accelerations."""
    bend = np.maximum(np.abs(track.curvature), 1e-6)
    speed = np.minimum(style.top_speed, np.sqrt(style.lateral_acceleration / bend))
    squared = speed**2
    gain, loss = (2.0 * a * track.spacing for a in (style.acceleration, style.braking))
    count = len(squared)
    rounds = 2 if track.closed else 1      # a loop's limits run across its seam
    for i in range(1, rounds * count):
        squared[i % count] = min(squared[i % count], squared[(i - 1) % count] + gain)
    for i in range(rounds * count - 2, -1, -1):
        squared[i % count] = min(squared[i % count], squared[(i + 1) % count] + loss)
    return np.sqrt(squared)


class Expert:
    """Drives one track; keeps no state between commands."""

    def __init__(self, track: Track, car: CarSpec | None = None, *,
                 style: ExpertStyle | None = None) -> None:
        self.track, self.car, self.style = track, car or CarSpec(), style or ExpertStyle()
        self._speed = speed_profile(track, self.style)

    def speed_at(self, arc: float) -> float:
        """Return the speed [m/s] that suits the road at ``arc``."""
        count = len(self._speed)
        index = round(arc / self.track.spacing)
        return float(self._speed[index % count if self.track.closed else min(index, count - 1)])

    def command(self, truth: Truth, odometry: Odometry) -> Command:
        """Return the command for the frame of ``truth``; call it at any pose, in any order."""
        style, speed = self.style, max(odometry.speed, 0.0)
        ahead = truth.arc_m + speed * style.steering_preview
        bend = float(self.track.curvature_at(ahead))
        slip = self._slip(float(self.track.curvature_at(truth.arc_m)), speed)
        heading = truth.heading_error + slip
        offset = truth.offset_m + speed * style.steering_preview * math.sin(heading)
        stiffness = 1.0 / style.return_length**2
        feedback = -stiffness * offset - 2.0 * style.damping * math.sqrt(stiffness) * heading
        most = style.strongest_correction
        curvature = bend + min(max(feedback, -most), most)
        curvature = min(max(curvature, -style.strongest), style.strongest)
        wish = self.speed_at(truth.arc_m + speed * style.speed_preview)
        return Command(truth.stamp_ns, curvature, wish)

    def _slip(self, curvature: float, speed: float) -> float:
        """Return the side-slip angle [rad] of base_link on this arc: nose in, tail out."""
        car = self.car
        rear = 0.5 * car.mass * speed * speed * curvature / car.axle_stiffness
        return 0.5 * car.wheelbase * curvature - rear
