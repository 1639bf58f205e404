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
"""A policy that anyone can follow by hand, and a recording of what it said, frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.contracts import Frame, InputCase
from ltc_control.core.geometry import twist_from_command
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuBuffer, ImuSpec
from ltc_control.core.model_file import CommandSpec, ModelSpec
from ltc_control.core.policy import Policy
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.messages import serialize, typestore
import numpy as np

HEIGHT, WIDTH, NEURONS = 6, 8, 3
STEP_NS, START_NS = 33_333_333, 1_700_000_000_000_000_000
NAMES = ('motor_0', 'command_0', 'inter_0')


class NumpyEngine:
    """State: half of the old one, plus brightness times dt, plus IMU; float32 throughout."""

    def __init__(self, *, imu: bool = False, gain: float = 1.0) -> None:
        self.gain = np.float32(gain)
        self.spec = ModelSpec(
            name='numpy', kind='ltc', image=ImageSpec(HEIGHT, WIDTH, crop_top=0.6),
            imu=ImuSpec(('gyro_z', 'valid'), (1.0, 1.0)) if imu else ImuSpec((), ()),
            commands=(CommandSpec('curvature', '1/m', -0.1, 0.1),
                      CommandSpec('speed', 'm/s', 0.0, 12.0)),
            dt_nominal_s=1 / 30, longest_step_s=0.5, neurons=NEURONS,
            envelope_low=(-9.0,) * NEURONS, envelope_high=(9.0,) * NEURONS)

    def zero_state(self) -> np.ndarray:
        return np.zeros(NEURONS, np.float32)

    def step(self, image: np.ndarray, imu: np.ndarray, state: np.ndarray, dt_s: float) -> Any:
        bright = np.float32(image.astype(np.float64).mean() / 255)
        drive = bright * np.float32(30 * dt_s) + np.float32(0.1) * imu.sum(dtype=np.float32)
        after = np.float32(0.5) * state + self.gain * drive * np.array([1, 2, 3], np.float32) / 3
        command = np.array([0.03 * after[0] - 0.02, 4 + after[1]], np.float32)
        return command, after, np.abs(after) + np.float32(0.01)


class Recorder:
    """
    Plays the policy node: ``frame`` is seen and answered, unless told otherwise.

    ``lost`` was recorded but never reached the policy, ``unrecorded`` is the other way round.
    """

    def __init__(self, folder: Path, *, imu: bool = False, neurons: bool = True,
                 attributes: dict[str, str] | None = None) -> None:
        self.neurons = neurons
        self.policy = Policy(NumpyEngine(imu=imu))
        self.buffer = ImuBuffer()
        self.last_ns: int | None = None
        self.said = 0
        self._received_ns = 0
        self.bag = EpisodeWriter(folder, attributes=attributes)

    def sample(self, stamp_ns: int, turn: float, *, heard: bool = True,
               recorded: bool = True) -> None:
        if recorded:
            self._put(bringup.IMU, stamp_ns, messages.imu(
                stamp_ns, np.array([0.0, 0.0, turn]), np.array([0.0, 0.0, 9.81]), 'base_link'))
        if heard:
            self.buffer.append(stamp_ns, (0.0, 0.0, turn), (0.0, 0.0, 9.81))

    def frame(self, stamp_ns: int, rgb: np.ndarray, *, lost: bool = False,
              unrecorded: bool = False, scale: float = 1.0) -> None:
        if not unrecorded:
            self._put(bringup.CAMERA, stamp_ns, messages.image(stamp_ns, rgb, 'camera'))
        if lost:
            return
        window = self.buffer.window(after_ns=self.last_ns, until_ns=stamp_ns)
        decision = self.policy.step(Frame(stamp_ns, rgb), window)
        self.last_ns = stamp_ns
        if InputCase.BAD_IMU in decision.cases:
            return                         # the node keeps silent
        speed, yaw_rate = twist_from_command(decision.command)
        stamp = decision.command.stamp_ns
        self._put(bringup.POLICY_COMMAND, stamp, messages.twist_stamped(
            stamp, speed * scale, yaw_rate * scale, 'base_link'))
        if self.neurons:
            self._put(bringup.NEURONS, stamp, joint_state(stamp, decision.state, decision.tau))
        self.said += 1

    def close(self) -> Path:
        self.bag.close()
        return self.bag._bag.path

    def _put(self, topic: str, stamp_ns: int, message: Any) -> None:
        self._received_ns = max(stamp_ns, self._received_ns) + 1000
        self.bag._bag.write(topic, message.__msgtype__, serialize(message),
                            log_ns=self._received_ns)


def joint_state(stamp_ns: int, state: np.ndarray, tau: np.ndarray) -> Any:
    return typestore().types['sensor_msgs/msg/JointState'](
        header=messages.twist_stamped(stamp_ns, 0.0, 0.0, '').header, name=list(NAMES),
        position=state.astype(float), velocity=np.empty(0), effort=tau.astype(float))


def picture(number: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
