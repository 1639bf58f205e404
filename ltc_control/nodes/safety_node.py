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
The only publisher of the actuator topic: requests pass the gate or become zero, with a reason.

A plain node on a fixed, steady timer: silence is not a stop, so zero is published for as long as
there is nothing to follow. A request ages by its header stamp and by its arrival, whichever makes
it older: a frozen camera and a dead policy both end in zero. In lockstep the gate is stepped once
a request, when the odometry of the same moment is there, and the answer carries that stamp.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ltc_control import bringup
from ltc_control.core import gate
from ltc_control.core.contracts import Command, Odometry, Verdict
from ltc_control.core.limits import Limits
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.parameters import SafetyParameters, declare
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run

Stamped = TypeVar('Stamped', Command, Odometry)


class SafetyNode(Node):
    """Holds the newest request and publishes what the gate makes of it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('safety_node', **kwargs)
        told = declare(self, SafetyParameters)
        self._config = gate_config(told)
        self._lockstep = told.lockstep
        self._gate = gate.GateState()
        self._request: Command | None = None
        self._request_arrival = 0          # steady time: no clock adjustment reaches it
        self._odometry: Odometry | None = None
        self._odometry_arrival = 0
        self._answered = True              # lockstep: the newest request has had its answer
        self._take_over = self._e_stop = self._release = False
        self._verdict: Verdict | None = None
        self._counts: Counter[Verdict] = Counter()
        self._publish(told)
        self._subscribe(told)
        self._readiness = Readiness(self, told.expect)

    def _publish(self, told: SafetyParameters) -> None:
        self._command_out = self.create_publisher(
            TwistStamped, bringup.COMMAND, qos.command(lockstep=told.lockstep))
        self._verdict_out = self.create_publisher(
            DiagnosticArray, bringup.VERDICT, qos.LATCHED)
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if not told.lockstep:              # there the world stands still without a command
            self.create_timer(1.0 / told.rate_hz, self._tick, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)

    def _subscribe(self, told: SafetyParameters) -> None:
        self.create_subscription(TwistStamped, bringup.POLICY_COMMAND, self._on_request,
                                 qos.command(lockstep=told.lockstep))
        self.create_subscription(OdometryMessage, bringup.ODOMETRY, self._on_odometry,
                                 qos.sensor(10, lockstep=told.lockstep))
        self.create_subscription(Bool, bringup.TAKE_OVER, self._on_take_over, qos.EVENT)
        self.create_subscription(Bool, bringup.E_STOP, self._on_e_stop, qos.EVENT)
        self.create_service(Trigger, bringup.RELEASE, self._on_release)

    def _on_request(self, message: TwistStamped) -> None:
        self._request = convert.command_from_twist(message)
        self._request_arrival = time.monotonic_ns()
        self._answered = False
        self._answer()

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._odometry = convert.odometry_from_message(message)
        self._odometry_arrival = time.monotonic_ns()
        self._answer()

    def _on_take_over(self, message: Bool) -> None:
        self._take_over = message.data
        self.get_logger().info('a person takes over' if message.data else 'take-over has ended')

    def _on_e_stop(self, message: Bool) -> None:
        self._e_stop = message.data
        self.get_logger().warning(
            'emergency stop' if message.data else
            f'emergency stop let go; the car stands until {bringup.RELEASE} is called')

    def _on_release(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        self._release = not self._e_stop
        answer.success = self._release
        answer.message = 'released' if self._release else 'the emergency stop is still pressed'
        return answer

    def _answer(self) -> None:
        """Lockstep: step the gate once, when request and odometry of one moment are there."""
        request, odometry = self._request, self._odometry
        if not self._lockstep or self._answered or odometry is None:
            return
        if odometry.stamp_ns < request.stamp_ns:
            return
        self._answered = True
        command, verdict = self._step(request, odometry, now_ns=odometry.stamp_ns)
        self._send(replace(command, stamp_ns=request.stamp_ns), verdict)

    def _tick(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        request = self._aged(self._request, self._request_arrival, now_ns=now_ns)
        odometry = self._aged(self._odometry, self._odometry_arrival, now_ns=now_ns)
        command, verdict = self._step(request, odometry, now_ns=now_ns)
        if request is not None and command.stamp_ns == request.stamp_ns:
            command = replace(command, stamp_ns=self._request.stamp_ns)
        self._send(command, verdict)

    def _step(self, request: Command | None, odometry: Odometry | None, *, now_ns: int,
              ) -> tuple[Command, Verdict]:
        self._gate, command, verdict = gate.step(
            self._gate, now_ns=now_ns, request=request, odometry=odometry,
            take_over=self._take_over, e_stop=self._e_stop, release=self._release,
            config=self._config)
        self._release = False
        return command, verdict

    def _aged(self, value: Stamped | None, arrival: int, *, now_ns: int) -> Stamped | None:
        """
        Return ``value`` with a stamp that says its true age: by its stamp or by its arrival.

        A stamp from the future is left as it is: the gate knows how much of that is usual.
        """
        if value is None or value.stamp_ns > now_ns + 1e9 * self._config.future_s:
            return value
        arrived_ns = now_ns - (time.monotonic_ns() - arrival)
        return replace(value, stamp_ns=min(value.stamp_ns, arrived_ns))

    def _send(self, command: Command, verdict: Verdict) -> None:
        self._command_out.publish(convert.twist_from_command(command))
        self._verdict_out.publish(convert.verdict_message(verdict, stamp_ns=command.stamp_ns))
        self._counts[verdict] += 1
        if verdict is not self._verdict:
            self.get_logger().info(f'verdict: {verdict.value}')
            self._verdict = verdict

    def _report(self) -> None:
        values: dict[str, object] = {key.value: count for key, count in self._counts.items()}
        publishers = self.count_publishers(self._command_out.topic_name)
        warning = '' if publishers == 1 else (
            f'{publishers} publishers of {self._command_out.topic_name}, only one may speak')
        if warning:
            self.get_logger().error(warning, throttle_duration_sec=2.0)
        self._health_out.publish(convert.health_message(
            'safety_node: gate', values, stamp_ns=self.get_clock().now().nanoseconds,
            warning=warning))


def gate_config(told: SafetyParameters) -> gate.GateConfig:
    """Return the configuration of the gate that the parameters describe."""
    limits = Limits(**{item.name: getattr(told, item.name) for item in fields(Limits)
                       if hasattr(told, item.name)})
    return gate.GateConfig(limits=limits, stale_s=told.stale_s, telemetry_s=told.telemetry_s)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run(SafetyNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
