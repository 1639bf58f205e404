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
"""A tub and its bag say the same, checked against the raw JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
from ltc_control.core.errors import BagError, ConfigError, TubError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.data.episodes import read_episode
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.data.tub import import_tub, TubCar
import numpy as np
import pytest

REAL_TUB = Path(__file__).resolve().parents[3] / 'shared' / 'data' / 'tub_lab'
INPUTS = ['cam/image_array', 'user/angle', 'user/throttle', 'user/mode',
          'imu/acl_x', 'imu/acl_y', 'imu/acl_z', 'imu/gyr_x', 'imu/gyr_y', 'imu/gyr_z']
STAMPS_MS = [1000, 1050, 1117, 1900, 1950, 2000]


class Tub:
    """A tub of six records on disk, to be spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = list(INPUTS)
        self.deleted: list[int] = []
        self.records = [self.record(k, stamp) for k, stamp in enumerate(STAMPS_MS)]
        (folder / 'images').mkdir(parents=True)
        for k in range(len(STAMPS_MS)):
            grey = np.full((12, 16, 3), 40 * k, np.uint8)
            cv2.imwrite(str(folder / 'images' / f'{k}.jpg'), grey)

    def record(self, k: int, stamp: int) -> dict[str, Any]:
        return {'_index': k, '_timestamp_ms': stamp, '_session_id': 's',
                'cam/image_array': f'{k}.jpg', 'user/angle': k / 5 - 0.5, 'user/mode': 'user',
                'user/throttle': 0.1 * k, 'imu/acl_x': 0.5, 'imu/acl_y': 0.25, 'imu/acl_z': 10.3,
                'imu/gyr_x': 0.0, 'imu/gyr_y': 0.0, 'imu/gyr_z': 90.0}

    def write(self) -> Path:
        half = len(self.records) // 2
        for name, records in (('a.catalog', self.records[:half]), ('b.catalog',
                                                                   self.records[half:])):
            (self.folder / name).write_text(''.join(
                (r if isinstance(r, str) else json.dumps(r)) + '\n' for r in records))
        lines = [self.inputs, ['image_array'] + ['float'] * 9, {}, {'created_at': 0},
                 {'paths': ['a.catalog', 'b.catalog'], 'current_index': 6, 'max_len': 3,
                  'deleted_indexes': self.deleted}]
        (self.folder / 'manifest.json').write_text('\n'.join(map(json.dumps, lines)))
        return self.folder


@pytest.fixture
def tub(tmp_path: Path) -> Tub:
    return Tub(tmp_path / 'tub')


def test_a_tub_becomes_the_bag_it_should(tub: Tub, tmp_path: Path) -> None:
    car = TubCar(max_steering_rad=0.4, wheelbase_m=0.3, top_speed_m_s=3.0)
    done = import_tub(tub.write(), tmp_path / 'bag', car=car)
    assert (done.frames, done.gaps, done.deleted) == (6, 1, 0)
    assert done.seconds == pytest.approx(1.0)
    assert read_attributes(done.bag)['wheelbase_m'] == '0.3'
    seen: dict[str, list[Any]] = {}
    with Recording(done.bag) as recording:
        for topic, log_ns, message in recording.messages(list(recording.types)):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            assert stamp == log_ns
            seen.setdefault(topic, []).append((stamp, message))
    assert [len(messages) for messages in seen.values()] == [6] * 4
    for k, stamp_ms in enumerate(STAMPS_MS):
        assert {seen[topic][k][0] for topic in seen} == {stamp_ms * 1_000_000}
        jpeg = (tub.folder / 'images' / f'{k}.jpg').read_bytes()
        assert bytes(seen['/camera/image_raw/compressed'][k][1].data) == jpeg
        drive = seen['/command'][k][1].drive
        assert drive.steering_angle == pytest.approx(-0.4 * (k / 5 - 0.5))     # positive left
        assert drive.speed == pytest.approx(0.3 * k)
        imu = seen['/imu/data'][k][1]
        assert imu.angular_velocity.z == pytest.approx(math.pi / 2)
        assert imu.linear_acceleration.z == 10.3
        twist = seen['/cmd_vel'][k][1].twist
        assert twist.angular.z == pytest.approx(
            0.3 * k * math.tan(-0.4 * (k / 5 - 0.5)) / 0.3, abs=1e-6)


def test_the_label_keeps_its_steering_at_zero_throttle(tub: Tub, tmp_path: Path) -> None:
    import_tub(tub.write(), tmp_path / 'bag')
    episode = read_episode(tmp_path / 'bag', image=ImageSpec(12, 16), imu=ImuSpec())
    assert episode.commands[0] == pytest.approx([math.tan(0.35 * 0.5) / 0.25, 0.0], abs=1e-6)
    assert episode.fresh.tolist() == [True, False, False, True, False, False]


def test_deleted_records_stay_out_and_pilots_give_no_label(tub: Tub, tmp_path: Path) -> None:
    tub.deleted = [1, 4]
    tub.records[2]['user/mode'] = 'pilot'
    tub.records[3]['imu/gyr_x'] = None
    done = import_tub(tub.write(), tmp_path / 'bag')
    assert (done.frames, done.deleted, done.without_label, done.without_imu) == (4, 2, 1, 1)
    with Recording(done.bag) as recording:
        assert recording.counts == {'/camera/image_raw/compressed': 4, '/imu/data': 3,
                                    '/command': 3, '/cmd_vel': 3}


