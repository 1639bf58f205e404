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
"""A report against the closed form of the drive that it is about."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path

import cv2
from ltc_control.core.errors import BagError
from ltc_control.insight.film import film_stamps, LONGEST_S, PICTURES_PER_SECOND
from ltc_control.insight.measures import measure
from ltc_control.insight.recorded_drive import camera_frames, read_drive
from ltc_control.insight.report import make_report
from ltc_control.insight.road import Road, road_under
import numpy as np
import pytest

RADIUS_M, OFFSET_M, SPEED_MPS, FRAMES = 40.0, 0.25, 8.0, 91


@pytest.fixture(scope='module')
def report(circle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp('report')
    return make_report(circle, out, extra={'rmw': 'rmw_fastrtps_cpp'}), out


def test_numbers_are_those_of_the_circle(circle: Path) -> None:
    numbers = measure(read_drive(circle))
    seconds = (FRAMES - 1) / 30
    along_lane = SPEED_MPS * seconds * RADIUS_M / (RADIUS_M - OFFSET_M)
    assert numbers['frames'] == numbers['requests'] == numbers['commands'] == FRAMES
    assert numbers['seconds'] == pytest.approx(seconds, abs=1e-4)
    assert numbers['distance_m'] == pytest.approx(along_lane, abs=1e-3)
    assert numbers['mean_abs_offset_m'] == pytest.approx(OFFSET_M)
    assert numbers['p95_abs_offset_m'] == pytest.approx(OFFSET_M)
    assert numbers['mean_speed_mps'] == pytest.approx(SPEED_MPS)
    assert numbers['longest_frame_gap_s'] == pytest.approx(1 / 30, abs=1e-4)
    assert numbers['departures'] == 1
    assert numbers['verdicts'] == {'limited': 60, 'pass': 31}
    assert numbers['latency_ms'] == {'p50': 7.0, 'p99': 7.0}


def test_without_truth_the_path_of_odometry_counts(
        circle_writer: Callable[..., Path], tmp_path: Path) -> None:
    numbers = measure(read_drive(circle_writer(tmp_path / 'bag', truth=False)))
    assert numbers['mean_abs_offset_m'] is None
    assert numbers['departures'] is None
    assert numbers['distance_m'] == pytest.approx(SPEED_MPS * (FRAMES - 1) / 30, rel=1e-4)
    make_report(tmp_path / 'bag', tmp_path / 'out', film=False)
    assert (tmp_path / 'out' / 'top_view.png').stat().st_size > 1000


def test_report_file_holds_what_is_returned(report: tuple[dict, Path], circle: Path) -> None:
    returned, out = report
    written = json.loads((out / 'report.json').read_text())
    assert written == json.loads(json.dumps(returned))
    assert written['rmw'] == 'rmw_fastrtps_cpp'
    assert written['bag'] == str(circle)
    assert all((out / name).is_file() for name in written['files'].values())


def test_film_shows_every_second_frame(report: tuple[dict, Path]) -> None:
    returned, out = report
    film = cv2.VideoCapture(str(out / returned['files']['film']))
    pictures = []
    while (read := film.read())[0]:
        pictures.append(read[1])
    assert len(pictures) == (FRAMES - 1) // 2 + 1
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(PICTURES_PER_SECOND)
    blue, _, red = pictures[0][20, 400].astype(int)          # the sky of the recorded camera
    assert (red, blue) == (pytest.approx(150, abs=12), pytest.approx(230, abs=12))


def test_a_long_drive_runs_faster_than_life() -> None:
    stamps = np.round(np.arange(1801) * 1e9 / 30).astype(np.int64)
    chosen, pace = film_stamps(stamps)
    assert pace == 60 / LONGEST_S
    assert len(chosen) == pytest.approx(LONGEST_S * PICTURES_PER_SECOND, abs=1)
    assert set(chosen) <= set(stamps)
    assert np.ptp(np.diff(chosen)) <= 1e9 / 30 + 2


def test_road_under_the_drive_is_the_circle(circle: Path) -> None:
    road = road_under(read_drive(circle))
    assert np.hypot(road.x, road.y) == pytest.approx(np.full(len(road.x), RADIUS_M), abs=1e-6)
    outer = road.line(road.right_m)
    assert np.hypot(*outer.T) == pytest.approx(np.full(len(outer), RADIUS_M + 1.75), abs=1e-6)


def test_a_loop_closes() -> None:
    turn = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    road = Road(40 * np.cos(turn), 40 * np.sin(turn), turn + np.pi / 2)
    line = road.line(1.0)
    assert line.shape == (101, 2)
    assert line[0] == pytest.approx(line[-1])
    assert np.hypot(*line.T) == pytest.approx(np.full(101, 39.0))


def test_frames_come_back_byte_for_byte(circle: Path) -> None:
    drive = read_drive(circle)
    wanted = set(drive.frames.stamps_ns[[0, 10]].tolist())
    frames = list(camera_frames(circle, stamps_ns=wanted))
    assert {frame.stamp_ns for frame in frames} == wanted
    assert (frames[1].rgb[-1] == (255, 0, 0)).all()
    assert frames[1].rgb.shape == (66, 200, 3)


def test_a_trace_holds_its_newest_value(circle: Path) -> None:
    drive = read_drive(circle)
    third = int(drive.pose.stamps_ns[2])
    assert drive.pose.at(third + 1) == pytest.approx(drive.pose.values[2])
    assert drive.pose.at(third - 1) == pytest.approx(drive.pose.values[1])
    assert drive.pose.at(-5) == pytest.approx(drive.pose.values[0])
    assert drive.neuron_names == ('inter_0', 'inter_1', 'command_0', 'motor_0')


def test_a_bag_without_camera_is_refused(
        circle_writer: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(BagError, match='does not exist'):
        make_report(tmp_path / 'nothing', tmp_path / 'out')
    bag = circle_writer(tmp_path / 'empty', frames=0)
    with pytest.raises(BagError, match='no messages'):
        make_report(bag, tmp_path / 'out')
