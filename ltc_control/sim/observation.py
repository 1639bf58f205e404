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
import math

from ltc_control.core.contracts import Frame, ImuWindow, Odometry
import numpy as np


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
    hit: bool = False                      # the car touches an obstacle


@dataclass(frozen=True, slots=True)
class FlightTruth:
    """Where the drone and its target really are; for labels and scores, never for policies."""

    stamp_ns: int
    x: float                               # of the drone, world [m]
    y: float
    z: float
    yaw: float                             # [rad]
    target_ahead: float                    # of the drone, along its levelled body [m]
    target_left: float
    target_up: float
    target_speed_ahead: float              # of the target, along the drone's levelled body [m/s]
    target_speed_left: float
    in_view: bool                          # its middle inside the picture, nothing before it
    unseen_s: float                        # since it was in view; infinite before the first time
    collided: bool                         # touches the ground, a thing or the target now

    @property
    def distance(self) -> float:
        """From the middle of the drone to the middle of the target [m]."""
        return math.hypot(self.target_ahead, self.target_left, self.target_up)


@dataclass(frozen=True, slots=True)
class Observation:
    """One camera period: the frame, the IMU samples up to it, odometry and the truth."""

    frame: Frame
    imu: ImuWindow
    odometry: Odometry
    truth: Truth
    scan: np.ndarray | None = None         # (beams,) float32 [m] where there is a scanner
