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
"""What is wrong with a recording is found, counted by hand, and what is right passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import struct

from ltc_control.core.contracts import Command, Odometry
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.inspection import BagReport, HISTOGRAM_EDGES_MS, inspect
from ltc_control.data.verdict import judge
import numpy as np
import pytest

STEP, START = 33_333_333, 10**18


def picture(k: int) -> np.ndarray:
    return np.random.default_rng(k).integers(40, 200, (8, 16, 3), dtype=np.uint8)


def drive(path: Path, *, frames: int = 60, image: Callable[[int], np.ndarray] = picture,
          stamps: Callable[[int], int] = lambda k: START + k * STEP, speed: float = 5.0,
          imu: Callable[[int], bool] = lambda k: True,
          command: Callable[[int], bool] = lambda k: True) -> BagReport:
    with EpisodeWriter(path) as bag:
        for k in range(frames):
            at = stamps(k)
            bag.odometry('/odom', Odometry(START + k * STEP, 0.0, 0.0, 0.0, speed, 0.0))
            if imu(k):
                bag.imu('/imu/data', START + k * STEP - 1_000_000, np.zeros(3), np.zeros(3))
            message = messages.image(at, image(k), 'camera')
            bag._bag.write('/camera/image_raw', messages.IMAGE, messages.serialize(message),
                           log_ns=START + k * STEP + 5_000_000)
            if command(k):
                bag.twist('/cmd_vel', at, Command(at, 0.0, 5.0))
    return inspect(path)


def test_a_good_drive_passes_with_true_numbers(tmp_path: Path) -> None:
    report = drive(tmp_path / 'drive')
    verdict = judge(report)
    assert (verdict.sound, verdict.reasons, verdict.warnings) == (True, (), ())
    topic = next(item for item in report.topics if item.topic == '/camera/image_raw')
    assert topic.rate_hz == pytest.approx(30.0)
    assert topic.delay_ms == {'p50': 5.0, 'p99': 5.0, 'max': 5.0}
    assert sum(topic.dt_histogram) == topic.dt_histogram[HISTOGRAM_EDGES_MS.index(30)] == 59
    assert {item.topic: item.share for item in report.coverage} == {
        '/imu/data': 1.0, '/cmd_vel': 1.0}


@pytest.mark.parametrize(('options', 'words'), [
    ({'image': lambda k: picture(min(k, 20))}, '39 of 60 frames are frozen'),
    ({'image': lambda k: picture(k) // 100 if k < 10 else picture(k)},
     '10 of 60 frames are under-exposed'),
    ({'image': lambda k: picture(k) // 100 + 253 if k < 15 else picture(k)},
     '15 of 60 frames are over-exposed'),
    ({'imu': lambda k: k < 30}, '/imu/data belongs to 50 % of the frames'),
    ({'command': lambda k: k < 20}, '/cmd_vel belongs to 4. % of the frames'),
    ({'stamps': lambda k: START + (k - k % 2) * STEP}, '30 stamps repeat'),
    ({'stamps': lambda k: START + (k - 9 * (k == 30)) * STEP}, '1 stamps run backward'),
])
def test_what_spoils_a_recording_is_a_reason(tmp_path: Path, options: dict, words: str) -> None:
    import re
    verdict = judge(drive(tmp_path / 'drive', **options))
    assert not verdict.sound
    assert any(re.search(words, reason) for reason in verdict.reasons), verdict


def test_a_standing_car_may_see_the_same_picture(tmp_path: Path) -> None:
    verdict = judge(drive(tmp_path / 'drive', image=lambda k: picture(0), speed=0.0))
    assert verdict.sound
    assert not verdict.warnings


def test_lost_frames_and_gaps_are_told_but_do_not_spoil(tmp_path: Path) -> None:
    kept = [k for k in range(90) if k % 5 != 2]            # every fifth frame is lost
    report = drive(tmp_path / 'drive', frames=len(kept),
                   stamps=lambda i: START + kept[i] * STEP + (10**9 if i > 40 else 0),
                   imu=lambda k: False)
    camera = next(item for item in report.topics if item.topic == '/camera/image_raw')
    assert camera.lost == 18 - (kept[41] - kept[40] - 1)   # the gap is not counted as loss
    verdict = judge(report)
    assert any('are missing' in warning for warning in verdict.warnings)
    assert any('a gap of 1.0' in warning for warning in verdict.warnings)
    assert not any('missing' in reason for reason in verdict.reasons)


def test_publishers_with_clocks_of_their_own_spoil_no_number(tmp_path: Path) -> None:
    # one topic, two nodes: every second message is stamped by the time of a simulation
    with EpisodeWriter(tmp_path / 'drive') as bag:
        for k in range(40):
            at = START + k * STEP
            stamp = at if k % 2 else k * STEP
            # encapsulation, stamp, an empty frame_id of one zero, padding, no status
            cdr = struct.pack('<4BiIIII', 0, 1, 0, 0, *divmod(stamp, 10**9), 1, 0, 0)
            bag._bag.write('/told', 'diagnostic_msgs/msg/DiagnosticArray', cdr,
                           log_ns=at + 2_000_000)
    report = inspect(tmp_path / 'drive')
    [topic] = report.topics
    assert topic.clock_changes == 39
    assert (topic.backward, topic.longest_gap_s) == (0, 0.0)
    assert topic.delay_ms == {'p50': 2.0, 'p99': 2.0, 'max': 2.0}
    assert any('a day apart' in warning for warning in judge(report).warnings)
