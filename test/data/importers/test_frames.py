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
"""A folder of pictures and its bag say the same, checked against the table itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
import math
from pathlib import Path
from typing import Any

import cv2
from ltc_control.core.errors import BagError, ConfigError, LtcError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.data.bags import read_attributes
from ltc_control.data.episodes import read_episode
from ltc_control.data.importers import import_frames
from ltc_control.data.recording import Recording
import numpy as np
import pytest
import yaml

UDACITY = Path(__file__).parents[3] / 'config' / 'import' / 'udacity.yaml'
STAMPS_MS = (13_000, 13_077, 13_140, 13_810, 13_870)     # a gap of 0.67 s
STEERING = (0.0, 0.5, -1.0, 0.25, 1.0)
SPEED_MPH = (0.0, 10.0, 20.0, 30.0, 5.5)


def name_of(camera: str, ms: int) -> str:
    return f'{camera}_2016_12_01_13_30_{ms // 1000:02d}_{ms % 1000:03d}.jpg'


@pytest.fixture
def udacity(tmp_path: Path) -> Path:
    """Return a drive as the simulator leaves it: no header, another machine's paths."""
    folder = tmp_path / 'drive'
    (folder / 'IMG').mkdir(parents=True)
    lines = []
    for k, ms in enumerate(STAMPS_MS):
        cells = []
        for camera in ('center', 'left', 'right'):
            picture = np.full((8, 16, 3), 20 * k + len(camera), np.uint8)
            cv2.imwrite(str(folder / 'IMG' / name_of(camera, ms)), picture)
            cells.append(f'C:\\Users\\me\\drive\\IMG\\{name_of(camera, ms)}')
        lines.append(', '.join([*cells, str(STEERING[k]), '0.3', '0', str(SPEED_MPH[k])]))
    (folder / 'driving_log.csv').write_text('\n'.join(lines) + '\n')
    return folder


def said(bag: Path) -> dict[str, list[tuple[int, int, Any]]]:
    """Return (header stamp, receive time, message) of each topic."""
    found: dict[str, list[tuple[int, int, Any]]] = {}
    with Recording(bag) as recording:
        for topic, log_ns, message in recording.messages(list(recording.types)):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            found.setdefault(topic, []).append((stamp, log_ns, message))
    return found


def test_udacity_columns_units_signs_and_stamps(udacity: Path, tmp_path: Path) -> None:
    done = import_frames(udacity, tmp_path / 'bag', mapping=UDACITY)
    assert (done.frames, done.gaps, done.without_label) == (5, 1, 0)
    assert done.seconds == pytest.approx(0.87)
    found = said(tmp_path / 'bag')
    noon = datetime(2016, 12, 1, 13, 30, tzinfo=timezone.utc).timestamp()
    for topic, camera in (('/camera/image_raw/compressed', 'center'),
                          ('/camera_left/image_raw/compressed', 'left'),
                          ('/camera_right/image_raw/compressed', 'right')):
        assert [stamp for stamp, _, _ in found[topic]] == [
            round(noon) * 10**9 + ms * 10**6 for ms in STAMPS_MS]
        for (_, _, message), ms in zip(found[topic], STAMPS_MS, strict=True):
            original = (udacity / 'IMG' / name_of(camera, ms)).read_bytes()
            assert bytes(message.data) == original
    for (_, _, message), share, mph in zip(found['/command'], STEERING, SPEED_MPH, strict=True):
        # full lock is 25 degrees to the right; 1 mph is 1609.344 m in 3600 s
        assert message.drive.steering_angle == pytest.approx(-math.radians(25 * share), abs=1e-6)
        assert message.drive.speed == pytest.approx(mph * 1609.344 / 3600, abs=1e-5)
    assert float(read_attributes(tmp_path / 'bag')['wheelbase_m']) == 2.6


