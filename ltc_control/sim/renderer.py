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
Draws a scene into an array: the one place that holds an OpenGL context.

``render(camera)`` returns (H, W, 3) uint8, ``segment(camera)`` the geom of each pixel. Textures
and fog belong to the context, so ``refresh`` after a change of look opens a new one (0.1-0.3 s);
the model is not compiled again. A renderer stays in the thread that made it.
"""

from __future__ import annotations

from ltc_control.core.errors import SimulationError
from ltc_control.sim import graphics
from ltc_control.sim.graphics import mujoco
from ltc_control.sim.scene import OUTSIDE, Scene, SHADE
import numpy as np


class Renderer:
    """A drawing surface of fixed size; close it before the interpreter ends."""

    def __init__(self, scene: Scene, *, height: int, width: int, samples: int = 0,
                 shadows: bool = False, outside: bool = False) -> None:
        graphics.require()
        self._scene, self._size = scene, (height, width)
        self._samples, self._shadows = samples, shadows
        self._option = mujoco.MjvOption()
        self._option.geomgroup[OUTSIDE] = int(outside)
        self._gl: mujoco.Renderer | None = None
        self.refresh()

    def refresh(self) -> None:
        """Take over the scene's present textures and fog."""
        self.close()
        model, (height, width) = self._scene.model, self._size
        model.vis.quality.offsamples = self._samples
        model.vis.global_.offheight, model.vis.global_.offwidth = height, width
        try:
            self._gl = mujoco.Renderer(model, height, width)
        except Exception as err:           # each OpenGL platform fails in its own words
            raise SimulationError(f'OpenGL cannot draw {width}x{height} pixels ({err}); '
                                  'install libegl1 and libgl1, or ask for less') from err
        flags = self._gl.scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = int(self._shadows)
        flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        flags[mujoco.mjtRndFlag.mjRND_FOG] = 1
        flags[mujoco.mjtRndFlag.mjRND_SKYBOX] = 1

    def render(self, camera: str) -> np.ndarray:
        """Return the picture of the named camera, (H, W, 3) uint8, a new array."""
        gl = self._open()
        gl.update_scene(self._scene.data, camera=camera, scene_option=self._option)
        return gl.render().copy()

    def segment(self, camera: str) -> np.ndarray:
        """Return the geom id seen by each pixel, (H, W) int32, -1 for the sky."""
        gl = self._open()
        self._option.geomgroup[SHADE] = 0  # a shadow on the road is road
        gl.enable_segmentation_rendering()
        try:
            gl.update_scene(self._scene.data, camera=camera, scene_option=self._option)
            ids = gl.render()
        finally:
            gl.disable_segmentation_rendering()
            self._option.geomgroup[SHADE] = 1
        return np.where(ids[..., 1] == mujoco.mjtObj.mjOBJ_GEOM, ids[..., 0], -1)

    def close(self) -> None:
        """Free the context; calling it twice is fine."""
        if self._gl is not None:
            self._gl.close()
            self._gl = None

    def _open(self) -> mujoco.Renderer:
        if self._gl is None:
            raise SimulationError('this renderer has been closed; make a new environment')
        return self._gl
