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
The car: a sprung body in MuJoCo on the tyres of a single-track model.

MuJoCo integrates a carrier that moves in the plane (x, y, yaw) and a body that rolls and
pitches on it; the tyre forces of the dynamic bicycle model (Rajamani, Vehicle Dynamics and
Control, 2nd ed., section 2.3) act at road level, with a smooth friction limit. The reference
point ``base_link`` is the middle of the wheelbase on the ground. Commands take the way of a real
drive-by-wire car: pure delay, first-order lag, rate limit.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math

from ltc_control.core.geometry import steering_from_curvature
from ltc_control.sim.graphics import mujoco
import numpy as np

PHYSICS_HZ = 240
STEP_S = 1.0 / PHYSICS_HZ

MJCF = """
<mujoco>
  <option timestep="{step}" integrator="implicitfast"/>
  <worldbody>
    <body name="carrier">
      <joint type="slide" axis="1 0 0"/>
      <joint type="slide" axis="0 1 0"/>
      <joint type="hinge" axis="0 0 1"/>
      <inertial pos="0 0 0.3" mass="200" diaginertia="60 250 300"/>
      <body name="body" pos="0 0 0.35">
        <joint type="hinge" axis="1 0 0" stiffness="60000" damping="6000"/>
        <joint type="hinge" axis="0 1 0" stiffness="90000" damping="15000"/>
        <inertial pos="0 0 0.2" mass="1300" diaginertia="500 1900 2000"/>
        <site name="imu"/>
      </body>
    </body>
  </worldbody>
  <sensor>
    <gyro site="imu"/>
    <accelerometer site="imu"/>
  </sensor>
</mujoco>
"""


@dataclass(frozen=True)
class CarSpec:
    """Sizes, tyres and actuators of the car; every time in seconds, every angle in radians."""

    wheelbase: float = 2.7
    width: float = 1.8                     # over the outer edges of the tyres
    mass: float = 1500.0                   # as in MJCF: carrier and body
    yaw_inertia: float = 2300.0
    axle_stiffness: float = 90e3           # cornering stiffness of each axle [N/rad]
    friction: float = 0.9
    command_delay: float = 0.05            # from command to actuator, pure
    steering_lag: float = 0.10
    steering_rate: float = 0.7             # [rad/s]
    steering_limit: float = 0.5            # [rad]
    speed_gain: float = 3.0                # [1/s] acceleration asked per speed error
    drive_lag: float = 0.10
    acceleration: float = 2.0              # [m/s^2]
    deceleration: float = 3.5


