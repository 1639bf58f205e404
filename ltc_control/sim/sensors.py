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
What the car's own sensors say: an IMU with bias and noise, and wheel odometry.

The IMU runs at 120 Hz in base_link axes, gravity included (z is about +9.81 at rest). A bias is
drawn once a drive; noise is white. Everything comes from the generator handed in.
"""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.core.contracts import ImuWindow, Odometry
import numpy as np

IMU_HZ = 120


@dataclass(frozen=True)
class SensorNoise:
    """Standard deviations: biases drawn once a drive, noise drawn every sample."""

    gyro_bias: float = 0.005               # [rad/s]
    gyro_noise: float = 0.01
    accel_bias: float = 0.05               # [m/s^2]
    accel_noise: float = 0.10
    speed_noise: float = 0.02              # [m/s] of the wheel odometry
    yaw_rate_noise: float = 0.005          # [rad/s]


class Imu:
    """Collects samples until they are taken as one window; the rng belongs to it alone."""

    def __init__(self, noise: SensorNoise, rng: np.random.Generator) -> None:
        self._noise, self._rng = noise, rng
        self._bias = rng.standard_normal(6) * np.repeat([noise.gyro_bias, noise.accel_bias], 3)
        self._scale = np.repeat([noise.gyro_noise, noise.accel_noise], 3)
        self._stamps: list[int] = []
        self._rows: list[np.ndarray] = []

    def sample(self, stamp_ns: int, gyro: np.ndarray, accel: np.ndarray) -> None:
        """Measure the true angular velocity and specific force, (3,) each."""
        noise = self._scale * self._rng.standard_normal(6)
        self._stamps.append(stamp_ns)
        self._rows.append(np.concatenate([gyro, accel]) + self._bias + noise)

    def take(self) -> ImuWindow:
        """Return the samples since the last call, oldest first, and forget them."""
        if not self._rows:
            return ImuWindow.empty()
        rows, stamps = np.array(self._rows), np.array(self._stamps, dtype=np.int64)
        self._rows, self._stamps = [], []
        return ImuWindow(stamps, rows[:, :3], rows[:, 3:])


def measure_odometry(stamp_ns: int, *, pose: tuple[float, float, float],
                     velocity: tuple[float, float, float], noise: SensorNoise,
                     rng: np.random.Generator) -> Odometry:
    """Return odometry: the pose is exact (odom frame = world), speed and yaw rate are noisy."""
    drawn = rng.standard_normal(2)
    return Odometry(stamp_ns, *pose, velocity[0] + noise.speed_noise * float(drawn[0]),
                    velocity[2] + noise.yaw_rate_noise * float(drawn[1]))
