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
"""Every subject of ``ltc explain`` shows examples that can be typed; attaching adds a graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import re
import shutil
import sys

from ltc_control.cli import explain
from ltc_control.cli.main import main
from ltc_control.core.model_file import load_spec, write_spec
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'


@pytest.mark.parametrize('subject', explain.SUBJECTS)
def test_each_subject_shows_examples_that_can_be_typed(
        subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(['explain', subject, '--help'])
    assert stop.value.code == 0
    options, _, examples = capsys.readouterr().out.partition('examples:')
    typed = re.findall(r'^  (ltc .*)$', examples, flags=re.MULTILINE)
    assert typed
    for line in typed:
        assert line.split()[1:3] == ['explain', subject]
        used = re.findall(r' (--[a-z][a-z-]*)', line)
        assert set(used) <= set(re.findall(r'--[a-z][a-z-]*', options)), line


def test_a_subject_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(['explain'])
    assert stop.value.code == 2
    assert 'SUBJECT' in capsys.readouterr().err


def test_attach_adds_the_graph_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('torch')
    folder = tmp_path / 'car'
    shutil.copytree(MODEL, folder)
    kept = {name: (MODEL / name).read_bytes() for name in ('policy.onnx', 'weights.safetensors')}
    (folder / 'attention.onnx').unlink()
    write_spec(folder, replace(load_spec(MODEL), files={}))
    assert main(['explain', 'attach', str(folder)]) == 0
    assert 'attention.onnx added' in capsys.readouterr().out
    assert {name: (folder / name).read_bytes() for name in kept} == kept
    assert 'attention.onnx' in load_spec(folder).files


def test_attach_without_torch_says_what_to_install(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in sys.modules if name.startswith('ltc_control.nets')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'torch', None)        # as on a robot
    assert main(['explain', 'attach', str(MODEL)]) == 2
    assert 'make setup-train' in capsys.readouterr().err
