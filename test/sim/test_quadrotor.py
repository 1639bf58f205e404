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
"""A quadrotor must hover, obey velocities in its own frame, and lean as physics asks."""

from __future__ import annotations

import math

from ltc_control.sim.quadrotor import GRAVITY, Quadrotor, QuadrotorSpec
import numpy as np
import pytest

STEPS = 240


def fly(drone: Quadrotor, seconds: float, **asked: float) -> None:
    drone.command(**{'forward': 0.0, 'left': 0.0, 'up': 0.0, 'yaw_rate': 0.0, **asked})
    for _ in range(round(seconds * STEPS)):
        drone.step()


def test_it_hovers_where_it_was_put() -> None:
    drone = Quadrotor()
    drone.reset(x=3.0, y=-2.0, z=4.0, yaw=1.0)
    fly(drone, 5.0)
    assert drone.position == pytest.approx((3.0, -2.0, 4.0), abs=1e-3)
    gyro, force = drone.inertial()
    assert gyro == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert force == pytest.approx([0.0, 0.0, GRAVITY], abs=1e-4)


@pytest.mark.parametrize('yaw', [-2.5, 0.0, 0.7, 3.0])
@pytest.mark.parametrize('asked', [
    {'forward': 3.0}, {'left': -2.0}, {'up': 1.0}, {'forward': 2.0, 'left': 1.0, 'up': -0.5}])
def test_velocities_are_those_of_its_own_heading(yaw: float, asked: dict[str, float]) -> None:
    drone = Quadrotor()
    drone.reset(x=0.0, y=0.0, z=20.0, yaw=yaw)
    fly(drone, 6.0, **asked)
    wanted = [asked.get(name, 0.0) for name in ('forward', 'left', 'up')]
    assert drone.velocity[:3] == pytest.approx(wanted, abs=0.08)
    before = np.array(drone.position)
    fly(drone, 1.0, **asked)
    moved = np.array(drone.position) - before
    cos, sin = math.cos(yaw), math.sin(yaw)
    world = (wanted[0] * cos - wanted[1] * sin, wanted[0] * sin + wanted[1] * cos, wanted[2])
    assert moved == pytest.approx(world, abs=0.1)


def test_a_yaw_rate_turns_it_to_the_left() -> None:
    drone = Quadrotor()
    fly(drone, 1.0, yaw_rate=0.5)
    start = drone.attitude[0]
    fly(drone, 1.0, yaw_rate=0.5)
    assert drone.attitude[0] - start == pytest.approx(0.5, abs=0.01)
    assert drone.velocity[3] == pytest.approx(0.5, abs=0.01)


def test_it_leans_into_steady_flight_as_drag_asks() -> None:
    """Level flight at speed v: tan(pitch) = drag v / m g, lift and weight in balance."""
    spec = QuadrotorSpec(drag=0.5, drag_up=0.5)        # equal on all sides: a closed form
    drone = Quadrotor(spec)
    fly(drone, 10.0, forward=4.0)
    pitch = drone.attitude[2]
    assert math.tan(pitch) == pytest.approx(0.5 * 4.0 / (spec.mass * GRAVITY), rel=0.03)


def test_wind_carries_it_less_and_less() -> None:
    drone = Quadrotor()
    drone.wind = (4.0, 0.0, 0.0)
    fly(drone, 1.0)
    assert 0.02 < drone.velocity[0] < 1.5              # pushed at first
    fly(drone, 8.0)
    assert abs(drone.velocity[0]) < 0.03               # the integral holds against it
    assert drone.attitude[2] > math.radians(-10.0)
    assert drone.attitude[2] < 0.0                     # nose up into the wind from behind: leans


def test_requests_beyond_its_limits_are_bounded() -> None:
    drone = Quadrotor()
    drone.reset(x=0.0, y=0.0, z=100.0)
    fly(drone, 8.0, forward=50.0, left=50.0, up=50.0, yaw_rate=50.0)
    _, roll, pitch = drone.attitude
    forward, left, up, turning = drone.velocity
    spec = drone.spec
    assert math.hypot(forward, left) < spec.max_speed + 0.5
    assert up < spec.max_climb + 0.3
    assert turning < spec.max_yaw_rate + 0.2
    assert math.acos(math.cos(roll) * math.cos(pitch)) < spec.max_tilt + 0.15


def test_a_command_takes_its_delay() -> None:
    spec = QuadrotorSpec(command_delay=0.1)
    drone = Quadrotor(spec)
    drone.command(forward=3.0, left=0.0, up=0.0, yaw_rate=0.0)
    for _ in range(round(0.1 * STEPS)):
        drone.step()
    assert drone.velocity[0] == pytest.approx(0.0, abs=1e-9)
    for _ in range(round(0.2 * STEPS)):
        drone.step()
    assert drone.velocity[0] > 0.02


def test_world_and_body_axes_undo_each_other() -> None:
    drone = Quadrotor()
    fly(drone, 1.0, forward=4.0, left=-2.0, yaw_rate=1.0)
    yaw, roll, pitch = drone.attitude
    cy, sy, cp, sp, cr, sr = (math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch),
                              math.cos(roll), math.sin(roll))
    turn = (np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
            @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
            @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]]))   # z-y-x, REP-103
    world = np.array([0.3, -1.2, 2.0])
    assert drone.to_body(*world) == pytest.approx(turn.T @ world, abs=1e-9)
