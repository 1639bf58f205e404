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
"""The car against closed forms: steady arcs, step answers of the actuators, friction."""

from __future__ import annotations

import math

from ltc_control.sim.car import Car, CarSpec, PHYSICS_HZ, STEP_S
import numpy as np
import pytest


def driven(car: Car, *, curvature: float, speed: float, seconds: float) -> Car:
    car.command(curvature=curvature, speed=speed)
    for _ in range(round(seconds * PHYSICS_HZ)):
        car.step()
    return car


@pytest.mark.parametrize(('curvature', 'speed'), [(0.05, 7.0), (0.02, 10.0), (-0.03, 8.0)])
def test_steady_arc(curvature: float, speed: float) -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=speed, curvature=curvature)
    driven(car, curvature=curvature, speed=speed, seconds=10.0)
    ahead, side, rate = car.velocity
    assert ahead == pytest.approx(speed, abs=0.05)
    assert rate == pytest.approx(ahead * curvature, rel=0.01)
    spec = car.spec                        # side slip of the linear single-track model
    slip = curvature * (0.5 * spec.wheelbase - spec.mass * ahead**2 / (2 * spec.axle_stiffness))
    assert math.atan2(side, ahead) == pytest.approx(slip, abs=2e-3)
    gyro, accel = car.inertial()
    assert gyro[2] == pytest.approx(ahead * curvature, rel=0.01)
    assert accel[1] == pytest.approx(ahead**2 * curvature, rel=0.06), 'roll adds g sin(roll)'
    assert accel[2] == pytest.approx(9.81, abs=0.04)


def test_the_path_is_a_circle_of_the_asked_radius() -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=8.0, curvature=0.04)
    points = []
    for _ in range(20):
        driven(car, curvature=0.04, speed=8.0, seconds=1.0)
        points.append(car.pose[:2])
    xy = np.array(points[2:])
    fit = np.linalg.lstsq(np.c_[2.0 * xy, np.ones(len(xy))], (xy**2).sum(axis=1), rcond=None)[0]
    assert math.sqrt(fit[2] + fit[0]**2 + fit[1]**2) == pytest.approx(25.0, rel=0.01)


def test_at_rest_gravity_is_all_there_is() -> None:
    car = driven(Car(), curvature=0.2, speed=0.0, seconds=3.0)
    assert car.pose == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    gyro, accel = car.inertial()
    assert gyro == pytest.approx(np.zeros(3), abs=1e-6)
    assert accel == pytest.approx([0.0, 0.0, 9.81], abs=1e-3)


def test_steering_waits_for_the_delay_and_follows_the_lag() -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=8.0)
    car.command(curvature=0.01, speed=8.0)
    angle = []
    for _ in range(120):
        car.step()
        angle.append(car.steering)
    moving = int(np.flatnonzero(np.abs(angle) > 0.0)[0])
    assert moving == round(car.spec.command_delay * PHYSICS_HZ)
    since = (np.arange(120) - moving + 1) * STEP_S
    final = math.atan(2.7 * 0.01)
    expected = np.where(since > 0, final * (1.0 - np.exp(-since / car.spec.steering_lag)), 0.0)
    assert angle == pytest.approx(expected, abs=1e-9)


def test_steering_rate_and_angle_are_bounded() -> None:
    car = Car()
    car.command(curvature=1.0, speed=0.0)
    angle = [0.0]
    for _ in range(400):
        car.step()
        angle.append(car.steering)
    assert np.diff(angle).max() == pytest.approx(car.spec.steering_rate * STEP_S)
    assert angle[-1] == pytest.approx(car.spec.steering_limit, abs=1e-3)


@pytest.mark.parametrize(('start', 'wish', 'bound'), [(3.0, 12.0, 2.0), (12.0, 0.0, -3.5)])
def test_acceleration_is_bounded_both_ways(start: float, wish: float, bound: float) -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=start)
    speed = [start]
    for _ in range(480):
        driven(car, curvature=0.0, speed=wish, seconds=STEP_S)
        speed.append(car.velocity[0])
    change = np.diff(speed) / STEP_S
    strongest = change.max() if bound > 0 else change.min()
    assert strongest == pytest.approx(bound, rel=0.02)


def test_tyres_slide_when_too_much_is_asked() -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=12.0)
    driven(car, curvature=0.12, speed=12.0, seconds=1.5)
    ahead, _, rate = car.velocity
    assert 5.0 < ahead * rate < 0.95 * 9.81


def test_in_a_left_curve_the_body_leans_to_the_right() -> None:
    car = Car()
    car.reset(x=0.0, y=0.0, yaw=0.0, speed=8.0, curvature=0.04)
    driven(car, curvature=0.04, speed=8.0, seconds=2.0)
    assert 0.003 < car.tilt[0] < 0.03


def test_equal_commands_give_equal_bits() -> None:
    ends = [driven(Car(CarSpec()), curvature=0.03, speed=9.0, seconds=3.0).pose for _ in 'ab']
    assert ends[0] == ends[1]
