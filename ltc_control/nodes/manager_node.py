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
Brings nodes with states to active, watches over them, and stops the car where that fails.

A dead node is started again by whoever started it (launch with ``respawn``, or ``ltc drive``);
this one activates the new process. Meanwhile safety publishes zero by itself. Where a node stays
away or dies again and again, the emergency stop is pressed and held: the car stands until a person
calls the release of safety.
"""

from __future__ import annotations

from collections.abc import Sequence
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
from ltc_control import bringup
from ltc_control.core.errors import ConfigError
from ltc_control.core.supervision import SupervisionRules, Watched
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare
from ltc_control.nodes.parameters import ManagerParameters
from ltc_control.nodes.running import run
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Bool

PRESS_EVERY_S = 0.5


class ManagedPeer:
    """The two services of one node with states, and what is known of it."""

    def __init__(self, node: Node, name: str, rules: SupervisionRules, *, every_s: float) -> None:
        self.name = name
        self._looked = time.monotonic()
        self.watched = Watched(rules, since=self._looked)
        self._rules, self._node, self._every_s = rules, node, every_s
        self._get = node.create_client(GetState, f'{name}/get_state')
        self._change = node.create_client(ChangeState, f'{name}/change_state')
        self._asked: tuple[Future, float] | None = None
        self._changing: tuple[Future, float] | None = None

    def look(self) -> None:
        """Ask for the state, and for the transition that is due; never waits."""
        now = time.monotonic()
        idle, self._looked = now - self._looked, now
        if idle > self._every_s + self._rules.answer_s:
            self._excuse(idle)
        self._asked = self._fresh(self._get, self._asked, now)
        self._changing = self._fresh(self._change, self._changing, now)
        if self._asked is None and self._get.service_is_ready():
            future = self._get.call_async(GetState.Request())
            future.add_done_callback(self._on_state)
            self._asked = future, now
        transition = self.watched.check(now=now)
        if transition and self._changing is None and self._change.service_is_ready():
            request = ChangeState.Request()
            request.transition.label = transition
            self._node.get_logger().info(f'{self.name}: {transition}')
            self._changing = self._change.call_async(request), now

    def _excuse(self, idle: float) -> None:
        """Do not blame it that this process had no turn: its answer may lie here unheard."""
        self.watched.excuse(idle)
        self._asked, self._changing = (
            None if call is None else (call[0], call[1] + idle)
            for call in (self._asked, self._changing))

    def _fresh(self, client: Any, call: tuple[Future, float] | None, now: float,
               ) -> tuple[Future, float] | None:
        """Forget a call that is answered, or whose server has died under it."""
        if call is None or call[0].done():
            return None
        if now - call[1] <= self._rules.answer_s:
            return call
        client.remove_pending_request(call[0])
        return None

    def _on_state(self, future: Future) -> None:
        if future.result() is not None:
            self.watched.hear(future.result().current_state.label, now=time.monotonic())


class ManagerNode(Node):
    """Supervises the nodes that it is told to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('manager_node', **kwargs)
        told = declare(self, ManagerParameters)
        names = told.manage.split()
        if not names:
            raise ConfigError('no node was named; pass -p manage:="policy_node"')
        rules = SupervisionRules(told.answer_s, told.patience_s, told.most_deaths, told.window_s)
        self._peers = [ManagedPeer(self, name, rules, every_s=told.check_s) for name in names]
        self._stop_out = self.create_publisher(Bool, bringup.E_STOP, qos.EVENT)
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(told.check_s, self._look, clock=steady)
        self.create_timer(PRESS_EVERY_S, self._press, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)

    def _look(self) -> None:
        for peer in self._peers:
            peer.look()

    def _trouble(self) -> str:
        return '; '.join(f'{peer.name} {peer.watched.given_up}' for peer in self._peers
                         if peer.watched.given_up)

    def _press(self) -> None:
        trouble = self._trouble()
        if trouble:
            self._stop_out.publish(Bool(data=True))
            self.get_logger().error(f'emergency stop: {trouble}; start this node again once that '
                                    f'is mended, then call {bringup.RELEASE}',
                                    throttle_duration_sec=10.0)

    def _report(self) -> None:
        values: dict[str, object] = {}
        for peer in self._peers:
            values |= {peer.name: peer.watched.state, f'{peer.name}_deaths': peer.watched.deaths}
        self._health_out.publish(convert.health_message(
            'manager_node: supervision', values, warning=self._trouble(),
            stamp_ns=self.get_clock().now().nanoseconds))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run(ManagerNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
