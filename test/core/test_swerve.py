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
An obstacle just inside a bend, met by a car on rails: an independent closed loop around the gate.

Road, car and touch are written here in a few lines, without the simulator: the car keeps to the
lane's centre and asks for the curvature of where it is, so nothing tells the gate of the bend.
"""

from __future__ import annotations

from collections import deque
import math

from ltc_control.core.contracts import Command, Odometry
from ltc_control.core.gate import GateConfig, GateState, step
from ltc_control.core.obstacle import ObstacleConfig, Returns
import numpy as np
import pytest

DT, BEND_AT, RAMP = 1 / 50, 60.0, 10.0       # [s]; where the bend begins and its transition [m]
DELAY, BRAKES, GAIN = 5, 3.5, 3.0              # ticks, [m/s^2], [1/s]: what slows this car down
AHEAD, BEHIND, HALF_WIDTH = 2.25, 2.0, 0.9


def road(radius):
    """Return x, y, heading and curvature each centimetre of a straight and a bend, (4, N)."""
    way = np.arange(0.0, 130.0, 0.01)
    bend = np.clip((way - BEND_AT) / RAMP, 0.0, 1.0) / radius
    heading = np.cumsum(bend) * 0.01
    return np.stack([np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading)),
                     heading / 0.01, bend / 0.01]) * 0.01


def box_on(line, at, length=1.2, width=1.8):
    """Return places 5 cm apart on the outline of a box across the lane, (K, 2)."""
    x, y, yaw, _ = line[:, round(at / 0.01)]
    u, v = (np.arange(-0.5, 0.5001, 0.05 / size) * size for size in (length, width))
    edges = np.concatenate([
        np.stack([np.r_[u, u], np.repeat([-width / 2, width / 2], len(u))], 1),
        np.stack([np.repeat([-length / 2, length / 2], len(v)), np.r_[v, v]], 1)])
    turn = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]])
    return edges @ turn + (x, y)


def seen_from(pose, places):
    """Return places of the world as the car at ``pose`` has them: ahead and to the left."""
    x, y, yaw, _ = pose
    turn = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    return (places - (x, y)) @ turn


def suits(way, radius):
    """Return the speed [m/s] of a driver who knows the bend and nothing of the box."""
    return min(12.0, math.sqrt(2.5 * abs(radius) + 2 * 1.5 * max(BEND_AT - way, 0.0)))


def met(radius, at, swerve):
    """Drive towards the box; return whether it was touched, and where the car stood at last."""
    line, config = road(radius), GateConfig(obstacle=ObstacleConfig(swerve=swerve))
    box, state, kept = box_on(line, at), GateState(), deque(maxlen=3)
    way, speed, late = 5.0, 12.0, deque([12.0] * DELAY)
    for tick in range(round(14 / DT)):
        pose, now = line[:, round(way / 0.01)], round(tick * DT * 1e9)
        points = seen_from(pose, box)
        ahead, left = points[:, 0], points[:, 1]
        if ((ahead < AHEAD) & (ahead > -BEHIND) & (abs(left) < HALF_WIDTH)).any():
            return True, way
        kept.append(Returns(now, points[np.hypot(ahead, left) < 40.0], 2))
        state, command, _ = step(
            state, now_ns=now, request=Command(now, pose[3], suits(way, radius)), config=config,
            odometry=Odometry(now, 0, 0, 0, speed, speed * pose[3]), sight={'scan': tuple(kept)})
        late.append(command.speed)
        push = min(max(GAIN * (late.popleft() - speed), -BRAKES), 2.0)
        speed = max(speed + push * DT, 0.0)
        way += speed * DT
    return False, way


@pytest.mark.parametrize('radius', [21.5, -45.0, 60.0, -80.0])
@pytest.mark.parametrize('inside', [-8.0, 6.0, 16.0, 20.0, 24.0, 30.0])
def test_what_stands_inside_a_bend_is_not_touched(radius, inside):
    touched, way = met(radius, BEND_AT + inside, ObstacleConfig().swerve)
    assert not touched
    assert BEND_AT + inside - way < 6.0        # and it was driven up to


@pytest.mark.parametrize(('radius', 'inside'), [(-45.0, 20.0), (60.0, 24.0), (-80.0, 24.0)])
def test_the_arc_of_now_alone_is_too_late(radius, inside):
    """Without the swerve these are touched: what the test above is able to see."""
    assert met(radius, BEND_AT + inside, 0.0)[0]
