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
A bag as files that anything reads: the frames as pictures, every other topic as a CSV.

``frames/`` holds the pictures of the camera named by their stamps, ``frames.csv`` which is which;
other image topics have folders of their own. A topic ``/policy/command`` becomes
``policy_command.csv``. Each row has the header stamp and the receive
time. Lists (of a JointState, of diagnostics) stand in their cell as JSON; covariances are left
out. Numbers are written so that they read back to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
import csv
from dataclasses import dataclass, fields, is_dataclass
import json
from pathlib import Path
from typing import Any, TextIO

import cv2
from ltc_control.core.errors import BagError, ConfigError, ImageError
from ltc_control.data.bag_camera import cameras_of, IMAGES, pixels
from ltc_control.data.raw import RawMessage, RawRecording
import numpy as np

FORMATS = ('png', 'jpg')
JPEG_QUALITY = 95


@dataclass(frozen=True)
class Export:
    """What was written into ``folder``; ``rows`` by the name of the CSV."""

    folder: Path
    frames: int
    unreadable: int
    rows: dict[str, int]


def export(source: Path | str, out: Path | str, *, image_format: str = 'png',
           advance: Callable[..., None] | None = None) -> Export:
    """Write ``source`` as pictures and CSV files into the new folder ``out``; BagError else."""
    out = Path(out)
    if image_format not in FORMATS:
        raise ConfigError(f'pictures are written as {" or ".join(FORMATS)}, got {image_format!r}')
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BagError(f'{str(out)!r} exists already; remove it or name another folder')
    with RawRecording(source) as recording, ExitStack() as stack:
        out.mkdir(parents=True, exist_ok=True)
        writer = _Writer(recording, out, stack, image_format)
        for message in recording.raw():
            writer.write(message)
            if advance is not None:
                advance()
        return Export(out, writer.frames, writer.unreadable, writer.rows)


class _Writer:
    """One table a topic, opened when its first message comes."""

    def __init__(self, recording: RawRecording, out: Path, stack: ExitStack,
                 image_format: str) -> None:
        self._recording, self._out, self._stack = recording, out, stack
        self._format = image_format
        self._tables: dict[str, Any] = {}
        self._cameras = sorted(topic for topic, name in recording.types.items()
                               if name in IMAGES)
        self._main = next(iter(cameras_of(recording.types)), '')
        self.frames = self.unreadable = 0
        self.rows: dict[str, int] = {}

    def write(self, message: RawMessage) -> None:
        """Write one message to where it belongs."""
        decoded: Any = self._recording.decode(message)
        times = {'stamp_ns': message.time_ns, 'received_ns': message.received_ns}
        if message.topic not in self._cameras:
            values = dict(_flat(decoded))
            self._row(message.topic, _name(message.topic), {**times, **values})
            return
        try:
            file = self._picture(message, pixels(decoded))
        except ImageError:
            self.unreadable += 1
            return
        self._row(message.topic, self._folder(message.topic), {'file': file, **times})

    def _folder(self, topic: str) -> str:
        return 'frames' if topic == self._main else f'frames_{_name(topic)}'

    def _picture(self, message: RawMessage, rgb: np.ndarray) -> str:
        folder = self._folder(message.topic)
        number = self.rows.get(f'{folder}.csv', 0)
        file = f'{folder}/{number:06d}_{message.time_ns}.{self._format}'
        path = self._out / file
        path.parent.mkdir(exist_ok=True)
        options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if self._format == 'jpg' else []
        if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options):
            raise BagError(f'{str(path)!r} cannot be written; is the disk full?')
        self.frames += 1
        return file

    def _row(self, topic: str, name: str, values: dict[str, Any]) -> None:
        if topic not in self._tables:
            stream: TextIO = self._stack.enter_context(
                (self._out / f'{name}.csv').open('x', newline='', encoding='utf-8'))
            self._tables[topic] = csv.DictWriter(stream, list(values))
            self._tables[topic].writeheader()
        self._tables[topic].writerow(values)
        self.rows[f'{name}.csv'] = self.rows.get(f'{name}.csv', 0) + 1


def _name(topic: str) -> str:
    return topic.strip('/').replace('/', '_') or 'topic'


def _flat(message: Any, prefix: str = '') -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, value) of every field but the header's stamp and covariances."""
    for name, value in _named(message):
        path = f'{prefix}{name}'
        if name.endswith('covariance'):
            continue
        if path == 'header':
            yield 'frame_id', value.frame_id
        elif is_dataclass(value):
            yield from _flat(value, f'{path}.')
        else:
            yield path, _cell(value)


def _named(message: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a message, without the constants of its type."""
    for field in fields(message):
        if not field.name.isupper() and not field.name.startswith('__'):
            yield field.name, getattr(message, field.name)


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return repr(value)
    return json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {name: _plain(item) for name, item in _named(value)}
    return value.item() if isinstance(value, np.generic) else value
