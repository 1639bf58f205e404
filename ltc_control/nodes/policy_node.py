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
bridges a short dropout and stops the car in a longer one. Equal pictures from a moving vehicle are
answered with a request for standstill. The node has states (managed.py) and
goes to active by itself, unless ``autostart`` is false and a manager does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.commanding import COMMANDS, slowed
from ltc_control.core.contracts import Decision, Frame, InputCase
from ltc_control.core.engine import Engine
from ltc_control.core.errors import ImageError, ModelError
from ltc_control.core.frozen import FrozenPicture, is_moving
from ltc_control.core.imu import ImuBuffer
from ltc_control.core.model_file import load_spec
from ltc_control.core.neurons import neuron_names
from ltc_control.core.policy import Policy
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare, watch
from ltc_control.nodes.managed import ManagedNode
from ltc_control.nodes.parameters import PolicyParameters
from ltc_control.nodes.policy_health import PolicyHealth
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.running import run
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.clock import Clock, ClockType
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState
from std_srvs.srv import Trigger

LOG_EVERY_S = 2.0
LOCKSTEP_IMU_WAIT_S = 5.0                  # a busy machine may be late; nothing moves meanwhile


class PolicyNode(ManagedNode):
    """Steps the policy of one model folder on every camera frame."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('policy_node', **kwargs)
        self._told = declare(self, PolicyParameters)
        self._policy: Policy | None = None
        self._readiness: Readiness | None = None
        self._opened: list[tuple[Any, Any]] = []                # (how to close it, it)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._health = PolicyHealth()
        self._forget()
        self._imu_timer = self.create_timer(self._imu_wait_s(), self._step_waiting,
                                            clock=self._steady)
        self._imu_timer.cancel()
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        self.create_timer(1.0, self._report, clock=self._steady)
        self.create_service(Trigger, '~/reset_state', self._on_reset)
        watch(self, self._told, self._retell)
        if self._told.autostart:
            self.start()

    def set_up(self) -> None:
        """Load the model; say what it is."""
        told = self._told
        if not told.model:
            raise ModelError('no model folder was named; pass -p model:=models/car_lane')
        spec = load_spec(told.model, expect_vehicle=told.vehicle)
        self._policy = Policy(Engine(spec, threads=told.threads))
        self._uses_imu = bool(spec.imu.features)
        self._neurons = convert.NeuronsMessage(neuron_names(spec.roles, spec.neurons))
        self._publish(told)
        self._subscribe(told)
        self._readiness = Readiness(self, told.expect)
        self.get_logger().info(
            f'{spec.name}: {spec.neurons} neurons, images of '
            f'{spec.image.width}x{spec.image.height}, IMU {spec.imu.features}')

    def wake(self) -> None:
        """Begin a drive: zero state, nothing waiting."""
        assert self._policy is not None
        self._policy.reset()
        self._forget()

    def rest(self) -> None:
        """Drop the frame that waits for its IMU."""
        self._imu_timer.cancel()
        self._waiting = None

    def tear_down(self) -> None:
        """Close the topics and let go of the model."""
        self.rest()
        if self._readiness is not None:
            self._readiness.close()
        for close, it in self._opened:
            close(it)
        self._opened, self._policy, self._readiness = [], None, None

    def _forget(self) -> None:
        self._imu = ImuBuffer()
        self._imu_ns: int | None = None
        self._last_frame_ns: int | None = None
        self._waiting: Frame | None = None
        self._frozen, self._moving = FrozenPicture(), False

    def _publish(self, told: PolicyParameters) -> None:
        self._command_out = self.create_publisher(
            TwistStamped, bringup.POLICY_COMMAND, qos.command(lockstep=told.lockstep),
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
        self._neurons_out = self.create_publisher(
            JointState, bringup.NEURONS, qos.sensor(10, lockstep=True))
        self._opened += [(self.destroy_publisher, out)
                         for out in (self._command_out, self._neurons_out)]

    def _subscribe(self, told: PolicyParameters) -> None:
        camera_qos = qos.sensor(1, lockstep=told.lockstep)
        changeable = QoSOverridingOptions.with_default_policies()
        if told.image_transport == 'raw':
            image_in = self.create_subscription(Image, bringup.CAMERA, self._on_image, camera_qos,
                                                qos_overriding_options=changeable)
        else:
            image_in = self.create_subscription(
                CompressedImage, bringup.CAMERA + '/compressed', self._on_compressed, camera_qos,
                qos_overriding_options=changeable)
        odometry_in = self.create_subscription(
            OdometryMessage, bringup.ODOMETRY, self._on_odometry,
            qos.sensor(1, lockstep=told.lockstep))
        self._opened += [(self.destroy_subscription, end) for end in (image_in, odometry_in)]
        if self._uses_imu:                 # 200 callbacks a second that cost more than the network
            imu_in = self.create_subscription(
                Imu, bringup.IMU, self._on_imu, qos.sensor(200, lockstep=told.lockstep),
                qos_overriding_options=changeable)
            self._imu_topic = imu_in.topic_name
            self._opened.append((self.destroy_subscription, imu_in))

    def _imu_wait_s(self) -> float:
        told = self._told
        return LOCKSTEP_IMU_WAIT_S if told.lockstep else max(told.imu_wait_s, 1e-4)

    def _retell(self, told: PolicyParameters) -> None:
        """Take over changed live parameters; no callback runs meanwhile."""
        self._told = told
        waiting = not self._imu_timer.is_canceled()
        self._imu_timer.timer_period_ns = round(1e9 * self._imu_wait_s())
        if not waiting:
            self._imu_timer.cancel()

    def _on_reset(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        answer.success = self._policy is not None
        if self._policy is not None:
            self._policy.reset()
        answer.message = 'state is zero' if answer.success else 'there is no model yet'
        return answer

    def _on_image(self, message: Image) -> None:
        if self.active:
            self._take(convert.frame_from_image, message)

    def _on_compressed(self, message: CompressedImage) -> None:
        if self.active:
            self._take(convert.frame_from_compressed, message)

    def _take(self, frame_from: Any, message: Image | CompressedImage) -> None:
        self._health.heard('image')
        try:
            frame = frame_from(message)
        except ImageError as error:
            self._refuse('image', error)
            return
        self._on_frame(frame)

    def _on_imu(self, message: Imu) -> None:
        if not self.active:
            return
        self._health.heard('imu')
        sample = convert.imu_sample(message)
        self._imu.append(*sample)
        self._imu_ns = sample.stamp_ns
        if self._waiting is not None and self._imu_reached(self._waiting):
            self._step_waiting()

    def _on_odometry(self, message: OdometryMessage) -> None:
        self._moving = is_moving(convert.odometry_from_message(message))

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
        assert self._policy is not None
        window = self._imu.window(after_ns=self._last_frame_ns, until_ns=frame.stamp_ns)
        start = time.perf_counter()
        decision = self._policy.step(frame, window)
        self._health.stepped(decision, milliseconds=1e3 * (time.perf_counter() - start))
        self._last_frame_ns = frame.stamp_ns
        if InputCase.BAD_IMU in decision.cases:
            count = len(window.stamps_ns)
            self._refuse('imu', f'{count} IMU samples belong to it, of which some are not finite'
                         if count else f'no IMU sample belongs to it; is {self._imu_topic} alive, '
                         'and is its clock that of the camera?')
            return
        self._send(self._unless_frozen(decision, frame))

    def _unless_frozen(self, decision: Decision, frame: Frame) -> Decision:
        """Return the decision, or a stop where the picture does not change on the move."""
        still_s = self._frozen.see(frame.rgb, frame.stamp_ns, moving=self._moving)
        if not 0.0 < self._told.frozen_s <= still_s:
            return decision
        self._health.frozen()
        self.get_logger().error(
            f'the camera has shown the same picture for {still_s:.1f} s of motion: asking for '
            'standstill until it shows another', throttle_duration_sec=LOG_EVERY_S)
        kind = COMMANDS[self._told.vehicle]
        return replace(decision, command=kind.stop(frame.stamp_ns))

    def _send(self, decision: Decision) -> None:
        command = slowed(decision.command, self._told.speed_scale)
        self._command_out.publish(convert.twist_message(command))
        self._neurons_out.publish(self._neurons.fill(decision))
        self._health.sent(stamp_ns=command.stamp_ns, now_ns=self._now_ns())
        if not decision.valid:
            self.get_logger().warning(f'input case {decision.case.value}: asking for standstill',
                                      throttle_duration_sec=LOG_EVERY_S)

    def _refuse(self, kind: str, reason: object) -> None:
        self._health.refuse(kind)
        self.get_logger().error(f'no command for this frame: {reason}',
                                throttle_duration_sec=LOG_EVERY_S)

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def _report(self) -> None:
        policy = self._policy
        values = self._health.values(policy, None if policy is None else policy.spec)
        values['state'] = 'active' if self.active else 'inactive' if policy else 'unconfigured'
        self._health_out.publish(convert.health_message(
            'policy_node: input', values, stamp_ns=self._now_ns(),
            warning=self._health.warning()))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped; 2 where the model folder cannot be used."""
    return run(PolicyNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
