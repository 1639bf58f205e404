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
What a recording knows of a policy: the frames it may have seen, the IMU, and what it said.

Decisions, IMU samples and the stamps of frames are read at once, as plain numbers (some 40 MB an
hour); the pictures are read again one by one. Commands belong to frames by their header stamp:
on a car the newest frame wins, so a recording holds frames that the policy never saw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ltc_control import bringup
from ltc_control.core.errors import BagError, ImageError
from ltc_control.core.imu import ImuBuffer
from ltc_control.data.bag_camera import pixels
from ltc_control.data.raw import RawRecording
from ltc_control.data.rosbag2 import read_attributes
import numpy as np

COMPRESSED = f'{bringup.CAMERA}/compressed'
NOT_ESTIMATED = -1.0                       # sensor_msgs/Imu: element 0 of a covariance
IMU_GRACE_NS = 1_000_000_000               # a sample that came later was not waited for


@dataclass(frozen=True)
class Said:
    """One recorded decision; ``state`` and ``tau`` (N,) are None where neurons are not there."""

    stamp_ns: int
    received_ns: int
    speed: float                           # linear.x [m/s]
    yaw_rate: float                        # angular.z [rad/s]
    state: np.ndarray | None = None        # float64, as the message holds float32
    tau: np.ndarray | None = None


class SeenFrame(NamedTuple):
    """One recorded frame; ``rgb`` is None where its bytes are no image."""

    index: int
    stamp_ns: int
    received_ns: int
    rgb: np.ndarray | None


class ImuFeed:
    """Hands the recorded samples to an ImuBuffer as they came, each frame as far as it waited."""

    def __init__(self, samples: list[tuple[int, int, tuple[float, ...], tuple[float, ...]]],
                 ) -> None:
        self._samples, self._next = samples, 0
        self.buffer = ImuBuffer()
        self._newest: int | None = None

    def advance(self, frame: SeenFrame) -> None:
        """Take in what came before ``frame``, and after it until the IMU reached its stamp."""
        while self._next < len(self._samples):
            received_ns, stamp_ns, gyro, accel = self._samples[self._next]
            reached = self._newest is not None and self._newest >= frame.stamp_ns
            waited = received_ns <= frame.received_ns + IMU_GRACE_NS
            if received_ns > frame.received_ns and (reached or not waited):
                return
            self.buffer.append(stamp_ns, gyro, accel)
            self._newest = stamp_ns
            self._next += 1


