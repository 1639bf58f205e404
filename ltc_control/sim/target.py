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
How the target moves: it hangs still, or walks, runs, stops and turns among the trees.

A walk is drawn once from a seed, before the drive: the same for every pilot. It is sampled at
30 Hz and read between samples by straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.geometry import wrap_angle
from ltc_control.sim.grove import ARENA_M, Place
from ltc_control.sim.thicket import Thicket
import numpy as np

RATE_HZ = 30
PACES = ((0.0, 0.15), (1.2, 0.5), (2.8, 0.35))         # [m/s] and share: stand, walk, run
TURNING = 0.9                              # [rad/s], fastest
ROOM_M = 2.4                               # between its middle and things, for who follows it
EASE = 1.5                                 # [m/s^2] from one pace to another


@dataclass(frozen=True)
class Walk:
    """Places (T, 3) [m] of the middle of the target, ``RATE_HZ`` a second."""

    places: np.ndarray

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Return x, y, z at a time; the walk stands still before and after."""
        where = min(max(seconds * RATE_HZ, 0.0), len(self.places) - 1.0)
        low = min(int(where), len(self.places) - 2) if len(self.places) > 1 else 0
        part = where - low
        after = self.places[min(low + 1, len(self.places) - 1)]
        x, y, z = ((1.0 - part) * self.places[low] + part * after).tolist()
        return x, y, z

    def velocity(self, seconds: float) -> tuple[float, float]:
        """Return the horizontal velocity [m/s], world axes, over the last tenth of a second."""
        x0, y0, _ = self.at(seconds - 0.1)
        x1, y1, _ = self.at(seconds)
        return (x1 - x0) / 0.1, (y1 - y0) / 0.1


def still(place: Place) -> Walk:
    """Return the walk of a target that hangs where the place has it."""
    return Walk(np.array([place.target]))


def wander(place: Place, *, seconds: float, near: float = 4.0) -> Walk:
    """Return a walk through the grove that begins ``near`` [m] from the start, on the way."""
    rng = np.random.default_rng([place.seed, 32])
    sx, sy, _ = place.start
    way = math.atan2(place.target[1] - sy, place.target[0] - sx)
    begin = min(near + rng.uniform(0.0, 4.0),
                math.hypot(place.target[0] - sx, place.target[1] - sy))
    x, y, z = sx + begin * math.cos(way), sy + begin * math.sin(way), place.target[2]
    heading, speed, pace, turn, left = way, 0.0, 1.2, 0.0, 0
    places = np.empty((round(seconds * RATE_HZ) + 1, 3))
    for row in places:
        row[:] = x, y, z
        if left <= 0:
            pace = float(rng.choice([p for p, _ in PACES], p=[share for _, share in PACES]))
            turn = float(rng.uniform(-0.35, 0.35))
            left = int(rng.uniform(1.5, 5.0) * RATE_HZ)
        left -= 1
        speed += min(max(pace - speed, -EASE / RATE_HZ), EASE / RATE_HZ)
        swerve = _swerve(x, y, z, heading, place.thicket)
        pace = min(pace, PACES[1][0]) if swerve else pace
        rate = min(max(swerve if swerve else turn, -TURNING), TURNING)
        heading += rate / RATE_HZ * (1.0 if speed > 0.1 else 0.0)
        x += speed * math.cos(heading) / RATE_HZ
        y += speed * math.sin(heading) / RATE_HZ
    return Walk(places)


def _swerve(x: float, y: float, z: float, heading: float, thicket: Thicket) -> float:
    """Return a turn rate [rad/s] away from what is ahead, 0 where the way is open."""
    if math.hypot(x, y) > 0.7 * ARENA_M:               # back to the middle
        return 2.0 * wrap_angle(math.atan2(-y, -x) - heading)
    found = thicket.ahead((x, y, z), heading, far=7.0, room=ROOM_M, tall=1.0)
    return 0.0 if found is None else -math.copysign(TURNING, found[1])
