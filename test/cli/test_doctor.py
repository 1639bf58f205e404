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
"""The doctor on this machine as it is, and on machines that lack something."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import subprocess
import sys

from ltc_control.cli import doctor
import pytest

CALL = ('import argparse, sys\n'
        'from ltc_control.cli import doctor\n'
        'parser = argparse.ArgumentParser()\n'
        'doctor.add_arguments(parser)\n'
        'sys.exit(doctor.run(parser.parse_args()))')


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the doctor in a process of its own: some checks prepare the environment."""
    return subprocess.run([sys.executable, '-c', CALL, *arguments], timeout=300, check=False,
                          capture_output=True, text=True, env={**os.environ, **environment})


def findings(*arguments: str, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = call(*arguments, '--json', **environment)
    report = json.loads(done.stdout)
    assert report['ok'] == (done.returncode == 0)
    return done.returncode, {one['name']: one for one in report['checks']}


@pytest.mark.gl
@pytest.mark.ros
def test_this_machine_can_drive() -> None:
    pytest.importorskip('rclpy')
    code, found = findings('--only', 'python', 'packages', 'gl', 'ros', 'shm')
    assert code == 0, found
    assert found['ros']['text'].startswith('rmw_')
    assert found['gl']['text'].split(',')[0] in ('egl', 'osmesa')


def test_without_gl_it_says_what_to_install() -> None:
    done = call('--only', 'gl', MUJOCO_GL='disable')
    assert done.returncode == 1
    assert 'libegl1' in done.stdout
    assert 'Traceback' not in done.stdout + done.stderr


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, 'NEEDED', ('numpy', 'no-such-package-anywhere'))
    (found,) = doctor.examine('packages')
    assert found.state == 'failed'
    assert 'no-such-package-anywhere' in found.text
    assert 'numpy' not in found.text
    assert found.advice


def test_another_version_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, 'tested_versions', lambda: {'numpy': {'0.1'}})
    (found,) = doctor.examine('packages')
    assert found.state == 'warning'
    assert 'numpy' in found.text


def test_pins_are_read_from_the_requirements() -> None:
    pins = doctor.tested_versions()
    assert pins['ros-rclpy'] == {'7.1.6', '9.1.2'}
    assert pins['torch'] == {'2.13.0'}


@pytest.mark.parametrize('content', [None, 'neither: yaml of a model\n'])
def test_a_broken_model_folder_is_named(
        content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if content is not None:
        (tmp_path / 'models' / 'broken').mkdir(parents=True)
        (tmp_path / 'models' / 'broken' / 'policy.yaml').write_text(content)
    monkeypatch.setattr(doctor.bringup, 'share', lambda name: tmp_path / name)
    (found,) = doctor.examine('models')
    assert found.state == 'failed'
    assert found.advice
    assert ('broken' in found.name) == (content is not None)


def test_a_check_that_breaks_is_a_finding(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> list[doctor.Finding]:
        raise ZeroDivisionError('on purpose')

    monkeypatch.setitem(doctor.CHECKS, 'python', broken)
    options = argparse.Namespace(only=['python', 'shm'], json=False)
    assert doctor.run(options) == 1
    said = capsys.readouterr().out
    assert 'ZeroDivisionError: on purpose' in said
    assert 'shm' in said