def test_the_bag_can_be_learned_from_without_a_word(udacity: Path, tmp_path: Path) -> None:
    import_frames(udacity, tmp_path / 'bag', mapping=UDACITY)
    episode = read_episode(tmp_path / 'bag', image=ImageSpec(8, 16), imu=ImuSpec())
    assert episode.valid.all()
    assert episode.fresh.tolist() == [True, False, False, True, False]
    assert episode.dt[[1, 2, 4]] == pytest.approx([0.077, 0.063, 0.060])
    expected = [-math.tan(math.radians(25 * share)) / 2.6 for share in STEERING]
    assert episode.commands[:, 0] == pytest.approx(expected, abs=1e-6)
    # standing still at first, it still tells how it steers; pictures are those of the centre
    assert [int(image.mean()) for image in episode.images] == [20 * k + 6 for k in range(5)]


def test_a_header_line_is_recognised(udacity: Path, tmp_path: Path) -> None:
    table = udacity / 'driving_log.csv'
    table.write_text('center,left,right,steering,throttle,brake,speed\n' + table.read_text())
    assert import_frames(udacity, tmp_path / 'bag', mapping=UDACITY).frames == 5


MAPPING = {'image': {'column': 'file'}, 'time': {'column': 't', 'unit': 's'},
           'steering': {'column': 'wheel', 'unit': 'deg', 'ratio': 16.0},
           'speed': {'column': 'v', 'unit': 'km/h'}, 'wheelbase_m': 2.9}
ROWS = [('0.5', '-32', '36'), ('0.533', '16', '18'), ('0.60', '0', '7.2')]


