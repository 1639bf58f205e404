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
"""A video with a table of what was steered: frames by the container's clock or by the table's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import heapq
from pathlib import Path

import cv2
from ltc_control.core.errors import ConfigError
from ltc_control.data.importers.door import (
    Format,
    Imported,
    Option,
    Progress,
    register,
    silent,
    SourceError,
)
from ltc_control.data.importers.mapping import load_mapping, TableMapping
from ltc_control.data.importers.moments import Moment, Picture, write_drive
from ltc_control.data.importers.table import read_rows, Row
import numpy as np

LOSSLESS = 0                               # quality that stands for PNG


def import_video(source: Path | str, out: Path | str, *, mapping: Path | TableMapping, csv: Path,
                 quality: int = 95, progress: Progress = silent) -> Imported:
    """
    Write the video ``source`` and the table ``csv`` into the new bag ``out``.

    Frames are stored as JPEG of ``quality`` (1 to 100), or as PNG for 0. Raises ConfigError for
    options that cannot be, SourceError naming row or frame, BagError when ``out`` exists.
    """
    video = Path(source)
    mapping = mapping if isinstance(mapping, TableMapping) else load_mapping(mapping)
    if not 0 <= quality <= 100:
        raise ConfigError(f'quality is {quality!r}; give 1 to 100 for JPEG, 0 for PNG')
    table = Path(csv)
    with progress('importing frames', total=_frame_count(video)) as advance:
        moments = (_by_rows(video, table, mapping, quality) if mapping.video.stamps == 'rows'
                   else _by_container(video, table, mapping, quality))
        return write_drive(moments, out, advance=advance, wheelbase_m=mapping.wheelbase_m,
                           attributes={'source': f'video {video.name}, table {table.name}'})


def _by_container(video: Path, table: Path, mapping: TableMapping,
                  quality: int) -> Iterator[Moment]:
    """Yield frames and commands, each at its own time."""
    offset_ns = round(mapping.video.offset_s * 1e9)
    frames = (Moment(offset_ns + pts_ns, f'frame {number} of {str(video)!r}',
                     (_picture(bgr, quality),), commanded=False)
              for number, pts_ns, bgr in _frames(video))
    commands = (_moment(row, mapping) for row in _rows(table, mapping))
    yield from heapq.merge(commands, frames, key=lambda moment: moment.stamp_ns)


def _by_rows(video: Path, table: Path, mapping: TableMapping, quality: int) -> Iterator[Moment]:
    """Yield one moment a row, with the frame that belongs to it."""
    frames, rows = _frames(video), _rows(table, mapping)
    at, last = -1, -1
    for row in rows:
        wanted = row.number - 1 if mapping.video.frame is None else _number(row, mapping)
        if wanted <= last:
            raise SourceError(f'{row.where}: frame {wanted} does not come after frame {last}')
        last = wanted
        for at, _, bgr in frames:
            if at == wanted:
                yield replace(_moment(row, mapping), pictures=(_picture(bgr, quality),))
                break
        else:
            raise SourceError(f'{row.where} belongs to frame {wanted}, but {str(video)!r} ends '
                              f'after frame {at}; is it the table of this video?')
    if mapping.video.frame is None and next(frames, None) is not None:
        raise SourceError(f'{str(video)!r} goes on after the {last + 1} rows of {str(table)!r}; '
                          'name the column of frame numbers with `video: {frame: NAME}`')


def _rows(table: Path, mapping: TableMapping) -> Iterator[Row]:
    return read_rows(table, needed=mapping.needed, names=mapping.columns,
                     delimiter=mapping.delimiter)


def _moment(row: Row, mapping: TableMapping) -> Moment:
    command = mapping.command(row)
    steering, speed = (None, 0.0) if command is None else command
    received = None if mapping.received is None else mapping.received.stamp_ns(row)
    return Moment(mapping.time.stamp_ns(row), row.where, (), steering, speed, received)


def _number(row: Row, mapping: TableMapping) -> int:
    column = str(mapping.video.frame)
    number = row.value(column)
    if number != int(number) or number < 0:
        raise SourceError(f'{row.where}: {column} is {row[column]!r}; frames count 0, 1, 2 ...')
    return int(number)


def _open(video: Path) -> cv2.VideoCapture:
    if not video.is_file():
        raise SourceError(f'no video {str(video)!r}; give a file')
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(f'{str(video)!r} is no video that can be decoded; convert it with '
                          '`ffmpeg -i VIDEO -c:v libx264 -vsync passthrough drive.mp4`')
    return capture


def _frame_count(video: Path) -> int:
    capture = _open(video)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    return max(count, 0)


def _frames(video: Path) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (number, presentation time [ns], (H, W, 3) BGR) of each frame, one at a time."""
    capture, number = _open(video), 0
    try:
        while True:
            there, bgr = capture.read()
            if not there:
                return
            # the time of the frame just read, in milliseconds
            yield number, round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6), bgr
            number += 1
    finally:
        capture.release()


def _picture(bgr: np.ndarray, quality: int) -> Picture:
    if quality == LOSSLESS:
        _, data = cv2.imencode('.png', bgr)
        return Picture(data.tobytes(), 'png')
    _, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return Picture(data.tobytes(), 'jpeg')


VIDEO = register(Format(
    'video', 'a video with a CSV', 'video file',
    'ltc import video drive.mp4 drive_bag --csv log.csv --mapping map.yaml', import_video, (
        Option('mapping', 'YAML file, or the name of a preset, that says what the columns mean',
               metavar='FILE', required=True),
        Option('csv', 'the table of commands', Path, metavar='FILE', required=True),
        Option('quality', 'JPEG quality 1 to 100 of the stored frames, 0 for PNG (default 95)',
               int, 95, metavar='N'))))
