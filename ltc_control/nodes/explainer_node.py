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
Says why, while it happens: the active path of the trees beside the model, in words.

Listens to ``/policy/neurons`` alone: a robot does not know its true state, its neurons are enough
to name the path (Wang et al., arXiv 2210.06650). ``/policy/why`` is one sentence for the wheel,
``/policy/why/paths`` the path of every neuron. Only the newest neurons are told about, at a rate
for people, in a process of its own: the policy never waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from ltc_control import bringup
from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import load_spec
from ltc_control.insight.tree_file import read_explanation
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare
from ltc_control.nodes.parameters import ExplainerParameters
from ltc_control.nodes.running import run
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

LOOK_EVERY_S = 0.25
LONGEST_WAIT_S = 90.0                      # for the others to be ready
LOG_EVERY_S = 5.0


class ExplainerNode(Node):
    """Follows the neurons of one model through the trees that were grown for it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('explainer_node', **kwargs)
        told = declare(self, ExplainerParameters)
        if not told.model:
            raise ModelError('no model folder was named; pass -p model:=models/car_lane')
        self._explanation = read_explanation(told.model, spec=load_spec(told.model))
        self._newest: JointState | None = None
        self._sentence_out = self.create_publisher(String, bringup.WHY, qos.REPORT)
        self._paths_out = self.create_publisher(DiagnosticArray, bringup.WHY_PATHS, qos.REPORT)
        self._awaited = set(told.wait_for.split())
        self._made_at = time.monotonic()
        self._ready_in = self.create_subscription(
            String, bringup.READY, lambda message: self._awaited.discard(message.data),
            qos.LATCHED_MANY)
        self._neurons_in: Any = None
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._look_timer = self.create_timer(LOOK_EVERY_S, self._look, clock=steady)
        self.create_timer(1.0 / told.rate_hz, self._tell, clock=steady)
        self._look()

    def _look(self) -> None:
        """Listen once all are ready: until then publishers count ears that they wait for."""
        if self._awaited and time.monotonic() - self._made_at < LONGEST_WAIT_S:
            return
        self._look_timer.cancel()
        if self._neurons_in is None:
            self._neurons_in = self.create_subscription(
                JointState, bringup.NEURONS, self._on_neurons, qos.sensor(1, lockstep=False))

    def _on_neurons(self, message: JointState) -> None:
        self._newest = message

    def _tell(self) -> None:
        message, self._newest = self._newest, None
        if message is None:
            return
        states, _ = convert.neuron_values(message)
        expected = tuple(one.name for one in self._explanation.neurons)
        if tuple(message.name) != expected:
            self.get_logger().error(
                f'these are other neurons ({len(message.name)}: {list(message.name)[:3]} ...) '
                f'than the trees explain ({len(expected)}: {list(expected[:3])} ...); give the '
                'model that drives', throttle_duration_sec=LOG_EVERY_S)
            return
        self._sentence_out.publish(String(data=self._explanation.why(states)))
        if self._paths_out.get_subscription_count():
            self._paths_out.publish(self._paths(message, states))

    def _paths(self, message: JointState, states: Any) -> DiagnosticArray:
        told = DiagnosticArray()
        told.header.stamp = message.header.stamp
        for number, one in enumerate(self._explanation.neurons):
            response = float(states[number])
            told.status.append(DiagnosticStatus(
                level=DiagnosticStatus.OK, name=one.name,
                message=self._explanation.path_words(number, response),
                values=[KeyValue(key='state', value=f'{response:.4f}'),
                        KeyValue(key='path', value=str(int(one.classify(response))))]))
        return told


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped; 2 where the model has no trees."""
    return run(ExplainerNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
