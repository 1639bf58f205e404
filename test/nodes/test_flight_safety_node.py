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
"""A drone's safety node over real topics: it hovers on doubt, then leaves the autopilot to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
import math
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.flight_safety_node import FlightSafetyNode
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

pytestmark = pytest.mark.ros

HOVER_S = 3.0
PERIOD_S = 1 / 30
LONGEST_S = 120.0                          # that anything is waited for


class Drone(Node):
    """Odometry, a policy and a person that say what a test says; ears for the setpoints."""

    def __init__(self, stage: Any) -> None:
        super().__init__('drone', context=stage.context, use_global_arguments=False)
        self.stage = stage
        self.heard: list[TwistStamped] = []
        self.verdicts: list[str] = []
        self.health: dict[str, str] = {}
        self.request_out = self.create_publisher(TwistStamped, bringup.POLICY_COMMAND, 10)
        self.human_out = self.create_publisher(TwistStamped, bringup.HUMAN_COMMAND, 10)
        self.odometry_out = self.create_publisher(
            type(convert.odometry_message(Odometry(0, 0.0, 0.0, 0.0, 0.0, 0.0))),
            bringup.ODOMETRY, 10)
        self.take_over_out = self.create_publisher(Bool, bringup.TAKE_OVER, 1)
        self.e_stop_out = self.create_publisher(Bool, bringup.E_STOP, 1)
        self.create_subscription(TwistStamped, bringup.COMMAND, self.heard.append, 100)
        self.create_subscription(convert.DiagnosticArray, bringup.DIAGNOSTICS, lambda message:
                                 self.health.update(convert.health_values(message)), 100)
        self.create_subscription(convert.DiagnosticArray, bringup.VERDICT, lambda message:
                                 self.verdicts.append(message.status[0].message), 100)

    def fly(self, seconds: float, *, forward: float | None = 1.0, left: float = 0.0,
            human: float | None = None, x: float = 0.0, height: float = 3.0,
            yaw: float = 0.0) -> None:
        """Tell where it is and what is asked for, 30 times a second."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = time.time_ns()
            self.odometry_out.publish(convert.odometry_message(
                Odometry(now, x, 0.0, math.remainder(yaw, math.tau), 0.0, 0.0, z=height)))
            for asked, out in ((forward, self.request_out), (human, self.human_out)):
                if asked is not None:
                    out.publish(convert.twist_from_velocity(Velocity(now, asked, left, 0.0, 0.0)))
            self.stage.spin(PERIOD_S)

    def fly_until(self, condition: Callable[[], bool], **how: Any) -> None:
        deadline = time.monotonic() + LONGEST_S
        while not condition():
            assert time.monotonic() < deadline, self.verdicts[-5:]
            self.fly(0.1, **how)

    @property
    def forward(self) -> float:
        return self.heard[-1].twist.linear.x if self.heard else math.nan

    @property
    def verdict(self) -> str:
        return self.verdicts[-1] if self.verdicts else ''


@pytest.fixture
def drone(stage: Any) -> Drone:
    stage.add(FlightSafetyNode, hover_s=HOVER_S)
    return stage.take(Drone(stage))


def test_a_request_is_flown_in_the_frame_of_the_vehicle(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0), left=-0.5)
    message = drone.heard[-1]
    assert message.header.frame_id == 'base_link'
    assert message.twist.linear.y == pytest.approx(-0.5)         # left is positive
    assert (message.twist.linear.z, message.twist.angular.z) == (0.0, 0.0)
    assert message.twist.angular.x == message.twist.angular.y == 0.0


def test_silence_of_the_policy_is_hover_and_then_silence(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))
    before = len(drone.heard)
    drone.fly_until(lambda: float(drone.health.get('silent_hz', 0.0)) > 0.0, forward=None)
    silent_ns, newest_first = time.time_ns(), reversed(drone.heard[before:])
    zeros = [convert.stamp_ns(message.header.stamp) for message in takewhile(
        lambda message: message.twist.linear.x == 0.0, newest_first)][::-1]
    # stamps are the node's own times: zero for hover_s and no longer, never silent before
    assert zeros[-1] - zeros[0] <= HOVER_S * 1e9 < silent_ns - zeros[0]
    # never under 2 Hz in command; here most gaps, as a busy machine may take the node its turn
    assert np.median(np.diff(zeros)) < 0.5e9
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))  # asked again, it flies again


@pytest.mark.parametrize('bad', [math.nan, math.inf, -math.inf, 1e9])
def test_nonsense_is_hover(drone: Drone, bad: float) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))
    drone.fly_until(lambda: drone.forward == 0.0 and drone.verdict == 'invalid', forward=bad)
    twist = drone.heard[-1].twist
    assert (twist.linear.y, twist.linear.z, twist.angular.z) == (0.0, 0.0, 0.0)


def test_odometry_lost_is_hover(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))

    def hovers() -> bool:
        drone.request_out.publish(convert.twist_from_velocity(
            Velocity(time.time_ns(), 1.0, 0.0, 0.0, 0.0)))
        return drone.forward == 0.0 and drone.verdict == 'no_telemetry'

    drone.stage.spin_until(hovers)


def test_it_does_not_leave_the_fence(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))
    drone.fly_until(lambda: drone.forward <= 0.0 and drone.verdict == 'limited', x=1e3)
    before = len(drone.heard)
    drone.fly_until(lambda: len(drone.heard) > before + 15, x=1e3)
    assert max(m.twist.linear.x for m in drone.heard[before:]) <= 0.0    # outward is never flown
    drone.fly_until(lambda: drone.forward < -0.5, x=1e3, forward=-1.0)   # the way back is


def test_a_person_comes_before_the_policy(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))
    drone.take_over_out.publish(Bool(data=True))
    drone.fly_until(lambda: drone.forward == pytest.approx(-0.7)
                    and drone.verdict == 'human', human=-0.7)
    drone.take_over_out.publish(Bool(data=False))
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0) and drone.verdict == 'pass')


def test_the_emergency_stop_hovers_until_it_is_released(drone: Drone) -> None:
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))
    drone.e_stop_out.publish(Bool(data=True))
    drone.fly_until(lambda: drone.forward == 0.0 and drone.verdict == 'e_stop')
    drone.e_stop_out.publish(Bool(data=False))
    before = len(drone.heard)
    drone.fly_until(lambda: len(drone.heard) > before + 10 and drone.verdict == 'e_stop')
    assert {message.twist.linear.x for message in drone.heard[before:]} == {0.0}
    client = drone.create_client(Trigger, bringup.RELEASE)
    drone.stage.spin_until(client.service_is_ready)
    answer = client.call_async(Trigger.Request())
    drone.stage.spin_until(answer.done)
    assert answer.result().success
    drone.fly_until(lambda: drone.forward == pytest.approx(1.0))


def test_a_search_that_finds_nothing_is_hover_until_the_policy_flies_on(stage: Any) -> None:
    stage.add(FlightSafetyNode, hover_s=60.0, search_turns=1.0)
    drone = stage.take(Drone(stage))
    begun, yaw = time.monotonic(), 0.0
    while drone.verdict != 'search_over':
        assert time.monotonic() < begun + LONGEST_S, drone.verdicts[-5:]
        yaw += 0.15
        drone.fly(0.05, forward=0.0, yaw=yaw)
    assert yaw >= math.tau
    drone.fly_until(lambda: drone.verdicts[-5:] == ['search_over'] * 5, forward=0.2)
    assert drone.forward == 0.0
    drone.fly_until(lambda: drone.forward == pytest.approx(2.0), forward=2.0)
