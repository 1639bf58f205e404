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
ament's linters, ruff and mypy.

Two of ament's have no wheel: they run as the programs that apt or a ROS 2 install brings, in the
Python that those belong to. Debian's ament_xmllint has the schema of manifests with it; that of a
ROS 2 install takes it from the network.
"""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.linter


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, '-m', *arguments], cwd=ROOT, timeout=300,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def run_program(name: str, *paths: str) -> None:
    """Run one of ament's programs on paths below the root; skip where it is not installed."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f'no {name}: apt-get install python3-{name.replace("_", "-")}')
    done = subprocess.run([program, *paths], cwd=ROOT, timeout=300, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_ruff() -> None:
    pytest.importorskip('ruff')
    run('ruff', 'check', '.')


def test_mypy_core() -> None:
    pytest.importorskip('mypy')
    run('mypy')


@pytest.mark.copyright
def test_copyright() -> None:
    run_program('ament_copyright', 'LICENSE', 'CONTRIBUTING.md', 'benchmarks', 'docs', 'launch',
                'ltc_control', 'setup.py', 'test')


@pytest.mark.flake8
def test_flake8() -> None:
    ament = pytest.importorskip('ament_flake8.main')
    # not test: modules there import after pytest.importorskip, which flake8 takes for E402
    folders = [str(ROOT / name) for name in ('ltc_control', 'launch', 'setup.py')]
    code, errors = ament.main_with_errors(argv=['--linelength', '99', *folders])
    assert code == 0, '\n'.join(errors)


@pytest.mark.pep257
def test_pep257() -> None:
    ament = pytest.importorskip('ament_pep257.main')
    assert ament.main(argv=[str(ROOT / 'ltc_control'), str(ROOT / 'launch')]) == 0


@pytest.mark.xmllint
def test_xmllint() -> None:
    run_program('ament_xmllint', 'package.xml', 'config')
