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
"""The road under a drive, for pictures: a lane centre line and the edges beside it."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.insight.recorded_drive import RecordedDrive
import numpy as np

LANE_M = 3.5
SPACING_M = 0.5                            # of a road that is rebuilt from a drive


@dataclass(frozen=True)
class Road:
    """
    A lane centre line, (N,) arrays in the ``odom`` frame [m, rad], and the road's edges [m].

    ``left_m`` and ``right_m`` are offsets from the lane centre, left positive: the lane that is
    driven is ``lane_m`` wide, what lies beyond it on the left is the oncoming lane.
    """

    x: np.ndarray
    y: np.ndarray
    heading: np.ndarray
    closed: bool = True
    lane_m: float = LANE_M
    left_m: float = 1.5 * LANE_M
    right_m: float = -0.5 * LANE_M

    def line(self, offset_m: float) -> np.ndarray:
        """Return the points (N, 2), or (N + 1, 2) on a loop, at an offset from the lane centre."""
        points = np.stack([self.x - offset_m * np.sin(self.heading),
                           self.y + offset_m * np.cos(self.heading)], axis=1)
        return np.concatenate([points, points[:1]]) if self.closed else points


def road_under(drive: RecordedDrive) -> Road | None:
    """
    Return the stretch that was driven: pose and lane truth together say where its centre is.

    None when the bag lacks either. Stretches driven twice are drawn twice, one on the other.
    """
    if len(drive.lane) < 2 or not len(drive.pose):
        return None
    x, y, yaw = drive.pose.at(drive.lane.stamps_ns)[:, :3].T
    way, offset, error = drive.lane.values.T
    keep = _spaced(way)
    heading = (np.unwrap(yaw) - error)[keep]
    return Road(x[keep] + offset[keep] * np.sin(heading), y[keep] - offset[keep] * np.cos(heading),
                heading, closed=False)


def _spaced(way: np.ndarray) -> np.ndarray:
    """Return the indices at which another SPACING_M has been driven."""
    steps = np.floor((way - way[0]) / SPACING_M)
    return np.flatnonzero(np.diff(np.maximum.accumulate(steps), prepend=-1) > 0)
