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
A Donkey-car tub (format 2) -> rosbag2, with its true uneven stamps and REP-103 signs.

What goes where, at the stamp of the record:

| tub                          | topic                         | message                         |
|------------------------------|-------------------------------|---------------------------------|
| ``cam/image_array``          | /camera/image_raw/compressed  | CompressedImage, bytes as given |
| ``user/angle``, ``throttle`` | /command, the label           | AckermannDriveStamped           |
| the same                     | /cmd_vel                      | TwistStamped                    |
| ``imu/acl_*``, ``imu/gyr_*`` | /imu/data                     | Imu [m/s^2], [rad/s]            |

A tub holds what the driver asked for, not what the car did: ``angle`` in -1 .. 1, positive right,
is taken as a share of the largest steering angle, ``throttle`` as a share of a nominal top speed.
Both belong to the car (``TubCar``) and are not measured by the tub. The label is an Ackermann
command because a twist loses the steering wherever the throttle is zero.

Format: https://github.com/autorope/donkeycar/blob/main/donkeycar/parts/datastore_v2.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import json
import math
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError, ImageError, TubError
from ltc_control.core.geometry import curvature_from_steering
from ltc_control.core.imaging import decode_compressed
from ltc_control.data.bags import CMD_VEL_TOPIC, EpisodeWriter, IMU_TOPIC
import numpy as np

IMAGE_TOPIC = '/camera/image_raw/compressed'
COMMAND_TOPIC = '/command'

_GAP_S = 0.5                               # reported beyond it
_GYRO = ('imu/gyr_x', 'imu/gyr_y', 'imu/gyr_z')
_ACCEL = ('imu/acl_x', 'imu/acl_y', 'imu/acl_z')


@dataclass(frozen=True)
class TubCar:
    """What a tub does not say of its car; the defaults fit a 1:10 to 1:16 model roughly."""

    max_steering_rad: float = 0.35         # at |angle| = 1
    wheelbase_m: float = 0.25
    top_speed_m_s: float = 2.0             # at throttle 1

    def __post_init__(self) -> None:
        if not (0 < self.max_steering_rad < math.pi / 2 and self.wheelbase_m > 0
                and self.top_speed_m_s > 0):
            raise ConfigError(f'a car that cannot be: {self!r}; give a steering angle in '
                              '(0, pi/2) rad, a wheelbase and a top speed above 0')


@dataclass(frozen=True)
class TubImport:
    """What was imported."""

    bag: Path
    frames: int
    seconds: float
    gaps: int                              # intervals longer than 0.5 s
    deleted: int                           # records that the manifest marks as deleted
    without_label: int                     # records that a pilot drove
    without_imu: int


@dataclass(frozen=True)
class _Record:
    index: int
    stamp_ns: int
    jpeg: bytes
    angle: float | None                    # None: not driven by a person
    throttle: float
    imu: tuple[np.ndarray, np.ndarray] | None      # [rad/s], [m/s^2]


def import_tub(tub: Path | str, out: Path | str, *, car: TubCar | None = None,
               advance: Callable[..., None] = lambda text: None) -> TubImport:
    """
    Write the tub into the new bag folder ``out``; ``advance`` is called after each record.

    Raises TubError naming file, line and record for whatever is missing or broken, and BagError
    when ``out`` exists. Nothing is left of a failed import.
    """
    tub, car = Path(tub), car or TubCar()
    manifest = _manifest(tub)
    attributes = {'source': f'donkey tub {tub.resolve().name}', 'driver': 'person',
                  'wheelbase_m': repr(car.wheelbase_m),
                  'max_steering_rad': repr(car.max_steering_rad),
                  'top_speed_m_s': repr(car.top_speed_m_s)}
    stamps: list[int] = []
    without_label = without_imu = 0
    with EpisodeWriter(out, attributes=attributes) as bag:
        for record in _records(tub, manifest):
            if stamps and record.stamp_ns < stamps[-1]:
                raise TubError(f'record {record.index} of {str(tub)!r} is '
                               f'{(stamps[-1] - record.stamp_ns) / 1e9:.3f} s before the one '
                               'before it: the clock was set; delete the records of one side '
                               'with the tub manager')
            stamps.append(record.stamp_ns)
            without_label += record.angle is None
            without_imu += record.imu is None
            _write(bag, record, car)
            advance(f'{len(stamps)} records')
        if not stamps:
            raise TubError(f'{str(tub)!r} holds no records that are not deleted; there is '
                           'nothing to import')
    gaps = int((np.diff(stamps) > _GAP_S * 1e9).sum())
    return TubImport(Path(out), len(stamps), (stamps[-1] - stamps[0]) / 1e9, gaps,
                     len(manifest.deleted), without_label, without_imu)


