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
"""From a bag to a model folder and back: what was trained offline is what runs online."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from ltc_control.core.contracts import Command, Frame, ImuWindow
from ltc_control.core.errors import ConfigError
from ltc_control.core.model_file import load_spec
from ltc_control.core.policy import Policy
from ltc_control.data.bags import EpisodeWriter
from ltc_control.nets.policy_net import load_policy
from ltc_control.training.config import TrainConfig
from ltc_control.training.train import read_episodes, split, train
from ltc_control.training.validate import clamped, replay
import numpy as np
import pytest
from rosbags.highlevel import AnyReader

GAP_AT, LATE_AT = 40, 20                   # frames after 0.8 s and after 0.3 s


def stamps_of(frames: int) -> list[int]:
    steps = np.random.default_rng(0).integers(28_000_000, 38_000_000, frames)
    steps[GAP_AT], steps[LATE_AT] = 800_000_000, 300_000_000
    return (1_700_000_000_000_000_000 + np.cumsum(steps)).tolist()


@pytest.fixture(scope='module')
def bag(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a drive as a real recording: larger images, IMU between frames, uneven stamps."""
    drive = tiny.tiny_drive(4, frames=90)
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp('bags') / 'drive'
    with EpisodeWriter(path, attributes={'track': '5', 'season': 'summer'}) as writer:
        for k, stamp in enumerate(stamps_of(90)):
            for before in (16_000_000, 8_000_000, 0):
                writer.imu('/imu/data', stamp - before, rng.normal(size=3),
                           rng.normal(size=3) + [0, 0, 9.81])
            large = np.kron(drive.images[k], np.ones((2, 2, 1), np.uint8))
            writer.image('/camera/image_raw', stamp,
                         np.concatenate([np.zeros_like(large), large]))   # the upper half is sky
            curvature, speed = drive.commands[k].tolist()
            writer.twist('/expert/command', stamp, Command(stamp, curvature, speed))
    return path


@pytest.fixture(scope='module')
def config(tiny: ModuleType) -> TrainConfig:
    return tiny.tiny_config(
        image={'height': tiny.HEIGHT, 'width': tiny.WIDTH, 'crop_top': 0.5},
        policy={'imu_features': 3, 'cm_init': [1.0, 20.0]},
        imu={'features': ['gyro_z', 'accel_x', 'valid'], 'scales': [2.0, 3.0, 1.0]},
        hold_out=0.2, mirror=True)


def raw_messages(bag: Path) -> tuple[list[Frame], list[tuple[int, np.ndarray, np.ndarray]]]:
    """Return frames and IMU samples as an independent reader finds them."""
    frames, samples = [], []
    with AnyReader([bag]) as reader:
        for connection, _, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            if connection.topic == '/camera/image_raw':
                rgb = message.data.reshape(message.height, message.width, 3)
                frames.append(Frame(stamp, rgb))
            elif connection.topic == '/imu/data':
                w, a = message.angular_velocity, message.linear_acceleration
                samples.append((stamp, np.array([w.x, w.y, w.z]), np.array([a.x, a.y, a.z])))
    return frames, samples


def window(samples: list[tuple[int, np.ndarray, np.ndarray]], after: int,
           until: int) -> ImuWindow:
    inside = [sample for sample in samples if after < sample[0] <= until]
    return ImuWindow(*(np.array(column) for column in zip(*inside, strict=True)))


def test_online_equals_offline(bag: Path, config: TrainConfig, tmp_path: Path) -> None:
    episodes = read_episodes([bag], config, lambda *_: None)
    spec = train(config, episodes, out=tmp_path / 'model', name='tiny', report=lambda _: None)
    offline = clamped(replay(load_policy(tmp_path / 'model' / 'weights.safetensors'),
                             episodes[0]), config.commands)

    policy, last, online = Policy.load(tmp_path / 'model'), 0, []
    frames, samples = raw_messages(bag)
    for frame in frames:
        decision = policy.step(frame, window(samples, max(last, frame.stamp_ns - 10**8),
                                             frame.stamp_ns))
        online.append((decision.command.curvature, decision.command.speed))
        assert decision.command.stamp_ns == last or decision.valid
        last = frame.stamp_ns
    in_scales = (np.array(online) - offline) / config.policy.command_scale
    assert len(online) == 90
    assert np.abs(in_scales).max() < 2e-5
    assert offline.std(axis=0).min() > 1e-5              # it does not say one thing throughout
    counts = {case.name: count for case, count in policy.counts.items() if count}
    assert (counts['GAP'], counts['LONG_STEP'], counts['FIRST_FRAME']) == (1, 1, 1)
    # memory matters here, else the agreement of state rules would not have been tested
    forgetful = Policy.load(tmp_path / 'model', reset_every_step=True)
    other = [forgetful.step(frame, window(samples, frame.stamp_ns - 20_000_000,
                                          frame.stamp_ns)).command.speed for frame in frames]
    assert np.abs(np.array(other) - offline[:, 1]).max() > 1e-3
    assert load_spec(tmp_path / 'model').digest == spec.digest


def test_the_folder_says_how_it_was_made(bag: Path, config: TrainConfig, tmp_path: Path) -> None:
    episodes = read_episodes([bag], config, lambda *_: None)
    train(config, episodes, out=tmp_path, name='tiny', report=lambda _: None)
    spec = load_spec(tmp_path)
    assert spec.training['config'] == config.to_dict()
    # the last fifth of the drive's 90 frames is held out; mirror images are no new frames
    assert (spec.training['frames'], spec.training['held_out_frames']) == (72, 18)
    assert (spec.training['tracks'], spec.training['seasons']) == ([5], ['summer'])
    card = (tmp_path / 'card.md').read_text()
    assert '1 episodes, 72 frames, tracks 5, seen in summer' in card
    assert f'R² of curvature {spec.training["score"]["r2_curvature"]:.3f}' in card
    history = json.loads((tmp_path / 'run' / 'history.json').read_text())
    assert [entry['step'] for entry in history] == [4, 8, 12]


def test_whole_episodes_are_held_out_and_of_one_drive_its_end(tiny: ModuleType) -> None:
    drives = [tiny.tiny_drive(seed, frames=20) for seed in range(10)]
    training, held_out = split(drives, tiny.tiny_config(hold_out=0.2))
    assert (len(training), len(held_out)) == (8, 2)
    assert {one.name for one in training} | {one.name for one in held_out} == {
        one.name for one in drives}
    first, last = split(drives[:1], tiny.tiny_config(hold_out=0.25))
    assert first[0].stamps_ns.tolist() == drives[0].stamps_ns[:15].tolist()
    assert last[0].stamps_ns.tolist() == drives[0].stamps_ns[15:].tolist()
    with pytest.raises(ConfigError, match='no bag to learn from'):
        split([], tiny.tiny_config())
