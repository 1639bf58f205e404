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
"""Bias and noise have the declared spread; windows hold every sample once."""

from __future__ import annotations

from ltc_control.sim.sensors import Imu, measure_odometry, SensorNoise
import numpy as np
import pytest

GYRO, ACCEL = np.array([0.1, 0.0, -0.2]), np.array([0.0, 1.0, 9.81])


def test_noise_and_bias_have_the_declared_spread() -> None:
    noise = SensorNoise()
    means = []
    for seed in range(150):
        imu = Imu(noise, np.random.default_rng(seed))
        for stamp in range(60):
            imu.sample(stamp, GYRO, ACCEL)
        window = imu.take()
        means.append(np.r_[window.angular_velocity.mean(0) - GYRO,
                           window.linear_acceleration.mean(0) - ACCEL])
        if seed == 0:
            assert window.angular_velocity.std(0) == pytest.approx(noise.gyro_noise, rel=0.4)
            assert window.linear_acceleration.std(0) == pytest.approx(noise.accel_noise, rel=0.4)
    spread = np.std(means, axis=0)
    bias = np.hypot(np.repeat([noise.gyro_bias, noise.accel_bias], 3),
                    np.repeat([noise.gyro_noise, noise.accel_noise], 3) / np.sqrt(60))
    assert spread == pytest.approx(bias, rel=0.25)


def test_windows_are_taken_once_and_may_be_empty() -> None:
    imu = Imu(SensorNoise(0.0, 0.0, 0.0, 0.0), np.random.default_rng(0))
    imu.sample(5, GYRO, ACCEL)
    imu.sample(9, GYRO, 2.0 * ACCEL)
    window = imu.take()
    assert window.stamps_ns.tolist() == [5, 9]
    np.testing.assert_array_equal(window.linear_acceleration, [ACCEL, 2.0 * ACCEL])
    empty = imu.take()
    assert empty.stamps_ns.shape == (0,)
    assert empty.angular_velocity.shape == (0, 3)


def test_odometry_without_noise_is_exact() -> None:
    odometry = measure_odometry(7, pose=(1.0, 2.0, 3.0), velocity=(4.0, 0.5, 0.6),
                                noise=SensorNoise(0, 0, 0, 0, 0, 0),
                                rng=np.random.default_rng(0))
    assert (odometry.stamp_ns, odometry.x, odometry.y, odometry.yaw) == (7, 1.0, 2.0, 3.0)
    assert (odometry.speed, odometry.yaw_rate) == (4.0, 0.6)