def _write(bag: EpisodeWriter, record: _Record, car: TubCar) -> None:
    stamp_ns = record.stamp_ns
    if record.imu is not None:
        bag.imu(IMU_TOPIC, stamp_ns, *record.imu)
    bag.compressed_image(IMAGE_TOPIC, stamp_ns, record.jpeg)
    if record.angle is not None:
        steering = -record.angle * car.max_steering_rad        # positive right -> positive left
        speed = record.throttle * car.top_speed_m_s
        curvature = curvature_from_steering(steering, wheelbase=car.wheelbase_m)
        bag.ackermann(COMMAND_TOPIC, stamp_ns, speed=speed, steering_angle=steering)
        bag.twist(CMD_VEL_TOPIC, stamp_ns, (speed, speed * curvature))


@dataclass(frozen=True)
class _Manifest:
    catalogs: tuple[str, ...]
    deleted: frozenset[int]
    has_imu: bool


def _manifest(tub: Path) -> _Manifest:
    path = tub / 'manifest.json'
    if not path.is_file():
        older = any(tub.glob('record_*.json'))
        raise TubError(f'{str(tub)!r} has no manifest.json'
                       + ('; it is of format 1, convert it with `donkey convert_to_tub_v2`'
                          if older else '; give the folder of a format 2 tub'))
    try:
        lines = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
        inputs, catalogs = list(lines[0]), [str(name) for name in lines[4]['paths']]
        deleted = frozenset(int(index) for index in lines[4].get('deleted_indexes', []))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise TubError(f'{str(path)!r} is not the manifest of a format 2 tub ({error!r}); it has '
                       'five lines of JSON, the last with paths and deleted_indexes') from error
    for name in ('cam/image_array', 'user/angle', 'user/throttle'):
        if name not in inputs:
            raise TubError(f'{str(path)!r} records {inputs!r}; {name!r} is needed, record with '
                           'camera and user steering')
    return _Manifest(tuple(catalogs), deleted, {*_GYRO, *_ACCEL} <= set(inputs))


def _records(tub: Path, manifest: _Manifest) -> Iterator[_Record]:
    for name in manifest.catalogs:
        path = tub / name
        if not path.is_file():
            raise TubError(f'{str(path)!r} is missing, the manifest names it; copy the whole tub, '
                           'or take it out of paths in manifest.json')
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                index = int(values['_index'])
            except (ValueError, KeyError, TypeError) as error:
                raise TubError(f'line {number} of {str(path)!r} is not a record ({error!r}): '
                               f'{line[:60]!r}; remove the line') from error
            if index not in manifest.deleted:
                yield _record(tub, values, index, manifest.has_imu, where=f'{name}:{number}')


def _record(tub: Path, values: dict[str, Any], index: int, has_imu: bool, *,
            where: str) -> _Record:
    try:
        stamp_ns = int(values['_timestamp_ms']) * 1_000_000
        image_name = str(values['cam/image_array'])
        angle, throttle = float(values['user/angle']), float(values['user/throttle'])
    except (KeyError, TypeError, ValueError) as error:
        raise TubError(f'record {index} ({where}) of {str(tub)!r} lacks a value ({error!r}); '
                       'delete it with the tub manager') from error
    if not (math.isfinite(throttle) and -1.0 <= angle <= 1.0):
        raise TubError(f'record {index} ({where}) of {str(tub)!r} has angle {angle!r} and '
                       f'throttle {throttle!r}; angles lie in [-1, 1], delete the record')
    person = values.get('user/mode', 'user') == 'user'
    return _Record(index, stamp_ns, _jpeg(tub, image_name, index, where),
                   angle if person else None, throttle, _imu(values) if has_imu else None)


def _jpeg(tub: Path, name: str, index: int, where: str) -> bytes:
    path = tub / 'images' / name
    try:
        data = path.read_bytes()
        decode_compressed(data)
    except OSError as error:
        raise TubError(f'record {index} ({where}) names the image {str(path)!r}, which cannot be '
                       f'read ({error.strerror}); copy the whole tub, or delete the record with '
                       'the tub manager') from error
    except ImageError as error:
        raise TubError(f'record {index} ({where}): {str(path)!r}: {error}; delete the record '
                       'with the tub manager') from error
    return data


def _imu(values: dict[str, Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (gyro [rad/s], accelerometer [m/s^2]), None where a value is not a number."""
    try:
        gyro = np.radians([float(values[name]) for name in _GYRO])
        accel = np.array([float(values[name]) for name in _ACCEL])
    except (KeyError, TypeError, ValueError):
        return None
    return (gyro, accel) if np.isfinite([*gyro, *accel]).all() else None