class ReplayBag:
    """
    One recording, read but for its pictures.

    ``said`` are the decisions as they came, ``stamps`` those of the frames (K,), ``names`` of the
    neurons, ``model_hash`` the beginning of the digest of the model that drove, if told. Raises
    BagError where the camera or the policy's commands are missing.
    """

    def __init__(self, path: Path | str, *, namespace: str = '') -> None:
        self.path = Path(path)
        self._prefix = f'/{namespace.strip("/")}' if namespace.strip('/') else ''
        self.attributes = read_attributes(self.path)
        self.names: tuple[str, ...] = ()
        self.model_hash = next((value for key, value in sorted(self.attributes.items())
                                if 'model' in key and value and any(
                                    word in key for word in ('hash', 'digest', 'sha256'))), '')
        self.samples: list[tuple[int, int, tuple[float, ...], tuple[float, ...]]] = []
        commands: list[Said] = []
        neurons: list[Said] = []
        stamps: list[int] = []
        with RawRecording(self.path) as recording:
            self._camera = self._find_camera(recording)
            imu, command, states = map(self.topic, (bringup.IMU, bringup.POLICY_COMMAND,
                                                    bringup.NEURONS))
            for message in recording.raw({self._camera, imu, command, states,
                                          bringup.DIAGNOSTICS}):
                if message.topic == self._camera:
                    stamps.append(message.time_ns)
                    continue
                fields: Any = recording.decode(message)
                if message.topic == imu:
                    self.samples.append((message.received_ns, *_sample(fields, message.time_ns)))
                elif message.topic == bringup.DIAGNOSTICS:
                    self.model_hash = self.model_hash or _model_hash(fields)
                elif message.topic == command:
                    commands.append(Said(message.time_ns, message.received_ns,
                                         fields.twist.linear.x, fields.twist.angular.z))
                else:
                    self.names = self.names or tuple(fields.name)
                    neurons.append(Said(message.time_ns, message.received_ns, 0.0, 0.0,
                                        np.array(fields.position), np.array(fields.effort)))
        self.stamps = np.array(stamps, np.int64)
        self._places: dict[int, list[int]] = {}
        for index, stamp in enumerate(stamps):
            self._places.setdefault(stamp, []).append(index)
        self.said = _joined(commands, neurons)

    def topic(self, name: str) -> str:
        """Return one of our topics as it is called in the namespace of the recording."""
        return f'{self._prefix}{name}'

    def _find_camera(self, recording: RawRecording) -> str:
        present = ', '.join(sorted(recording.types))
        command = self.topic(bringup.POLICY_COMMAND)
        for topic in map(self.topic, (bringup.CAMERA, COMPRESSED)):
            if recording.counts.get(topic):
                if not recording.counts.get(command):
                    raise BagError(f'{str(self.path)!r} holds no {command}, so there is nothing '
                                   f'to compare with; it holds {present}')
                return topic
        raise BagError(f'{str(self.path)!r} holds no {self.topic(bringup.CAMERA)}, so there is '
                       f'nothing to replay; it holds {present}')

    def frames(self) -> Iterator[SeenFrame]:
        """Yield the frames as they came."""
        with RawRecording(self.path) as recording:
            for index, message in enumerate(recording.raw({self._camera})):
                try:
                    rgb = pixels(recording.decode(message))
                except ImageError:
                    rgb = None
                yield SeenFrame(index, message.time_ns, message.received_ns, rgb)

    def frames_stamped(self, stamp_ns: int) -> int:
        """Return how many frames have this stamp; more than one is a camera's mistake."""
        return len(self._places.get(stamp_ns, ()))

    def frames_of_decisions(self, *, first: int = 0, after: int = -1) -> list[int | None]:
        """
        Return for each of ``said[first:]`` the index of its frame, None where the bag lacks it.

        Both are in the order they came in; a frame is given away once, and none up to ``after``.
        """
        found: list[int | None] = []
        at = after + 1
        for said in self.said[first:]:
            index = next((k for k in self._places.get(said.stamp_ns, ()) if k >= at), None)
            found.append(index)
            at = at if index is None else index + 1
        return found


def _joined(commands: list[Said], neurons: list[Said]) -> list[Said]:
    """Lay the states beside the commands of the same stamp, in the order of both."""
    waiting: dict[int, list[Said]] = {}
    for state in reversed(neurons):
        waiting.setdefault(state.stamp_ns, []).append(state)
    joined = []
    for said in commands:
        states = waiting.get(said.stamp_ns)
        if not states:
            joined.append(said)
            continue
        state = states.pop()
        joined.append(Said(said.stamp_ns, said.received_ns, said.speed, said.yaw_rate,
                           state.state, state.tau))
    return joined


def _model_hash(report: Any) -> str:
    """Return what the policy's diagnostics say of its model."""
    return next((pair.value for status in report.status for pair in status.values
                 if pair.key == 'model_hash'), '')


def _sample(imu: Any, stamp_ns: int) -> tuple[int, tuple[float, ...], tuple[float, ...]]:
    return (stamp_ns, _estimated(imu.angular_velocity, imu.angular_velocity_covariance),
            _estimated(imu.linear_acceleration, imu.linear_acceleration_covariance))


def _estimated(vector: Any, covariance: np.ndarray) -> tuple[float, ...]:
    if covariance[0] == NOT_ESTIMATED:
        return (float('nan'),) * 3
    return (vector.x, vector.y, vector.z)
