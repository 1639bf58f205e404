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
Whether IMU and commands go along with the camera, frame by frame.

The rules are those of training and of the car: the IMU samples of a frame lie between the frame
before and itself, a command older than ``LONGEST_COMMAND_AGE_NS`` says nothing of a frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ltc_control.core.imu import LONGEST_WINDOW_NS
from ltc_control.data import messages
from ltc_control.data.bag_camera import cameras_of
import numpy as np

LONGEST_COMMAND_AGE_NS = 200_000_000
COMMANDS = (messages.TWIST_STAMPED, messages.TWIST, messages.ACKERMANN_STAMPED,
            messages.ACKERMANN)


@dataclass(frozen=True)
class Times:
    """The times of one topic's messages in the order they were received, (K,) int64 each."""

    stamps_ns: np.ndarray                  # receive times where there is no header
    received_ns: np.ndarray
    stamped: bool


@dataclass(frozen=True)
class Coverage:
    """
    How one topic goes along with the frames of ``camera``; times by header stamps.

    ``share`` of the frames have what belongs to them; ``late_s`` is how long the camera ran
    before the first message, ``early_s`` how long after the last; ``bad`` counts IMU samples
    that are not finite.
    """

    topic: str
    role: str                              # 'imu' or 'command'
    camera: str
    share: float
    late_s: float
    early_s: float
    bad: int = 0


def cover(types: Mapping[str, str], times: Mapping[str, Times], *,
          bad_imu: Mapping[str, int]) -> tuple[Coverage, ...]:
    """Return how each IMU and command topic covers the camera with the most frames."""
    cameras = [topic for topic in cameras_of(types) if len(times[topic].stamps_ns)]
    if not cameras:
        return ()
    camera = max(cameras, key=lambda topic: len(times[topic].stamps_ns))
    found = []
    for topic, name in sorted(types.items()):
        role = 'imu' if name == messages.IMU else 'command' if name in COMMANDS else ''
        if role and len(times[topic].stamps_ns):
            # a message without a header can only be laid beside the camera's arrival
            frames = (times[camera].stamps_ns if times[topic].stamped
                      else times[camera].received_ns)
            found.append(_cover(np.sort(frames), np.sort(times[topic].stamps_ns), topic=topic,
                                role=role, camera=camera, bad=bad_imu.get(topic, 0)))
    return tuple(found)


def _cover(frames: np.ndarray, stamps: np.ndarray, *, topic: str, role: str, camera: str,
           bad: int) -> Coverage:
    newest = np.searchsorted(stamps, frames, side='right') - 1
    age = frames - stamps[np.maximum(newest, 0)]
    if role == 'imu':
        before = np.concatenate(([frames[0] - LONGEST_WINDOW_NS], frames[:-1]))
        longest = np.minimum(frames - before, LONGEST_WINDOW_NS)
        # a sample on the frame before belongs to that one; equal stamps ask for nothing
        served = (newest >= 0) & ((age < longest) | (longest <= 0))
    else:
        served = (newest >= 0) & (age <= LONGEST_COMMAND_AGE_NS)
    return Coverage(topic, role, camera, float(served.mean()),
                    max(0.0, float(stamps[0] - frames[0]) / 1e9),
                    max(0.0, float(frames[-1] - stamps[-1]) / 1e9), bad)
