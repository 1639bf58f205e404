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
The quadrotor: four lagging rotors on a rigid body in MuJoCo, under a cascade of loops.

From outside it takes what PX4 and MAVROS take in offboard velocity mode: velocity along x forward,
y left, z up of the levelled body, and a yaw rate. Inside, velocity gives the wanted acceleration
(with an integral against wind), that gives tilt and thrust, tilt gives body rates, rates give
torques, torques give rotor thrusts: the cascade of PX4's multicopter controllers (Meier et al.
2015), with the attitude error of Mellinger & Kumar 2011. Drag is linear in the air's speed past
the body, the wind comes from outside.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
import math

from ltc_control.sim.car import PHYSICS_HZ, STEP_S
from ltc_control.sim.graphics import mujoco
import numpy as np

GRAVITY = 9.81

MJCF = """
<mujoco>
  <option timestep="{step}" integrator="implicitfast" gravity="0 0 -{gravity}"/>
  <worldbody>
    <body name="body">
      <freejoint/>
      <inertial pos="0 0 0" mass="{mass}" diaginertia="{roll} {roll} {yaw}"/>
      <site name="imu"/>
    </body>
  </worldbody>
  <sensor>
    <gyro site="imu"/>
    <accelerometer site="imu"/>
  </sensor>
</mujoco>
"""


@dataclass(frozen=True)
class QuadrotorSpec:
    """Sizes, rotors and inner loops; SI units, angles in radians."""

    mass: float = 1.3
    inertia_roll: float = 0.013            # and pitch [kg m^2]
    inertia_yaw: float = 0.024
    arm: float = 0.17                      # of each rotor from both axes, X layout [m]
    radius: float = 0.35                   # of the sphere that must not touch anything [m]
    strongest: float = 8.0                 # thrust of one rotor [N]
    torque_per_thrust: float = 0.016       # of a rotor about its axis [m]
    rotor_lag: float = 0.04                # [s]
    drag: float = 0.30                     # [N s/m], linear
    drag_up: float = 0.45                  # along the rotor axes
    command_delay: float = 0.05            # from command to controller, pure
    max_speed: float = 6.0                 # horizontal [m/s]
    max_climb: float = 2.0
    max_yaw_rate: float = 1.6              # [rad/s]
    max_acceleration: float = 5.0          # of the velocity loop, horizontal [m/s^2]
    max_tilt: float = math.radians(32.0)
    velocity_gain: float = 2.6             # [1/s]
    velocity_integral: float = 1.0         # [1/s^2]
    tilt_gain: float = 8.0                 # [1/s]
    rate_gain: float = 22.0                # [1/s]
    yaw_rate_gain: float = 6.0


@dataclass
class _Cascade:
    """What the inner loops remember."""

    push_x: float = 0.0                    # integral of the velocity error, world [m/s^2]
    push_y: float = 0.0
    push_z: float = 0.0


