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
What stands in the way, as upright cylinders: lines of sight, touches, and what is ahead.

Trunks, crowns, houses and decoys all become cylinders that hold their drawn triangles.
"""

from __future__ import annotations

from collections.abc import Iterable
import math
from typing import NamedTuple

import numpy as np

Point = tuple[float, float, float]


class Obstacle(NamedTuple):
    """An upright cylinder [m]."""

    x: float
    y: float
    radius: float
    low: float
    high: float


class Thicket:
    """All obstacles of a place, asked together."""

    def __init__(self, obstacles: Iterable[Obstacle]) -> None:
        self._x, self._y, self._radius, self._low, self._high = np.array(
            list(obstacles), float).reshape(-1, 5).T

    def circles(self) -> list[tuple[float, float, float]]:
        """Return x, y and radius [m] of each, for maps."""
        return list(zip(self._x.tolist(), self._y.tolist(), self._radius.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._x)

    def hides(self, eye: Point, target: Point) -> bool:
        """Say whether any stands between two points: the nearest point of the line decides."""
        ax, ay, az = (b - a for a, b in zip(eye, target, strict=True))
        dx, dy = self._x - eye[0], self._y - eye[1]
        along = (dx * ax + dy * ay) / max(ax * ax + ay * ay, 1e-9)
        across = np.hypot(along * ax - dx, along * ay - dy)
        height = eye[2] + along * az
        between = (along > 0.0) & (along < 1.0) & (across < self._radius)
        return bool((between & (height > self._low) & (height < self._high)).any())

    def touches(self, x: float, y: float, z: float, *, reach: float) -> bool:
        """Say whether a sphere of radius ``reach`` [m] comes into any of them."""
        near = np.hypot(self._x - x, self._y - y) < self._radius + reach
        return bool((near & (z > self._low - reach) & (z < self._high + reach)).any())

    def push(self, x: float, y: float, z: float, *, room: float) -> tuple[float, float]:
        """Return x and y of a push away from what is nearer than ``room`` [m], 1 at contact."""
        dx, dy = x - self._x, y - self._y
        distance = np.maximum(np.hypot(dx, dy), 1e-6)
        gap = distance - self._radius
        near = (gap < room) & (z > self._low - room) & (z < self._high + room)
        weight = np.where(near, 1.0 - np.maximum(gap, 0.0) / room, 0.0) / distance
        return float((weight * dx).sum()), float((weight * dy).sum())

    def ahead(self, where: Point, heading: float, *, far: float, room: float,
              tall: float) -> tuple[float, float, float] | None:
        """
        Return (gap, left, needed) [m] of the nearest one in a lane, or None.

        The lane goes from ``where`` along ``heading`` [rad], ``far`` long; an obstacle is in it
        when it comes nearer than ``room`` to its middle, between ``tall`` below and above.
        ``gap`` is to its near edge, ``left`` to its middle line, ``needed`` what ``left`` must be.
        """
        x, y, z = where
        cos, sin = math.cos(heading), math.sin(heading)
        dx, dy = self._x - x, self._y - y
        along, left = dx * cos + dy * sin, dy * cos - dx * sin
        needed = self._radius + room
        gap = along - self._radius
        inside = ((along > 0.0) & (gap < far) & (np.abs(left) < needed)
                  & (z > self._low - tall) & (z < self._high + tall))
        if not inside.any():
            return None
        first = int(np.argmin(np.where(inside, gap, np.inf)))
        return max(float(gap[first]), 0.0), float(left[first]), float(needed[first])
