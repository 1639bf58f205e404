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
"""``ltc report``: the file, the figures, and what is said where it cannot be."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
import json
from pathlib import Path

from ltc_control.cli.main import main
import pytest

_spec = spec_from_file_location(
    'conftest_of_insight', Path(__file__).parents[1] / 'insight' / 'conftest.py')
_insight = module_from_spec(_spec)
_spec.loader.exec_module(_insight)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Return a run folder as ``ltc drive`` leaves it: bag and report.json."""
    _insight.write_circle(tmp_path / 'run' / 'bag', frames=31)
    (tmp_path / 'run' / 'report.json').write_text('{"latency_ms": {"p50": 4.5, "p99": 9.0}}')
    return tmp_path / 'run'


def test_a_run_folder_gets_its_report(run_folder: Path, capsys: pytest.CaptureFixture) -> None:
    figures = run_folder / 'figures.json'
    assert main(['report', str(run_folder), '--json', str(figures)]) == 0
    said = capsys.readouterr()
    assert str(run_folder / 'report.html') in said.out
    text = (run_folder / 'report.html').read_text()
    assert '4.5 ms' in text
    told = json.loads(figures.read_text())
    assert told['frames'] == 31
    assert told['bytes'] == len(text.encode()) < 5_000_000


def test_a_bag_and_a_file_are_taken_too(run_folder: Path, tmp_path: Path) -> None:
    assert main(['report', str(run_folder / 'bag'), '--out', str(tmp_path / 'a.html')]) == 0
    (storage,) = (run_folder / 'bag').glob('*.mcap')
    assert main(['report', str(storage), '--out', str(tmp_path / 'new' / 'b.html')]) == 0
    assert (tmp_path / 'new' / 'b.html').is_file()


@pytest.mark.parametrize(('words', 'said'), [
    (['nowhere'], 'does not exist'),
    (['RUN', '--out', 'FOLDER'], 'is a folder'),
    (['RUN', '--model', 'nowhere'], 'nowhere'),
])
def test_what_cannot_be_is_one_line(run_folder: Path, words: list[str], said: str,
                                    capsys: pytest.CaptureFixture) -> None:
    places = {'RUN': str(run_folder), 'FOLDER': str(run_folder)}
    assert main(['report', *(places.get(word, word) for word in words)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert 'Traceback' not in error


def test_it_loads_neither_torch_nor_mujoco(run_folder: Path) -> None:
    import subprocess
    import sys
    code = ('import sys\nfrom ltc_control.cli.main import main\n'
            f'assert main(["report", {str(run_folder)!r}]) == 0\n'
            'assert not {"torch", "onnx", "mujoco", "rclpy"} & set(sys.modules)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
