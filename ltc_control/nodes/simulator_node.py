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
The simulated world as a vehicle: camera, IMU and odometry out, ``/cmd_vel`` in.

On the real clock a timer drives at camera rate, and stamps are wall-clock. In lockstep the world
waits for the command that carries the stamp of its last frame, and its own time goes out on
``/clock``: the same seeds then give the same drive on any machine. Ground truth goes out beside
the sensors, so that a bag holds all that a report needs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
import sys
import time
from typing import Any, TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.commanding import AnyCommand
from ltc_control.core.contracts import Frame
from ltc_control.core.errors import BringupError
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare, watch
from ltc_control.nodes.parameters import SimulatorParameters
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run
from ltc_control.nodes.vitals import Vitals
from nav_msgs.msg import Odometry as OdometryMessage
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.task import Future
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import Image, Imu, LaserScan
from std_msgs.msg import String

if TYPE_CHECKING:
    from ltc_control.sim.environment import Observation

LOCKSTEP_ORIGIN_NS = 1_000_000_000         # a stamp of zero means "no time" to ROS
REMEMBERED_FRAMES = 300
CHECK_EVERY_S = 0.25
FLUSH_S = 2.0


class SimulatorNode(Node):
    """Drives one simulated car; ``finished`` is done when the drive has its length."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('simulator_node', **kwargs)
        self._told = told = declare(self, SimulatorParameters)
        self.finished: Future = Future()
        self._drive, self._truth_out = self._world(told)
        self._origin_ns = LOCKSTEP_ORIGIN_NS
        self._image = convert.Rgb8Message(*self._drive.picture)
        self._command: AnyCommand | None = None
        self._command_at = 0.0             # steady time
        self._awaited_ns: int | None = None
        self._progress_at = time.monotonic()
        self._started = False
        self._sent_at: OrderedDict[int, float] = OrderedDict()
        self._latency_ms: list[float] = []
        self._vitals = Vitals()
        self._ready_names: set[str] = set()
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._publish()
        self.create_subscription(TwistStamped, bringup.COMMAND, self._on_command,
                                 qos.command(lockstep=told.lockstep))
        self.create_subscription(String, bringup.READY, self._on_ready, qos.LATCHED_MANY)
        self.create_timer(CHECK_EVERY_S, self._check, clock=self._steady)
        self.create_timer(1.0, self._report, clock=self._steady)
        watch(self, told, lambda wanted: self._drive.place_obstacles(wanted.obstacles))
        self._matched = not told.expect
        self._readiness = Readiness(self, told.expect, then=self._on_matched)

    def _world(self, told: SimulatorParameters) -> tuple[Any, Any]:
        """Return what drives or flies, and what publishes its truth."""
        # here and not above: a machine without OpenGL shall get one line, not an import error
        if told.vehicle == 'drone':
            from ltc_control.nodes.simulated_flight import FlightTruthOutput, SimulatedFlight
            return SimulatedFlight(told), FlightTruthOutput(self)
        from ltc_control.nodes.simulated_drive import LaneTruthOutput, SimulatedDrive
        return SimulatedDrive(told), LaneTruthOutput(self)

    def _publish(self) -> None:
        lockstep = self._told.lockstep
        self._camera_out = self.create_publisher(
            Image, bringup.CAMERA, qos.sensor(2, lockstep=lockstep))
        self._imu_out = self.create_publisher(
            Imu, bringup.IMU, qos.sensor(200, lockstep=lockstep))
        self._odometry_out = self.create_publisher(
            OdometryMessage, bringup.ODOMETRY, qos.sensor(10, lockstep=True))
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        self._scan_out = (self.create_publisher(
            LaserScan, bringup.SCAN, qos.sensor(2, lockstep=lockstep))
            if self._told.scan else None)
        self._clock_out = (self.create_publisher(ClockMessage, bringup.CLOCK, qos.REPORT)
                           if lockstep else None)

    def _on_ready(self, message: String) -> None:
        self._ready_names.add(message.data)
        self._start_if_ready()

    def _on_matched(self) -> None:
        self._matched = True
        self._start_if_ready()

    def _start_if_ready(self) -> None:
        if self._started or not self._matched or self._missing_names():
            return
        self._started = True
        observation = self._drive.start()
        if not self._told.lockstep:
            self._origin_ns = self._now_ns() - observation.frame.stamp_ns
            self.create_timer(1.0 / self._told.rate_hz, self._tick, clock=self._steady)
        self.get_logger().info(f'track {self._told.track}, {self._told.season}: driving')
        self._send(observation)

    def _missing_names(self) -> list[str]:
        return [name for name in self._told.wait_for.split() if name not in self._ready_names]

    def _on_command(self, message: TwistStamped) -> None:
        command = self._drive.read(message)
        self._command, self._command_at = command, time.monotonic()
        self._vitals.count('commands')
        sent_at = self._sent_at.pop(command.stamp_ns, None)
        if sent_at is not None:
            self._latency_ms.append(1e3 * (time.perf_counter() - sent_at))
        if self._told.lockstep and command.stamp_ns == self._awaited_ns:
            self._awaited_ns = None
            self._advance(command)

    def _tick(self) -> None:
        """Real clock: one camera period under the newest command, or braking without one."""
        age_s = time.monotonic() - self._command_at
        command = self._command
        if command is None or age_s > self._told.command_timeout_s:
            command = self._drive.stop()
        self._advance(command)

    def _advance(self, command: AnyCommand) -> None:
        if self._drive.done:
            self._finish()
        elif not self.finished.done():
            self._send(self._drive.step(command))

    def _send(self, observation: Observation) -> None:
        if not self._told.lockstep:
            self._follow_wall_clock(observation.frame.stamp_ns)
        origin = self._origin_ns
        if self._clock_out is not None:
            self._clock_out.publish(convert.clock_message(origin + observation.truth.stamp_ns))
        window = observation.imu
        for stamp, gyro, accel in zip(window.stamps_ns, window.angular_velocity,
                                      window.linear_acceleration, strict=True):
            sample = convert.ImuSample(origin + int(stamp), tuple(gyro), tuple(accel))
            self._imu_out.publish(convert.imu_message(sample))
        self._send_truth(observation)
        self._send_scan(observation)
        frame = Frame(origin + observation.frame.stamp_ns, observation.frame.rgb)
        self._awaited_ns = frame.stamp_ns
        self._remember(frame.stamp_ns)
        self._camera_out.publish(self._image.fill(frame))
        self._vitals.count('images')

    def _send_scan(self, observation: Observation) -> None:
        spec = self._drive.scanner
        if self._scan_out is not None and spec is not None and observation.scan is not None:
            self._scan_out.publish(convert.scan_message(
                observation.scan, stamp_ns=self._origin_ns + observation.frame.stamp_ns,
                angle_min=-0.5 * spec.field, angle_max=0.5 * spec.field,
                range_min=spec.range_min, range_max=spec.range_max))

    def _send_truth(self, observation: Observation) -> None:
        odometry = convert.shifted(observation.odometry, self._origin_ns)
        self._odometry_out.publish(convert.odometry_message(odometry))
        self._truth_out.send(observation, odometry, self._drive)

    def _follow_wall_clock(self, stamp_ns: int) -> None:
        """Let stamps slip by what a busy machine lost, when that is more than one period."""
        behind_ns = self._now_ns() - (self._origin_ns + stamp_ns)
        if abs(behind_ns) > 1e9 / self._told.rate_hz:
            self._origin_ns += behind_ns
            self._drive.slips += 1

    def _remember(self, stamp_ns: int) -> None:
        self._progress_at = time.monotonic()
        self._sent_at[stamp_ns] = time.perf_counter()
        if len(self._sent_at) > REMEMBERED_FRAMES:
            self._sent_at.popitem(last=False)

    def _check(self) -> None:
        """Give up in words instead of waiting for ever."""
        waited = time.monotonic() - self._progress_at
        if self.finished.done():
            return
        self._refuse_company()
        if not self._started and waited > self._told.start_timeout_s:
            wanted = self._readiness.missing() + [f'{name} is not ready'
                                                  for name in self._missing_names()]
            raise BringupError(f'the system did not come together within {waited:.0f} s: '
                               f'{"; ".join(wanted)}; look into the logs of those nodes')
        if self._started and self._told.lockstep and waited > self._told.lockstep_timeout_s:
            raise BringupError(
                f'no command with stamp {self._awaited_ns} ns came within {waited:.0f} s; is '
                'policy_node alive, and does safety_node run with lockstep:=true?')

    def _refuse_company(self) -> None:
        for topic in (bringup.CAMERA, bringup.COMMAND):
            count = self.count_publishers(topic)
            if count > 1:
                raise BringupError(
                    f'{count} nodes publish {topic}, 1 was expected: another system drives in '
                    'this ROS domain; choose another ROS_DOMAIN_ID')

    def _report(self) -> None:
        values = self._drive.figures() | self._vitals.take()
        if self._command is not None:
            values['command_age_s'] = round(time.monotonic() - self._command_at, 3)
        if self._latency_ms:
            p50, p99 = np.percentile(self._latency_ms, (50, 99))
            values |= {'latency_ms_p50': round(p50, 3), 'latency_ms_p99': round(p99, 3)}
        self._health_out.publish(convert.health_message(
            'simulator_node: drive', values, stamp_ns=self._now_ns()))

    def _finish(self) -> None:
        self._report()
        for publisher in self.publishers:  # what is on its way shall arrive
            publisher.wait_for_all_acked(Duration(seconds=FLUSH_S))
        self.get_logger().info(f'the drive has ended: {self._drive.figures()}')
        self.finished.set_result(True)

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def destroy_node(self) -> None:
        """Free the renderer too."""
        self._drive.close()
        super().destroy_node()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until its drive ends or it is stopped."""
    return run(SimulatorNode, args=args, finished=lambda node: node.finished)


if __name__ == '__main__':
    sys.exit(main())
