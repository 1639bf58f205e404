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
Each drive a second time, seen in a mirror: twice the roads, and no side preferred.

Right only for cameras that look straight ahead from the middle of the car, and for roads whose
two sides mean the same: on a lane of a two-lane road the mirror image drives on the wrong side.
"""

from __future__ import annotations

from dataclasses import replace

from ltc_control.core.imu import ImuSpec
from ltc_control.data.episodes import Episode
import numpy as np

# what changes its sign when left and right change places (REP-103: x forward, y left, z up)
_TURNED = ('gyro_x', 'gyro_z', 'accel_y')


def mirrored(episode: Episode, imu: ImuSpec) -> Episode:
    """Return ``episode`` with left and right exchanged in images, IMU features and curvature."""
    signs = np.array([-1.0 if name in _TURNED else 1.0 for name in imu.features], np.float32)
    return replace(episode, name=f'{episode.name}, mirrored',
                   images=episode.images[:, :, ::-1],          # a view: no second copy
                   imu=episode.imu * signs,
                   commands=episode.commands * np.array([-1.0, 1.0], np.float32))
