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
The only publisher of a drone's velocity setpoints: requests pass the flight gate or become hover.

A plain node on a fixed, steady timer, as the car's safety node. While there is something to follow
it speaks at ``rate_hz``; when there is not it publishes zero velocity for ``hover_s`` and then
falls silent, so that the autopilot's loss-of-offboard failsafe takes over. In lockstep the gate is
stepped once a request, when the odometry of the same moment is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
import sys
from typing import Any

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core import flight_gate
from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.core.flight_limits import FlightLimits
from ltc_control.core.geometry import world_from_level
from ltc_control.core.reasons import in_words
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.aging import Arrived
from ltc_control.nodes.declared import declare, watch
from ltc_control.nodes.emergency_stop import EmergencyStop
from ltc_control.nodes.gate_voice import GateVoice
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run
from ltc_control.nodes.safety_parameters import FlightSafetyParameters
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Bool


class FlightSafetyNode(Node):
    """Holds the newest of all inputs and publishes what the flight gate makes of them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('flight_safety_node', **kwargs)
        self._told = told = declare(self, FlightSafetyParameters)
        self._config = gate_config(told)
        self._gate = flight_gate.FlightGateState()
        self._request: Arrived[Velocity] | None = None
        self._human: Arrived[Velocity] | None = None
        self._odometry: Arrived[Odometry] | None = None
        self._answered = True              # lockstep: the newest request has had its answer
        self._take_over = False
        self._publish()
        self._subscribe()
        watch(self, told, self._retune)
        self._readiness = Readiness(self, told.expect)

    def _publish(self) -> None:
        told = self._told
        self._command_out = self.create_publisher(
            TwistStamped, bringup.COMMAND, qos.command(lockstep=told.lockstep))
        self._voice = GateVoice(self, command_topic=self._command_out.topic_name)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        if not told.lockstep:
            self.create_timer(1.0 / told.rate_hz, self._tick, clock=steady)
        self.create_timer(1.0, lambda: self._voice.report({}), clock=steady)

    def _subscribe(self) -> None:
        told = self._told
        self.create_subscription(TwistStamped, bringup.POLICY_COMMAND, self._on_request,
                                 qos.command(lockstep=told.lockstep))
        self.create_subscription(OdometryMessage, bringup.ODOMETRY, self._on_odometry,
                                 qos.sensor(10, lockstep=told.lockstep))
        if told.human_topic:
            self.create_subscription(TwistStamped, told.human_topic, self._on_human,
                                     qos.sensor(1, lockstep=False))
        self.create_subscription(Bool, bringup.TAKE_OVER, self._on_take_over, qos.EVENT)
        self._stop = EmergencyStop(self, meanwhile='it hovers')

    def _retune(self, told: FlightSafetyParameters) -> None:
        self._config, self._told = gate_config(told), told

    def _on_request(self, message: TwistStamped) -> None:
        self._request = Arrived.now(convert.velocity_from_twist(message))
        self._voice.vitals.count('requests')
        self._answered = False
        self._answer()

    def _on_human(self, message: TwistStamped) -> None:
        self._human = Arrived.now(convert.velocity_from_twist(message))

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._odometry = Arrived.now(convert.odometry_from_message(message))
        self._voice.vitals.count('odometry')
        self._answer()

    def _on_take_over(self, message: Bool) -> None:
        self._take_over = message.data
        self.get_logger().info('a person takes over' if message.data else 'take-over has ended')

    def _answer(self) -> None:
        """Lockstep: step the gate once, when request and odometry of one moment are there."""
        if not self._told.lockstep or self._answered or self._odometry is None:
            return
        request, odometry = self._request.value, self._odometry.value
        if odometry.stamp_ns < request.stamp_ns:
            return
        self._answered = True
        human = None if self._human is None else self._human.value
        command = self._step(odometry.stamp_ns, request=request, odometry=odometry, human=human)
        self._send(replace(command or Velocity.stop(0), stamp_ns=request.stamp_ns), odometry)

    def _tick(self) -> None:
        now_ns = self.get_clock().now().nanoseconds
        request, odometry, human = (
            None if item is None else item.aged(now_ns, future_s=self._config.future_s)
            for item in (self._request, self._odometry, self._human))
        command = self._step(now_ns, request=request, odometry=odometry, human=human)
        if command is None:                # silence: the autopilot decides from here on
            self._voice.vitals.count('silent')
            return
        for aged, item in ((request, self._request), (human, self._human)):
            if aged is not None and command.stamp_ns == aged.stamp_ns:
                command = replace(command, stamp_ns=item.value.stamp_ns)
        self._send(command, None if self._odometry is None else self._odometry.value)

    def _step(self, now_ns: int, **inputs: Any) -> Velocity | None:
        self._gate, command, verdict = flight_gate.step(
            self._gate, now_ns=now_ns, **inputs, take_over=self._take_over,
            e_stop=self._stop.pressed, release=self._stop.take_release(), config=self._config)
        self._voice.judged(verdict, in_command=self._gate.in_command, reason=in_words(verdict))
        if command is None:
            self.get_logger().error(
                f'{verdict.value} for {self._config.hover_s:g} s: silent from now on, so that the '
                "autopilot's own failsafe takes over", throttle_duration_sec=5.0)
        return command

    def _send(self, command: Velocity, odometry: Odometry | None) -> None:
        frame_id = 'base_link'
        if self._told.output_frame == 'map':
            command, frame_id = self._in_world(command, odometry), 'map'
        self._command_out.publish(convert.twist_from_velocity(command, frame_id=frame_id))
        self._voice.sent(command.stamp_ns)

    @staticmethod
    def _in_world(command: Velocity, odometry: Odometry | None) -> Velocity:
        """Return the command along east, north, up; without odometry it is zero anyway."""
        if odometry is None:
            return Velocity.stop(command.stamp_ns)
        east, north, up = world_from_level(
            (command.forward, command.left, command.up), yaw=odometry.yaw)
        return replace(command, forward=east, left=north, up=up)


def gate_config(told: FlightSafetyParameters) -> flight_gate.FlightGateConfig:
    """Return the configuration of the gate that the parameters describe; ConfigError if unfit."""
    limits = FlightLimits(**{item.name: getattr(told, item.name)
                             for item in fields(FlightLimits)})
    return flight_gate.FlightGateConfig(
        limits=limits, stale_s=told.stale_s, human_stale_s=told.human_stale_s,
        telemetry_s=told.telemetry_s, hover_s=told.hover_s, search_turns=told.search_turns)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped."""
    return run(FlightSafetyNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
