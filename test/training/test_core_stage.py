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
"""The core alone: what it sees, that the head stays, that it learns, and what is refused."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
from types import ModuleType

from ltc_control.cli.main import main
from ltc_control.core.errors import ConfigError
from ltc_control.nets.export import WEIGHTS_FILE
from ltc_control.nets.policy_net import build_policy, load_policy
from ltc_control.training.config import TrainConfig
from ltc_control.training.core_stage import CoreTrainer, featurise, stage_config, train_core
from ltc_control.training.loop import Progress, Trainer
from ltc_control.training.mirror import mirrored
from ltc_control.training.train import train
import numpy as np
import pytest
import torch

CLEAR = {'plain': 1.0, 'fault': 0.0}                     # pictures as they are
CORE = {'steps': 60, 'batch': 4, 'window': 12, 'augmented': 0}


def ignore(*_: object) -> None:
    pass


def fresh_net(config: TrainConfig) -> torch.nn.Module:
    torch.manual_seed(5)
    return build_policy(config.policy)


def bits(module: torch.nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def test_features_are_those_of_the_head_and_of_pictures_in_other_light(tiny: ModuleType) -> None:
    config = tiny.tiny_config(core=CORE | {'augmented': 2})
    net, drives = fresh_net(config), [tiny.tiny_drive(1, frames=250), tiny.tiny_drive(2)]
    said: list[str] = []
    found = featurise(net, drives, config, advance=said.append)
    assert [len(one) for one in found] == [250] * 3 + [60] * 3
    assert said[-1] == 'features of 2 of 2 recordings'
    for k, drive in enumerate(drives):
        plain, *others = found[3 * k:3 * k + 3]
        each = np.concatenate([net.encode(torch.from_numpy(image[None])).detach().numpy()
                               for image in drive.images])
        np.testing.assert_allclose(plain.images, each, rtol=0, atol=1e-4)
        assert plain.images.dtype == np.float32
        assert all(one.commands is drive.commands and one.dt is drive.dt
                   for one in (plain, *others))
        assert all(np.abs(one.images - plain.images).mean() > 1e-3 for one in others)
        assert np.abs(others[0].images - others[1].images).mean() > 1e-3
    again = featurise(net, drives, config, advance=ignore)
    assert all((a.images == b.images).all() for a, b in zip(found, again, strict=True))


def test_a_mirrored_drive_has_the_features_of_its_mirrored_pictures(tiny: ModuleType) -> None:
    config = tiny.tiny_config(core=CORE | {'augmented': 1})
    drive = tiny.tiny_drive(1)
    seen = mirrored(drive, config.imu)
    assert np.shares_memory(seen.images, drive.images)         # no second copy of all pictures
    copied = replace(seen, images=seen.images.copy())
    net = fresh_net(config)
    for one, other in zip(*(featurise(net, [drives], config, advance=ignore)
                            for drives in (seen, copied)), strict=True):
        np.testing.assert_array_equal(one.images, other.images)


def test_a_step_costs_what_it_costs_with_pictures(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.tiny_config(steps=3, batch=4, window=12, learning_rate=0.01, augment=CLEAR,
                              loss={'guide': 0.0}, core=CORE | {'steps': 3, 'learning_rate': 0.01},
                              head_learning_rate=1e-12, validate_every=3)
    seen: dict[str, list[float]] = {'pictures': [], 'features': []}
    whole = Trainer(config, *tiny.tiny_drives(), folder=tmp_path / 'a', start=fresh_net(config))
    whole.fit(lambda progress: seen['pictures'].append(progress.loss))
    train_core(fresh_net(config), replace(config, validate_every=1), *tiny.tiny_drives(),
               folder=tmp_path / 'b',
               report=lambda p: p.doing or seen['features'].append(p.loss))
    assert seen['features'] == pytest.approx(seen['pictures'], rel=1e-4)


@pytest.mark.parametrize('kind', ['ltc', 'cnn'])
def test_the_core_learns_and_the_head_stays(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    config = tiny.tiny_config(policy={'kind': kind}, core=CORE | {'steps': 150})
    net = fresh_net(config)
    head, core = bits(net.head), bits(net.core)
    seen: list[Progress] = []
    stage = train_core(net, config, *tiny.tiny_drives(), folder=tmp_path, report=seen.append)
    assert bits(stage.average.head) == head
    assert bits(stage.average.core) != core
    assert stage.history[-1]['r2_curvature'] > 0.5       # of pictures, behind a random head
    assert [one.step for one in seen if not one.doing] == list(
        range(config.steps + 1, config.steps + 151))


def test_a_stage_that_was_stopped_goes_on(tiny: ModuleType, tmp_path: Path) -> None:
    config = tiny.tiny_config(core=CORE | {'steps': 12})
    drives, held_out = tiny.tiny_drives()
    settings, net = stage_config(config), fresh_net(config)
    lessons = featurise(net, drives, config, advance=ignore)

    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.step == 9:                           # a checkpoint lies at 6
            raise StoppedError

    with pytest.raises(StoppedError):
        CoreTrainer(settings, lessons, held_out, folder=tmp_path / 'a',
                    start=fresh_net(config)).fit(stop)
    ends = {}
    for name in 'ab':
        trainer = CoreTrainer(settings, lessons, held_out, folder=tmp_path / name,
                              start=fresh_net(config))
        assert trainer.step == (6 if name == 'a' else 0)
        ends[name] = bits(trainer.fit(ignore))
    assert ends['a'] == ends['b']


def test_training_ends_with_the_stage_and_the_card_says_so(tiny: ModuleType,
                                                           tmp_path: Path) -> None:
    drives = [*tiny.tiny_drives()[0], *tiny.tiny_drives()[1]]
    whole = {'out': tmp_path / 'whole', 'name': 'whole', 'report': ignore}
    spec = train(tiny.tiny_config(steps=8, core=CORE), drives, **whole)
    assert '- then 60 steps of the core alone, 4 rows x 12 frames\n' in (
        tmp_path / 'whole' / 'card.md').read_text()
    assert spec.training['score']['step'] == 8 + 60
    history = json.loads((tmp_path / 'whole' / 'run' / 'history.json').read_text())
    steps = [entry['step'] for entry in history]
    assert steps == sorted(set(steps))
    assert {8, 8 + 30, 8 + 60} <= set(steps)
    alone = {'out': tmp_path / 'alone', 'name': 'alone', 'report': ignore}
    config = tiny.tiny_config(steps=0, core=CORE | {'steps': 5})
    train(config, drives, start=tmp_path / 'whole', **alone)
    first, second = (load_policy(tmp_path / name / WEIGHTS_FILE) for name in ('whole', 'alone'))
    assert bits(first.head) == bits(second.head)
    assert bits(first.core) != bits(second.core)
    with pytest.raises(ConfigError, match='steps is 0: the core alone is trained behind the head'):
        train(config, drives, out=tmp_path / 'none', name='none', report=ignore)


def test_near_the_stand_off_the_loss_of_the_stage_is_its_own(tiny: ModuleType) -> None:
    config = tiny.tiny_config(loss={'weights': [1.0, 1.0], 'hover_weight': 0.5, 'guide': 0.7},
                              core=CORE | {'hover_weight': 4.0})
    assert stage_config(config).loss == replace(config.loss, hover_weight=4.0, guide=0.0)
    plain = tiny.tiny_config(loss={'weights': [1.0, 1.0], 'hover_weight': 0.5}, core=CORE)
    assert stage_config(plain).loss.hover_weight == 0.5


@pytest.mark.parametrize(('core', 'said'), [
    ({'steps': -1}, 'core.steps must be a whole number of at least 0, got -1'),
    ({'batch': 0}, 'core.batch must be a whole number of at least 1, got 0'),
    ({'learning_rate': 1.5}, 'core.learning_rate must lie above 0 and below 1, got 1.5'),
    ({'hover_weight': float('nan')}, 'core.hover_weight must not be below 0, got nan'),
    ({'stepps': 5}, "training setting 'core'")])
def test_settings_that_make_no_sense_are_refused(tiny: ModuleType, core: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        tiny.tiny_config(core=core)


def test_help_shows_how(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['train', '--help'])
    assert '--steps 0 --set core.steps=2000' in capsys.readouterr().out
