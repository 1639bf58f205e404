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
"""ament's linters where a ROS 2 install brings them, ruff and mypy everywhere."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.linter


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, '-m', *arguments], cwd=ROOT, timeout=300,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_ruff() -> None:
    pytest.importorskip('ruff')
    run('ruff', 'check', '.')


def test_mypy_core() -> None:
    pytest.importorskip('mypy')
    run('mypy')


@pytest.mark.copyright
def test_copyright() -> None:
    ament = pytest.importorskip('ament_copyright.main')
    assert ament.main(argv=[str(ROOT), '--exclude', '.venv*']) == 0


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
    ament = pytest.importorskip('ament_xmllint.main')
    assert ament.main(argv=[str(ROOT / 'package.xml')]) == 0
