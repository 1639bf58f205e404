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
Shows where the policy looks, beside the drive and never in its way.

A process of its own with a low priority: it keeps the newest frame and draws at its own rate, and
only while somebody looks. Every picture carries the stamp of its frame. The gradient map needs the
state from which the policy stepped: the one that ``/policy/neurons`` told for the frame before.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
import contextlib
import os
import sys
import time
from typing import Any, NamedTuple

import cv2
from diagnostic_msgs.msg import DiagnosticArray
from ltc_control import bringup
from ltc_control.core.contracts import Frame
from ltc_control.core.errors import ConfigError, ImageError, ModelError
from ltc_control.core.imaging import prepare
from ltc_control.core.imu import checked_features, ImuBuffer
from ltc_control.insight.attention import Attention, AttentionMap, GRADIENT
from ltc_control.insight.overlay import overlay
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare
from ltc_control.nodes.parameters import AttentionParameters
from ltc_control.nodes.running import run
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState
from std_msgs.msg import String

LOOK_EVERY_S = 0.25
LONGEST_WAIT_S = 90.0                      # for the others to be ready
LOG_EVERY_S = 5.0
NICENESS = 10                              # the policy goes first
REMEMBERED = 64                            # states: a second of them, whatever the rate here


class State(NamedTuple):
    """What the neurons were after the step of the frame with this stamp."""

    stamp_ns: int
    neurons: np.ndarray


