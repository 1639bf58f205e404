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
Frames, angles and the bicycle: every sign and axis order of the project in one tested place.

REP-103 throughout: body frame x forward, y left, z up (FLU); world frame x east, y north, z up
(ENU); optical frame z forward, x right, y down; yaw 0 is east, positive to the left. Aviation
uses NED and FRD (MAVROS does the same conversions at its border). The bicycle is kinematic, with
its reference point on the rear axle (Rajamani, Vehicle Dynamics and Control, section 2.2 with
zero slip at the rear): curvature = tan(steering) / wheelbase.
"""

from __future__ import annotations

import math

from ltc_control.core.contracts import Command
import numpy as np

# Below this speed a twist says nothing about curvature: yaw rate by speed is noise by nothing.
STANDSTILL_MPS = 0.05


def steering_from_curvature(curvature: float, *, wheelbase: float) -> float:
    """Return the road-wheel angle [rad], left positive, of a curvature [1/m]."""
    return math.atan(curvature * wheelbase)


def curvature_from_steering(steering: float, *, wheelbase: float) -> float:
    """Return the curvature [1/m] of a road-wheel angle [rad] inside (-pi/2, pi/2)."""
    return math.tan(steering) / wheelbase


def command_from_twist(*, stamp_ns: int, speed: float, yaw_rate: float) -> Command:
    """Return the command of a twist [m/s, rad/s]; curvature is 0 up to STANDSTILL_MPS."""
    moving = abs(speed) > STANDSTILL_MPS
    return Command(stamp_ns, yaw_rate / speed if moving else 0.0, speed)


def twist_from_command(command: Command) -> tuple[float, float]:
    """Return (speed [m/s], yaw rate [rad/s]) of a command."""
    return command.speed, command.speed * command.curvature


def wrap_angle(angle: float) -> float:
    """Return the same direction in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def optical_from_body(vectors: np.ndarray) -> np.ndarray:
    """Turn (..., 3) from x forward, y left, z up into z forward, x right, y down."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    return np.stack((-y, -z, x), axis=-1)


def body_from_optical(vectors: np.ndarray) -> np.ndarray:
    """Turn (..., 3) from z forward, x right, y down into x forward, y left, z up."""
    x, y, z = np.moveaxis(np.asarray(vectors, float), -1, 0)
    return np.stack((z, -x, -y), axis=-1)


def ned_from_enu(vectors: np.ndarray) -> np.ndarray:
    """Turn (..., 3) from east, north, up into north, east, down; its own inverse."""
    east, north, up = np.moveaxis(np.asarray(vectors, float), -1, 0)
    return np.stack((north, east, -up), axis=-1)


enu_from_ned = ned_from_enu


def frd_from_flu(vectors: np.ndarray) -> np.ndarray:
    """Turn (..., 3) from forward, left, up into forward, right, down; its own inverse."""
    return np.asarray(vectors, float) * (1.0, -1.0, -1.0)


flu_from_frd = frd_from_flu


def world_from_level(vector: tuple[float, float, float], *,
                     yaw: float) -> tuple[float, float, float]:
    """Turn x forward, y left, z up of a levelled body into east, north, up."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    x, y, z = vector
    return x * cos - y * sin, x * sin + y * cos, z


def level_from_world(vector: tuple[float, float, float], *,
                     yaw: float) -> tuple[float, float, float]:
    """Turn east, north, up into x forward, y left, z up of a levelled body."""
    return world_from_level(vector, yaw=-yaw)


def ned_heading_from_yaw(yaw: float) -> float:
    """Return the compass angle (0 north, clockwise) of a yaw (0 east, counter-clockwise) [rad]."""
    return wrap_angle(0.5 * math.pi - yaw)


yaw_from_ned_heading = ned_heading_from_yaw


def quaternion_from_yaw(yaw: float) -> tuple[float, float, float, float]:
    """Return (x, y, z, w) of a turn about z [rad], in the order of ``geometry_msgs``."""
    return 0.0, 0.0, math.sin(0.5 * yaw), math.cos(0.5 * yaw)


def yaw_from_quaternion(x: float, y: float, z: float, w: float) -> float:
    """Return the yaw [rad] in [-pi, pi] of a quaternion, which need not have norm 1."""
    return math.atan2(2.0 * (w * z + x * y), w * w + x * x - y * y - z * z)
