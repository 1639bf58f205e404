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
"""What a safety node says beside its command: the verdict, who is in command, and its health."""

from __future__ import annotations

from collections import Counter

from diagnostic_msgs.msg import DiagnosticArray
from ltc_control import bringup
from ltc_control.core.contracts import InCommand, Verdict
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.vitals import Vitals
from rclpy.node import Node
from std_msgs.msg import String


class GateVoice:
    """Publishers of a gate, the car's or the drone's, and the counts that its health tells."""

    def __init__(self, node: Node, *, command_topic: str) -> None:
        self._node, self._topic = node, command_topic
        self._verdict = Verdict.NO_REQUEST
        self._said: InCommand | None = None
        self._values = {'in_command': InCommand.NOBODY.value}
        self._counts: Counter[Verdict] = Counter()
        self.vitals = Vitals()
        self._verdict_out = node.create_publisher(DiagnosticArray, bringup.VERDICT, qos.LATCHED)
        self._in_command_out = node.create_publisher(String, bringup.IN_COMMAND, qos.LATCHED)
        self._health_out = node.create_publisher(DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)

    def judged(self, verdict: Verdict, *, in_command: InCommand, reason: str) -> None:
        """Take note of one tick of the gate; log where the verdict changed."""
        if verdict is not self._verdict or not self._counts:
            self._node.get_logger().info(f'verdict: {verdict.value}: {reason}')
        self._verdict = verdict
        self._values = {'reason': reason, 'in_command': in_command.value}
        self._counts[verdict] += 1
        if in_command is not self._said:
            self._said = in_command
            self._in_command_out.publish(String(data=in_command.value))

    def sent(self, stamp_ns: int) -> None:
        """Publish the verdict on the command that goes out with this stamp."""
        self.vitals.count('commands')
        self._verdict_out.publish(convert.verdict_message(
            self._verdict, stamp_ns=stamp_ns, values=self._values))

    def report(self, values: dict[str, object]) -> None:
        """Publish the health of the last second, ``values`` of the node's own among it."""
        told: dict[str, object] = {key.value: count for key, count in self._counts.items()}
        told |= self._values | {'verdict': self._verdict.value}
        publishers = self._node.count_publishers(self._topic)
        warning = '' if publishers == 1 else (
            f'{publishers} publishers of {self._topic}, only one may speak')
        if warning:
            self._node.get_logger().error(warning, throttle_duration_sec=2.0)
        self._health_out.publish(convert.health_message(
            f'{self._node.get_name()}: gate', told | values | self.vitals.take(),
            stamp_ns=self._node.get_clock().now().nanoseconds, warning=warning))
