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
Choose how MuJoCo draws off screen, before anything imports it.

Importing this module sets ``MUJOCO_GL`` (MuJoCo reads it once, at its first import), keeps the
software rasteriser on the calling thread and gives it a shader cache of our own. Every module
of ``sim`` imports ``mujoco`` from here. The choice is tried in a subprocess, because PyOpenGL
cannot change its mind in one process, and is inherited by child processes through the
environment. Without any OpenGL the physics still works; only opening a renderer fails.
"""

from __future__ import annotations

from collections.abc import Sequence
import os
from pathlib import Path
import subprocess
import sys
import tempfile

from ltc_control.core.errors import SimulationError

PROBE = """
import mujoco
model = mujoco.MjModel.from_xml_string('<mujoco/>')
with mujoco.Renderer(model, 8, 8) as renderer:
    renderer.update_scene(mujoco.MjData(model)), renderer.render()
"""
NO_GL = ('no off-screen OpenGL among {}; install it with: '
         'sudo apt-get install -y --no-install-recommends libegl1 libgl1')
TOO_SLOW = ('off-screen OpenGL by {} drew nothing within {:g} s: its driver hangs, or the machine '
            'is too busy; set MUJOCO_GL={} to go without this trial')
PROBE_S = 180.0                            # of which two are needed where the machine is free
OFF = 'disable'                            # MuJoCo's own word for "do not draw"

_refusal = [NO_GL.format('egl, osmesa')]   # what there is to say where nothing can be drawn


def pick_backend(candidates: Sequence[str] = ('egl', 'osmesa'), *,
                 within_s: float = PROBE_S) -> str:
    """Return the first value of MUJOCO_GL that draws here; SimulationError if none does."""
    slow = []
    for name in candidates:
        environment = {**os.environ, 'MUJOCO_GL': name}
        environment.pop('PYOPENGL_PLATFORM', None)
        try:
            done = subprocess.run([sys.executable, '-c', PROBE], capture_output=True,
                                  env=environment, timeout=within_s, check=False)
        except subprocess.TimeoutExpired:
            slow.append(name)
            continue
        if done.returncode == 0:
            return name
    if slow:
        raise SimulationError(TOO_SLOW.format(', '.join(slow), within_s, slow[0]))
    raise SimulationError(NO_GL.format(', '.join(candidates)))


def _prepare() -> None:
    """Set the environment that MuJoCo and Mesa read at their first import."""
    os.environ.setdefault('LP_NUM_THREADS', '0')
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    shaders = Path(cache) / 'ltc_control' / 'mesa'
    try:
        shaders.mkdir(parents=True, exist_ok=True)
    except OSError:
        shaders = Path(tempfile.gettempdir())
    os.environ.setdefault('MESA_SHADER_CACHE_DIR', str(shaders))
    if 'MUJOCO_GL' not in os.environ and 'mujoco' not in sys.modules:
        try:
            os.environ['MUJOCO_GL'] = pick_backend()
        except SimulationError as error:
            os.environ['MUJOCO_GL'], _refusal[:] = OFF, [str(error)]


def require() -> None:
    """Raise SimulationError, saying what to do, where nothing can be drawn."""
    if 'MUJOCO_GL' not in os.environ:
        raise SimulationError('mujoco was imported before ltc_control.sim, and may want a screen; '
                              'import ltc_control.sim.graphics first, or set MUJOCO_GL=egl')
    if os.environ.get('MUJOCO_GL') == OFF or not hasattr(mujoco, 'GLContext'):
        raise SimulationError(_refusal[0])


_prepare()
try:
    import mujoco
except Exception as err:                   # PyOpenGL raises AttributeError without libGL
    raise SimulationError(f'MuJoCo cannot start with MUJOCO_GL='
                          f'{os.environ.get("MUJOCO_GL")!r} ({err}); unset it, or install '
                          'libegl1 and libgl1') from err

__all__ = ['mujoco', 'pick_backend', 'require']
