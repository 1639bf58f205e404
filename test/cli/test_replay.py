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
"""``ltc replay``: one line, one exit code, and what-if numbers, on the kept drive."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

from ltc_control.cli.main import main
from ltc_control.core.model_file import load_spec, write_spec
import pytest

KEPT = Path(__file__).parents[1] / 'data' / 'kept_drive'


def other_model(folder: Path) -> str:
    shutil.copytree(KEPT / 'model', folder)
    spec = load_spec(folder)
    slow = tuple(replace(command, high=8.0) if command.name == 'speed' else command
                 for command in spec.commands)
    write_spec(folder, replace(spec, commands=slow))
    return str(folder)


def test_a_difference_is_one_line_and_a_code(tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    model = other_model(tmp_path / 'model')
    assert main(['replay', str(KEPT), '--diff', '--model', model]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert 'DIFFERS in' in line
    assert 'another model' in line
    assert main(['replay', str(KEPT), '--diff', '--model', model, '--json']) == 1
    told = json.loads(capsys.readouterr().out)
    assert told['exact'] is False
    assert told['equal'] + told['different'] == told['compared']
    assert told['first']['recorded'] != told['first']['replayed']


def test_what_if_tells_numbers_and_draws(tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / 'deep' / 'a.png'
    words = ['replay', str(KEPT), '--drop', '0.3', '--seed', '4', '--json', '--out', str(picture)]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told['decisions'] == 65
    assert told['stepped'] < 60
    assert told['curvature']['max'] > 0
    assert picture.read_bytes()[:4] == b'\x89PNG'
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == told         # the same losses again


@pytest.mark.parametrize(('words', 'said'), [
    (['--drop', '1.0'], 'in [0, 1)'),
    (['--drop', 'nan'], 'in [0, 1)'),
    (['--rate', '0'], '0.1 ... 1000'),
    (['--noise', '-1'], 'variance'),
    (['--season', 'spring'], 'unknown season'),
    (['--season', 'summer,winter'], 'one season'),
    (['--lesion', ','], 'names no neuron'),
    (['--drop', '0.1', '--out', 'a.txt'], 'a .png file'),
    (['--drop', '0.1', '--diff'], 'leave one of both out'),
    (['--model', '/nowhere'], 'does not exist'),
    (['--namespace', 'other'], 'nothing to replay'),
])
def test_wrong_words_are_wrong_usage(words: list[str], said: str,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['replay', str(KEPT), *words]) == 2
    assert said in capsys.readouterr().err
