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
"""Settings: read, written, and refused with the values that do not fit."""

from __future__ import annotations

from pathlib import Path
import re
from types import ModuleType
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.core.imaging import ImageSpec
from ltc_control.training.config import config_from_dict, load_config, TrainConfig
import pytest
import yaml

RECIPES = sorted((Path(__file__).parents[2] / 'config').glob('train_*.yaml'))


def test_there_and_back(tiny: ModuleType) -> None:
    config = tiny.tiny_config(
        image={'height': tiny.HEIGHT, 'width': tiny.WIDTH, 'crop_top': 0.25},
        policy={'imu_features': 2}, imu={'features': ['gyro_z', 'valid'], 'scales': [0.5, 1.0]},
        topics={'command': '/command', 'turn_scale': -1.0}, augment={'noise': 0.25},
        loss={'speed': 0.5, 'weights': [1.0, 2.0]}, strides=[1, 2], mirror=True,
        compare=['cnn', 'lstm'], core={'steps': 7, 'hover_weight': 2.5},
        commands=[{'name': 'curvature', 'unit': '1/m', 'low': -1.0, 'high': 1.0},
                  {'name': 'speed', 'unit': 'm/s', 'low': 0.0, 'high': 2.0}])
    values = config.to_dict()
    assert yaml.safe_load(yaml.safe_dump(values)) == values           # plain through and through
    again = config_from_dict(values)
    assert again.to_dict() == values
    assert again.image == ImageSpec(tiny.HEIGHT, tiny.WIDTH, crop_top=0.25)
    assert (again.strides, again.compare, again.mirror) == ((1, 2), ('cnn', 'lstm'), True)
    assert again.topics.turn_scale == -1.0
    assert again.augment.noise == 0.25
    assert (again.core.steps, again.core.hover_weight) == (7, 2.5)
    assert again.commands[1].high == 2.0


def test_defaults_there_and_back() -> None:
    values = TrainConfig().to_dict()
    assert config_from_dict(values).to_dict() == values
    assert config_from_dict({}).to_dict() == values


@pytest.mark.parametrize('path', RECIPES, ids=[path.stem for path in RECIPES])
def test_recipes_can_be_read(path: Path) -> None:
    config = load_config(path)
    assert config.policy.head_config.height == config.image.height


@pytest.mark.parametrize(('changes', 'said'), [
    ({'stepps': 5}, "unknown training settings ['stepps']"),
    ({'image': {'height': 66, 'width': 200}}, 'image is 66x200, the head takes 20x32'),
    ({'image': {'hight': 20, 'width': 32}}, 'hight'),
    ({'policy': {'imu_features': 3}}, 'imu names 0 features, policy.imu_features is 3'),
    ({'policy': {'command_scale': [0.05], 'command_offset': [0.0]}},
     '2 commands, but policy.command_scale has 1'),
    ({'policy': {'kind': 'transformer'}}, "'transformer'"),
    ({'policy': {'layers': 9}}, "'policy'"),
    ({'augment': {'noise': 1.5}}, 'augment.noise is a chance, must lie in [0, 1], got 1.5'),
    ({'augment': {'nois': 0.5}}, "'augment'"),
    ({'loss': {'sped': 1.0}}, "'loss'"),
    ({'core': {'hover_weight': 2.0}}, 'hover_weight is of a loss with a weight for each command'),
    ({'loss': {'hover_weight': 2.0}}, 'hover_weight is of a loss with a weight for each command'),
    ({'commands': [{'nam': 'speed'}]}, "'commands'"),
    ({'topics': {'comand': '/x'}}, 'comand'),
    ({'steps': 0}, 'steps must be a whole number of at least 1, got 0'),
    ({'batch': 2.5}, 'batch must be a whole number of at least 1, got 2.5'),
    ({'patience': True}, 'patience must be a whole number of at least 1, got True'),
    ({'learning_rate': '2e-3'}, "got '2e-3' (YAML reads 2e-3 as text; write 2.0e-3 or 0.002)"),
    ({'average': 1.0}, 'average must be a number above 0 and below 1, got 1.0'),
    ({'hold_out': 0.0}, 'hold_out must be a number above 0 and below 1, got 0.0'),
    ({'compare': ['cnn', 'rnn']}, "cannot compare with ['rnn']"),
])
def test_what_cannot_be_is_refused_with_its_value(tiny: ModuleType, changes: dict[str, Any],
                                                  said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        tiny.tiny_config(**changes)


def test_a_file_and_what_the_command_line_puts_over_it(tmp_path: Path, tiny: ModuleType) -> None:
    path = tmp_path / 'train.yaml'
    path.write_text(yaml.safe_dump(tiny.settings(seed=5)))
    assert load_config(path).seed == 5
    over = load_config(path, settings={'seed': 9, 'policy.kind': 'cnn', 'augment.noise': 0.75})
    assert (over.seed, over.policy.kind, over.augment.noise) == (9, 'cnn', 0.75)
    assert over.policy.head_config == load_config(path).policy.head_config
    with pytest.raises(ConfigError, match=r'steps must be .* got -1'):
        load_config(path, settings={'steps': -1})
    with pytest.raises(ConfigError, match=r"'seed\.more': 'seed' holds no settings"):
        load_config(path, settings={'seed.more': 1})


@pytest.mark.parametrize(('text', 'said'), [
    (None, 'cannot read'), ('a: [1', 'cannot read'), ('- 1\n- 2\n', 'holds list'),
    ('', 'holds NoneType'), ('policy: 5\n', "'policy'"),
])
def test_a_file_that_holds_no_settings_is_named(tmp_path: Path, text: str | None,
                                                said: str) -> None:
    path = tmp_path / 'train.yaml'
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        load_config(path)
    assert 'train.yaml' in str(caught.value)
