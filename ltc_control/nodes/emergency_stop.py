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
"""The emergency stop of a car and of a drone: a button on a topic, a service, and the release."""

from __future__ import annotations

from ltc_control import bringup
from ltc_control.nodes import qos
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger


class EmergencyStop:
    """
    What topic and services said last; the gate of the node does the latching.

    ``meanwhile`` says in the log what the vehicle does until the release.
    """

    def __init__(self, node: Node, *, meanwhile: str) -> None:
        self._log = node.get_logger()
        self._meanwhile = meanwhile
        self._button = self._called = self._release = False
        node.create_subscription(Bool, bringup.E_STOP, self._on_button, qos.EVENT)
        node.create_service(Trigger, bringup.RELEASE, self._on_release)
        node.create_service(SetBool, '~/estop', self._on_call)

    @property
    def pressed(self) -> bool:
        """Say whether the button is down or the service was called and not let go."""
        return self._button or self._called

    def take_release(self) -> bool:
        """Return whether a release was asked for since the last call."""
        released, self._release = self._release, False
        return released

    def _on_button(self, message: Bool) -> None:
        self._button = message.data
        self._log.warning(
            'emergency stop' if message.data else
            f'emergency stop let go; {self._meanwhile} until {bringup.RELEASE} is called')

    def _on_release(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        self._release = not self.pressed
        answer.success = self._release
        answer.message = 'released' if self._release else 'the emergency stop is still pressed'
        return answer

    def _on_call(self, asked: SetBool.Request, answer: SetBool.Response) -> SetBool.Response:
        """Stop, or let go and release in one: whoever calls with false means to drive on."""
        self._called = asked.data
        self._release = not self.pressed
        answer.success = asked.data or self._release
        answer.message = ('emergency stop' if asked.data else 'released' if self._release else
                          f'the stop on {bringup.E_STOP} is still pressed')
        self._log.warning(f'~/estop: {answer.message}')
        return answer
