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
"""What the world hands out after each step: what the car senses, and what is true."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.core.contracts import Frame, ImuWindow, Odometry


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the car really is relative to its lane; for labels and scores, never for policies."""

    stamp_ns: int
    arc_m: float                           # along the road, wraps on a loop
    lap_m: float                           # driven along the road since the reset, monotone
    offset_m: float                        # of base_link from the lane centre, left positive
    heading_error: float                   # [rad], left positive
    curvature: float                       # [1/m] of the road here
    departed: bool                         # any wheel off the lane
    lateral_acceleration: float            # [m/s^2], left positive
    at_end: bool = False                   # the last metres of an open road


@dataclass(frozen=True, slots=True)
class Observation:
    """One camera period: the frame, the IMU samples up to it, odometry and the truth."""

    frame: Frame
    imu: ImuWindow
    odometry: Odometry
    truth: Truth
