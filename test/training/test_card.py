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
"""The card: results go in once, the model stays loadable, and what it started from is named."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.training.card import add_results
from ltc_control.training.train import train
import pytest

SUMMARY = {'summer': {'clean_runs': 9, 'runs': 10, 'departures': 1, 'interventions_per_km': 0.25,
                      'mean_abs_offset_m': 0.0333, 'p95_abs_offset_m': 0.1}}


def _train(tiny: ModuleType, out: Path, *, start: Path | None = None, **changes) -> ModelSpec:
    episodes = [tiny.tiny_drive(seed) for seed in (1, 2, 3)]
    return train(tiny.tiny_config(**changes), episodes, out=out, name=out.name,
                 report=lambda progress: None, start=start)


def test_results_stand_in_the_card_once_and_the_model_still_loads(
        tiny: ModuleType, tmp_path: Path) -> None:
    model = tmp_path / 'first'
    before = _train(tiny, model)
    graph = (model / 'policy.onnx').read_bytes()
    for clean in (9, 10):
        add_results(model, title='Closed loop', summary={
            'summer': SUMMARY['summer'] | {'clean_runs': clean}})
    add_results(model, title='Closed loop, noise', summary=SUMMARY)
    card = (model / 'card.md').read_text()
    assert card.count('## Closed loop\n') == 1
    assert card.count('## Closed loop, noise\n') == 1
    assert '| summer | 10 of 10 | 1 | 0.25 | 0.033 | 0.100 |' in card
    assert card.index('## Training') < card.index('## Closed loop') < card.index('## Where it fai')
    after = load_spec(model)
    assert after.files['card.md'] != before.files['card.md']
    assert after.files['policy.onnx'] == before.files['policy.onnx']
    assert (model / 'policy.onnx').read_bytes() == graph


def test_results_do_not_cover_up_a_changed_model(tiny: ModuleType, tmp_path: Path) -> None:
    model = tmp_path / 'first'
    _train(tiny, model)
    with (model / 'weights.safetensors').open('ab') as file:
        file.write(b'x')
    with pytest.raises(ModelError, match='weights'):
        add_results(model, title='Closed loop', summary=SUMMARY)


def test_a_model_names_the_one_it_started_from(tiny: ModuleType, tmp_path: Path) -> None:
    first = _train(tiny, tmp_path / 'first', steps=8)
    second = _train(tiny, tmp_path / 'second', start=tmp_path / 'first')
    assert second.training['start'] == {'name': 'first', 'digest': first.digest, 'steps': 8}
    assert 'started from first, trained for 8 steps' in (tmp_path / 'second/card.md').read_text()
    with pytest.raises(ConfigError, match='built otherwise'):
        _train(tiny, tmp_path / 'third', start=tmp_path / 'first', policy={'kind': 'cnn'})