class Quadrotor:
    """A quadrotor hovering at a place; ``reset`` puts it somewhere, ``step`` advances 1/240 s."""

    def __init__(self, spec: QuadrotorSpec | None = None) -> None:
        self.spec = spec or QuadrotorSpec()
        self._model = mujoco.MjModel.from_xml_string(MJCF.format(
            step=repr(STEP_S), gravity=GRAVITY, mass=self.spec.mass,
            roll=self.spec.inertia_roll, yaw=self.spec.inertia_yaw))
        self._data = mujoco.MjData(self._model)
        self._delay = max(round(self.spec.command_delay * PHYSICS_HZ), 0)
        self.wind = (0.0, 0.0, 0.0)        # of the air, world [m/s]
        self.reset(x=0.0, y=0.0, z=2.0)

    def reset(self, *, x: float, y: float, z: float, yaw: float = 0.0) -> None:
        """Put it at a place, hovering."""
        mujoco.mj_resetData(self._model, self._data)
        self._data.qpos[:] = x, y, z, math.cos(0.5 * yaw), 0.0, 0.0, math.sin(0.5 * yaw)
        self._thrusts = [0.25 * self.spec.mass * GRAVITY] * 4
        self._loops = _Cascade()
        still = (0.0, 0.0, 0.0, 0.0)
        self._queue = deque([still] * (self._delay + 1), maxlen=self._delay + 1)
        self._request = still
        self._push()
        mujoco.mj_forward(self._model, self._data)

    @property
    def position(self) -> tuple[float, float, float]:
        """x, y, z in the world [m]."""
        x, y, z = self._data.qpos[:3].tolist()
        return x, y, z

    @property
    def pose(self) -> tuple[float, float, float]:
        """x, y [m] and yaw [rad]."""
        x, y, _ = self.position
        return x, y, self.attitude[0]

    @property
    def tilt(self) -> tuple[float, float]:
        """Roll and pitch [rad]."""
        return self.attitude[1:]

    @property
    def height(self) -> float:
        """Over the ground [m]."""
        return self.position[2]

    def to_body(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """Return a world vector in the drone's own tilted axes, forward, left, up."""
        w, a, b, c = self._data.qpos[3:7].tolist()
        return _to_body(w, a, b, c, x, y, z)

    @property
    def attitude(self) -> tuple[float, float, float]:
        """Yaw, roll and pitch [rad], in the order z-y-x of REP-103, yaw in [-pi, pi]."""
        w, x, y, z = self._data.qpos[3:7].tolist()
        roll = math.atan2(2.0 * (w * x + y * z), 1.0 - 2.0 * (x * x + y * y))
        pitch = math.asin(min(max(2.0 * (w * y - z * x), -1.0), 1.0))
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        return yaw, roll, pitch

    @property
    def velocity(self) -> tuple[float, float, float, float]:
        """Velocity forward, left, up of the levelled body [m/s] and yaw rate [rad/s]."""
        vx, vy, vz, _, _, _ = self._data.qvel.tolist()
        yaw, roll, pitch = self.attitude
        cos, sin = math.cos(yaw), math.sin(yaw)
        _, q, r = self._data.qvel[3:].tolist()                 # body rates of a free joint
        turning = (q * math.sin(roll) + r * math.cos(roll)) / max(math.cos(pitch), 0.1)
        return vx * cos + vy * sin, vy * cos - vx * sin, vz, turning

    def command(self, *, forward: float, left: float, up: float, yaw_rate: float) -> None:
        """Ask for a velocity of the levelled body [m/s] and a yaw rate [rad/s]."""
        spec = self.spec
        scale = min(1.0, spec.max_speed / max(math.hypot(forward, left), 1e-9))
        self._request = (forward * scale, left * scale,
                         min(max(up, -spec.max_climb), spec.max_climb),
                         min(max(yaw_rate, -spec.max_yaw_rate), spec.max_yaw_rate))

    def step(self) -> None:
        """Advance one physics step of 1/240 s."""
        self._queue.append(self._request)
        wanted = self._control(*self._queue[0])
        follow = -math.expm1(-STEP_S / self.spec.rotor_lag)
        self._thrusts = [now + (wish - now) * follow
                         for now, wish in zip(self._thrusts, wanted, strict=True)]
        self._push()
        mujoco.mj_step(self._model, self._data)

    def inertial(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity [rad/s] and specific force [m/s^2], (3,) each, of now."""
        self._push()
        mujoco.mj_forward(self._model, self._data)
        return self._data.sensordata[:3].copy(), self._data.sensordata[3:6].copy()

    def _control(self, forward: float, left: float, up: float, yaw_rate: float) -> list[float]:
        """Return the four rotor thrusts [N] that the cascade asks for."""
        w, x, y, z = self._data.qpos[3:7].tolist()
        vx, vy, vz, p, q, r = self._data.qvel.tolist()
        yaw = math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))
        cos, sin = math.cos(yaw), math.sin(yaw)
        ax, ay, az = self._acceleration(forward * cos - left * sin - vx,
                                        forward * sin + left * cos - vy, up - vz)
        lift = az + GRAVITY
        # the body's own axes, as rows of the rotation matrix's columns
        up_x, up_y = 2.0 * (x * z + w * y), 2.0 * (y * z - w * x)
        up_z = 1.0 - 2.0 * (x * x + y * y)
        size = math.sqrt(ax * ax + ay * ay + lift * lift)
        # the turn from the body's up to the wanted up, in body axes: e = up x wanted
        ex = up_y * lift - up_z * ay
        ey = up_z * ax - up_x * lift
        ez = up_x * ay - up_y * ax
        ex, ey, _ = _to_body(w, x, y, z, ex / size, ey / size, ez / size)
        spec = self.spec
        roll = spec.inertia_roll * spec.rate_gain * (spec.tilt_gain * ex - p)
        pitch = spec.inertia_roll * spec.rate_gain * (spec.tilt_gain * ey - q)
        turn = spec.inertia_yaw * spec.yaw_rate_gain * (yaw_rate - r)
        return self._mix(spec.mass * (ax * up_x + ay * up_y + lift * up_z), roll, pitch, turn)

    def _acceleration(self, ex: float, ey: float, ez: float) -> tuple[float, float, float]:
        """Return the wanted acceleration of a velocity error, world axes, within the limits."""
        spec, loops = self.spec, self._loops
        ax = spec.velocity_gain * ex + loops.push_x
        ay = spec.velocity_gain * ey + loops.push_y
        az = 1.6 * spec.velocity_gain * ez + loops.push_z
        most = min(spec.max_acceleration, GRAVITY * math.tan(spec.max_tilt))
        size = math.hypot(ax, ay)
        if size > most:                    # the integral waits while the limit holds (anti-windup)
            ax, ay = ax * most / size, ay * most / size
        else:
            loops.push_x += spec.velocity_integral * ex * STEP_S
            loops.push_y += spec.velocity_integral * ey * STEP_S
        loops.push_z += spec.velocity_integral * ez * STEP_S
        loops.push_z = min(max(loops.push_z, -3.0), 3.0)
        return ax, ay, min(max(az, -5.0), 6.0)

    def _mix(self, thrust: float, roll: float, pitch: float, turn: float) -> list[float]:
        """Return thrusts front left, rear left, rear right, front right, each in its range."""
        spec = self.spec
        each, r = 0.25 * thrust, 0.25 * roll / spec.arm
        p, t = 0.25 * pitch / spec.arm, 0.25 * turn / spec.torque_per_thrust
        wish = (each + r - p - t, each + r + p + t, each - r + p - t, each - r - p + t)
        return [min(max(one, 0.0), spec.strongest) for one in wish]

    def _push(self) -> None:
        """Apply rotor thrusts and drag as the wrench on the body, in world axes."""
        spec = self.spec
        fl, rl, rr, fr = self._thrusts
        w, x, y, z = self._data.qpos[3:7].tolist()
        vx, vy, vz = self._data.qvel[:3].tolist()
        air = _to_body(w, x, y, z, vx - self.wind[0], vy - self.wind[1], vz - self.wind[2])
        force = (-spec.drag * air[0], -spec.drag * air[1],
                 fl + rl + rr + fr - spec.drag_up * air[2])
        torque = (spec.arm * (fl + rl - rr - fr), spec.arm * (rl + rr - fl - fr),
                  spec.torque_per_thrust * (rl + fr - fl - rr))
        self._data.xfrc_applied[1] = (*_to_world(w, x, y, z, *force),
                                      *_to_world(w, x, y, z, *torque))


def _to_body(w: float, x: float, y: float, z: float, a: float, b: float,
             c: float) -> tuple[float, float, float]:
    """Return a world vector in the axes of a body with this unit quaternion."""
    return _to_world(w, -x, -y, -z, a, b, c)


def _to_world(w: float, x: float, y: float, z: float, a: float, b: float,
              c: float) -> tuple[float, float, float]:
    """Return a body vector in world axes: v + 2 q x (q x v + w v)."""
    s, t, u = y * c - z * b + w * a, z * a - x * c + w * b, x * b - y * a + w * c
    return (a + 2.0 * (y * u - z * t), b + 2.0 * (z * s - x * u), c + 2.0 * (x * t - y * s))
