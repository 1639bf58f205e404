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
The words of the domain: what passes between a camera and a wheel.

Frozen values only, no behaviour beyond views of the same numbers. SI units, REP-103: x forward,
y left, z up, curvature and yaw rate positive to the left. Stamps are integer nanoseconds of the
message header (name ends in ``_ns``), never the time of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np


class InputCase(str, Enum):
    """What was special about the input of one step; ``OK`` is the plain case."""

    OK = 'ok'
    FIRST_FRAME = 'first_frame'            # no frame before it: dt is the nominal one, state zero
    REPEATED_FRAME = 'repeated_frame'      # same stamp again: hold, no step
    JUMP_BACK = 'jump_back'                # stamp before the last one: reset, then step
    LONG_STEP = 'long_step'                # late frame inside the longest gap: one long step
    GAP = 'gap'                            # later than the longest gap: reset, then step
    BAD_IMAGE = 'bad_image'                # wrong shape or type: hold, no step
    BAD_IMU = 'bad_imu'                    # missing or non-finite samples: step with validity 0
    BAD_STATE = 'bad_state'                # state not finite or out of its envelope: reset, zero


class Verdict(str, Enum):
    """Why the safety gate published what it published; the most restrictive reason wins."""

    PASS = 'pass'                          # as requested
    LIMITED = 'limited'                    # inside the limits after clipping
    HUMAN = 'human'                        # a person drives, inside the same limits
    OBSTACLE_SLOW = 'obstacle_slow'        # slower, so that the car can stop before an obstacle
    NO_REQUEST = 'no_request'              # nothing requested yet: zero
    STALE = 'stale'                        # newest request too old: zero
    INVALID = 'invalid'                    # request not finite or out of range: zero
    NO_TELEMETRY = 'no_telemetry'          # odometry missing or too old: zero
    SEARCH_OVER = 'search_over'            # a drone turned round and found nothing: hover
    OBSTACLE_BLIND = 'obstacle_blind'      # a sensor that watches the path is silent: zero
    OBSTACLE_STOP = 'obstacle_stop'        # an obstacle is close ahead: zero until it is gone
    TAKE_OVER = 'take_over'                # a person drives: zero from us
    E_STOP = 'e_stop'                      # emergency stop: zero until released


class InCommand(str, Enum):
    """Whose command the safety gate follows."""

    POLICY = 'policy'
    HUMAN = 'human'
    NOBODY = 'nobody'                      # zero is published, on nobody's behalf


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera image: ``rgb`` is (H, W, 3) uint8, ``stamp_ns`` its acquisition time."""

    stamp_ns: int
    rgb: np.ndarray


@dataclass(frozen=True, slots=True)
class ImuWindow:
    """
    The IMU samples since the frame before, oldest first; K may be 0.

    ``stamps_ns`` (K,) int64, ``angular_velocity`` (K, 3) [rad/s], ``linear_acceleration`` (K, 3)
    [m/s^2] with gravity (z is about +9.81 at rest), both in ``base_link``.
    """

    stamps_ns: np.ndarray
    angular_velocity: np.ndarray
    linear_acceleration: np.ndarray

    @classmethod
    def empty(cls) -> ImuWindow:
        """Return a window without samples."""
        return cls(np.empty(0, np.int64), np.empty((0, 3)), np.empty((0, 3)))


@dataclass(frozen=True, slots=True)
class Command:
    """What the car is asked to do: curvature [1/m], left positive, and speed [m/s]."""

    stamp_ns: int                          # of the frame that caused it
    curvature: float
    speed: float

    @classmethod
    def stop(cls, stamp_ns: int) -> Command:
        """Return the command that asks for standstill."""
        return cls(stamp_ns, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Velocity:
    """
    What a drone is asked to do: velocity [m/s] of its levelled body and yaw rate [rad/s].

    Forward, left, up and counter-clockwise are positive (REP-103).
    """

    stamp_ns: int                          # of the frame that caused it
    forward: float
    left: float
    up: float
    yaw_rate: float

    @classmethod
    def stop(cls, stamp_ns: int) -> Velocity:
        """Return the command that asks it to hover."""
        return cls(stamp_ns, 0.0, 0.0, 0.0, 0.0)


COMMANDED = {'car': ('curvature', 'speed'), 'drone': ('forward', 'left', 'up', 'yaw_rate')}


@dataclass(frozen=True, slots=True)
class Odometry:
    """Pose in the ``odom`` frame (x, y [m], yaw [rad], east is 0) and twist in ``base_link``."""

    stamp_ns: int
    x: float
    y: float
    yaw: float
    speed: float                           # forward [m/s]
    yaw_rate: float                        # [rad/s]
    z: float = 0.0                         # [m]; a car stays on the ground
    speed_left: float = 0.0                # [m/s]
    speed_up: float = 0.0


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What a policy carries from frame to frame; ``neurons`` is (N,) float32."""

    neurons: np.ndarray
    stamp_ns: int | None = None            # of the last frame stepped; None before the first


@dataclass(frozen=True, slots=True)
class Decision:
    """A command with its reasons: neuron states, time constants and the case of its input."""

    command: Command | Velocity
    state: np.ndarray                      # (N,) after the step
    tau: np.ndarray                        # (N,) effective time constants [s]
    case: InputCase
    dt_s: float
    valid: bool = True                     # False: nothing to act on, command is a stop
    cases: tuple[InputCase, ...] = field(default=())   # all cases that applied, worst first
