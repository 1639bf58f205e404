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
"""The safety node as a citizen of ROS: parameters that change, types of output, diagnostics."""

from __future__ import annotations

from collections.abc import Callable
import importlib.util
import math
import os
import signal
import subprocess
import sys
import threading
import time
import types
from typing import Any

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import Twist, TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Command, Odometry
from ltc_control.core.errors import ConfigError
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.safety_node import SafetyNode
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient

pytestmark = pytest.mark.ros


def ask_until(vehicle: Any, condition: Callable[[], bool], *, speed: float = 5.0) -> None:
    vehicle.play_until(
        condition, image=lambda _: None, imu=lambda now: vehicle.request_out.publish(
            convert.twist_from_command(Command(now, 0.0, speed))))


def test_limits_change_while_it_drives_and_nonsense_is_refused(stage: Any) -> None:
    stage.add(SafetyNode)
    vehicle = stage.vehicle()
    client = AsyncParameterClient(vehicle, 'safety_node')
    stage.spin_until(client.services_are_ready)

    def change(**values: Any) -> list[bool]:
        future = client.set_parameters([Parameter(name, value=value)
                                        for name, value in values.items()])
        stage.spin_until(future.done)
        return [result.successful for result in future.result().results]

    ask_until(vehicle, lambda: vehicle.commands and vehicle.commands[-1].speed == 5.0)
    assert change(max_speed=3.0) == [True]
    ask_until(vehicle, lambda: vehicle.commands[-1].speed == 3.0)      # at the rate of the limits
    assert change(max_speed=-1.0) == [False]
    assert change(max_speed=math.nan) == [False]
    assert change(max_speed='fast') == [False]
    assert change(max_speed=50.0) == [False]                     # beyond what a request may be
    assert change(rate_hz=20.0) == [False]                       # read-only
    assert change(scan_topic='/scan') == [False]
    assert change(max_speed=4) == [True]                         # an integer is a number
    ask_until(vehicle, lambda: vehicle.commands[-1].speed == 4.0)


def test_a_plain_twist_for_vehicles_that_know_no_stamps(stage: Any) -> None:
    stage.add(SafetyNode, output='twist')
    # the usual vehicle hears stamped twists, and one process cannot have both on one topic
    vehicle = stage.take(Node('plain_vehicle', context=stage.context,
                              use_global_arguments=False))
    request_out = vehicle.create_publisher(TwistStamped, bringup.POLICY_COMMAND, 10)
    odometry_out = vehicle.create_publisher(OdometryMessage, bringup.ODOMETRY, 10)
    heard: list[Twist] = []
    vehicle.create_subscription(Twist, bringup.COMMAND, heard.append, 10)

    def drives() -> bool:
        now = time.time_ns()
        odometry_out.publish(convert.odometry_message(Odometry(now, 0, 0, 0, 5.0, 0.0)))
        request_out.publish(convert.twist_from_command(Command(now, 0.1, 5.0)))
        return bool(heard) and (heard[-1].linear.x, round(heard[-1].angular.z, 9)) == (5.0, 0.5)

    stage.spin_until(drives)


def test_an_output_that_is_not_installed_is_refused_in_words(stage: Any) -> None:
    if importlib.util.find_spec('ackermann_msgs'):
        pytest.skip('ackermann_msgs is here')
    with pytest.raises(ConfigError, match=r'ackermann_msgs.*install'):
        stage.add(SafetyNode, output='ackermann')
    with pytest.raises(ConfigError, match='output'):
        stage.add(SafetyNode, output='smoke signals')


def test_the_ackermann_drive_is_the_angle_of_the_bicycle() -> None:
    empty = types.SimpleNamespace(
        header=types.SimpleNamespace(stamp=None, frame_id=''),
        drive=types.SimpleNamespace(steering_angle=0.0, speed=0.0))
    message = convert.ackermann_from_command(Command(1_500_000_000, 0.1, 4.0), wheelbase=2.5,
                                             message=empty)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1, 500_000_000)
    assert math.tan(message.drive.steering_angle) / 2.5 == pytest.approx(0.1)
    assert message.drive.speed == 4.0


@pytest.mark.skipif(not importlib.util.find_spec('ackermann_msgs'), reason='not installed')
def test_an_ackermann_drive_goes_out(stage: Any) -> None:
    from ackermann_msgs.msg import AckermannDriveStamped
    stage.add(SafetyNode, output='ackermann')
    vehicle = stage.take(Node('plain_vehicle', context=stage.context,
                              use_global_arguments=False))
    request_out = vehicle.create_publisher(TwistStamped, bringup.POLICY_COMMAND, 10)
    odometry_out = vehicle.create_publisher(OdometryMessage, bringup.ODOMETRY, 10)
    heard: list[AckermannDriveStamped] = []
    vehicle.create_subscription(AckermannDriveStamped, bringup.COMMAND, heard.append, 10)

    def drives() -> bool:
        now = time.time_ns()
        odometry_out.publish(convert.odometry_message(Odometry(now, 0, 0, 0, 5.0, 0.0)))
        request_out.publish(convert.twist_from_command(Command(now, 0.1, 5.0)))
        return bool(heard) and heard[-1].drive.speed == 5.0

    stage.spin_until(drives)
    assert heard[-1].drive.steering_angle > 0.0                  # left is positive


def test_diagnostics_tell_rates_ages_and_who_drives(stage: Any) -> None:
    stage.add(SafetyNode)
    vehicle = stage.vehicle()
    # the rates that are sent and asked for are 30 and 50 Hz; a busy machine is seldom that quick
    ranges = {'requests_hz': (5, 40), 'odometry_hz': (5, 40), 'commands_hz': (10, 60),
              'request_age_s': (0, 1), 'odometry_age_s': (0, 1), 'cpu_percent': (0.1, 150)}

    def told() -> bool:
        values = vehicle.health.get('safety_node: gate', {})
        return ('pass' in values and values['in_command'] == 'policy' and values['reason'] != ''
                and all(low <= float(values.get(name, 'nan')) <= high
                        for name, (low, high) in ranges.items()))

    ask_until(vehicle, told)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_cleanly(number: signal.Signals) -> None:
    node = subprocess.Popen([sys.executable, '-m', 'ltc_control.nodes.safety_node'],
                            stderr=subprocess.PIPE, text=True, env=os.environ)
    assert 'verdict' in node.stderr.readline()
    node.send_signal(number)
    _, said = node.communicate(timeout=120)
    assert (node.returncode, 'Traceback' in said) == (0, False)


def test_it_leaves_no_thread(stage: Any) -> None:
    before = set(threading.enumerate())
    node = stage.add(SafetyNode)
    stage.spin(0.2)
    stage.nodes.remove(node)
    stage.executor.remove_node(node)
    node.destroy_node()
    assert set(threading.enumerate()) <= before
