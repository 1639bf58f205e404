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
What range sensors measure, as points on the ground plan of the car.

Rules of REP-117 for single distances: +inf is "nothing there", -inf "too close to measure", NaN
"no measurement". Depth images follow REP-118: 0 and NaN are no measurement. A measurement in
which next to nothing was measured gives None: a covered lens must not read as a free road.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.errors import ConfigError
import numpy as np

SPEAKING_BEAMS = 0.5                           # share of beams that must say something
SPEAKING_PIXELS = 0.01                         # sky and glass give no depth
GRID = (48, 96)                                # pixels of a depth image that are looked at
CONE_STEP_M = 0.1                              # between the points that stand for a sonar's cone


@dataclass(frozen=True, slots=True)
class SensorPose:
    """Where a sensor sits in ``base_link``: metres, radians, pitch positive downwards."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


def points_of_scan(ranges: np.ndarray, *, angle_min: float, angle_increment: float,
                   range_min: float, range_max: float, pose: SensorPose) -> np.ndarray | None:
    """
    Return the points (K, 2) [m] of a planar scan, or None where most beams say nothing.

    ``ranges`` (N,) [m]; what lies outside ``range_min`` .. ``range_max`` is no obstacle, -inf is
    one at ``range_min``.
    """
    ranges = np.asarray(ranges, np.float64)
    too_close = np.isneginf(ranges)
    measured = (ranges >= range_min) & (ranges <= range_max)
    speaking = measured | too_close | (ranges > range_max)
    if len(ranges) == 0 or speaking.mean() < SPEAKING_BEAMS:
        return None
    hit = measured | too_close
    away = np.where(too_close, range_min, ranges)[hit]
    angle = pose.yaw + angle_min + angle_increment * np.arange(len(ranges))[hit]
    return np.stack([pose.x + away * np.cos(angle), pose.y + away * np.sin(angle)], axis=1)


def points_of_cone(distance: float, *, field_of_view: float, range_min: float, range_max: float,
                   pose: SensorPose) -> np.ndarray | None:
    """
    Return points (K, 2) across the cone of a sonar or infrared ranger, or None without an echo.

    Where in its cone the echo came from is unknown, so all of it counts.
    """
    if math.isnan(distance) or (math.isfinite(distance) and distance < range_min):
        return None
    if distance > range_max:
        return np.empty((0, 2))
    away = range_min if distance == -math.inf else distance
    count = max(math.ceil(away * field_of_view / CONE_STEP_M), 2) + 1
    angle = pose.yaw + np.linspace(-0.5, 0.5, count) * field_of_view
    return np.stack([pose.x + away * np.cos(angle), pose.y + away * np.sin(angle)], axis=1)


def points_of_depth(depth: np.ndarray, *, field_of_view: float, low: float, high: float,
                    pose: SensorPose) -> np.ndarray | None:
    """
    Return the points (K, 2) of a depth image (H, W) [m] between two heights; None if dark.

    A pinhole camera with square pixels, horizontal ``field_of_view`` [rad], principal point in
    the middle; ``low`` .. ``high`` [m] are heights over the ground, above the road's unevenness
    and below a bridge. At most ``GRID`` pixels are looked at.
    """
    height, width = depth.shape
    rows, columns = (np.arange(0, size, max(-(-size // most), 1))
                     for size, most in zip(depth.shape, GRID, strict=True))
    z = np.asarray(depth[np.ix_(rows, columns)], np.float64)
    known = np.isfinite(z) & (z > 0.0)
    if z.size == 0 or known.mean() < SPEAKING_PIXELS:
        return None
    focal = 0.5 * width / math.tan(0.5 * field_of_view)
    right = (columns + 0.5 - 0.5 * width)[None, :] / focal * z
    down = (rows + 0.5 - 0.5 * height)[:, None] / focal * z
    ahead = z * math.cos(pose.pitch) - down * math.sin(pose.pitch)
    up = pose.z - z * math.sin(pose.pitch) - down * math.cos(pose.pitch)
    keep = known & (up >= low) & (up <= high)
    ahead, left = ahead[keep], -right[keep]
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    return np.stack([pose.x + cos * ahead - sin * left, pose.y + sin * ahead + cos * left], axis=1)


def check_field_of_view(angle: float) -> None:
    """Raise ConfigError unless a camera can have this horizontal angle [rad]."""
    if not 0.0 < angle < math.pi:
        raise ConfigError(f'a camera sees more than 0 and less than pi rad, got {angle!r}')