class Car:
    """A car at rest at the origin; ``reset`` puts it somewhere, ``step`` advances 1/240 s."""

    def __init__(self, spec: CarSpec | None = None) -> None:
        self.spec = spec or CarSpec()
        self._model = mujoco.MjModel.from_xml_string(MJCF.format(step=repr(STEP_S)))
        self._data = mujoco.MjData(self._model)
        self._delay = max(round(self.spec.command_delay * PHYSICS_HZ), 0)
        self._load = 0.5 * self.spec.mass * 9.81 * self.spec.friction
        self.reset(x=0.0, y=0.0, yaw=0.0)

    def reset(self, *, x: float, y: float, yaw: float, speed: float = 0.0,
              curvature: float = 0.0) -> None:
        """Put the car at a pose, rolling at ``speed`` [m/s] on a steady arc of ``curvature``."""
        mujoco.mj_resetData(self._model, self._data)
        slip = self.slip_angle(curvature=curvature, speed=speed)
        self._data.qpos[:3] = x, y, yaw
        side = speed * math.tan(slip)
        self._data.qvel[0] = speed * math.cos(yaw) - side * math.sin(yaw)
        self._data.qvel[1] = speed * math.sin(yaw) + side * math.cos(yaw)
        self._data.qvel[2] = speed * curvature
        self.steering = steering_from_curvature(curvature, wheelbase=self.spec.wheelbase)
        self._thrust = 0.0
        self._queue = deque([(curvature, speed)] * (self._delay + 1), maxlen=self._delay + 1)
        self._request = (curvature, speed)
        self._feel_road()
        mujoco.mj_forward(self._model, self._data)

    def slip_angle(self, *, curvature: float, speed: float) -> float:
        """Return the side-slip angle of base_link on a steady arc, small angles [rad]."""
        spec = self.spec
        rear = 0.5 * spec.mass * speed * speed * curvature / spec.axle_stiffness
        return 0.5 * spec.wheelbase * curvature - rear

    @property
    def pose(self) -> tuple[float, float, float]:
        """x, y [m] and yaw [rad, unwrapped] of base_link."""
        q = self._data.qpos
        return float(q[0]), float(q[1]), float(q[2])

    @property
    def tilt(self) -> tuple[float, float]:
        """Roll and pitch of the body [rad]."""
        return float(self._data.qpos[3]), float(self._data.qpos[4])

    @property
    def height(self) -> float:
        """Of base_link over the road [m]: none."""
        return 0.0

    @property
    def velocity(self) -> tuple[float, float, float]:
        """Forward and sideways speed [m/s] and yaw rate [rad/s] in base_link."""
        yaw = float(self._data.qpos[2])
        vx, vy, rate = (float(v) for v in self._data.qvel[:3])
        cos, sin = math.cos(yaw), math.sin(yaw)
        return vx * cos + vy * sin, vy * cos - vx * sin, rate

    def command(self, *, curvature: float, speed: float) -> None:
        """Ask for a curvature [1/m, left] and a speed [m/s]; it arrives after the delay."""
        self._request = (curvature, speed)

    def step(self) -> None:
        """Advance one physics step of 1/240 s."""
        self._queue.append(self._request)
        self._actuate(*self._queue[0])
        self._feel_road()
        mujoco.mj_step(self._model, self._data)

    def inertial(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity [rad/s] and specific force [m/s^2], (3,) each, of now."""
        self._feel_road()
        mujoco.mj_forward(self._model, self._data)
        return self._data.sensordata[:3].copy(), self._data.sensordata[3:6].copy()

    def _actuate(self, curvature: float, speed: float) -> None:
        """Move steering and thrust one step towards what was asked."""
        spec = self.spec
        wish = steering_from_curvature(curvature, wheelbase=spec.wheelbase)
        wish = min(max(wish, -spec.steering_limit), spec.steering_limit)
        move = (wish - self.steering) * -math.expm1(-STEP_S / spec.steering_lag)
        most = spec.steering_rate * STEP_S
        self.steering += min(max(move, -most), most)
        push = spec.speed_gain * (speed - self.velocity[0])
        push = min(max(push, -spec.deceleration), spec.acceleration)
        self._thrust += (push - self._thrust) * -math.expm1(-STEP_S / spec.drive_lag)

    def _feel_road(self) -> None:
        """Apply thrust and the lateral tyre forces of the present state."""
        spec = self.spec
        half = 0.5 * spec.wheelbase
        ahead, side, rate = self.velocity
        cos, sin = math.cos(self.steering), math.sin(self.steering)
        rolling = max(abs(ahead), 2.0)     # below 2 m/s slip is taken against 2 m/s
        front = self._grip((ahead * sin - (side + half * rate) * cos) / rolling)
        rear = self._grip(-(side - half * rate) / rolling)
        x = spec.mass * self._thrust - front * sin
        y = front * cos + rear
        yaw = float(self._data.qpos[2])
        force = self._data.qfrc_applied
        force[0] = x * math.cos(yaw) - y * math.sin(yaw)
        force[1] = x * math.sin(yaw) + y * math.cos(yaw)
        force[2] = half * (front * cos - rear)

    def _grip(self, slip: float) -> float:
        """Return an axle's lateral force [N]: linear in slip, bounded by friction."""
        return self._load * math.tanh(self.spec.axle_stiffness * slip / self._load)
