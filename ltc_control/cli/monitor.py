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
"""What is going on, in one line: listens to a running system and never speaks."""

from __future__ import annotations

import math
import time

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, TwistStamped, Vector3Stamped
from ltc_control import bringup
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from nav_msgs.msg import Odometry
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions


class Monitor:
    """A listening node in this process, with its own context; ``line`` says the newest values."""

    def __init__(self, *, domain: int) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain,
                   signal_handler_options=SignalHandlerOptions.NO)
        self._node = node = Node('monitor', context=self._context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self.middleware = rclpy.get_rmw_implementation_identifier()
        self._first_ns: int | None = None
        self._lane: convert.LaneTruth | None = None
        self._flight: Odometry | None = None
        self._target: PointStamped | None = None
        self._speed = self._curvature = 0.0
        self._verdict = '-'
        self.departures = 0
        self.latency_ms: dict[str, float] | None = None
        for kind, topic, callback, quality in (
                (Vector3Stamped, bringup.LANE_TRUTH, self._on_lane, qos_profile_sensor_data),
                (Odometry, bringup.ODOMETRY, self._on_odometry, qos_profile_sensor_data),
                (PointStamped, bringup.TARGET_TRUTH, self._on_target, qos_profile_sensor_data),
                (TwistStamped, bringup.COMMAND, self._on_command, qos_profile_sensor_data),
                (PointStamped, bringup.DEPARTURE, self._on_departure, qos.EVENT),
                (DiagnosticArray, bringup.DIAGNOSTICS, self._on_health, qos.REPORT),
                (DiagnosticArray, bringup.VERDICT, self._on_verdict, qos_profile_sensor_data)):
            node.create_subscription(kind, topic, callback, quality)

    def listen(self, seconds: float) -> None:
        """Take in what comes within ``seconds``."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    @property
    def driven_s(self) -> float:
        """Return how long the car has been driving, by its stamps; 0 before the start."""
        if self._lane is None or self._first_ns is None:
            return 0.0
        return (self._lane.stamp_ns - self._first_ns) * 1e-9

    def line(self) -> str:
        """Return time, place and command in words of one line."""
        if self._target is not None and self._flight is not None:
            return self._flight_line(self._flight, self._target)
        if self._lane is None:
            return 'waiting until all nodes have found each other'
        return (f'{self.driven_s:6.1f} s  {self._lane.distance_m:7.1f} m  '
                f'{self._speed:5.2f} m/s  offset {self._lane.offset_m:+.2f} m  '
                f'curvature {self._curvature:+.4f} 1/m  {self._verdict}  '
                f'departures {self.departures}')

    def _flight_line(self, odometry: Odometry, target: PointStamped) -> str:
        here, there = odometry.pose.pose.position, target.point
        away = math.dist((here.x, here.y, here.z), (there.x, there.y, there.z))
        stamp_ns = convert.stamp_ns(odometry.header.stamp)
        self._first_ns = stamp_ns if self._first_ns is None else self._first_ns
        return (f'{(stamp_ns - self._first_ns) * 1e-9:6.1f} s  {self._speed:5.2f} m/s  height '
                f'{here.z:.1f} m  target {away:5.1f} m away  {self._verdict}')

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _on_lane(self, message: Vector3Stamped) -> None:
        self._lane = convert.lane_truth(message)
        if self._first_ns is None:
            self._first_ns = self._lane.stamp_ns

    def _on_target(self, message: PointStamped) -> None:
        self._target = message

    def _on_odometry(self, message: Odometry) -> None:
        self._flight = message
        self._speed = message.twist.twist.linear.x

    def _on_command(self, message: TwistStamped) -> None:
        self._curvature = convert.command_from_twist(message).curvature

    def _on_departure(self, _: PointStamped) -> None:
        self.departures += 1

    def _on_verdict(self, message: DiagnosticArray) -> None:
        self._verdict = convert.verdict_of(message).value

    def _on_health(self, message: DiagnosticArray) -> None:
        """Keep what the simulator measured: from a frame on its way to its command at the car."""
        # the policy's own figures bear the same names, by a clock that stands still in lockstep
        values = convert.health_values(message, sender='simulator_node')
        if 'latency_ms_p50' in values:
            self.latency_ms = {key: float(values[f'latency_ms_{key}']) for key in ('p50', 'p99')}
