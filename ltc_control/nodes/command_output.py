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
"""The actuator topic in the words of the vehicle: twist, stamped twist or Ackermann."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Command
from ltc_control.core.errors import ConfigError
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.safety_parameters import SafetyParameters
from rclpy.node import Node
from rclpy.publisher import Publisher


class CommandOutput:
    """The only publisher of the actuator topic; ConfigError where its type is not installed."""

    def __init__(self, node: Node, told: SafetyParameters) -> None:
        kind, self._message_of = _output(told)
        self.publisher: Publisher = node.create_publisher(
            kind, bringup.COMMAND, qos.command(lockstep=told.lockstep))

    def send(self, command: Command) -> None:
        """Publish a command."""
        self.publisher.publish(self._message_of(command))


def _output(told: SafetyParameters) -> tuple[type, Callable[[Command], Any]]:
    if told.output == 'twist_stamped':
        return TwistStamped, convert.twist_from_command
    if told.output == 'twist':
        return Twist, lambda command: convert.twist_from_command(command).twist
    try:
        from ackermann_msgs.msg import AckermannDriveStamped
    except ImportError as err:
        raise ConfigError(
            'output is "ackermann", but ackermann_msgs cannot be imported; install it '
            '(apt-get install ros-$ROS_DISTRO-ackermann-msgs) or choose twist_stamped') from err
    return AckermannDriveStamped, lambda command: convert.ackermann_from_command(
        command, wheelbase=told.wheelbase_m, message=AckermannDriveStamped())
