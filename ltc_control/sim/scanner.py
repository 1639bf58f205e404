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
A planar laser scanner: rays of MuJoCo from the car's bumper to obstacles and what lines the road.

It has a small model of its own, without pictures, so that it works where nothing can be drawn.
It is held level: the car's roll and pitch do not tilt it into the road.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.errors import SimulationError
from ltc_control.sim import scenery, solids
from ltc_control.sim.graphics import mujoco
from ltc_control.sim.obstacles import GONE_Z, Obstacles, SIZES
from ltc_control.sim.track import Track
import numpy as np


@dataclass(frozen=True)
class ScannerSpec:
    """Where a scanner sits in ``base_link`` and what it can measure; metres and radians."""

    ahead: float = 2.2
    high: float = 0.5
    field: float = math.pi                 # from right to left, middle ahead
    beams: int = 181
    range_min: float = 0.1
    range_max: float = 40.0
    noise: float = 0.02                    # standard deviation [m]

    def __post_init__(self) -> None:
        """Refuse scanners without beams or range."""
        if self.beams < 2 or not 0.0 < self.field <= 2.0 * math.pi:
            raise SimulationError('a scanner needs at least 2 beams over 0 to 2 pi rad, got '
                                  f'{self.beams!r} over {self.field!r}')
        if not (0.0 <= self.range_min < self.range_max and self.noise >= 0.0):
            raise SimulationError('a scanner needs 0 <= range_min < range_max and noise >= 0, '
                                  f'got {self.range_min!r}, {self.range_max!r}, {self.noise!r}')

    @property
    def angles(self) -> np.ndarray:
        """Direction of each beam, (beams,) [rad], left positive."""
        return np.linspace(-0.5 * self.field, 0.5 * self.field, self.beams)


class Scanner:
    """Measures from the pose of the car; noise comes from the generator of the drive."""

    def __init__(self, spec: ScannerSpec, track: Track, obstacles: Obstacles) -> None:
        self.spec = spec
        self._obstacles = obstacles
        self._model = mujoco.MjModel.from_xml_string(_mjcf(track, obstacles.kinds))
        self._data = mujoco.MjData(self._model)
        self._rng = np.random.default_rng(0)

    def reset(self, rng: np.random.Generator) -> None:
        """Begin a drive: draw noise from ``rng``."""
        self._rng = rng

    def measure(self, pose: tuple[float, float, float], *, now_s: float) -> np.ndarray:
        """Return the range [m] of each beam, (beams,) float32, inf where nothing was met."""
        spec = self.spec
        x, y, yaw = pose
        put_obstacles(self._model, self._data, self._obstacles, now_s=now_s)
        eye = np.array([x + spec.ahead * math.cos(yaw), y + spec.ahead * math.sin(yaw),
                        spec.high])
        angle = yaw + spec.angles
        rays = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
        met = np.full(spec.beams, -1, np.int32)
        away = np.full(spec.beams, -1.0)
        mujoco.mj_multiRay(self._model, self._data, eye, rays.reshape(-1), None, True, -1, met,
                           away, None, spec.beams, spec.range_max)
        away = np.where(met >= 0, away, np.inf)
        away += spec.noise * self._rng.standard_normal(spec.beams)
        return np.where((away < spec.range_min) | (away > spec.range_max), np.inf,
                        away).astype(np.float32)


def put_obstacles(model: mujoco.MjModel, data: mujoco.MjData, obstacles: Obstacles, *,
                  now_s: float) -> None:
    """Move the bodies ``obstacle0`` ... of a model to where they stand, or out of sight."""
    for number, place in enumerate(obstacles.standing(now_s)):
        body = int(model.body(f'obstacle{number}').mocapid[0])
        if place is None:
            data.mocap_pos[body] = 0.0, 0.0, GONE_Z
        else:
            data.mocap_pos[body] = place.x, place.y, 0.0
            data.mocap_quat[body] = (math.cos(0.5 * place.yaw), 0.0, 0.0,
                                     math.sin(0.5 * place.yaw))
    mujoco.mj_kinematics(model, data)


def _mjcf(track: Track, kinds: tuple[str, ...]) -> str:
    """Return what a beam can meet: a box an obstacle, and the roadside as its own meshes."""
    things, _, _ = scenery.roadside(track)
    pieces = solids.by_cell(things, 'things')
    meshes = [f'<mesh name="{piece.name}" inertia="shell" vertex="{_text(piece.soup.corner)}" '
              f'face="{" ".join(map(str, range(piece.soup.corner.shape[0] * 3)))}"/>'
              for piece in pieces]
    geoms = [f'<geom type="mesh" mesh="{piece.name}"/>' for piece in pieces]
    bodies = []
    for number, kind in enumerate(kinds):
        length, width, height = (0.5 * size for size in SIZES[kind])
        bodies.append(f'<body name="obstacle{number}" mocap="true" pos="0 0 {GONE_Z}"><geom '
                      f'type="box" size="{length} {width} {height}" pos="0 0 {height}"/></body>')
    return '\n'.join(['<mujoco><asset>', *meshes, '</asset><worldbody>', *geoms, *bodies,
                      '</worldbody></mujoco>'])


def _text(corners: np.ndarray) -> str:
    return ' '.join(f'{value:.3f}' for value in corners.reshape(-1).tolist())