class AttentionNode(Node):
    """Draws the attention of one model over the newest camera frame."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('attention_node', **kwargs)
        self._told = told = declare(self, AttentionParameters)
        if not told.model:
            raise ModelError('no model folder was named; pass -p model:=models/car_lane')
        self._attention = Attention(told.model)
        self._spec = self._attention.spec
        self._target = told.target or self._spec.commands[0].name
        if self._target not in self._attention.targets:
            raise ConfigError(f'parameter target is {told.target!r}, choose one of '
                              f'{", ".join(self._attention.targets)}')
        self._newest: Image | CompressedImage | None = None
        self._states: deque[State] = deque(maxlen=REMEMBERED)
        self._imu = ImuBuffer()
        self._counts: Counter[str] = Counter()
        self._map_ms: deque[float] = deque(maxlen=300)
        self._note = ''
        self._overlay_out = self.create_publisher(
            Image, bringup.ATTENTION_OVERLAY, qos.sensor(1, lockstep=False))
        self._jpeg_out = self.create_publisher(
            CompressedImage, bringup.OVERLAY, qos.sensor(1, lockstep=False))
        self._heat_out = self.create_publisher(
            Image, bringup.ATTENTION_HEAT, qos.sensor(1, lockstep=False))
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        self._wait_for(set(told.wait_for.split()))
        self.get_logger().info(f'{self._spec.name}: {told.method} at most {told.rate_hz:g} times '
                               f'a second{self._of_target()}')

    def _of_target(self) -> str:
        return f' of {self._target}' if self._told.method == GRADIENT else ''

    def _wait_for(self, names: set[str]) -> None:
        self._awaited, self._made_at, self._listening = names, time.monotonic(), False
        self._ready_in = self.create_subscription(
            String, bringup.READY, lambda message: self._awaited.discard(message.data),
            qos.LATCHED_MANY)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._look_timer = self.create_timer(LOOK_EVERY_S, self._look, clock=steady)
        self.create_timer(1.0 / self._told.rate_hz, self._draw_newest, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)
        self._look()

    def _look(self) -> None:
        """Listen once all are ready: until then publishers count ears that they wait for."""
        if self._awaited and time.monotonic() - self._made_at < LONGEST_WAIT_S:
            return
        self._look_timer.cancel()
        if self._listening:
            return
        self._listening, newest = True, qos.sensor(1, lockstep=False)
        raw = self._told.image_transport == 'raw'
        self.create_subscription(Image if raw else CompressedImage,
                                 bringup.CAMERA + ('' if raw else '/compressed'),
                                 self._on_image, newest)
        if self._told.method == GRADIENT:
            self.create_subscription(JointState, bringup.NEURONS, self._on_neurons,
                                     qos.sensor(REMEMBERED, lockstep=False))
            if self._spec.imu.features:
                self.create_subscription(Imu, bringup.IMU, self._on_imu,
                                         qos.sensor(200, lockstep=False))

    def _on_image(self, message: Image | CompressedImage) -> None:
        self._newest = message
        self._counts['frames'] += 1

    def _on_neurons(self, message: JointState) -> None:
        states, _ = convert.neuron_values(message)
        if len(states) != self._spec.neurons:
            self.get_logger().error(
                f'{bringup.NEURONS} has {len(states)} neurons, the model {self._spec.neurons}; '
                'give the model that drives', throttle_duration_sec=LOG_EVERY_S)
            return
        self._states.append(State(convert.stamp_ns(message.header.stamp), states))

    def _on_imu(self, message: Imu) -> None:
        self._imu.append(*convert.imu_sample(message))

    def _draw_newest(self) -> None:
        watched = [out.get_subscription_count() > 0
                   for out in (self._overlay_out, self._jpeg_out, self._heat_out)]
        message = self._newest
        if message is None or not any(watched):
            return
        self._newest = None
        start = time.perf_counter()
        try:
            frame = (convert.frame_from_image(message) if isinstance(message, Image)
                     else convert.frame_from_compressed(message))
            found = self._map(frame)
        except ImageError as error:
            self._refuse(f'this image cannot be looked at: {error}')
            return
        if found is not None:
            self._send(frame, found, message.header.frame_id, watched)
            self._map_ms.append(1e3 * (time.perf_counter() - start))

    def _map(self, frame: Frame) -> AttentionMap | None:
        image = prepare(frame.rgb, self._spec.image)
        if self._told.method != GRADIENT:
            return self._attention.visual_backprop(image)
        before = next((state for state in reversed(self._states)
                       if state.stamp_ns < frame.stamp_ns), None)
        if before is None:
            self._refuse(f'no state before this frame on {bringup.NEURONS}: a gradient map needs '
                         'the policy to run')
            return None
        dt = (frame.stamp_ns - before.stamp_ns) * 1e-9
        state = before.neurons
        if dt > self._spec.longest_step_s:     # the policy too starts anew after such a gap
            dt, state = self._spec.dt_nominal_s, np.zeros_like(state)
        imu, _ = checked_features(
            self._imu.window(after_ns=before.stamp_ns, until_ns=frame.stamp_ns), self._spec.imu)
        return self._attention.gradient(image, state, dt, target=self._target, imu=imu)

    def _send(self, frame: Frame, found: AttentionMap, frame_id: str,
              watched: Sequence[bool]) -> None:
        self._note = found.note
        self._counts['maps'] += 1
        self._counts['empty'] += bool(found.note)
        if watched[0] or watched[1]:
            picture = Frame(frame.stamp_ns, overlay(frame.rgb, found, self._spec.image))
            if watched[0]:
                self._overlay_out.publish(convert.image_message(picture, frame_id=frame_id))
            if watched[1]:
                self._jpeg_out.publish(convert.jpeg_message(picture, frame_id=frame_id))
        if watched[2]:
            self._heat_out.publish(convert.heat_message(
                frame.stamp_ns, found.scaled(), frame_id=frame_id))

    def _refuse(self, reason: str) -> None:
        self._counts['refused'] += 1
        self._note = reason
        self.get_logger().warning(reason, throttle_duration_sec=LOG_EVERY_S)

    def _report(self) -> None:
        values: dict[str, object] = {'method': self._told.method, **self._counts}
        if self._told.method == GRADIENT:
            values['target'] = self._target
        if self._map_ms:
            values['map_ms_p50'] = round(float(np.median(self._map_ms)), 3)
        note = self._note
        if not self._counts['frames'] and self._listening:
            note = f'no image yet on {bringup.CAMERA}'
            self.get_logger().warning(note, throttle_duration_sec=LOG_EVERY_S)
        self._health_out.publish(convert.health_message(
            'attention_node: maps', values, stamp_ns=self.get_clock().now().nanoseconds,
            warning=note))


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is stopped; 2 where the model has no attention graph."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    cv2.setNumThreads(1)
    return run(AttentionNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
