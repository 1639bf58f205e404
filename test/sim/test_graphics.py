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
"""Without OpenGL: a message that names the packages, and physics that runs all the same."""

from __future__ import annotations

import os
import subprocess
import sys

from ltc_control.core.errors import SimulationError
from ltc_control.sim import graphics
import pytest

DRAW = """
from ltc_control.core.errors import SimulationError
from ltc_control.sim.environment import Environment, EnvironmentSpec
blind = Environment(EnvironmentSpec(track=1, render=False))
start = blind.reset(seed=0)
moved = blind.step(blind.expert.command(start.truth, start.odometry))
print('moved', moved.truth.lap_m > 0.1)
try:
    Environment(EnvironmentSpec(track=1))
except SimulationError as err:
    print('refused:', err)
"""


def without_gl(code: str) -> subprocess.CompletedProcess[str]:
    """Run code where EGL finds no driver and OSMesa no library."""
    gone = {'MUJOCO_GL', 'PYOPENGL_PLATFORM', 'DISPLAY'}
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    environment['__EGL_VENDOR_LIBRARY_FILENAMES'] = os.devnull
    return subprocess.run([sys.executable, '-c', code], env=environment, text=True,
                          capture_output=True, timeout=300, check=False)


def osmesa_is_here() -> bool:
    try:
        return graphics.pick_backend(('osmesa',)) == 'osmesa'
    except SimulationError:
        return False


def test_physics_runs_and_drawing_names_the_packages() -> None:
    if osmesa_is_here():
        pytest.skip('OSMesa draws here even without EGL')
    done = without_gl(DRAW)
    assert done.returncode == 0, done.stderr
    assert 'moved True' in done.stdout
    assert 'refused:' in done.stdout
    assert 'libegl1' in done.stdout
    assert 'libgl1' in done.stdout


def test_no_candidate_that_draws_is_an_error() -> None:
    with pytest.raises(SimulationError, match=r'nonsense.*libegl1 libgl1'):
        graphics.pick_backend(('nonsense',))


def test_a_trial_that_takes_too_long_is_not_called_missing(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphics, 'PROBE', 'import time; time.sleep(600)')
    with pytest.raises(SimulationError, match=r'egl drew nothing within 0.1 s.*MUJOCO_GL=egl'):
        graphics.pick_backend(('egl',), within_s=0.1)


@pytest.mark.gl
def test_what_was_picked_is_handed_to_children() -> None:
    assert os.environ['MUJOCO_GL'] in ('egl', 'osmesa', 'glfw')
    assert graphics.pick_backend((os.environ['MUJOCO_GL'],)) == os.environ['MUJOCO_GL']