def test_a_tub_without_imu(tub: Tub, tmp_path: Path) -> None:
    tub.inputs = INPUTS[:4]
    assert import_tub(tub.write(), tmp_path / 'bag').without_imu == 6


def remove_image(tub: Tub) -> None:
    tub.write()
    (tub.folder / 'images' / '3.jpg').unlink()


def cut_image(tub: Tub) -> None:
    path = tub.write() / 'images' / '3.jpg'
    path.write_bytes(path.read_bytes()[:-40])


def break_line(tub: Tub) -> None:
    tub.records[4] = '{"_index": 4, "_time'            # type: ignore[call-overload]
    tub.write()


def lose_value(tub: Tub) -> None:
    del tub.records[1]['user/angle']
    tub.write()


def steer_too_far(tub: Tub) -> None:
    tub.records[1]['user/angle'] = 1.5
    tub.write()


def set_clock_back(tub: Tub) -> None:
    tub.records[5]['_timestamp_ms'] = 1100
    tub.write()


def lose_catalog(tub: Tub) -> None:
    (tub.write() / 'b.catalog').unlink()


def shorten_manifest(tub: Tub) -> None:
    (tub.write() / 'manifest.json').write_text('[]\n{}\n')


def record_no_camera(tub: Tub) -> None:
    tub.inputs = INPUTS[1:]
    tub.write()


def delete_all(tub: Tub) -> None:
    tub.deleted = list(range(6))
    tub.write()


def be_of_format_1(tub: Tub) -> None:
    (tub.write() / 'manifest.json').unlink()
    (tub.folder / 'record_1.json').write_text('{}')


def be_no_tub(tub: Tub) -> None:
    (tub.write() / 'manifest.json').unlink()


@pytest.mark.parametrize(('spoil', 'message'), [
    (remove_image, r'record 3 \(b\.catalog:1\) names the image .*3\.jpg.*No such file'),
    (cut_image, r'record 3 \(b\.catalog:1\): .*3\.jpg.*cut short'),
    (break_line, r'line 2 of .*b\.catalog.* is not a record.*remove the line'),
    (lose_value, r"record 1 \(a\.catalog:2\) .*lacks a value \(KeyError\('user/angle'\)\)"),
    (steer_too_far, r'record 1 .*angle 1\.5.*\[-1, 1\]'),
    (set_clock_back, r'record 5 .*0\.850 s before the one before it'),
    (lose_catalog, r'b\.catalog.* is missing'),
    (shorten_manifest, r'manifest\.json.* is not the manifest of a format 2 tub'),
    (record_no_camera, r"'cam/image_array' is needed"),
    (delete_all, 'holds no records'),
    (be_of_format_1, 'format 1, convert it'),
    (be_no_tub, r'no manifest\.json; give the folder'),
])
def test_a_spoilt_tub_is_named_and_leaves_no_bag(spoil: Any, message: str, tub: Tub,
                                                 tmp_path: Path) -> None:
    spoil(tub)
    with pytest.raises(TubError, match=message):
        import_tub(tub.folder, tmp_path / 'bag')
    assert [entry.name for entry in tmp_path.iterdir()] == ['tub']


def test_refusals(tub: Tub, tmp_path: Path) -> None:
    import_tub(tub.write(), tmp_path / 'bag')
    with pytest.raises(BagError, match='exists already'):
        import_tub(tub.folder, tmp_path / 'bag')
    with pytest.raises(ConfigError, match='a car that cannot be'):
        TubCar(max_steering_rad=20.0)


@pytest.mark.skipif(not REAL_TUB.is_dir(), reason=f'no real tub at {REAL_TUB}')
def test_a_real_tub_against_its_raw_json(tmp_path: Path) -> None:
    raw = [json.loads(line) for catalog in ('catalog_0', 'catalog_1', 'catalog_2')
           for line in (REAL_TUB / f'{catalog}.catalog').read_text().splitlines()]
    done = import_tub(REAL_TUB, tmp_path / 'bag')
    assert (done.frames, done.gaps) == (len(raw), 10)
    episode = read_episode(done.bag, image=ImageSpec(120, 160),
                           imu=ImuSpec(('gyro_z', 'accel_z', 'valid'), (1.0, 1.0, 1.0)))
    stamps = np.array([r['_timestamp_ms'] for r in raw])
    assert np.array_equal(episode.stamps_ns, stamps * 1_000_000)
    gaps = np.flatnonzero(np.diff(stamps) > 500) + 1
    assert np.flatnonzero(episode.fresh).tolist() == [0, *gaps.tolist()]
    assert episode.valid.all()
    angles = np.array([r['user/angle'] for r in raw])
    assert np.allclose(episode.commands[:, 0], np.tan(-0.35 * angles) / 0.25, atol=1e-5)
    assert np.allclose(episode.commands[:, 1], [2 * r['user/throttle'] for r in raw], atol=1e-6)
    assert np.allclose(episode.imu[:, 0], np.radians([r['imu/gyr_z'] for r in raw]), atol=1e-5)
    assert np.allclose(episode.imu[:, 1], [r['imu/acl_z'] - 9.81 for r in raw], atol=1e-4)
    for k in (0, 1000, len(raw) - 1):
        bgr = cv2.imread(str(REAL_TUB / 'images' / raw[k]['cam/image_array']))
        assert np.array_equal(episode.images[k], bgr[..., ::-1])
    # the car answers its steering four records later, to the same side
    assert np.corrcoef(episode.commands[:-4, 0], episode.imu[4:, 0])[0, 1] > 0.75
