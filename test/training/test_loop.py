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
"""The loop: it learns, stops when it gets worse, and refuses what it cannot go on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from ltc_control.core.errors import ConfigError
from ltc_control.core.imu import ImuSpec
from ltc_control.nets.policy_net import build_policy
from ltc_control.training.loop import Progress, Trainer
from ltc_control.training.mirror import mirrored
from ltc_control.training.validate import clamped, replay, validate
import numpy as np
import pytest
import torch


def ignore(_: Progress) -> None:
    pass


CLEAR = {'plain': 1.0, 'fault': 0.0}                     # images as they are


@pytest.mark.parametrize('kind', ['ltc', 'cnn'])
def test_it_learns_what_the_bar_says(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    config = tiny.tiny_config(steps=150, validate_every=150, window=12, augment=CLEAR,
                              policy={'kind': kind})
    trainer = Trainer(config, *tiny.tiny_drives(), folder=tmp_path)
    before = validate(trainer.average, tiny.tiny_drives()[1], config=config)
    trainer.fit(ignore)
    after = trainer.history[-1]
    assert before.r2['curvature'] < 0.2
    assert after['r2_curvature'] > 0.7
    assert after['step'] == 150


def test_a_half_head_learns_the_same(tiny: ModuleType, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('ltc_control.training.loop.multiplies_bfloat16', lambda: True)
    losses = {}
    for half in (False, True):
        config = tiny.tiny_config(steps=30, validate_every=30, augment=CLEAR, half_head=half)
        trainer = Trainer(config, *tiny.tiny_drives(), folder=tmp_path / str(half))
        trainer.fit(ignore)
        losses[half] = trainer.history[-1]['loss']
    assert losses[True] != losses[False]
    assert losses[True] == pytest.approx(losses[False], rel=0.1)


def test_it_stops_when_held_out_drives_get_worse(tiny: ModuleType, tmp_path: Path) -> None:
    training, held_out = tiny.tiny_drives()
    # what is held out wants the opposite: every step towards one is a step from the other
    contrary = [replace(one, commands=one.commands * np.array([-1, 1], np.float32))
                for one in held_out]
    config = tiny.tiny_config(steps=400, validate_every=10, patience=2, augment=CLEAR,
                              policy={'kind': 'cnn'})
    seen: list[Progress] = []
    trainer = Trainer(config, training, contrary, folder=tmp_path)
    trainer.fit(seen.append)
    losses = [entry['loss'] for entry in trainer.history]
    assert trainer.step < 400
    assert seen[-1].stopped_early
    assert not any(progress.stopped_early for progress in seen[:-1])
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    # once more: nothing is left to do
    again = Trainer(config, training, contrary, folder=tmp_path)
    again.fit(seen.append)
    assert again.step == trainer.step


def test_progress_counts_steps_and_scores_where_asked(tiny: ModuleType, tmp_path: Path) -> None:
    seen: list[Progress] = []
    Trainer(tiny.tiny_config(steps=10), *tiny.tiny_drives(), folder=tmp_path).fit(seen.append)
    assert [progress.step for progress in seen] == list(range(1, 11))
    assert [progress.step for progress in seen if progress.score] == [4, 8, 10]


def test_labels_that_are_no_numbers_end_in_words(tiny: ModuleType, tmp_path: Path) -> None:
    training, held_out = tiny.tiny_drives()
    training[0].commands[20, 0] = np.nan
    with pytest.raises(ConfigError, match=r'the loss became nan at step \d+; lower learning_rate'):
        Trainer(tiny.tiny_config(), training, held_out, folder=tmp_path).fit(ignore)


def test_a_run_of_other_settings_is_not_gone_on_with(tiny: ModuleType, tmp_path: Path) -> None:
    Trainer(tiny.tiny_config(steps=4), *tiny.tiny_drives(), folder=tmp_path).fit(ignore)
    with pytest.raises(ConfigError, match='holds a run of another configuration'):
        Trainer(tiny.tiny_config(steps=5), *tiny.tiny_drives(), folder=tmp_path)
    with pytest.raises(ConfigError, match='other data'):
        Trainer(tiny.tiny_config(steps=4), [tiny.tiny_drive(1, frames=30)], [tiny.tiny_drive(3)],
                folder=tmp_path)


@pytest.mark.parametrize('kind', ['ltc', 'lstm', 'cnn'])
def test_replay_is_the_network_step_by_step(tiny: ModuleType, kind: str) -> None:
    torch.manual_seed(3)
    net = build_policy(tiny.tiny_config(
        policy={'kind': kind, 'imu_features': 2},
        imu={'features': ['gyro_z', 'valid'], 'scales': [1.0, 1.0]}).policy)
    drive = tiny.tiny_drive(7, frames=300, imu=2)        # longer than one piece of a replay
    drive.fresh[[100, 260]] = True
    found = replay(net, drive)
    state, expected = net.initial_state(1), []
    with torch.no_grad():
        for k in range(len(drive)):
            if drive.fresh[k]:
                state = net.initial_state(1)
            command, state, _ = net.step(torch.from_numpy(drive.images[k:k + 1]),
                                         torch.from_numpy(drive.imu[k:k + 1]), state,
                                         torch.from_numpy(drive.dt[k:k + 1]))
            expected.append(command[0].numpy())
    np.testing.assert_allclose(found, np.stack(expected), rtol=0, atol=2e-5)
    assert found[:, 0].std() > 1e-5


def test_what_is_judged_is_what_a_robot_would_be_sent(tiny: ModuleType) -> None:
    config = tiny.tiny_config()
    low, high = config.commands[0].low, config.commands[0].high
    wild = np.array([[2 * high, 5.0], [3 * low, -1.0], [0.01, 99.0]], np.float32)
    assert clamped(wild, config.commands).tolist() == np.array(
        [[high, 5.0], [low, 0.0], [0.01, config.commands[1].high]], np.float32).tolist()


def test_a_mirror_image_is_the_same_drive_on_the_other_side(tiny: ModuleType) -> None:
    spec = ImuSpec(('gyro_x', 'gyro_y', 'gyro_z', 'accel_x', 'accel_y', 'accel_z', 'valid'),
                   (1.0,) * 7)
    drive = tiny.tiny_drive(1, imu=7)
    other = mirrored(drive, spec)
    assert other.images[5, 3, 0].tolist() == drive.images[5, 3, -1].tolist()
    assert (other.commands == drive.commands * [-1, 1]).all()
    # an axial vector keeps its part along the mirror's normal (y) and turns the others round;
    # a polar one does the opposite
    assert (other.imu == drive.imu * [-1, 1, -1, 1, -1, 1, 1]).all()
    twice = mirrored(other, spec)
    assert twice.images.tobytes() == drive.images.tobytes()
    assert (twice.commands == drive.commands).all()
