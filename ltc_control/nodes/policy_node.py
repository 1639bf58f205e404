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
Camera and IMU in, requested command out: a thin shell around :class:`core.policy.Policy`.

Every request carries the stamp of the frame that caused it. A frame waits a moment for the IMU to
reach its stamp. A frame whose image, or whose IMU where the model uses one, cannot be used gets no
request: it is counted, logged in words, and the safety node, which sees the newest request age,
bridges a short dropout and stops the car in a longer one.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState

from ltc_control import bringup
from ltc_control.core.contracts import Decision, Frame, InputCase
from ltc_control.core.engine import Engine
from ltc_control.core.errors import ImageError, ModelError
from ltc_control.core.imu import ImuBuffer
from ltc_control.core.model_file import load_spec
from ltc_control.core.policy import Policy
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.parameters import PolicyParameters, declare
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run

LOG_EVERY_S = 2.0
LOCKSTEP_IMU_WAIT_S = 5.0                  # a busy machine may be late; nothing moves meanwhile


class PolicyNode(Node):
    """Steps the policy of one model folder on every camera frame."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('policy_node', **kwargs)
        told = declare(self, PolicyParameters)
        if not told.model:
            raise ModelError('no model folder was named; pass -p model:=models/car_lane')
        self._spec = load_spec(told.model, expect_vehicle='car')
        self._policy = Policy(Engine(self._spec, threads=told.threads))
        self._uses_imu = bool(self._spec.imu.features)
        self._imu = ImuBuffer()
        self._imu_ns: int | None = None
        self._last_frame_ns: int | None = None
        self._waiting: Frame | None = None
        self._counts: Counter[str] = Counter()
        self._step_ms: deque[float] = deque(maxlen=1000)
        self._neurons = convert.NeuronsMessage(
            convert.neuron_names(self._spec.roles, self._spec.neurons))
        self._publish(told)
        self._subscribe(told)
        self._readiness = Readiness(self, told.expect)
        self.get_logger().info(
            f'{self._spec.name}: {self._spec.neurons} neurons, images of '
            f'{self._spec.image.width}x{self._spec.image.height}, IMU {self._spec.imu.features}')

    def _publish(self, told: PolicyParameters) -> None:
        command_qos = qos.command(lockstep=told.lockstep)
        self._command_out = self.create_publisher(
            TwistStamped, bringup.POLICY_COMMAND, command_qos)
        self._neurons_out = self.create_publisher(
            JointState, bringup.NEURONS, qos.sensor(10, lockstep=True))
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report, clock=steady)
        wait_s = LOCKSTEP_IMU_WAIT_S if told.lockstep else max(told.imu_wait_s, 1e-4)
        self._imu_timer = self.create_timer(wait_s, self._step_waiting, clock=steady)
        self._imu_timer.cancel()

    def _subscribe(self, told: PolicyParameters) -> None:
        camera_qos = qos.sensor(1, lockstep=told.lockstep)
        if told.image_transport == 'raw':
            self.create_subscription(Image, bringup.CAMERA, self._on_image, camera_qos)
        else:
            self.create_subscription(CompressedImage, bringup.CAMERA + '/compressed',
                                     self._on_compressed, camera_qos)
        imu_in = self.create_subscription(Imu, bringup.IMU, self._on_imu,
                                          qos.sensor(200, lockstep=told.lockstep))
        self._imu_topic = imu_in.topic_name

    def _on_image(self, message: Image) -> None:
        try:
            self._on_frame(convert.frame_from_image(message))
        except ImageError as error:
            self._refuse('image', error)

    def _on_compressed(self, message: CompressedImage) -> None:
        try:
            self._on_frame(convert.frame_from_compressed(message))
        except ImageError as error:
            self._refuse('image', error)

    def _on_imu(self, message: Imu) -> None:
        sample = convert.imu_sample(message)
        self._imu.append(*sample)
        self._imu_ns = sample.stamp_ns
        if self._waiting is not None and self._imu_reached(self._waiting):
            self._step_waiting()

    def _on_frame(self, frame: Frame) -> None:
        self._step_waiting()               # a frame still waiting waits no longer
        self._waiting = frame
        if not self._uses_imu or self._imu_reached(frame):
            self._step_waiting()
        else:
            self._imu_timer.reset()

    def _imu_reached(self, frame: Frame) -> bool:
        return self._imu_ns is not None and self._imu_ns >= frame.stamp_ns

    def _step_waiting(self) -> None:
        self._imu_timer.cancel()
        frame, self._waiting = self._waiting, None
        if frame is not None:
            self._step(frame)

    def _step(self, frame: Frame) -> None:
        window = self._imu.window(after_ns=self._last_frame_ns, until_ns=frame.stamp_ns)
        start = time.perf_counter()
        decision = self._policy.step(frame, window)
        self._step_ms.append(1e3 * (time.perf_counter() - start))
        self._last_frame_ns = frame.stamp_ns
        self._counts['frames'] += 1
        if InputCase.BAD_IMU in decision.cases:
            count = len(window.stamps_ns)
            self._refuse('imu', f'{count} IMU samples belong to it, of which some are not finite'
                         if count else f'no IMU sample belongs to it; is {self._imu_topic} alive, '
                         'and is its clock that of the camera?')
            return
        self._send(decision)

    def _send(self, decision: Decision) -> None:
        self._command_out.publish(convert.twist_from_command(decision.command))
        self._neurons_out.publish(self._neurons.fill(decision))
        self._counts['commands'] += 1
        if not decision.valid:
            self.get_logger().warning(f'input case {decision.case.value}: asking for standstill',
                                      throttle_duration_sec=LOG_EVERY_S)

    def _refuse(self, kind: str, reason: object) -> None:
        self._counts[f'refused_{kind}'] += 1
        self.get_logger().error(f'no command for this frame: {reason}',
                                throttle_duration_sec=LOG_EVERY_S)

    def _report(self) -> None:
        values: dict[str, object] = dict(self._counts)
        values |= {f'case_{case.value}': count for case, count in self._policy.counts.items()}
        if self._step_ms:
            p50, p99 = np.percentile(self._step_ms, (50, 99))
            values |= {'step_ms_p50': round(p50, 3), 'step_ms_p99': round(p99, 3)}
        refused = self._counts['refused_image'] + self._counts['refused_imu']
        self._health_out.publish(convert.health_message(
            'policy_node: input', values, stamp_ns=self.get_clock().now().nanoseconds,
            warning=f'{refused} frames refused' if refused else ''))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped; 2 where the model folder cannot be used."""
    return run(PolicyNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
