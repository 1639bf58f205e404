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
"""A short recording in the simulator: readable by anyone, labelled by the expert."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import Odometry
from ltc_control.core.errors import ConfigError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.data.episodes import read_episode
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.sim.environment import Truth
from ltc_control.sim.expert import Expert
from ltc_control.sim.track import make_track
from ltc_control.training.collect import collect_track, CollectConfig, EpisodeSummary
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

TRACK, SECONDS, FRAMES = 3, 1.0, 30


@pytest.fixture(scope='module')
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[EpisodeSummary]:
    config = CollectConfig(out=tmp_path_factory.mktemp('bags'), tracks=(TRACK,), episodes=2,
                           seconds=SECONDS, seed=5)
    return collect_track(config, TRACK)


def messages(bag: Path, topic: str) -> list[Any]:
    """Return the messages of a topic, decoded by the mcap packages."""
    with next(bag.glob('*.mcap')).open('rb') as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        return [found.decoded_message for found in reader.iter_decoded_messages(topics=[topic])]


def commands(bag: Path, topic: str) -> list[tuple[int, float, float]]:
    """Return (stamp, curvature, speed) of each TwistStamped, by the mcap reader."""
    found = []
    for message in messages(bag, topic):
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        speed = message.twist.linear.x
        found.append((stamp, message.twist.angular.z / speed, speed))
    return found


@pytest.mark.gl
def test_both_readers_find_the_same_and_all_of_it(recorded: list[EpisodeSummary]) -> None:
    for summary in recorded:
        bag = Path(summary.path)
        with AnyReader([bag]) as reader:
            pictures = [reader.deserialize(raw, connection.msgtype).data.tobytes()
                        for connection, _, raw in reader.messages()
                        if connection.topic == '/camera/image_raw']
            by_topic = {c.topic: c.msgcount for c in reader.connections}
        again = [bytes(message.data) for message in messages(bag, '/camera/image_raw')]
        assert pictures == again
        assert len(set(pictures)) == FRAMES
        assert summary.frames == FRAMES
        for topic in ('/camera/image_raw', '/odom', '/expert/command', '/cmd_vel'):
            assert by_topic[topic] == FRAMES
        # four samples a frame at 120 Hz, one at the start
        assert by_topic['/imu/data'] == 4 * (FRAMES - 1) + 1
        assert read_attributes(bag)['track'] == str(TRACK)
        assert read_attributes(bag)['driver'] == 'expert'


def where_the_car_was(bag: Path) -> list[Odometry]:
    found = []
    with AnyReader([bag]) as reader:
        for connection, _, raw in reader.messages():
            if connection.topic == '/odom':
                message = reader.deserialize(raw, connection.msgtype)
                stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
                place, turn = message.pose.pose.position, message.pose.pose.orientation
                twist = message.twist.twist
                found.append(Odometry(stamp, place.x, place.y, 2 * math.atan2(turn.z, turn.w),
                                      twist.linear.x, twist.angular.z))
    return found


@pytest.mark.gl
def test_labels_are_what_the_expert_says_there_and_the_car_was_pushed_off(
        recorded: list[EpisodeSummary]) -> None:
    track = make_track(TRACK)
    expert = Expert(track)
    for summary in recorded:
        bag, offsets = Path(summary.path), []
        labels, applied = commands(bag, '/expert/command'), commands(bag, '/cmd_vel')
        for odometry, label in zip(where_the_car_was(bag), labels, strict=True):
            at = track.frenet(odometry.x, odometry.y, odometry.yaw)
            truth = Truth(odometry.stamp_ns, at.arc, 0.0, at.offset, at.heading_error,
                          float(track.curvature_at(at.arc)), False, 0.0)
            said = expert.command(truth, odometry)
            assert label == pytest.approx((said.stamp_ns, said.curvature, said.speed), abs=1e-7)
            offsets.append(abs(at.offset))
        assert summary.mean_abs_offset_m == pytest.approx(np.mean(offsets), abs=1e-6)
        # what moved the car is not what it should have done
        assert max(abs(a[1] - b[1]) for a, b in zip(applied, labels, strict=True)) > 1e-4
    assert max(offsets) > 0.05


@pytest.mark.gl
def test_clean_recordings_do_what_the_label_says_and_repeat(tmp_path: Path) -> None:
    runs = []
    for name in ('first', 'second'):
        config = CollectConfig(out=tmp_path / name, tracks=(TRACK,), episodes=1, seconds=0.3,
                               disturbed=False)
        bag = Path(collect_track(config, TRACK)[0].path)
        assert commands(bag, '/cmd_vel') == commands(bag, '/expert/command')
        episode = read_episode(bag, image=ImageSpec(66, 200), imu=ImuSpec(('gyro_z',), (1.0,)))
        runs.append((episode.images.tobytes(), episode.imu.tobytes(), episode.commands.tobytes(),
                     episode.stamps_ns.tolist()))
        assert episode.valid.all()
    assert runs[0] == runs[1]


@pytest.mark.parametrize(('changes', 'said'), [
    ({'tracks': (3, 1000)}, 'track 1000 is kept for evaluation; record tracks below 1000'),
    ({'tracks': ()}, r'seeds from 0 on, got \(\)'),
    ({'tracks': (-1,)}, r'seeds from 0 on, got \(-1,\)'),
    ({'episodes': 0}, '0 episodes'), ({'seconds': 0.0}, '0.0 s'),
])
def test_what_must_not_be_recorded_is_refused(tmp_path: Path, changes: dict[str, Any],
                                              said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        CollectConfig(**{'out': tmp_path, 'tracks': (1,), **changes})
    assert not any(tmp_path.iterdir())
