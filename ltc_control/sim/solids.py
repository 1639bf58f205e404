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
Triangles of which the simulator's worlds are built: boxes, cones, blobs, and soups of them.

Everything is a soup of triangles with texture coordinates, gathered by cells of 48 m, because
the renderer draws every mesh it is given: few meshes are quick, and a cell out of sight is
skipped as a whole. Things wear tiles of one colour atlas, so a season recolours them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import NamedTuple

from ltc_control.sim import textures
import numpy as np

CELL_M = 48.0
SHADE_Z = 0.05


class Soup(NamedTuple):
    """Triangles (T, 3, 3) [m] with texture coordinates (T, 3, 2)."""

    corner: np.ndarray
    texture: np.ndarray


@dataclass(frozen=True)
class Piece:
    """One mesh of the scene: its name, its material and its triangles."""

    name: str
    material: str
    soup: Soup


def join(soups: list[Soup]) -> Soup:
    """Return all triangles as one soup."""
    return Soup(np.concatenate([s.corner for s in soups]),
                np.concatenate([s.texture for s in soups]))


def dressed(corner: np.ndarray, tile: str) -> Soup:
    """Give triangles the atlas tile of this name; leaves vary over it with the place."""
    row, col = divmod(textures.ATLAS_NAMES.index(tile), textures.ATLAS_TILES)
    wander = 0.5 + 0.28 * np.sin(3.1 * corner[..., :2] + 2.3 * corner[..., 2:])    # (T, 3, 2)
    return Soup(corner, (np.array([col, row]) + wander) / textures.ATLAS_TILES)


def quads(grid: np.ndarray) -> np.ndarray:
    """Return the triangles (T, 3, D) of a grid of points (rows, cols, D), facing up."""
    a, b = grid[:-1, :-1], grid[:-1, 1:]
    c, d = grid[1:, :-1], grid[1:, 1:]
    both = np.stack([np.stack([a, c, b], axis=2), np.stack([b, c, d], axis=2)], axis=2)
    return both.reshape(-1, 3, grid.shape[-1])


def box(size: tuple[float, float, float], at: tuple[float, float, float]) -> np.ndarray:
    """Return twelve triangles (12, 3, 3): ``at`` is the middle of the lower face."""
    x, y, z = size[0] / 2.0, size[1] / 2.0, size[2]
    ring = np.array([[-x, -y], [x, -y], [x, y], [-x, y]])
    low, high = np.c_[ring, np.zeros(4)], np.c_[ring, np.full(4, z)]
    faces = [[high[0], high[1], high[2]], [high[0], high[2], high[3]],
             [low[0], low[2], low[1]], [low[0], low[3], low[2]]]
    for i in range(4):
        j = (i + 1) % 4
        faces += [[low[i], low[j], high[j]], [low[i], high[j], high[i]]]
    return np.array(faces) + np.asarray(at)


def cone(radius: float, low: float, high: float, *, sides: int = 6, top: float = 0.0
         ) -> np.ndarray:
    """Return a cone or (``top`` > 0) a frustum without lids, standing on the z axis."""
    angle = 2.0 * np.pi * np.arange(sides + 1) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    foot = np.c_[radius * ring, np.full(sides + 1, low)]
    head = np.c_[top * ring, np.full(sides + 1, high)]
    sheet = np.stack([foot[:-1], foot[1:], head[1:]], axis=1)
    if top == 0.0:
        return sheet
    return np.concatenate([sheet, np.stack([foot[:-1], head[1:], head[:-1]], axis=1)])


def blob(radius: float, height: float, at: float, rng: np.random.Generator) -> np.ndarray:
    """Return a lumpy ball (20, 3, 3) with its middle at z = ``at``: an icosahedron."""
    point, faces = icosahedron()
    lumpy = point * rng.uniform(0.8, 1.15, (12, 1)) * (radius, radius, height)
    return lumpy[faces] + (0.0, 0.0, at)


@cache
def icosahedron() -> tuple[np.ndarray, np.ndarray]:
    """Return its corners (12, 3) on the unit sphere and faces (20, 3) that look outwards."""
    golden = (1.0 + 5.0**0.5) / 2.0
    point = np.array([[a, b * golden, 0.0] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    point = np.concatenate([np.roll(point, k, axis=1) for k in range(3)])
    point /= np.linalg.norm(point[0])
    near = np.linalg.norm(point[:, None] - point[None], axis=2) < 1.1
    faces = np.array([f for f in combinations(range(12), 3) if near[np.ix_(f, f)].all()])
    a, b, c = (point[faces[:, k]] for k in range(3))
    inward = np.einsum('ti,ti->t', np.cross(b - a, c - a), a) < 0.0
    faces[inward] = faces[inward][:, ::-1]
    return point, faces


def disc(long: float, wide: float, *, at: tuple[float, float]) -> Soup:
    """Return a flat oval just above the road: the shade of what stands there."""
    flat = cone(1.0, 0.0, 0.0, sides=10) * (long, wide, 1.0) + (*at, SHADE_Z)
    return Soup(flat, np.zeros((len(flat), 3, 2)))


def moved(corner: np.ndarray, x: float, y: float, yaw: float) -> np.ndarray:
    """Turn triangles by ``yaw`` [rad] and shift them to (x, y)."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return corner @ turn + (x, y, 0.0)


def by_cell(soups: list[Soup], material: str) -> list[Piece]:
    """Gather soups into one mesh per cell of the map."""
    cells: dict[tuple[int, int], list[Soup]] = {}
    for soup in soups:
        x, y = soup.corner[..., :2].mean(axis=(0, 1))
        cells.setdefault((int(x // CELL_M), int(y // CELL_M)), []).append(soup)
    return [Piece(f'{material}_{i}_{j}'.replace('-', 'm'), material, join(group))
            for (i, j), group in sorted(cells.items())]
