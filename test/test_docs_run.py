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
"""
The pages' commands, run: line by line as a reader types them, only smaller.

What trains or drives for hours gets short lengths appended; nothing else is changed. What needs a
drive, a vehicle, a Gazebo or a ROS install is run by the tests of its subject (test/cli/,
test/system/test_launched.py, test/sim/test_export.py), and parsed by test_docs.py.
"""

from __future__ import annotations

from pathlib import Path
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('torch')

from ltc_control.cli.main import main

ROOT = Path(__file__).resolve().parents[1]
DOCS = SimpleNamespace(**runpy.run_path(str(ROOT / 'test' / 'test_docs.py')))
SMALLER = {                                # appended: of an option given twice the last one counts
    'collect': '--tracks 3:5 --episodes 1 --seconds 2 --jobs 1',
    'train': '--steps 2 --set batch=2 --set window=4 --set compare=[] --set threads=1',
    'eval': '--tracks 1001 --seasons summer --seconds 0.5 --jobs 1',
}
ELSEWHERE = {'drive', 'report', 'replay', 'explain', 'doctor',    # run by tests of their own ...
             'runs/latest', 'runs/drive_1'}    # ... as is what reads a drive


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with what a reader has: the project, a tub and a bag of their own."""
    for name in ('config', 'models'):      # a copy: `eval --card` writes into a model
        shutil.copytree(ROOT / name, tmp_path / name)
    tubs = runpy.run_path(str(ROOT / 'test' / 'cli' / 'test_tub_recipe.py'))
    tub = tubs['write_tub'](tmp_path / 'data' / 'my_tub')
    assert main(['import', 'tub', str(tub), str(tmp_path / 'my_bag')]) == 0
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(page: str) -> list[list[str]]:
    """Return the words after ``ltc`` of every such line of a page, in order."""
    lines = [DOCS.words_of(line) for name, line in DOCS.CASES if name == page]
    return [words[1:] for words in lines if Path(words[0]).name == 'ltc']


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize('page', ['README.md', 'your_bag.md'])
def test_a_reader_can_follow_the_page(page: str, reader: Path) -> None:
    lines = [words for words in typed(page) if not ELSEWHERE & set(words)]
    assert lines
    for words in lines:
        assert main([*words, *shlex.split(SMALLER.get(words[0], ''))]) == 0, words


@pytest.mark.parametrize('line', sorted({line for _, line in DOCS.CASES
                                         if line.startswith('make ')}))
def test_make_would_do_it(line: str) -> None:
    """Make itself reads the target and its variables, and says what it would run."""
    if shutil.which('make') is None:
        pytest.skip('make is not installed')
    words = DOCS.words_of(line)
    done = subprocess.run(['make', '-n', *words[1:]], cwd=ROOT, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def measured() -> list[str]:
    """Return the benchmarks whose command stands on a page, in a block or in a sentence."""
    text = ''.join(page.read_text(encoding='utf-8') for page in DOCS.PAGES)
    return sorted(set(re.findall(r'python (benchmarks/\w+\.py)', text)))


@pytest.mark.parametrize('script', measured())
def test_a_benchmark_of_the_pages_starts(script: str) -> None:
    done = subprocess.run([sys.executable, script, '--help'], cwd=ROOT, capture_output=True,
                          text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert '--json' in done.stdout or 'usage' in done.stdout
