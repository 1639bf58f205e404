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
A vehicle's forward camera: what the scene looks like from it, and what its sensor makes of that.

Noise, exposure, rain on the lens and delay act in this order on the drawn picture; all that is
random comes from the generator of the drive.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from ltc_control.core.errors import SimulationError
from ltc_control.sim.looks import find_look
from ltc_control.sim.renderer import Renderer
from ltc_control.sim.scene import Mount, Pose, Scene
import numpy as np


@dataclass(frozen=True)
class CameraSpec:
    """
    A forward camera.

    ``noise_var`` is the variance of Gaussian noise on the [0, 1] scale, ``exposure`` a factor on
    brightness. ``delay_frames`` models a driver that stamps on arrival: the picture in a frame
    is that many periods older than its stamp; the first pictures repeat until the pipe is full.
    """

    width: int = 200
    height: int = 66
    noise_var: float = 0.0
    exposure: float = 1.0
    delay_frames: int = 0
    mount: Mount = field(default_factory=Mount)

    def __post_init__(self) -> None:
        if self.width < 8 or self.height < 8 or self.delay_frames < 0:
            raise SimulationError('a camera needs at least 8x8 pixels and no negative delay, '
                                  f'got {self.width}x{self.height}, {self.delay_frames!r} frames')
        if not (self.noise_var >= 0.0 and self.exposure > 0.0):
            raise SimulationError('noise_var must be at least 0 and exposure above 0, got '
                                  f'{self.noise_var!r} and {self.exposure!r}')


def expose(rgb: np.ndarray, spec: CameraSpec, rng: np.random.Generator) -> np.ndarray:
    """Return the sensor's picture of ``rgb`` (H, W, 3) uint8: exposed, noisy, clipped, rounded."""
    if spec.noise_var == 0.0 and spec.exposure == 1.0:
        return rgb
    image = rgb * np.float32(spec.exposure)
    if spec.noise_var > 0.0:
        sigma = np.float32(255.0 * spec.noise_var**0.5)
        image += sigma * rng.standard_normal(rgb.shape, dtype=np.float32)
    return np.rint(np.clip(image, 0.0, 255.0)).astype(np.uint8)


def rain_on(rgb: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``rgb`` with ``count`` falling streaks, scaled to its size from 200x66."""
    height, width = rgb.shape[:2]
    scale = height / 66.0
    image = rgb.astype(np.int16)
    length = np.maximum(rng.integers(3, 12, count) * scale, 1.0).astype(int)
    column = rng.integers(0, width, count)
    row = rng.integers(-8, height, count)
    light = rng.integers(10, 34, count)
    for x, y, tall, extra in np.stack([column, row, length, light], axis=1).tolist():
        image[max(y, 0):max(y + tall, 0), x:x + max(int(scale / 2.0), 1)] += extra
    return np.minimum(image, 255).astype(np.uint8)


class Drawn(Protocol):
    """A vehicle that can be drawn where it is."""

    @property
    def pose(self) -> tuple[float, float, float]:
        """x, y [m] and yaw [rad]."""

    @property
    def tilt(self) -> tuple[float, float]:
        """Roll and pitch [rad]."""

    @property
    def height(self) -> float:
        """Over the ground [m]."""


class Camera:
    """Draws one scene from one vehicle; owns the scene and its renderers."""

    def __init__(self, spec: CameraSpec, scene: Scene) -> None:
        self.spec, self.scene = spec, scene
        self._renderer = Renderer(self.scene, height=spec.height, width=spec.width)
        self._outside: tuple[tuple[int, int], Renderer] | None = None
        self.reset(np.random.default_rng(0))

    def reset(self, rng: np.random.Generator) -> None:
        """Begin a drive: forget delayed pictures, draw noise from ``rng``."""
        self._rng = rng
        self._pipe: deque[np.ndarray] = deque(maxlen=self.spec.delay_frames + 1)

    def set_season(self, season: str) -> None:
        """Wear another look from the next picture on."""
        look = find_look(season)
        if look is self.scene.look:
            return
        self.scene.wear(look)
        self._renderer.refresh()
        if self._outside is not None:
            self._outside[1].refresh()

    def capture(self, car: Drawn) -> np.ndarray:
        """Take a picture, (H, W, 3) uint8; older by the delay."""
        self._put(car)
        self.scene.cull(aspect=self.spec.width / self.spec.height)
        rgb = self._renderer.render('front')
        if self.scene.look.streaks:
            rgb = rain_on(rgb, self.scene.look.streaks, self._rng)
        self._pipe.append(expose(rgb, self.spec, self._rng))
        return self._pipe[0]

    def road_mask(self, car: Drawn) -> np.ndarray:
        """Return where the asphalt is seen now, undelayed, (H, W) bool."""
        return self.mask(car, self.scene.road_geoms)

    def mask(self, car: Drawn, geoms: np.ndarray) -> np.ndarray:
        """Return where any of ``geoms`` (ids) is seen now, undelayed, (H, W) bool."""
        self._put(car)
        self.scene.cull(aspect=self.spec.width / self.spec.height)
        return np.isin(self._renderer.segment('front'), geoms)

    def chase(self, car: Drawn, *, width: int, height: int, camera: str = 'chase') -> np.ndarray:
        """Return a smooth picture from outside the car, for people, (height, width, 3) uint8."""
        self._put(car)
        self.scene.show_all()
        if self._outside is None or self._outside[0] != (height, width):
            if self._outside is not None:
                self._outside[1].close()
            self._outside = ((height, width), Renderer(
                self.scene, height=height, width=width, samples=4, outside=True))
        return self._outside[1].render(camera)

    def close(self) -> None:
        """Free both renderers."""
        self._renderer.close()
        if self._outside is not None:
            self._outside[1].close()
            self._outside = None

    def _put(self, car: Drawn) -> None:
        self.scene.put(Pose(*car.pose, *car.tilt, car.height))
