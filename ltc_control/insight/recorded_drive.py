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
A drive as it lies in its bag: one read, then plain arrays by header stamp.

Only what a report needs is decoded; images are left in the bag and read again one by one by
:func:`camera_frames`, so that an hour of driving fits into memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.contracts import Frame
from ltc_control.core.errors import BagError
from ltc_control.core.geometry import command_from_twist, yaw_from_quaternion
from ltc_control.core.imaging import decode_compressed, decode_image
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import read_attributes
import numpy as np

COMPRESSED = f'{bringup.CAMERA}/compressed'


@dataclass(frozen=True)
class Trace:
    """K messages of one topic: header and receive stamps [ns], and their values (K, ...)."""

    stamps_ns: np.ndarray
    received_ns: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def at(self, stamps_ns: np.ndarray | int) -> np.ndarray:
        """Return the newest values not later than each stamp; the first before there were any."""
        index = np.searchsorted(self.stamps_ns, stamps_ns, side='right') - 1
        return self.values[np.maximum(index, 0)]

    def between(self, first_ns: int, last_ns: int) -> Trace:
        """Return the messages stamped in [first, last]."""
        inside = (self.stamps_ns >= first_ns) & (self.stamps_ns <= last_ns)
        return Trace(self.stamps_ns[inside], self.received_ns[inside], self.values[inside])


@dataclass(frozen=True)
class RecordedDrive:
    """
    The traces of one drive; each may be empty.

    ``frames``: no values. ``pose``: x, y [m], yaw [rad], speed [m/s], yaw rate [rad/s].
    ``request`` (of the policy) and ``command`` (of safety): speed [m/s], curvature [1/m].
    ``lane``: distance [m], offset [m], heading error [rad]. ``departures``: x, y [m].
    ``neurons``: (K, 2, N) states and time constants [s]. ``verdicts``: words.
    """

    bag: Path
    attributes: dict[str, str]
    frames: Trace
    pose: Trace
    request: Trace
    command: Trace
    lane: Trace
    departures: Trace
    verdicts: Trace
    neurons: Trace
    neuron_names: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """From the first frame to the last, by their header stamps."""
        stamps = self.frames.stamps_ns
        return float(stamps[-1] - stamps[0]) * 1e-9 if len(stamps) else 0.0


def _twist(message: Any) -> tuple[float, float]:
    speed = message.twist.linear.x
    command = command_from_twist(stamp_ns=0, speed=speed, yaw_rate=message.twist.angular.z)
    return speed, command.curvature


def _pose(message: Any) -> tuple[float, ...]:
    place, twist = message.pose.pose, message.twist.twist
    turn = place.orientation
    yaw = yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w)
    return place.position.x, place.position.y, yaw, twist.linear.x, twist.angular.z


def _neurons(message: Any) -> tuple[np.ndarray, np.ndarray]:
    return np.array(message.position), np.array(message.effort)


# topic -> (field of RecordedDrive, shape of one value, message -> value)
_READERS = {
    bringup.ODOMETRY: ('pose', (5,), _pose),
    bringup.POLICY_COMMAND: ('request', (2,), _twist),
    bringup.COMMAND: ('command', (2,), _twist),
    bringup.LANE_TRUTH: ('lane', (3,), lambda m: (m.vector.x, m.vector.y, m.vector.z)),
    bringup.DEPARTURE: ('departures', (2,), lambda m: (m.point.x, m.point.y)),
    bringup.VERDICT: ('verdicts', (), lambda m: m.status[0].message if m.status else ''),
    bringup.NEURONS: ('neurons', (2, 0), _neurons),
    bringup.CAMERA: ('frames', (0,), lambda m: ()),
    COMPRESSED: ('frames', (0,), lambda m: ()),
}


def read_drive(bag: Path | str) -> RecordedDrive:
    """
    Return the drive in ``bag``, each trace sorted by header stamp.

    Raises BagError when the bag cannot be read or holds no camera frames.
    """
    rows: dict[str, list[tuple[int, int, Any]]] = {topic: [] for topic in _READERS}
    names: tuple[str, ...] = ()
    with Recording(bag) as recording:
        present = set(recording.counts) & set(_READERS)
        for topic, received_ns, message in recording.messages(present):
            if topic == bringup.NEURONS:
                names = tuple(message.name)
            rows[topic].append((stamp_of(message), received_ns, _READERS[topic][2](message)))
    if not rows[bringup.CAMERA] and not rows[COMPRESSED]:
        raise BagError(f'{str(bag)!r} holds no {bringup.CAMERA}; a report needs the camera, '
                       'record it too')
    traces = {field: trace_of(rows[topic], shape)
              for topic, (field, shape, _) in _READERS.items()
              if rows[topic] or topic != COMPRESSED}
    return RecordedDrive(bag=Path(bag), attributes=read_attributes(bag), neuron_names=names,
                         **traces)


def camera_frames(bag: Path | str, *, stamps_ns: set[int]) -> Iterator[Frame]:
    """Yield the frames of ``bag`` whose header stamp is among ``stamps_ns``, as recorded."""
    with Recording(bag) as recording:
        topics = {bringup.CAMERA, COMPRESSED} & set(recording.counts)
        for topic, _, message in recording.messages(topics):
            stamp = stamp_of(message)
            if stamp not in stamps_ns:
                continue
            if topic == COMPRESSED:
                yield Frame(stamp, decode_compressed(message.data))
            else:
                yield Frame(stamp, decode_image(
                    data=message.data, height=message.height, width=message.width,
                    encoding=message.encoding, step=message.step,
                    is_bigendian=bool(message.is_bigendian)))


def stamp_of(message: Any) -> int:
    """Return the header stamp [ns] of a message."""
    time = message.header.stamp
    return int(time.sec) * 1_000_000_000 + int(time.nanosec)


def trace_of(rows: list[tuple[int, int, Any]], shape: tuple[int, ...]) -> Trace:
    """Return rows (stamp, receive time, value of ``shape``) as a trace by header stamp."""
    rows = sorted(rows, key=lambda row: row[0])
    if not rows:
        return Trace(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, *shape)))
    return Trace(np.array([row[0] for row in rows], np.int64),
                 np.array([row[1] for row in rows], np.int64),
                 np.array([row[2] for row in rows]))
