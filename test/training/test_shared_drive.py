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
"""A human beside a policy: when they take the wheel, what is recorded, what is learned from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ltc_control.core.contracts import Odometry
from ltc_control.core.errors import ConfigError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import load_spec
from ltc_control.data.recording import Recording
from ltc_control.data.take_over import read_lessons
from ltc_control.data.windows import WindowStream
from ltc_control.nets.policy_net import build_policy
from ltc_control.sim.observation import Truth
from ltc_control.training.collect import collect_track, CollectConfig
from ltc_control.training.loop import Trainer
from ltc_control.training.shared_drive import Human, HumanConfig
from ltc_control.training.train import export_with_card, train
import numpy as np
import pytest
import torch

FACTS = {'score': {'r2_curvature': 0.0, 'r2_speed': 0.0}, 'episodes': 0, 'frames': 0,
         'tracks': [], 'seasons': [], 'steps': 0, 'held_out_episodes': 0, 'held_out_frames': 0}
STEP_S = 0.1


def truth(k: int, offset: float, heading: float = 0.0, bend: float = 0.0) -> Truth:
    return Truth(round(k * STEP_S * 1e9), 0.0, 0.0, offset, heading, bend, False, 0.0)


def held(human: Human, path: list[tuple[float, ...]], *, yaw_rate: float = 0.0) -> str:
    moving = Odometry(0, 0.0, 0.0, 0.0, 10.0, yaw_rate)
    return ''.join('h' if human.drives(truth(k, *place), moving) else 'p'
                   for k, place in enumerate(path))


def test_too_far_for_long_enough_and_back_when_settled() -> None:
    human = Human(HumanConfig(take_over_m=0.5, reaction_s=0.2, hand_back_m=0.1, settled_s=0.3))
    path = [0.2, 0.6, 0.6, 0.6, 0.3, 0.05, 0.05, 0.2, 0.05, 0.05, 0.05, 0.05, 0.05]
    # alarmed at frame 1, acts 0.2 s later; the 0.2 m at frame 7 starts the settling anew
    assert held(human, [(offset, 0.0) for offset in path]) == 'ppphhhhhhhhpp'


def test_a_moment_too_far_is_forgiven_and_a_look_ahead_is_not() -> None:
    config = HumanConfig(reaction_s=0.2, foresight_s=0.5)
    assert held(Human(config), [(0.6, 0.0), (0.6, 0.0), (0.3, 0.0), (0.6, 0.0)]) == 'pppp'
    # 0.3 m off and heading out by 0.12 rad at 10 m/s: 0.9 m off in half a second
    assert held(Human(config), [(0.3, 0.12)] * 4) == 'pphh'
    assert held(Human(config), [(0.3, -0.12)] * 4) == 'pppp'
    # straight on at 10 m/s where the road bends with 1/12 m: 1.04 m off in half a second
    assert held(Human(config), [(0.0, 0.0, 1 / 12)] * 4) == 'pphh'
    assert held(Human(config), [(0.0, 0.0, 1 / 12)] * 4, yaw_rate=10 / 12) == 'pppp'


@pytest.fixture(scope='module')
def drifting(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that always asks for a slight left turn."""
    settings: dict[str, Any] = {'policy': {'kind': 'cnn', 'command_offset': [0.03, 7.0]}}
    config = tiny.tiny_config(**settings)
    net = build_policy(config.policy)
    with torch.no_grad():
        net.core.readout.weight.zero_()
        net.core.readout.bias.zero_()
    folder = tmp_path_factory.mktemp('drifting')
    export_with_card(net, config, out=folder, name='drifting',
                     facts={**FACTS, 'config': config.to_dict()})
    return folder


@pytest.mark.gl
def test_a_recorded_drive_teaches_what_the_human_did(drifting: Path, tmp_path: Path) -> None:
    config = CollectConfig(out=tmp_path, tracks=(3,), episodes=1, seconds=8.0, disturbed=False,
                           policy=drifting, human=HumanConfig())
    summary, = collect_track(config, 3)
    assert summary.take_overs >= 1
    assert not summary.lost
    said: dict[str, list[Any]] = {}
    with Recording(summary.path) as recording:
        for topic, log_ns, message in recording.messages(
                ['/safety/in_command', '/human/command', '/policy/command', '/cmd_vel']):
            said.setdefault(topic, []).append((log_ns, message))
        assert '/expert/command' not in recording.types       # no label that no human gave
    turns = [message.data for _, message in said['/safety/in_command']]
    assert turns[:2] == ['policy', 'human']
    assert turns.count('human') == summary.take_overs
    assert len(said['/policy/command']) == len(said['/cmd_vel']) == summary.frames
    assert len(said['/human/command']) == pytest.approx(30 * summary.human_s, abs=1)
    assert summary.human_s < 0.9 * 8.0     # handed back in between

    lessons = read_lessons(summary.path, image=ImageSpec(20, 32), imu=ImuSpec())
    assert len(lessons) == summary.take_overs
    by_stamp = {m.header.stamp.sec * 10**9 + m.header.stamp.nanosec: m.twist
                for _, m in said['/human/command']}
    for lesson in lessons:
        labelled = lesson.stamps_ns[lesson.valid]
        for stamp, (curvature, speed) in zip(labelled.tolist(), lesson.commands[lesson.valid],
                                             strict=True):
            twist = by_stamp[stamp]
            assert curvature == pytest.approx(twist.angular.z / twist.linear.x, abs=1e-6)
            assert speed == pytest.approx(twist.linear.x, rel=1e-6)
        # the policy drifts to the left, so the human begins by steering to the right of its wish
        assert lesson.commands[lesson.valid][0, 0] < 0.03


