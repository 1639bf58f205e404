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
"""A person at the safety node: commands, joystick, stop by service, who is in command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.safety_node import SafetyNode
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool

pytestmark = pytest.mark.ros
# ages that a busy machine does not reach, where who is in command is the question and not how long
PATIENT = {'stale_s': 2.0, 'telemetry_s': 5.0}
LATCHED = QoSProfile(depth=10, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class Driver:
    """A vehicle, a policy that asks for 5 m/s straight on, and a person beside them."""

    def __init__(self, stage: Any, **parameters: Any) -> None:
        self.stage = stage
        self.node = stage.add(SafetyNode, **parameters)
        self.vehicle = stage.vehicle()
        self.said: list[str] = []
        self.vehicle.create_subscription(
            String, bringup.IN_COMMAND, lambda m: self.said.append(m.data), LATCHED)
        self.human_out = self.vehicle.create_publisher(TwistStamped, bringup.HUMAN_COMMAND, 1)
        self.joy_out = self.vehicle.create_publisher(Joy, bringup.JOY, 1)

    def until(self, condition: Callable[[], bool], *,
              person: Callable[[int], None] = lambda now: None) -> None:
        """Play policy, odometry and person at 30 Hz until ``condition``."""
        self.vehicle.play_until(condition, image=lambda _: None,
                                imu=lambda now: self._ask(now, person))

    def _ask(self, now: int, person: Callable[[int], None]) -> None:
        self.vehicle.request_out.publish(twist(now, speed=5.0, yaw_rate=0.0))
        person(now)

    def until_verdict(self, *verdicts: str, **options: Any) -> None:
        self.until(lambda: self.verdict in verdicts, **options)

    @property
    def verdict(self) -> str:
        return self.vehicle.verdicts[-1] if self.vehicle.verdicts else ''

    def command(self, *, speed: float, yaw_rate: float) -> Callable[[int], None]:
        return lambda now: self.human_out.publish(twist(now, speed=speed, yaw_rate=yaw_rate))

    def joystick(self, *, left: float, up: float, held: int = 1) -> Callable[[int], None]:
        def move(now: int) -> None:
            message = Joy(axes=[left, up], buttons=[0, 0, 0, 0, held])
            message.header.stamp = convert.time_message(now)
            self.joy_out.publish(message)
        return move


def twist(now: int, *, speed: float, yaw_rate: float) -> TwistStamped:
    message = TwistStamped()
    message.header.stamp = convert.time_message(now)
    message.twist.linear.x, message.twist.angular.z = speed, yaw_rate
    return message


def test_commands_of_a_person_come_first_and_the_policy_comes_back(stage: Any) -> None:
    driver = Driver(stage, **PATIENT, human_stale_s=2.0)
    vehicle = driver.vehicle
    driver.until_verdict('pass', 'limited')
    person = driver.command(speed=4.0, yaw_rate=-0.2)
    driver.until(lambda: abs(vehicle.commands[-1].yaw_rate + 0.2) < 1e-6
                 and vehicle.commands[-1].speed == 4.0 and driver.verdict == 'human',
                 person=person)
    before = len(vehicle.commands)
    driver.until_verdict('pass')
    assert driver.said == ['nobody', 'policy', 'human', 'policy'][-len(driver.said):]
    assert driver.said[-3:] == ['policy', 'human', 'policy']
    back = vehicle.commands[before:]
    assert all(command.speed > 3.9 for command in back)          # never through zero
    bends = np.array([command.yaw_rate / command.speed for command in back])
    assert np.abs(np.diff(bends)).max() <= 0.3 * 0.1 + 1e-9      # a stalled timer earns 0.1 s


def test_a_joystick_drives_while_its_button_is_held(stage: Any) -> None:
    driver = Driver(stage, **PATIENT, joy_topic=bringup.JOY, joy_full_speed=8.0)
    vehicle = driver.vehicle
    driver.until_verdict('pass', 'limited')
    person = driver.joystick(left=0.5, up=0.5)                   # 0.05 1/m at 4 m/s
    driver.until(lambda: abs(vehicle.commands[-1].yaw_rate - 0.2) < 1e-6
                 and driver.verdict == 'human', person=person)
    driver.until(lambda: driver.verdict == 'take_over'           # silent with the button down
                 and vehicle.commands[-1].speed == 0.0)
    driver.until_verdict('pass', 'limited', person=driver.joystick(left=0.5, up=0.5, held=0))
    assert driver.said[-3:] == ['policy', 'human', 'policy']     # holding on is being in command


def test_a_switch_lets_go_of_a_joystick_that_was_lost(stage: Any) -> None:
    driver = Driver(stage, joy_topic=bringup.JOY)
    switch = driver.vehicle.create_publisher(Bool, bringup.TAKE_OVER, 1)
    driver.until_verdict('human', person=driver.joystick(left=0.0, up=0.5))
    driver.until_verdict('take_over')
    driver.until_verdict('pass', 'limited', person=lambda _: switch.publish(Bool(data=False)))


def test_the_emergency_stop_is_a_service_too(stage: Any) -> None:
    driver = Driver(stage)
    client = driver.vehicle.create_client(SetBool, '/safety_node/estop')
    button = driver.vehicle.create_publisher(Bool, bringup.E_STOP, 1)
    driver.until_verdict('pass', 'limited')

    def call(pressed: bool) -> SetBool.Response:
        answer = client.call_async(SetBool.Request(data=pressed))
        driver.until(answer.done)
        return answer.result()

    driver.until(client.service_is_ready)
    assert call(True).success
    driver.until(lambda: driver.verdict == 'e_stop' and driver.said[-1] == 'nobody'
                 and driver.vehicle.commands[-1].speed == 0.0,
                 person=driver.command(speed=3.0, yaw_rate=0.0))
    button.publish(Bool(data=True))
    driver.until(lambda: driver.node._stop.pressed)
    refused = call(False)
    assert (refused.success, bringup.E_STOP in refused.message) == (False, True)
    button.publish(Bool(data=False))
    driver.until(lambda: not driver.node._stop.pressed)
    assert driver.vehicle.verdicts[-1] == 'e_stop'
    assert call(False).success
    driver.until_verdict('pass', 'limited')


def test_no_human_topic_means_that_nobody_is_listened_to(stage: Any) -> None:
    driver = Driver(stage, human_topic='')
    driver.until(lambda: len(driver.vehicle.commands) > 60,
                 person=driver.command(speed=3.0, yaw_rate=0.0))
    assert 'human' not in driver.vehicle.verdicts
    assert driver.human_out.get_subscription_count() == 0
