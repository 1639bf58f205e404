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
A flight as it lies in its bag, and what is counted of it: the drone's ``recorded_drive``.

Positions are those of odometry and of the target's ground truth, in ``odom``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.errors import BagError
from ltc_control.core.flight_tasks import REACHED_M, STAND_OFF_M
from ltc_control.core.geometry import yaw_from_quaternion
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.insight.measures import latency_ms
from ltc_control.insight.recorded_drive import stamp_of, Trace, trace_of
import numpy as np


@dataclass(frozen=True)
class RecordedFlight:
    """
    The traces of one flight; each may be empty.

    ``frames``: no values. ``pose``: x, y, z [m], yaw [rad], speed forward, left, up [m/s].
    ``request`` (of the policy) and ``command`` (of safety): forward, left, up [m/s], yaw rate
    [rad/s]. ``target``, ``collisions``: x, y, z [m]. ``verdicts``: words.
    """

    bag: Path
    attributes: dict[str, str]
    frames: Trace
    pose: Trace
    request: Trace
    command: Trace
    target: Trace
    collisions: Trace
    verdicts: Trace

    @property
    def distance(self) -> np.ndarray:
        """From the drone to the target at each pose (K,) [m]; empty without ground truth."""
        if not len(self.target) or not len(self.pose):
            return np.empty(0)
        there = self.target.at(self.pose.stamps_ns)
        return np.linalg.norm(there - self.pose.values[:, :3], axis=1)


def _pose(message: Any) -> tuple[float, ...]:
    place, twist = message.pose.pose, message.twist.twist.linear
    turn = place.orientation
    yaw = yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w)
    return (place.position.x, place.position.y, place.position.z, yaw, twist.x, twist.y, twist.z)


def _twist(message: Any) -> tuple[float, ...]:
    linear = message.twist.linear
    return linear.x, linear.y, linear.z, message.twist.angular.z


def _point(message: Any) -> tuple[float, ...]:
    return message.point.x, message.point.y, message.point.z


_READERS = {
    bringup.ODOMETRY: ('pose', (7,), _pose),
    bringup.POLICY_COMMAND: ('request', (4,), _twist),
    bringup.COMMAND: ('command', (4,), _twist),
    bringup.TARGET_TRUTH: ('target', (3,), _point),
    bringup.COLLISION: ('collisions', (3,), _point),
    bringup.VERDICT: ('verdicts', (), lambda m: m.status[0].message if m.status else ''),
    bringup.CAMERA: ('frames', (0,), lambda m: ()),
}


def read_flight(bag: Path | str) -> RecordedFlight:
    """Return the flight in ``bag``; BagError when it cannot be read or tells no positions."""
    rows: dict[str, list[tuple[int, int, Any]]] = {topic: [] for topic in _READERS}
    with Recording(bag) as recording:
        for topic, received_ns, message in recording.messages(
                set(recording.counts) & set(_READERS)):
            rows[topic].append((stamp_of(message), received_ns, _READERS[topic][2](message)))
    if not rows[bringup.ODOMETRY]:
        raise BagError(f'{str(bag)!r} holds no {bringup.ODOMETRY}; a flight cannot be drawn '
                       'without it, record it too')
    traces = {field: trace_of(rows[topic], shape)
              for topic, (field, shape, _) in _READERS.items()}
    return RecordedFlight(bag=Path(bag), attributes=read_attributes(bag), **traces)


def measure_flight(flight: RecordedFlight) -> dict[str, Any]:
    """
    Return JSON-ready numbers: how far, how near the target, how soon, what safety said.

    ``success`` is told of flights to a target only: a bag does not say what was in view, which
    following is judged by, too (`ltc eval` does).
    """
    stamps = flight.pose.stamps_ns
    steps = np.linalg.norm(np.diff(flight.pose.values[:, :3], axis=0), axis=1)
    near = np.nonzero(flight.distance < REACHED_M)[0]
    seconds = float(stamps[-1] - stamps[0]) * 1e-9
    reached = round(float(stamps[near[0]] - stamps[0]) * 1e-9, 3) if len(near) else None
    follows = flight.attributes.get('task') == 'follow'
    error = flight.distance - STAND_OFF_M['follow']
    goal = ({'rms_distance_error_m': round(float(np.sqrt(np.mean(error ** 2))), 3)
             if len(error) else None} if follows else
            {'time_s': reached, 'success': reached is not None and not len(flight.collisions)})
    return {
        'seconds': round(seconds, 3), 'distance_m': round(float(steps.sum()), 3),
        'collisions': len(flight.collisions),
        **goal,
        'final_distance_m': round(float(flight.distance[-1]), 3) if len(flight.distance) else None,
        'frames': len(flight.frames), 'requests': len(flight.request),
        'commands': len(flight.command),
        'verdicts': dict(sorted(Counter(map(str, flight.verdicts.values)).items())),
        'latency_ms': latency_ms(flight.frames, flight.command),
    }
