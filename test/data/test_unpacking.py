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
"""Films keep true time and exports every bit."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
from ltc_control.core.errors import BagError, ConfigError
from ltc_control.data.bag_video import make_video
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.export import export
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

START = 10**18


def grey_drive(path: Path, times_ms: list[int]) -> Path:
    """Write frames whose brightness counts them: 20, 40, 60 ..."""
    with EpisodeWriter(path) as bag:
        for k, at in enumerate(times_ms):
            bag.image('/camera/image_raw', START + at * 1_000_000,
                      np.full((48, 64, 3), 20 + 20 * k, np.uint8))
    return path


@pytest.mark.parametrize('suffix', ['.mp4', '.webm'])
def test_each_picture_of_the_film_is_the_frame_of_its_time(tmp_path: Path, suffix: str) -> None:
    times = [0, 50, 100, 300, 350, 900, 950, 1000]          # late ones, and a hole of 0.55 s
    film = make_video(grey_drive(tmp_path / 'drive', times), tmp_path / f'film{suffix}')
    assert film.rate_hz == pytest.approx(20.0)
    assert film.pictures == 21                              # 0 ... 1 s and the last frame's own
    reader = cv2.VideoCapture(str(film.file))
    shown = []
    while (got := reader.read())[0]:
        shown.append(round((float(got[1].mean()) - 20) / 20))
    wanted = [max(k for k, at in enumerate(times) if at <= 50 * n) for n in range(21)]
    assert shown == wanted


def test_days_between_two_drives_are_not_filmed(tmp_path: Path) -> None:
    film = make_video(grey_drive(tmp_path / 'drive', [0, 100, 200, 86_400_000, 86_400_100]),
                      tmp_path / 'film.mp4')
    assert (film.pauses, film.frames) == (1, 5)
    assert film.seconds == pytest.approx(1.4, abs=0.11)


def test_films_that_cannot_be_are_refused(tmp_path: Path) -> None:
    bag = grey_drive(tmp_path / 'drive', [0, 50])
    with pytest.raises(ConfigError, match=r'neither \.mp4 nor \.webm'):
        make_video(bag, tmp_path / 'film.avi')
    with pytest.raises(BagError, match='name one of them with --topic'):
        make_video(bag, tmp_path / 'film.mp4', topic='/other')


def test_an_export_reads_back_to_the_bit(record: Any, tmp_path: Path) -> None:
    bag = record(frames=5)
    done = export(bag, tmp_path / 'out')
    assert done.rows == {'frames.csv': 5, 'imu_data.csv': 20, 'odom.csv': 5, 'cmd_vel.csv': 5,
                         'expert_command.csv': 5}
    with (tmp_path / 'out' / 'frames.csv').open() as stream:
        for k, row in enumerate(csv.DictReader(stream)):
            assert int(row['stamp_ns']) == record.stamp(k)
            pixels = cv2.imread(str(tmp_path / 'out' / row['file']))[..., ::-1]
            assert (pixels == record.picture(k)).all()
    with AnyReader([bag]) as reader, (tmp_path / 'out' / 'imu_data.csv').open() as stream:
        links = [link for link in reader.connections if link.topic == '/imu/data']
        for row, (link, time_ns, raw) in zip(csv.DictReader(stream), reader.messages(links),
                                             strict=True):
            imu = reader.deserialize(raw, link.msgtype)
            assert float(row['angular_velocity.z']) == imu.angular_velocity.z
            assert float(row['linear_acceleration.x']) == imu.linear_acceleration.x
            assert int(row['received_ns']) == time_ns
            assert not any('covariance' in name for name in row)
    with pytest.raises(BagError, match='exists already'):
        export(bag, tmp_path / 'out')


def test_lists_stand_in_their_cell_as_json(tmp_path: Path) -> None:
    kept = Path(__file__).with_name('kept_drive') / 'bag'
    export(kept, tmp_path / 'out', image_format='jpg')
    with (tmp_path / 'out' / 'policy_neurons.csv').open() as stream:
        row = next(iter(csv.DictReader(stream)))
    assert len(json.loads(row['name'])) == len(json.loads(row['position'])) == 19
    with (tmp_path / 'out' / 'safety_verdict.csv').open() as stream:
        [status] = json.loads(next(iter(csv.DictReader(stream)))['status'])
    assert set(status) == {'level', 'name', 'message', 'hardware_id', 'values'}
