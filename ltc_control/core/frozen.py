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
A camera that shows the same picture while the vehicle moves: its stamps run on, its eye does not.

No camera gives two equal pictures while it is carried along, for the noise of its sensor alone.
A vehicle that stands before an unchanging simulated world sees equal ones, so only time that the
odometry calls moving counts.
"""

from __future__ import annotations

from ltc_control.core.contracts import Odometry
import numpy as np

EVERY = 4                                  # every so many-th row and column is compared
MOVING_M_S, TURNING_RAD_S = 0.3, 0.2


def is_moving(odometry: Odometry) -> bool:
    """Say whether a camera on this vehicle must see its picture change."""
    speeds = (odometry.speed, odometry.speed_left, odometry.speed_up)
    return any(abs(v) > MOVING_M_S for v in speeds) or abs(odometry.yaw_rate) > TURNING_RAD_S


class FrozenPicture:
    """Counts for how long equal pictures came while the vehicle moved [s]."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._last_ns = 0
        self.seconds = 0.0

    def see(self, rgb: np.ndarray, stamp_ns: int, *, moving: bool) -> float:
        """
        Take in a picture (H, W, 3) uint8 and return ``seconds``; 0 as soon as another one comes.

        What was counted stays while the vehicle stands: it may stand because it was stopped.
        """
        picture = rgb[::EVERY, ::EVERY].copy()
        if self._last is None or not np.array_equal(picture, self._last):
            self.seconds = 0.0
        elif moving:
            self.seconds += max(stamp_ns - self._last_ns, 0) / 1e9
        self._last, self._last_ns = picture, stamp_ns
        return self.seconds