class Drive:
    """A small folder with a table of one's own, and what to spoil in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.mapping, self.header = folder, dict(MAPPING), ['file', 't', 'wheel', 'v']
        self.rows = [[f'{k}.png', *row] for k, row in enumerate(ROWS)]

    def __call__(self, out: Path, **options: Any) -> Any:
        self.folder.mkdir(exist_ok=True)
        for k in range(len(ROWS)):
            if not (self.folder / f'{k}.gone').exists():
                cv2.imwrite(str(self.folder / f'{k}.png'), np.full((4, 6, 3), 40 * k, np.uint8))
        (self.folder / 'log.csv').write_text(
            '\n'.join(','.join(map(str, row)) for row in [self.header, *self.rows]))
        path = self.folder / 'map.yaml'
        path.write_text(yaml.safe_dump(self.mapping))
        return import_frames(self.folder, out, mapping=path, **options)


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path / 'drive')


def test_a_steering_wheel_in_degrees_and_a_speed_in_kilometres(drive: Drive,
                                                               tmp_path: Path) -> None:
    drive(tmp_path / 'bag')
    found = said(tmp_path / 'bag')
    assert [stamp for stamp, _, _ in found['/command']] == [500_000_000, 533_000_000, 600_000_000]
    drives = [message.drive for _, _, message in found['/command']]
    assert [one.steering_angle for one in drives] == pytest.approx(
        [math.radians(-2), math.radians(1), 0.0])
    assert [one.speed for one in drives] == pytest.approx([10.0, 5.0, 2.0])
    twists = [message.twist for _, _, message in found['/cmd_vel']]
    assert twists[0].angular.z == pytest.approx(10 * math.tan(math.radians(-2)) / 2.9)


def test_stamps_keep_their_nanoseconds_and_receive_times_stay_apart(drive: Drive,
                                                                    tmp_path: Path) -> None:
    drive.mapping |= {'time': {'column': 't', 'unit': 'ms'},
                      'received': {'column': 'got', 'unit': 'ns'}}
    drive.header.append('got')
    stamps = [1_479_424_215_880_976_321, 1_479_424_215_914_000_001, 1_479_424_216_000_000_009]
    for row, stamp in zip(drive.rows, stamps, strict=True):
        row[1] = f'{stamp // 10**6}.{stamp % 10**6:06d}'
        row.append(str(stamp + 7_000_001))
    drive(tmp_path / 'bag')
    for topic in ('/camera/image_raw/compressed', '/command', '/cmd_vel'):
        assert [(stamp, log) for stamp, log, _ in said(tmp_path / 'bag')[topic]] == [
            (stamp, stamp + 7_000_001) for stamp in stamps]


@pytest.mark.parametrize(('time', 'cells', 'expected_ns'), [
    ({'rate_hz': 20}, ['x', 'x', 'x'], [0, 50_000_000, 100_000_000]),
    ({'column': 't', 'unit': 'us'}, ['5', '1e3', '2000.5'], [5_000, 1_000_000, 2_000_500]),
    ({'column': 't', 'format': 'iso'},
     ['1970-01-01T00:00:01', '1970-01-01T00:00:01.5+00:00', '1970-01-01T02:00:02+02:00'],
     [1_000_000_000, 1_500_000_000, 2_000_000_000])])
def test_ways_to_say_the_time(drive: Drive, tmp_path: Path, time: dict[str, Any],
                              cells: list[str], expected_ns: list[int]) -> None:
    drive.mapping['time'] = time
    for row, cell in zip(drive.rows, cells, strict=True):
        row[1] = cell
    drive(tmp_path / 'bag')
    assert [stamp for stamp, _, _ in said(tmp_path / 'bag')['/command']] == expected_ns


@pytest.mark.parametrize(('turn', 'cells', 'expected'), [
    ({'curvature': {'column': 'wheel', 'unit': '1/m', 'positive': 'right'}},
     ['0.1', '0', '-0.05'], [-0.1, 0.0, 0.05]),
    ({'yaw_rate': {'column': 'wheel', 'unit': 'deg/s'}}, ['18', '-9', '3.6'],
     [math.pi / 100, -math.pi / 100, math.pi / 100]),
    ({'steering': {'column': 'wheel', 'unit': 'percent', 'full': '0.5 rad'}},
     ['100', '-50', '0'], [math.tan(0.5) / 2.9, -math.tan(0.25) / 2.9, 0.0])])
def test_ways_to_say_the_turn(drive: Drive, tmp_path: Path, turn: dict[str, Any],
                              cells: list[str], expected: list[float]) -> None:
    del drive.mapping['steering']
    drive.mapping |= turn
    for row, cell in zip(drive.rows, cells, strict=True):
        row[2] = cell
    drive(tmp_path / 'bag')
    episode = read_episode(tmp_path / 'bag', image=ImageSpec(4, 6), imu=ImuSpec())
    assert episode.commands[:, 0] == pytest.approx(expected, abs=1e-6)


def test_a_yaw_rate_at_a_standstill_is_no_label(drive: Drive, tmp_path: Path) -> None:
    del drive.mapping['steering']
    drive.mapping['yaw_rate'] = {'column': 'wheel', 'unit': 'deg/s'}
    drive.rows[1][3] = '0.0'
    assert drive(tmp_path / 'bag').without_label == 1
    assert len(said(tmp_path / 'bag')['/command']) == 2


def mapping(**changes: Any) -> Callable[[Drive], None]:
    def spoil(drive: Drive) -> None:
        drive.mapping = {k: v for k, v in (drive.mapping | changes).items() if v is not None}
    return spoil


def cell(row: int, column: int, text: str) -> Callable[[Drive], None]:
    def spoil(drive: Drive) -> None:
        drive.rows[row][column] = text
    return spoil


def lose_picture(drive: Drive) -> None:
    drive.folder.mkdir()
    (drive.folder / '1.gone').touch()


def cut_picture(drive: Drive) -> None:
    lose_picture(drive)
    (drive.folder / '1.png').write_bytes(b'\x89PNG\r\n')


def rename_column(drive: Drive) -> None:
    drive.header[2] = 'steer'


def cut_row(drive: Drive) -> None:
    del drive.rows[2][2:]


def empty(drive: Drive) -> None:
    drive.rows.clear()


@pytest.mark.parametrize(('spoil', 'message'), [
    (rename_column, r"no column 'wheel'; found \['file', 't', 'steer', 'v'\]"),
    (lose_picture, r"row 2 \(line 3\) .*the image '1\.png' is neither in"),
    (cut_picture, r"row 2 \(line 3\) .*1\.png' cannot be read"),
    (cell(2, 1, '0.533'), r'row 3 \(line 4\) .*0\.533000 s is not later than 0\.533000 s'),
    (cell(1, 1, '0.4'), r'row 2 .*0\.400000 s is not later than 0\.500000 s'),
    (cell(1, 1, 'noon'), r"row 2 .*t is 'noon', not a time in s"),
    (cell(1, 1, 'nan'), r"row 2 .*t is 'nan', not a time"),
    (cell(1, 1, '-3'), r"row 2 .*t is '-3', a time below 0"),
    (cell(1, 2, ''), r"row 2 .*wheel is '', not a finite number"),
    (cell(1, 3, 'inf'), r"row 2 .*v is 'inf', not a finite number"),
    (cell(0, 2, '1500'), r'row 1 .*the wheels would stand at 94 deg; check the unit'),
    (cell(0, 0, 'a.bmp'), r"row 1 .*'a\.bmp'; pictures are"),
    (cut_row, r'row 3 \(line 4\) .*has 2 cells'),
    (empty, '0 frames and 0 commands'),
    (mapping(sped=1), r"unknown keys \['sped'\]; known are"),
    (mapping(time=None), 'no time; give'),
    (mapping(image=None), 'names no image column'),
    (mapping(speed=None), r"none of \['speed', 'throttle'\] given"),
    (mapping(curvature={'column': 'wheel', 'unit': '1/m'}), 'give exactly one'),
    (mapping(wheelbase_m=None), 'needs wheelbase_m'),
    (mapping(speed={'column': 'v', 'unit': 'furlong'}), r"unknown unit 'furlong'; use one of"),
    (mapping(speed={'column': 'v', 'unit': 'share'}), r'needs its full value.*full: 5 m/s'),
    (mapping(speed={'column': 'v', 'unit': 'share', 'full': '5 deg'}), "full is '5 deg'"),
    (mapping(steering={'column': 'wheel', 'unit': 'deg', 'positive': 'up'}), "positive is 'up'"),
    (mapping(time={'column': 't', 'unit': 'fortnight'}), "unknown unit 'fortnight'"),
    (mapping(time={'column': 't'}), 'with a unit or a format, or rate_hz alone'),
    (mapping(time={'column': 't', 'unit': 's', 'pattern': '[0-9]+'}), 'has no group'),
    (mapping(columns='file'), r"columns is 'file'; give a list"),
    (mapping(csv='none.csv'), None)])
def test_what_cannot_be_is_named_and_leaves_no_bag(spoil: Callable[[Drive], None],
                                                   message: str | None, drive: Drive,
                                                   tmp_path: Path) -> None:
    spoil(drive)
    if message is None:                    # another name than the mapping's, but the only table
        assert drive(tmp_path / 'bag').frames == 3
        return
    with pytest.raises(LtcError, match=message):
        drive(tmp_path / 'bag')
    assert [entry.name for entry in tmp_path.iterdir()] == ['drive']


def test_refusals(drive: Drive, tmp_path: Path) -> None:
    drive(tmp_path / 'bag')
    with pytest.raises(BagError, match='exists already'):
        drive(tmp_path / 'bag')
    with pytest.raises(LtcError, match='is not a folder'):
        import_frames(tmp_path / 'none', tmp_path / 'b', mapping=drive.folder / 'map.yaml')
    with pytest.raises(ConfigError, match='cannot read the mapping'):
        import_frames(drive.folder, tmp_path / 'b', mapping=drive.folder / 'none.yaml')
    (drive.folder / 'second.csv').touch()
    with pytest.raises(LtcError, match=r"\['log.csv', 'second.csv'\].*--csv"):
        drive(tmp_path / 'b')
    assert drive(tmp_path / 'b', csv=drive.folder / 'log.csv').frames == 3
