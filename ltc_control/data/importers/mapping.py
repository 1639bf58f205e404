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
What the columns of a foreign table mean: a YAML file, validated as a whole before a row is read.

    image: {column: center}                      # frames: the file name of each row's picture
    time: {column: t, unit: s}                   # or format:, pattern:, rate_hz:
    steering: {column: steering, unit: share, full: 25 deg, positive: right}
    speed: {column: speed, unit: mph}
    wheelbase_m: 2.6

Exactly one of steering, curvature and yaw_rate, and one of speed and throttle. docs/importing.md
explains every key.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingLike
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.core.geometry import (
    command_from_twist,
    STANDSTILL_MPS,
    steering_from_curvature,
)
from ltc_control.data.importers.stamps import Clock, read_clock
from ltc_control.data.importers.table import Row
from ltc_control.data.importers.units import Quantity, read_quantity
import yaml

TURNS = ('steering', 'curvature', 'yaw_rate')
SPEEDS = ('speed', 'throttle')             # a measured speed is the better label
STAMPS = ('container', 'rows')             # whose time a video frame has
_KEYS = ('csv', 'columns', 'delimiter', 'image', 'cameras', 'time', 'received', *TURNS, *SPEEDS,
         'wheelbase_m', 'video', 'note')
_VIDEO_KEYS = ('stamps', 'offset_s', 'frame')


@dataclass(frozen=True)
class VideoTime:
    """
    When the frames of a video were taken.

    ``container``: as the file says, ``offset_s`` being the table's time at the video's zero.
    ``rows``: as the table says, row k for frame k, or for the frame that ``frame`` names.
    """

    stamps: str = 'container'
    offset_s: float = 0.0
    frame: str | None = None               # column with the frame's number, from 0 on


@dataclass(frozen=True)
class TableMapping:
    """What a table means; ``turn`` is its kind (one of TURNS) and its column."""

    time: Clock
    turn: tuple[str, Quantity]
    speed: Quantity
    received: Clock | None = None
    wheelbase_m: float = 2.6               # nominal, where curvature or yaw rate is given
    image: str | None = None
    cameras: tuple[tuple[str, str], ...] = ()      # further ones: (name, column)
    csv: str | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ','
    video: VideoTime = VideoTime()

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which nothing can be read."""
        more = [column for column in (self.image, self.video.frame) if column]
        clocks = [*self.time.columns, *(self.received.columns if self.received else ())]
        return tuple(dict.fromkeys([*clocks, *more, *(column for _, column in self.cameras),
                                    self.turn[1].column, self.speed.column]))

    def command(self, row: Row) -> tuple[float, float] | None:
        """
        Return (steering angle [rad] left positive, speed [m/s]) of a row.

        None where a yaw rate at standstill says nothing of steering.
        """
        kind, quantity = self.turn
        speed = row.value(self.speed.column) * self.speed.factor
        turn = row.value(quantity.column) * quantity.factor
        if kind == 'steering':
            return turn, speed
        if kind == 'yaw_rate':
            if abs(speed) <= STANDSTILL_MPS:
                return None
            turn = command_from_twist(stamp_ns=0, speed=speed, yaw_rate=turn).curvature
        return steering_from_curvature(turn, wheelbase=self.wheelbase_m), speed


def load_mapping(path: Path) -> TableMapping:
    """Read a mapping file; ConfigError says which entry cannot be used, and why."""
    try:
        values = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'cannot read the mapping {str(path)!r}: {error}') from error
    if not isinstance(values, dict):
        raise ConfigError(f'the mapping {str(path)!r} holds {type(values).__name__}, not '
                          'settings by name')
    return mapping_from_dict(values, where=str(path))


def mapping_from_dict(values: MappingLike[str, Any], *, where: str) -> TableMapping:
    """Return the mapping of plain values; ConfigError as :func:`load_mapping`."""
    if unknown := sorted(set(values) - set(_KEYS)):
        raise ConfigError(f'{where}: unknown keys {unknown!r}; known are {list(_KEYS)!r}')
    if 'time' not in values:
        raise ConfigError(f'{where}: no time; give `time: {{column: NAME, unit: s}}` or '
                          '`time: {rate_hz: 30}`')
    if not isinstance(values.get('columns', []), list):
        raise ConfigError(f'{where}: columns is {values["columns"]!r}; give a list of names')
    turn, speed = _only(TURNS, values, where), _first(SPEEDS, values, where)
    received = values.get('received')
    wheelbase = _positive('wheelbase_m', values.get('wheelbase_m', 2.6), where)
    if turn == 'steering' and 'wheelbase_m' not in values:
        raise ConfigError(f'{where}: a steering angle needs wheelbase_m [m] for its curvature')
    return TableMapping(
        time=read_clock(values['time'], where=f'{where}: time'),
        turn=(turn, read_quantity(turn, values[turn], where=f'{where}: {turn}')),
        speed=read_quantity('speed', values[speed], where=f'{where}: {speed}'),
        received=None if received is None else read_clock(received, where=f'{where}: received'),
        wheelbase_m=wheelbase, image=_column('image', values.get('image'), where),
        cameras=tuple((name, str(_column(f'cameras.{name}', entry, where)))
                      for name, entry in (values.get('cameras') or {}).items()),
        csv=values.get('csv'), columns=tuple(values.get('columns', ())),
        delimiter=str(values.get('delimiter', ',')), video=_video(values.get('video'), where))


def _only(names: tuple[str, ...], values: MappingLike[str, Any], where: str) -> str:
    found = [name for name in names if name in values]
    if len(found) != 1:
        raise ConfigError(f'{where}: {found or "none"} of {list(names)!r} given; give exactly '
                          'one')
    return found[0]


def _first(names: tuple[str, ...], values: MappingLike[str, Any], where: str) -> str:
    for name in names:
        if name in values:
            return name
    raise ConfigError(f'{where}: none of {list(names)!r} given; give one')


def _positive(name: str, value: Any, where: str) -> float:
    if not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f'{where}: {name} is {value!r}; give a number above 0')
    return float(value)


def _column(name: str, entry: Any, where: str) -> str | None:
    if entry is None:
        return None
    if not isinstance(entry, MappingLike) or set(entry) != {'column'}:
        raise ConfigError(f'{where}: {name} is {entry!r}; give `{{column: NAME}}`')
    return str(entry['column'])


def _video(values: Any, where: str) -> VideoTime:
    if values is None:
        return VideoTime()
    if not isinstance(values, MappingLike) or set(values) - set(_VIDEO_KEYS):
        raise ConfigError(f'{where}: video is {values!r}; known keys are {list(_VIDEO_KEYS)!r}')
    video = VideoTime(**values)
    if video.stamps not in STAMPS or not isinstance(video.offset_s, int | float):
        raise ConfigError(f'{where}: video is {values!r}; stamps is one of {list(STAMPS)!r}, '
                          'offset_s a number of seconds')
    if video.stamps == 'container' and video.frame is not None:
        raise ConfigError(f'{where}: video.frame needs `stamps: rows`')
    return video