def test_who_cannot_be_taken_over_from(tmp_path: Path) -> None:
    for changes in ({'policy': None}, {'disturbed': True}, {'blackout_s': 1.0}):
        fields = {'policy': tmp_path, 'disturbed': False, **changes}
        with pytest.raises(ConfigError, match='a human takes over from a policy'):
            CollectConfig(out=tmp_path, tracks=(1,), human=HumanConfig(), **fields)
    with pytest.raises(ConfigError, match='give 0 < hand back < take over'):
        HumanConfig(take_over_m=0.05)


def lesson(tiny: ModuleType, seed: int, weight: float) -> Any:
    drive = tiny.tiny_drive(seed, frames=24)
    return replace(drive, weight=np.full(24, weight, np.float32))


def test_weights_ride_along_and_only_where_there_are_lessons(tiny: ModuleType) -> None:
    plain = WindowStream([tiny.tiny_drive(1)], batch=2, length=5, seed=0)
    assert 'weight' not in plain.next_batch()
    heavy = lesson(tiny, 2, 3.0)
    stream = WindowStream([tiny.tiny_drive(1), heavy], batch=2, length=5, seed=0)
    for _ in range(12):
        batch = stream.next_batch()
        for images, weights in zip(batch['images'].reshape(10, -1), batch['weight'].reshape(10),
                                   strict=True):
            is_lesson = (heavy.images.reshape(24, -1) == images).all(axis=1).any()
            assert weights == (3.0 if is_lesson else 1.0)


def test_a_weight_counts_like_so_many_copies(tiny: ModuleType, tmp_path: Path) -> None:
    """The loss of a batch with weights 3 and 1 is the mean over three copies and one."""
    config = tiny.tiny_config(batch=2, window=24, longest_run=200)
    light, heavy = lesson(tiny, 1, 1.0), lesson(tiny, 2, 3.0)
    losses = {}
    for name, episodes, batch in (('weighed', [light, heavy], 2),
                                  ('copied', [light, *[tiny.tiny_drive(2, frames=24)] * 3], 4)):
        trainer = Trainer(replace(config, batch=batch), episodes, [light],
                          folder=tmp_path / name)
        rows = [{'images': e.images, 'imu': e.imu, 'dt': e.dt, 'commands': e.commands,
                 'mask': e.valid, 'fresh': e.fresh, 'weight': e.weight} for e in episodes]
        stacked = {key: np.stack([row[key] if row[key] is not None else np.ones(24, np.float32)
                                  for row in rows], axis=1) for key in rows[0]}
        trainer._learn(stacked)
        losses[name] = trainer._loss
    assert losses['weighed'] == pytest.approx(losses['copied'], rel=1e-5)


def test_lessons_are_learned_never_held_out_and_written_down(tiny: ModuleType,
                                                             tmp_path: Path) -> None:
    drives = [tiny.tiny_drive(seed, frames=30) for seed in range(3)]
    config = tiny.tiny_config(steps=2, validate_every=2)
    spec = train(config, drives, out=tmp_path / 'm', name='m', report=lambda _: None,
                 corrections=[lesson(tiny, 8, 4.0), lesson(tiny, 9, 4.0)])
    assert spec.training['corrections'] == {'take_overs': 2, 'frames': 48, 'labelled': 48}
    assert spec.training['held_out_episodes'] == 1
    assert spec.training['config']['corrections']['weight'] == 4.0
    assert '2 take-overs, 48 frames' in (tmp_path / 'm' / 'card.md').read_text()
    plain = train(config, drives, out=tmp_path / 'p', name='p', report=lambda _: None)
    assert 'corrections' not in plain.training
    assert load_spec(tmp_path / 'p').files != load_spec(tmp_path / 'm').files
