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
The camera of a bag as a film in which every frame stands for its true time.

A film has a fixed rate, a camera has not: each picture of the film shows the newest frame stamped
by then, so a late frame leaves the one before it standing and nothing drifts. MP4 (MPEG-4) or,
by its suffix, WebM (VP8), which every browser plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from ltc_control.core.errors import BagError, ConfigError, ImageError
from ltc_control.data.bag_camera import cameras_of, DRIVEN_BY, IMAGES, pixels
from ltc_control.data.film_writer import open_film
from ltc_control.data.raw import RawRecording
import numpy as np

CODECS = {'.mp4': 'mp4v', '.webm': 'VP80'}
LONGEST_PAUSE_S, SHOWN_PAUSE_S = 10.0, 1.0     # between drives that were merged
SLOWEST_HZ, FASTEST_HZ = 5.0, 60.0


@dataclass(frozen=True)
class Video:
    """What was written; ``pauses`` longer than LONGEST_PAUSE_S are shown for SHOWN_PAUSE_S."""

    file: Path
    frames: int                            # of the bag
    pictures: int                          # of the film
    rate_hz: float
    seconds: float
    unreadable: int
    pauses: int


def make_video(source: Path | str, out: Path | str, *, topic: str | None = None,
               rate_hz: float | None = None,
               advance: Callable[..., None] | None = None) -> Video:
    """
    Write the frames of ``topic`` (the only camera where None) as the film ``out``.

    ``rate_hz`` is the film's; by itself the camera's own, within 5 ... 60 Hz. Raises BagError
    where there is no frame to show, ConfigError for a suffix or rate that cannot be.
    """
    out = Path(out)
    if out.suffix not in CODECS:
        raise ConfigError(f'{str(out)!r} is neither .mp4 nor .webm; name the film by one of them')
    if out.exists():
        raise BagError(f'{str(out)!r} exists already; remove it or name another film')
    if rate_hz is not None and not 1.0 <= rate_hz <= 240.0:
        raise ConfigError(f'a film of {rate_hz!r} pictures a second is none; give 1 ... 240')
    with RawRecording(source) as recording:
        topic = camera_topic(recording, topic)
        rate = rate_hz or _own_rate(recording, topic)
        film = _Film(out, rate)
        try:
            for stamp_ns, rgb in _frames(recording, topic, film, advance):
                film.show(stamp_ns, rgb)
        finally:
            film.close()
    if not film.pictures:
        raise BagError(f'no frame of {topic} in {str(source)!r} can be read; see '
                       f'`ltc bag check {source}`')
    return Video(out, film.frames, film.pictures, rate, film.pictures / rate, film.unreadable,
                 film.pauses)


def camera_topic(recording: RawRecording, named: str | None) -> str:
    """Return the camera named, or the one driven by; BagError names what there is."""
    if named is not None and recording.types.get(named) in IMAGES:
        return named
    cameras = cameras_of(recording.types)
    if named is None and cameras and (len(cameras) == 1 or cameras[0] in DRIVEN_BY):
        return cameras[0]
    raise BagError(f'{str(recording.path)!r} holds {len(cameras)} cameras {cameras!r}; name one '
                   f'of them with --topic{"" if named is None else f", not {named!r}"}')


def _own_rate(recording: RawRecording, topic: str) -> float:
    stamps = np.array([message.time_ns for message in recording.raw([topic])], np.int64)
    steps = np.diff(stamps)
    steps = steps[steps > 0]
    median_s = float(np.median(steps)) / 1e9 if len(steps) else 1.0 / 30.0
    return float(np.clip(round(1.0 / median_s, 2), SLOWEST_HZ, FASTEST_HZ))


def _frames(recording: RawRecording, topic: str, film: _Film,
            advance: Callable[..., None] | None) -> Iterator[tuple[int, np.ndarray]]:
    for message in recording.raw([topic]):
        if advance is not None:
            advance()
        image: Any = recording.decode(message)
        try:
            yield message.time_ns, pixels(image)
        except ImageError:
            film.unreadable += 1


class _Film:
    """Holds the last frame until the next one's time has come."""

    def __init__(self, path: Path, rate_hz: float) -> None:
        self._path, self._step_ns = path, 1e9 / rate_hz
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._last: np.ndarray | None = None
        self._last_ns = 0
        self._origin_ns = 0.0
        self.frames = self.pictures = self.unreadable = self.pauses = 0

    def show(self, stamp_ns: int, rgb: np.ndarray) -> None:
        """Let the frame before stand until ``stamp_ns``, then take up this one."""
        if self._last is None:
            self._origin_ns = stamp_ns
        self.frames += 1
        pause_ns = stamp_ns - self._last_ns if self._last is not None else 0
        if pause_ns < 0 or pause_ns > LONGEST_PAUSE_S * 1e9:
            # another drive, or a clock that was set: the film goes on, shortly after
            self._origin_ns += pause_ns - SHOWN_PAUSE_S * 1e9
            self.pauses += 1
        self._write_until(stamp_ns)
        self._last, self._last_ns = self._fitted(rgb), stamp_ns

    def close(self) -> None:
        """Write the last frame and finish the file."""
        if self._last is not None:
            self._write_until(self._last_ns + self._step_ns)
        if self._writer is not None:
            self._writer.release()

    def _write_until(self, stamp_ns: float) -> None:
        """Write the frame at hand for every picture that is due before ``stamp_ns``."""
        if self._last is None:
            return
        # half a step early: a frame that comes a little late still gets the picture meant for it
        due = self._origin_ns + (self.pictures + 0.5) * self._step_ns
        while due <= stamp_ns:
            if self._writer is None:
                self._writer = self._open()
            self._writer.write(self._last)
            self.pictures += 1
            due += self._step_ns

    def _fitted(self, rgb: np.ndarray) -> np.ndarray:
        """Return BGR of the film's size, which is the first frame's, made even."""
        height, width = rgb.shape[:2]
        if not self._size[0]:
            self._size = (width - width % 2 or 2, height - height % 2 or 2)
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        if (width, height) == self._size:
            return np.asarray(bgr)
        if abs(width - self._size[0]) <= 1 and abs(height - self._size[1]) <= 1:
            return np.ascontiguousarray(bgr[:self._size[1], :self._size[0]])
        return np.asarray(cv2.resize(bgr, self._size, interpolation=cv2.INTER_AREA))

    def _open(self) -> cv2.VideoWriter:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        writer = open_film(self._path, code=CODECS[self._path.suffix], rate_hz=self._rate_hz,
                           size=self._size)
        if not writer.isOpened():
            raise BagError(f'OpenCV cannot write {str(self._path)!r} as {self._path.suffix}; '
                           'name the film with the other suffix of .mp4 and .webm')
        return writer
