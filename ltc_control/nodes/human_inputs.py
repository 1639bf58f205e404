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
"""What a person says to the safety node: take-over, joystick, commands."""

from __future__ import annotations

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Command
from ltc_control.core.take_over import joystick_command, JoystickMap
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.aging import Arrived
from ltc_control.nodes.safety_parameters import SafetyParameters
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool


class HumanInputs:
    """
    Subscriptions, and what they said last.

    ``take_over``: the switch is on or the dead man's button is down. A joystick that falls silent
    with its button down is still holding on; it lets go when the button is seen up, or when the
    switch is turned off.
    """

    def __init__(self, node: Node, told: SafetyParameters) -> None:
        self._log = node.get_logger()
        self._mapping = JoystickMap(
            told.joy_dead_man_button, told.joy_steering_axis, told.joy_speed_axis,
            told.joy_full_curvature, told.joy_full_speed)
        self._switched = self._held = False
        self.command: Arrived[Command] | None = None
        node.create_subscription(Bool, bringup.TAKE_OVER, self._on_take_over, qos.EVENT)
        newest = qos.sensor(1, lockstep=False)     # hears reliable and best effort publishers
        if told.human_topic:
            node.create_subscription(TwistStamped, told.human_topic, self._on_command, newest)
        if told.joy_topic:
            node.create_subscription(Joy, told.joy_topic, self._on_joy, newest)

    @property
    def take_over(self) -> bool:
        """Say whether a person holds on, with or without a command."""
        return self._switched or self._held

    def _on_take_over(self, message: Bool) -> None:
        self._switched = message.data
        if not message.data and self._held:
            self._let_go()
        self._log.info('a person takes over' if message.data else 'take-over has ended')

    def _on_command(self, message: TwistStamped) -> None:
        if not self._held:                         # the hand on the joystick comes first
            self.command = Arrived.now(convert.command_from_twist(message))

    def _on_joy(self, message: Joy) -> None:
        command = joystick_command(
            message.axes, message.buttons, mapping=self._mapping,
            stamp_ns=convert.stamp_ns(message.header.stamp))
        if command is not None:
            self._held, self.command = True, Arrived.now(command)
        elif self._held:
            self._let_go()

    def _let_go(self) -> None:
        self._held, self.command = False, None
