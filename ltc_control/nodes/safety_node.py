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
a request, when the odometry and the obstacle sensors of the same moment are there, and the answer
carries that stamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
import sys
from typing import Any

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core import gate
from ltc_control.core.contracts import Command, Odometry
from ltc_control.core.limits import Limits
from ltc_control.core.obstacle import ObstacleConfig
from ltc_control.core.reasons import reason
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.aging import Arrived
from ltc_control.nodes.command_output import CommandOutput
from ltc_control.nodes.declared import declare, watch
from ltc_control.nodes.emergency_stop import EmergencyStop
from ltc_control.nodes.gate_voice import GateVoice
from ltc_control.nodes.human_inputs import HumanInputs
from ltc_control.nodes.obstacle_inputs import ObstacleInputs
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run
from ltc_control.nodes.safety_parameters import SafetyParameters
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.clock import Clock, ClockType
from rclpy.node import Node


class SafetyNode(Node):
    """Holds the newest of all inputs and publishes what the gate makes of them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('safety_node', **kwargs)
        told = declare(self, SafetyParameters)
        self._config = gate_config(told)
        self._lockstep = told.lockstep
        self._gate = gate.GateState()
        self._request: Arrived[Command] | None = None
        self._odometry: Arrived[Odometry] | None = None
        self._answered = True              # lockstep: the newest request has had its answer
        self._publish(told)
        self._subscribe(told)
        watch(self, told, self._retune)
        self._readiness = Readiness(self, told.expect)

    def _publish(self, told: SafetyParameters) -> None:
        self._command_out = CommandOutput(self, told)
        self._voice = GateVoice(self, command_topic=self._command_out.publisher.topic_name)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if not told.lockstep:              # there the world stands still without a command
            self.create_timer(1.0 / told.rate_hz, self._tick, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)

    def _subscribe(self, told: SafetyParameters) -> None:
        self.create_subscription(TwistStamped, bringup.POLICY_COMMAND, self._on_request,
                                 qos.command(lockstep=told.lockstep))
        self.create_subscription(OdometryMessage, bringup.ODOMETRY, self._on_odometry,
                                 qos.sensor(10, lockstep=told.lockstep))
        self._human = HumanInputs(self, told)
        self._obstacles = ObstacleInputs(self, told, then=self._on_sight)
        self._stop = EmergencyStop(self, meanwhile='the car stands')

    def _retune(self, told: SafetyParameters) -> None:
        self._config = gate_config(told)

    def _on_request(self, message: TwistStamped) -> None:
        self._request = Arrived.now(convert.command_from_twist(message))
        self._voice.vitals.count('requests')
        self._answered = False
        self._answer()

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._odometry = Arrived.now(convert.odometry_from_message(message))
        self._voice.vitals.count('odometry')
        self._answer()

    def _on_sight(self) -> None:
        self._voice.vitals.count('obstacle_sensors')
        self._answer()

    def _answer(self) -> None:
        """Lockstep: step the gate once, when all inputs of one moment are there."""
        if not self._lockstep or self._answered or self._odometry is None:
            return
        request, odometry = self._request.value, self._odometry.value
        seen_ns = self._obstacles.newest_ns
        if min(odometry.stamp_ns, request.stamp_ns if seen_ns is None else seen_ns,
               ) < request.stamp_ns:
            return
        self._answered = True
        human = self._human.command
        command = self._step(
            now_ns=odometry.stamp_ns, request=request, odometry=odometry,
            human=None if human is None else human.value,
            sight=self._obstacles.sight(now_ns=None, future_s=self._config.future_s))
        self._send(replace(command, stamp_ns=request.stamp_ns))

    def _tick(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        request, odometry, human = (
            None if item is None else item.aged(now_ns, future_s=self._config.future_s)
            for item in (self._request, self._odometry, self._human.command))
        command = self._step(
            now_ns=now_ns, request=request, odometry=odometry, human=human,
            sight=self._obstacles.sight(now_ns=now_ns, future_s=self._config.future_s))
        for aged, item in ((request, self._request), (human, self._human.command)):
            if aged is not None and command.stamp_ns == aged.stamp_ns:
                command = replace(command, stamp_ns=item.value.stamp_ns)
        self._send(command)

    def _step(self, **inputs: Any) -> Command:
        self._gate, command, verdict = gate.step(
            self._gate, **inputs, take_over=self._human.take_over, e_stop=self._stop.pressed,
            release=self._stop.take_release(), config=self._config)
        self._voice.judged(verdict, in_command=self._gate.in_command, reason=reason(self._gate))
        return command

    def _send(self, command: Command) -> None:
        self._command_out.send(command)
        self._voice.sent(command.stamp_ns)

    def _report(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        values: dict[str, object] = {'obstacle_m': round(self._gate.distance_m, 2)}
        for name, item in (('request', self._request), ('odometry', self._odometry),
                           ('human', self._human.command)):
            if item is not None:
                values[f'{name}_age_s'] = round((now_ns - item.value.stamp_ns) / 1e9, 3)
        self._voice.report(values)


def gate_config(told: SafetyParameters) -> gate.GateConfig:
    """Return the configuration of the gate that the parameters describe; ConfigError if unfit."""
    limits = Limits(**{item.name: getattr(told, item.name) for item in fields(Limits)
                       if hasattr(told, item.name)})
    obstacle = ObstacleConfig(**{
        item.name: getattr(told, f'obstacle_{item.name}') for item in fields(ObstacleConfig)})
    return gate.GateConfig(
        limits=limits, obstacle=obstacle, stale_s=told.stale_s, telemetry_s=told.telemetry_s,
        human_stale_s=told.human_stale_s, hand_back_s=told.hand_back_s)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run(SafetyNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
