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
The pictures of a bag, looked at one by one: frozen, too dark, too bright, unreadable.

A frozen frame equals the one before it in every byte. While odometry says that the car stands, a
camera without noise may well show the same picture twice; such frames are not counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any

from ltc_control.core.errors import ImageError
from ltc_control.core.imaging import decode_compressed, decode_image
from ltc_control.data import messages
from ltc_control.data.raw import RawMessage, RawRecording
import numpy as np

IMAGES = (messages.IMAGE, messages.COMPRESSED_IMAGE)
SENSORS = (*IMAGES, messages.IMU, messages.ODOMETRY)          # stamped once, in order
DRIVEN_BY = ('/camera/image_raw', '/camera/image_raw/compressed')
STANDING_MPS = 0.05
DARK_MEAN = 8.0                            # of 255: nothing can be seen
SATURATED, SATURATED_SHARE = 250, 0.5      # a pixel counts when its darkest channel is so bright
_EVERY = 4                                 # pixel of rows and columns, for brightness


@dataclass(frozen=True)
class CameraReport:
    """The frames of one topic; ``frozen`` counts frames equal to the one before."""

    topic: str
    frames: int
    size: tuple[int, int] | None           # width, height of the first readable frame
    unreadable: int                        # bytes that no policy could use
    frozen: int
    longest_frozen_s: float
    dark: int                              # under-exposed
    bright: int                            # over-exposed
    mean_brightness: float                 # 0 ... 255


@dataclass
class _Camera:
    frames: int = 0
    size: tuple[int, int] | None = None
    unreadable: int = 0
    frozen: int = 0
    longest_frozen_s: float = 0.0
    dark: int = 0
    bright: int = 0
    brightness: float = 0.0
    last: bytes = b''
    still_since_ns: int | None = None


def cameras_of(types: Mapping[str, str]) -> list[str]:
    """
    Return the camera topics among ``types``: those a policy drives by, else every image topic.

    What nodes draw (heat maps, overlays) are images too, but nobody drives by them.
    """
    images = sorted(topic for topic, name in types.items() if name in IMAGES)
    driven = [topic for topic in images if topic.endswith(DRIVEN_BY)]
    return driven or images


class CameraWatch:
    """Sees every message of a recording in order; ``bad_samples`` counts IMU ones by topic."""

    def __init__(self, recording: RawRecording) -> None:
        self._recording = recording
        self._cameras = {topic: _Camera() for topic in cameras_of(recording.types)
                         if recording.counts[topic]}
        self._speed: float | None = None
        self.bad_samples: dict[str, int] = {}

    def see(self, message: RawMessage) -> None:
        """Take in the next message."""
        if message.topic in self._cameras:
            self._look(self._cameras[message.topic], message)
        elif message.type_name == messages.ODOMETRY:
            odometry: Any = self._recording.decode(message)
            self._speed = math.hypot(odometry.twist.twist.linear.x,
                                     odometry.twist.twist.linear.y)
        elif message.type_name == messages.IMU:
            self._feel(message)

    def reports(self) -> tuple[CameraReport, ...]:
        """Return what was seen, one report a topic."""
        return tuple(CameraReport(
            topic, camera.frames, camera.size, camera.unreadable, camera.frozen,
            camera.longest_frozen_s, camera.dark, camera.bright,
            round(camera.brightness / max(camera.frames - camera.unreadable, 1), 2))
            for topic, camera in self._cameras.items())

    def _feel(self, message: RawMessage) -> None:
        imu: Any = self._recording.decode(message)
        values = (imu.angular_velocity.x, imu.angular_velocity.y, imu.angular_velocity.z,
                  imu.linear_acceleration.x, imu.linear_acceleration.y,
                  imu.linear_acceleration.z)
        bad = self.bad_samples.get(message.topic, 0)
        self.bad_samples[message.topic] = bad + (not all(map(math.isfinite, values)))

    def _look(self, camera: _Camera, message: RawMessage) -> None:
        camera.frames += 1
        image: Any = self._recording.decode(message)
        self._compare(camera, bytes(image.data), message.time_ns)
        try:
            rgb = pixels(image)
        except ImageError:
            camera.unreadable += 1
            return
        camera.size = camera.size or (rgb.shape[1], rgb.shape[0])
        part = rgb[::_EVERY, ::_EVERY]
        mean = float(part.mean())
        camera.brightness += mean
        camera.dark += mean < DARK_MEAN
        camera.bright += float((part.min(axis=2) >= SATURATED).mean()) > SATURATED_SHARE

    def _compare(self, camera: _Camera, data: bytes, stamp_ns: int) -> None:
        standing = self._speed is not None and self._speed < STANDING_MPS
        if data == camera.last and not standing:
            camera.frozen += 1
            if camera.still_since_ns is not None:
                frozen_s = (stamp_ns - camera.still_since_ns) / 1e9
                camera.longest_frozen_s = max(camera.longest_frozen_s, frozen_s)
        else:
            camera.still_since_ns = stamp_ns
        camera.last = data


def pixels(image: Any) -> np.ndarray:
    """Return (H, W, 3) uint8 of a decoded Image or CompressedImage; ImageError where it cannot."""
    if not hasattr(image, 'encoding'):
        return decode_compressed(image.data)
    return decode_image(data=image.data, height=image.height, width=image.width,
                        encoding=image.encoding, step=image.step,
                        is_bigendian=bool(image.is_bigendian))
