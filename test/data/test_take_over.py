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
"""Take-overs in a bag: found, cut out, labelled by the human, weighed; judged by a naive count."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.contracts import Command
from ltc_control.core.errors import BagError, ConfigError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.episodes import Episode
from ltc_control.data.take_over import LessonRules, read_lessons, take_overs
from ltc_control.data.topics import TopicMap
import numpy as np
import pytest

STEP_NS = 50_000_000                       # 20 Hz
START_NS = 1_700_000_000_000_000_000
LATE_NS = 12_000_000                       # from stamp to receipt


def drive(path: Path, who: str, *, human_topic: str | None = '/human/command',
          says: bool = True) -> Path:
    """Record a frame for each letter of ``who``: p policy, h human, n nobody."""
    names = {'p': 'policy', 'h': 'human', 'n': 'nobody'}
    last = ''
    with EpisodeWriter(path) as bag:
        for k, letter in enumerate(who):
            stamp = START_NS + k * STEP_NS
            if letter != last and says:    # said between two frames, before this one arrives
                bag.text('/safety/in_command', stamp + LATE_NS - STEP_NS // 2, names[letter])
            last = letter
            bag.compressed_image('/camera/image_raw/compressed', stamp, png(k),
                                 image_format='png', received_ns=stamp + LATE_NS)
            bag.twist('/policy/command', stamp, Command(stamp, -0.09, 9.0))
            bag.twist('/cmd_vel', stamp, Command(stamp, 0.001 * k, 4.0))
            if letter == 'h' and human_topic is not None:
                bag.twist(human_topic, stamp, Command(stamp, 0.002 * k, 5.0))
    return path


def png(k: int) -> bytes:
    import cv2

    return cv2.imencode('.png', np.full((4, 6, 3), k % 256, np.uint8))[1].tobytes()


def lessons(bag: Path, **rules: object) -> list[Episode]:
    return read_lessons(bag, topics=TopicMap(command='/expert/command'), image=ImageSpec(4, 6),
                        imu=ImuSpec(), rules=LessonRules(**rules))


def frames(episode: Episode) -> list[int]:
    return ((episode.stamps_ns - START_NS) // STEP_NS).tolist()


def test_two_take_overs_by_hand(tmp_path: Path) -> None:
    who = 'p' * 10 + 'h' * 8 + 'p' * 3 + 'h' * 4 + 'p' * 5
    first, second = lessons(drive(tmp_path / 'bag', who), before_s=0.2, after_s=0.15, weight=6.0)
    assert frames(first) == list(range(6, 18))           # four frames are 0.2 s
    assert first.valid.tolist() == [False] * 4 + [True] * 8
    assert first.commands[first.valid][:, 0] == pytest.approx(0.002 * np.arange(10, 18), abs=1e-6)
    assert first.weight is not None
    # the label at the take-over and those up to 0.15 s after it; the rest of the stretch is plain
    assert first.weight[first.valid].tolist() == [6.0] * 4 + [1.0] * 4
    assert first.fresh.tolist() == [True] + [False] * 11
    assert [int(image.mean()) for image in first.images] == frames(first)
    # only three frames lie between the hand-back and the next take-over
    assert frames(second) == list(range(18, 25))
    assert second.valid.tolist() == [False] * 3 + [True] * 4


def test_what_is_no_take_over(tmp_path: Path) -> None:
    assert lessons(drive(tmp_path / 'begun', 'hhhhpppp')) == []
    assert lessons(drive(tmp_path / 'alone', 'nnpppp')) == []
    assert len(lessons(drive(tmp_path / 'pause', 'pppnnhhh'))) == 1
    assert lessons(drive(tmp_path / 'stopped', 'hhhnnhhh')) == []


def test_without_the_humans_own_command_what_moved_the_car_counts(tmp_path: Path) -> None:
    bag = drive(tmp_path / 'joystick', 'p' * 10 + 'h' * 6, human_topic=None)
    lesson, = lessons(bag, before_s=0.0)
    assert frames(lesson) == list(range(10, 16))
    assert lesson.commands[:, 0] == pytest.approx(0.001 * np.arange(10, 16), abs=1e-6)
    other = drive(tmp_path / 'other', 'p' * 10 + 'h' * 6, human_topic='/wheel')
    assert lessons(other, before_s=0.0, command='/wheel')[0].commands[0, 0] == pytest.approx(0.02)


def test_receive_times_say_who_drove_when_a_frame_came(tmp_path: Path) -> None:
    # by their stamps the frames would be 12 ms earlier: said 13 ms before receipt, after the stamp
    lesson, = lessons(drive(tmp_path / 'bag', 'ppphhh'), before_s=0.0)
    assert frames(lesson) == [3, 4, 5]
    assert lesson.received_ns is not None
    assert np.array_equal(lesson.received_ns - lesson.stamps_ns, [LATE_NS] * 3)


@given(st.text('phn', min_size=1, max_size=40))
def test_take_overs_against_a_naive_search(who: str) -> None:
    names = {'p': 'policy', 'h': 'human', 'n': 'nobody'}
    expected = []
    for first in range(len(who)):
        before = who[:first].replace('n', '')
        if who[first] == 'h' and before.endswith('p'):
            end = first
            while end < len(who) and who[end] == 'h':
                end += 1
            expected.append((first, end))
    assert take_overs(np.array([names[letter] for letter in who])) == expected


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'does not say who was in command.*in_command'):
        lessons(drive(tmp_path / 'silent', 'pph', says=False))
    with EpisodeWriter(tmp_path / 'words') as bag:
        bag.text('/safety/in_command', 1, 'driver')
    with pytest.raises(BagError, match=r"says 'driver'; known are \['policy', 'human', 'nobody'"):
        lessons(tmp_path / 'words')
    for bad, message in (({'weight': 0.5}, r'weight is 0\.5'), ({'after_s': -1.0}, 'after_s must'),
                         ({'before_s': '1'}, "before_s must be a number of at least 0, got '1'")):
        with pytest.raises(ConfigError, match=message):
            LessonRules(**bad)
