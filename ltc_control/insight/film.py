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
A drive as a film of at most twelve seconds: WebM (VP8), which every browser plays.

A longer drive runs faster than life, and says so. Where OpenCV cannot write VP8 an MP4 is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ltc_control.core.contracts import Frame
from ltc_control.core.errors import LtcError
from ltc_control.data.film_writer import open_film
from ltc_control.insight.panel import draw, Instant, View
from ltc_control.insight.recorded_drive import camera_frames, RecordedDrive
import numpy as np

FORMATS = (('.webm', 'VP80'), ('.mp4', 'mp4v'))
PICTURES_PER_SECOND = 15
LONGEST_S = 12.0                           # VP8 costs some 40 ms a picture on one core


def make_film(drive: RecordedDrive, stem: Path, *, view: View, note: str = '') -> Path:
    """Write the film beside ``stem`` with the suffix of its format; return its path."""
    stamps, pace = film_stamps(drive.frames.stamps_ns)
    note = f'{note}   {pace:.0f}x speed'.strip() if pace > 1.05 else note
    pictures = (draw(instant_at(drive, frame, note), view=view)
                for frame in camera_frames(drive.bag, stamps_ns=set(stamps.tolist())))
    return write_film(pictures, stem)


def film_stamps(stamps_ns: np.ndarray) -> tuple[np.ndarray, float]:
    """
    Return the frames (K,) that the film shows and how many times faster than life it runs.

    The pace is a whole number, at least 1; each picture stands for ``pace`` / rate seconds.
    """
    seconds = (stamps_ns[-1] - stamps_ns[0]) * 1e-9
    pace = max(1, int(np.ceil(seconds / LONGEST_S - 1e-9)))
    step_ns = pace * 1e9 / PICTURES_PER_SECOND
    wanted = stamps_ns[0] + np.arange(int(seconds * 1e9 / step_ns + 1e-6) + 1) * step_ns
    index = np.searchsorted(stamps_ns, wanted - 1, side='left').clip(max=len(stamps_ns) - 1)
    return np.unique(stamps_ns[index]), float(pace)


def instant_at(drive: RecordedDrive, frame: Frame, note: str) -> Instant:
    """Return all that is known of the moment of ``frame``."""
    stamp = frame.stamp_ns
    request = drive.request.at(stamp) if len(drive.request) else None
    neurons = drive.neurons.at(stamp)[0] if len(drive.neurons) else None
    return Instant(
        rgb=frame.rgb, note=note, neurons=neurons,
        seconds=(stamp - drive.frames.stamps_ns[0]) * 1e-9,
        curvature=None if request is None else float(request[1]),
        wanted_speed=None if request is None else float(request[0]),
        speed=float(drive.pose.at(stamp)[3]) if len(drive.pose) else None,
        offset_m=float(drive.lane.at(stamp)[1]) if len(drive.lane) else None,
        verdict=str(drive.verdicts.at(stamp)) if len(drive.verdicts) else None,
        roles=tuple(name.rsplit('_', 1)[0] for name in drive.neuron_names))


def write_film(pictures: Iterator[np.ndarray], stem: Path) -> Path:
    """Write RGB pictures of one even size; LtcError when no format works or there are none."""
    first = next(pictures, None)
    if first is None:
        raise LtcError(f'no picture for {stem.name!r}: the bag holds no frame that can be read; '
                       'look at it with `ltc bag info`')
    size = first.shape[1], first.shape[0]
    for suffix, code in FORMATS:
        path = stem.with_suffix(suffix)
        writer = open_film(path, code=code, rate_hz=PICTURES_PER_SECOND, size=size)
        if writer.isOpened():
            break
    else:
        raise LtcError(f'OpenCV writes none of {[code for _, code in FORMATS]!r} here; install '
                       'opencv-python-headless as requirements/sim.txt pins it')
    writer.write(first[..., ::-1])
    for picture in pictures:
        writer.write(picture[..., ::-1])
    writer.release()
    return path
