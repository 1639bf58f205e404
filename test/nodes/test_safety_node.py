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
"""The safety node alone: age of requests, people, and that it is the only one to speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Command
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.safety_node import SafetyNode
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

pytestmark = pytest.mark.ros


def drive_until(vehicle: Any, condition: Callable[[], Any], *, stamp_shift_s: float = 0.0,
                speed: float = 5.0, yaw_rate: float = 0.05) -> set[int]:
    """Send requests and odometry at 30 Hz until ``condition``; return the stamps asked with."""
    asked = set()

    def request(now: int) -> None:
        message, stamp_ns = TwistStamped(), now + int(stamp_shift_s * 1e9)
        message.header.stamp = convert.time_message(stamp_ns)
        message.twist.linear.x, message.twist.angular.z = speed, yaw_rate
        vehicle.request_out.publish(message)
        asked.add(stamp_ns)

    vehicle.play_until(condition, image=lambda _: None, imu=request)
    return asked


def drive_until_moving(vehicle: Any) -> set[int]:
    return drive_until(vehicle, lambda: vehicle.commands and vehicle.commands[-1].speed > 0)


@pytest.fixture
def vehicle(stage: Any) -> Any:
    stage.safety = stage.add(SafetyNode)
    return stage.vehicle()


def last(vehicle: Any) -> tuple[float, str]:
    return vehicle.commands[-1].speed, vehicle.verdicts[-1]


def followed(vehicle: Any) -> set[int]:
    """Return the stamps of all commands that were not zero; NaN is not."""
    return {c.stamp_ns for c in vehicle.commands if (c.speed, c.yaw_rate) != (0.0, 0.0)}


def refused(vehicle: Any, verdict: str) -> Callable[[], bool]:
    """Return whether from now on ten verdicts were this one, the newest, with zero, among them."""
    before = len(vehicle.verdicts)
    return lambda: (last(vehicle) == (0.0, verdict)
                    and vehicle.verdicts[before:].count(verdict) >= 10)


def held(vehicle: Any, verdict: str) -> Callable[[], bool]:
    """Return whether from now on there were ten zeros in a row with this verdict."""
    first, before = len(vehicle.commands), len(vehicle.verdicts)
    return lambda: (vehicle.verdicts[before:][-10:] == [verdict] * 10
                    and [c.speed for c in vehicle.commands[first:]][-10:] == [0.0] * 10)


def test_nothing_asked_is_zero_published_at_its_rate(stage: Any, vehicle: Any) -> None:
    def of_ten() -> Any:
        """Return the mean gaps [s] of each ten successive commands."""
        stamps = np.array([command.stamp_ns for command in vehicle.commands[5:]])
        return (stamps[10:] - stamps[:-10]) * 1e-10

    # at 50 Hz as soon as a busy machine lets it, and after a pause it does not catch up
    stage.spin_until(lambda: len(of_ten()) > 50 and of_ten().min() < 0.025)
    assert np.median(of_ten()) > 0.018
    assert {command.speed for command in vehicle.commands} == {0.0}


def test_a_request_passes_with_its_stamp(vehicle: Any) -> None:
    asked = drive_until_moving(vehicle)
    asked |= drive_until(vehicle, lambda: last(vehicle) == (5.0, 'pass'))
    assert followed(vehicle) <= asked


@pytest.mark.parametrize('shift_s', [-0.5, 0.5])
def test_an_old_or_future_stamp_is_stale_though_it_arrives_now(vehicle: Any, shift_s: float,
                                                               ) -> None:
    drive_until_moving(vehicle)
    asked = drive_until(vehicle, refused(vehicle, 'stale'), stamp_shift_s=shift_s)
    assert not followed(vehicle) & asked


@pytest.mark.parametrize(('speed', 'yaw_rate'), [
    (float('nan'), 0.0), (5.0, float('nan')), (float('inf'), 0.0), (-3.0, 0.0), (5.0, 50.0)])
def test_a_request_out_of_range_is_zero(vehicle: Any, speed: float, yaw_rate: float) -> None:
    drive_until_moving(vehicle)
    asked = drive_until(vehicle, refused(vehicle, 'invalid'), speed=speed, yaw_rate=yaw_rate)
    assert not followed(vehicle) & asked


def test_a_person_takes_over_and_hands_back(stage: Any, vehicle: Any) -> None:
    out = vehicle.create_publisher(Bool, bringup.TAKE_OVER, 1)
    drive_until_moving(vehicle)
    stage.spin_until(lambda: out.get_subscription_count() == 1)
    out.publish(Bool(data=True))
    drive_until(vehicle, held(vehicle, 'take_over'))
    out.publish(Bool(data=False))
    drive_until_moving(vehicle)


def test_an_emergency_stop_holds_until_it_is_released(stage: Any, vehicle: Any) -> None:
    out = vehicle.create_publisher(Bool, bringup.E_STOP, 1)
    client = vehicle.create_client(Trigger, bringup.RELEASE)
    drive_until_moving(vehicle)
    stage.spin_until(lambda: out.get_subscription_count() == 1 and client.service_is_ready())

    def release() -> bool:
        answer = client.call_async(Trigger.Request())
        stage.spin_until(answer.done)
        return answer.result().success

    out.publish(Bool(data=True))
    drive_until(vehicle, held(vehicle, 'e_stop'))
    assert not release()                   # still pressed
    out.publish(Bool(data=False))
    drive_until(vehicle, lambda: not stage.safety._stop.pressed)
    drive_until(vehicle, held(vehicle, 'e_stop'))
    assert release()
    drive_until_moving(vehicle)


def test_the_verdict_is_latched_for_those_who_come_late(stage: Any, vehicle: Any) -> None:
    from diagnostic_msgs.msg import DiagnosticArray
    stage.spin_until(lambda: len(vehicle.commands) > 2)
    late: list[Any] = []
    vehicle.create_subscription(
        DiagnosticArray, bringup.VERDICT, late.append,
        QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL))
    stage.spin_until(lambda: bool(late))
    assert late[0].status[0].message in ('no_request', 'no_telemetry')


def test_a_second_speaker_is_reported(stage: Any, vehicle: Any) -> None:
    vehicle.create_publisher(TwistStamped, bringup.COMMAND, 1)
    stage.spin_until(lambda: '2 publishers' in vehicle.warnings.get('safety_node: gate', ''))


def test_lockstep_answers_each_request_once_with_its_stamp(stage: Any) -> None:
    stage.add(SafetyNode, lockstep=True)
    vehicle = stage.vehicle()
    stage.spin_until(lambda: vehicle.request_out.get_subscription_count() == 2
                     and vehicle.odometry_out.get_subscription_count() == 0)
    # lockstep subscribes reliably, so odometry has to be offered reliably
    from nav_msgs.msg import Odometry as OdometryMessage
    reliable = vehicle.create_publisher(OdometryMessage, bringup.ODOMETRY, 10)
    stage.spin_until(lambda: reliable.get_subscription_count() == 1)
    vehicle.odometry_out = reliable
    for stamp in range(1_000_000_000, 1_200_000_000, 33_333_333):
        vehicle.request_out.publish(convert.twist_from_command(Command(stamp, 0.01, 5.0)))
        stage.spin(0.05)
        assert not any(command.stamp_ns == stamp for command in vehicle.commands)
        vehicle.send_odometry(stamp)
        stage.spin_until(lambda wanted=stamp: vehicle.commands
                         and vehicle.commands[-1].stamp_ns == wanted)
    stamps = [command.stamp_ns for command in vehicle.commands]
    assert stamps == sorted(set(stamps))
