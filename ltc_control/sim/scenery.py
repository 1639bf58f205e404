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
What stands in the world, as triangles: road, verge, kerbs, posts, trees, houses, hills, the car.

Everything is a soup of triangles with texture coordinates, gathered by cells of 48 m, because
the renderer draws every mesh it is given: few meshes are quick, and a cell out of sight is
skipped as a whole. Things wear tiles of one colour atlas, so a season recolours them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise
from typing import NamedTuple

from ltc_control.sim import textures
from ltc_control.sim.track import ROAD_LEFT_M, ROAD_RIGHT_M, Track
import numpy as np

CELL_M = 48.0
CHUNK_M = 24.0                             # of road in one mesh
ROAD_Z = 0.02
SHADE_Z = 0.05
VERGE_M = 5.75


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


def ribbon(track: Track, arcs: np.ndarray, offsets: np.ndarray, height: np.ndarray | float
           ) -> np.ndarray:
    """Return the grid of points (len(arcs), len(offsets), 3) that follows the road."""
    pose = track.at(arcs)
    x = pose.x[:, None] - offsets * np.sin(pose.heading)[:, None]
    y = pose.y[:, None] + offsets * np.cos(pose.heading)[:, None]
    return np.stack([x, y, np.broadcast_to(height, x.shape)], axis=2)


def chunks(track: Track) -> list[np.ndarray]:
    """Return the arcs of each stretch of road, about 1.5 m apart, ends shared."""
    count = max(round(track.length / CHUNK_M), 1)
    edges = np.linspace(0.0, track.length, count + 1)
    return [np.linspace(a, b, 17) for a, b in pairwise(edges)]


def strip(track: Track, arcs: np.ndarray, offsets: np.ndarray, *, tile: float, height: float,
          mirror: bool = False) -> Soup:
    """Return a textured ribbon: u from the first offset to the last, v along by whole tiles."""
    tiles = max(round(track.length / tile), 1) / track.length
    corner = quads(ribbon(track, arcs, offsets, height))
    u = (offsets - offsets[0]) / (offsets[-1] - offsets[0])
    u = 1.0 - u if mirror else u
    uv = np.stack(np.broadcast_arrays(u[None, :], (arcs * tiles)[:, None]), axis=2)
    return Soup(corner, quads(uv))


def road_pieces(track: Track) -> list[Piece]:
    """Return asphalt and verges, one mesh each per stretch."""
    lane = np.linspace(textures.ROAD_FROM_M, textures.ROAD_TO_M, 8)
    right = np.linspace(textures.ROAD_FROM_M - VERGE_M, textures.ROAD_FROM_M, 5)
    left = np.linspace(textures.ROAD_TO_M, textures.ROAD_TO_M + VERGE_M, 5)
    pieces = []
    for number, arcs in enumerate(chunks(track)):
        asphalt = strip(track, arcs, lane, tile=textures.ROAD_TILE_M, height=ROAD_Z)
        sides = [strip(track, arcs[::2], side, tile=textures.VERGE_TILE_M, height=0.0,
                       mirror=side is right) for side in (left, right)]
        pieces += [Piece(f'road{number}', 'road', asphalt),
                   Piece(f'verge{number}', 'verge', join(sides))]
    return pieces


def ground_pieces(track: Track, *, scenery_seed: int | None = None) -> list[Piece]:
    """Return the meadow around the road and the hills at its rim."""
    middle = np.array([np.ptp(track.x) / 2 + track.x.min(), np.ptp(track.y) / 2 + track.y.min()])
    reach = max(np.ptp(track.x), np.ptp(track.y)) / 2.0 + 180.0
    return open_ground(middle, reach,
                       seed=track.seed if scenery_seed is None else scenery_seed)


def open_ground(middle: np.ndarray, reach: float, *, seed: int) -> list[Piece]:
    """Return a meadow around ``middle`` (2,) and hills at its rim, ``reach`` [m] away."""
    line = np.linspace(-reach, reach, int(2.0 * reach / 30.0))
    grid = np.stack([*np.meshgrid(line + middle[0], line + middle[1]),
                     np.full((len(line), len(line)), -0.04)], axis=2)
    corner = quads(grid)[:, ::-1]
    meadow = Soup(corner, corner[..., :2] / textures.GROUND_TILE_M)
    rng = np.random.default_rng([seed, 7])
    angle = np.linspace(0.0, 2.0 * np.pi, 49)
    hills = []
    for tile, distance, tall in (('hill', 0.85, 14.0), ('hill_far', 1.0, 32.0)):
        height = tall * (0.45 + 0.55 * rng.random(49))
        height[-1] = height[0]
        foot = np.stack([distance * reach * np.cos(angle) + middle[0],
                         distance * reach * np.sin(angle) + middle[1], 0 * angle - 1], axis=1)
        crest = foot + np.stack([18.0 * np.cos(angle), 18.0 * np.sin(angle), height + 1], axis=1)
        hills.append(dressed(quads(np.stack([foot, crest])), tile))
    return [Piece('meadow', 'ground', meadow), Piece('hills', 'things', join(hills))]


def tree(rng: np.random.Generator) -> tuple[Soup, Soup]:
    """Return a conifer or a broad-leaved tree at the origin, and its shade."""
    tall = rng.uniform(5.0, 10.0)
    trunk = dressed(cone(0.03 * tall, 0.0, 0.4 * tall, sides=5, top=0.02 * tall), 'trunk')
    if rng.random() < 0.35:
        wide = 0.24 * tall
        needles = np.concatenate([cone(wide, 0.15 * tall, 0.62 * tall),
                                  cone(0.8 * wide, 0.4 * tall, 0.85 * tall)])
        cap = cone(0.55 * wide, 0.64 * tall, 1.05 * tall)
        return (join([trunk, dressed(needles, 'conifer'), dressed(cap, 'cap')]),
                disc(wide, wide, at=(0.3, 0.2)))
    crown = blob(0.24 * tall, 0.30 * tall, 0.66 * tall, rng)
    second = moved(blob(0.18 * tall, 0.2 * tall, 0.52 * tall, rng), 0.13 * tall, 0.0, 0.0)
    tile = f'crown{int(rng.integers(4))}'
    return (join([trunk, dressed(crown, tile), dressed(second, tile)]),
            disc(0.32 * tall, 0.25 * tall, at=(0.06 * tall, 0.2)))


def house(rng: np.random.Generator) -> tuple[Soup, np.ndarray]:
    """Return a house at the origin and the triangles of its windows."""
    wide, deep, tall = rng.uniform(7.0, 13.0), rng.uniform(6.0, 9.0), rng.uniform(3.2, 6.4)
    walls = box((wide, deep, tall), (0.0, 0.0, 0.0))
    x, y, ridge = wide / 2 + 0.4, deep / 2 + 0.5, tall + 0.42 * deep
    eaves = [np.array([-x, -y, tall - 0.2]), np.array([x, -y, tall - 0.2]),
             np.array([x, y, tall - 0.2]), np.array([-x, y, tall - 0.2])]
    top = [np.array([-x, 0.0, ridge]), np.array([x, 0.0, ridge])]
    slopes = np.array([[eaves[0], eaves[1], top[1]], [eaves[0], top[1], top[0]],
                       [eaves[2], eaves[3], top[0]], [eaves[2], top[0], top[1]]])
    gables = np.array([[eaves[3], eaves[0], top[0]], [eaves[1], eaves[2], top[1]]])
    gables[..., 0] *= wide / 2 / x
    roof, wall = f'roof{int(rng.integers(2))}', f'wall{int(rng.integers(3))}'
    soup = join([dressed(walls, wall), dressed(gables, wall), dressed(slopes, roof)])
    panes = []
    for level in np.arange(0.9, tall - 1.2, 2.7):
        for along in np.linspace(-0.36, 0.36, 4) * wide:
            for side in (-1.0, 1.0):
                panes.append(box((1.0, 0.08, 1.2), (along, side * (deep / 2), level)))
    return soup, np.concatenate(panes)


def stands(track: Track, rng: np.random.Generator, *, count: int, near: float, far: float
           ) -> np.ndarray:
    """Return places (M, 3) as x, y, yaw between ``near`` and ``far`` [m] off the road's edge."""
    arc = rng.uniform(0.0, track.length, count)
    side = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    away = near + (far - near) * rng.random(count) ** 1.7
    offset = np.where(side < 0.0, ROAD_RIGHT_M - away, ROAD_LEFT_M + away)
    pose = track.at(arc)
    x, y = pose.x - offset * np.sin(pose.heading), pose.y + offset * np.cos(pose.heading)
    middle = 0.5 * (ROAD_LEFT_M + ROAD_RIGHT_M)
    line = track.at(np.arange(0.0, track.length, 2.0))
    mx, my = line.x - middle * np.sin(line.heading), line.y + middle * np.cos(line.heading)
    gap = np.hypot(x[:, None] - mx, y[:, None] - my).min(axis=1)
    free = gap > 0.5 * (ROAD_LEFT_M - ROAD_RIGHT_M) + near - 0.7
    return np.stack([x, y, pose.heading], axis=1)[free]


def roadside(track: Track, *, scenery_seed: int | None = None, road: Track | None = None,
             ) -> tuple[list[Soup], list[Soup], list[Soup]]:
    """
    Return what stands beside the road: things that wear the atlas, windows, and shades.

    ``scenery_seed`` moves houses, trees and bushes and nothing of the road; ``road`` moves posts
    and kerbs, which belong to it, and no scenery.
    """
    rng = np.random.default_rng([track.seed, 8])
    things, windows, shades = _scenery(track, rng)
    furniture = posts(road or track) + kerbs(road or track, rng)
    if scenery_seed is not None:
        things, windows, shades = _scenery(track, np.random.default_rng([scenery_seed, 8]))
    return things + furniture, windows, shades


def _scenery(track: Track,
             rng: np.random.Generator) -> tuple[list[Soup], list[Soup], list[Soup]]:
    """Return houses, trees and bushes; their windows; and their shades."""
    things: list[Soup] = []
    windows: list[Soup] = []
    shades: list[Soup] = []
    taken = []
    for x, y, yaw in stands(track, rng, count=int(track.length / 45.0), near=11.0, far=45.0):
        soup, panes = house(rng)
        things.append(Soup(moved(soup.corner, x, y, yaw), soup.texture))
        windows.append(Soup(moved(panes, x, y, yaw), np.zeros((*panes.shape[:2], 2))))
        taken.append((x, y))
    homes = np.array(taken).reshape(-1, 2)
    for x, y, _ in stands(track, rng, count=int(track.length / 2.2), near=4.5, far=60.0):
        if len(homes) and np.hypot(homes[:, 0] - x, homes[:, 1] - y).min() < 11.0:
            continue
        soup, shade = tree(rng)
        turn = rng.uniform(0.0, 6.3)
        things.append(Soup(moved(soup.corner, x, y, turn), soup.texture))
        shades.append(Soup(moved(shade.corner, x, y, turn), shade.texture))
    for x, y, _ in stands(track, rng, count=int(track.length / 6.0), near=2.8, far=20.0):
        bush = blob(rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.7), 0.2, rng)
        things.append(dressed(moved(bush, x, y, 0.0), 'bush'))
    return things, windows, shades


def posts(track: Track) -> list[Soup]:
    """Return the white marker posts, every 24 m on both sides."""
    parts = [dressed(box((0.12, 0.12, 0.95), (0.0, 0.0, 0.0)), 'post'),
             dressed(box((0.13, 0.13, 0.2), (0.0, 0.0, 0.65)), 'band'),
             dressed(box((0.14, 0.07, 0.12), (0.0, 0.0, 0.69)), 'reflector')]
    post = join(parts)
    places = []
    for arcs in chunks(track):
        for offset in (ROAD_RIGHT_M - 1.3, ROAD_LEFT_M + 1.3):
            x, y, yaw = track.place(arcs[0], offset=offset)
            places.append(Soup(moved(post.corner, x, y, yaw), post.texture))
    return places


def kerbs(track: Track, rng: np.random.Generator) -> list[Soup]:
    """Return kerb stones along about a third of the stretches, just beyond the asphalt."""
    profile = np.array([0.0, 0.0, 0.25, 0.25]), np.array([0.0, 0.12, 0.12, 0.0])
    soups = []
    for arcs in chunks(track):
        if rng.random() > 0.35:
            continue
        for start, way in ((textures.ROAD_TO_M, 1.0), (textures.ROAD_FROM_M, -1.0)):
            grid = ribbon(track, arcs[::2], start + way * profile[0], profile[1])
            corner = quads(grid)
            soups.append(dressed(corner if way > 0.0 else corner[:, ::-1], 'kerb'))
    return soups


def by_cell(soups: list[Soup], material: str) -> list[Piece]:
    """Gather soups into one mesh per cell of the map."""
    cells: dict[tuple[int, int], list[Soup]] = {}
    for soup in soups:
        x, y = soup.corner[..., :2].mean(axis=(0, 1))
        cells.setdefault((int(x // CELL_M), int(y // CELL_M)), []).append(soup)
    return [Piece(f'{material}_{i}_{j}'.replace('-', 'm'), material, join(group))
            for (i, j), group in sorted(cells.items())]


def car_soup() -> Soup:
    """Return the car for views from outside; its origin is base_link."""
    parts = [dressed(box((4.2, 1.76, 0.55), (0.1, 0.0, 0.32)), 'paint'),
             dressed(box((0.1, 1.6, 0.12), (2.2, 0.0, 0.42)), 'chrome')]
    low = np.array([[-1.75, -0.86], [1.0, -0.86], [1.0, 0.86], [-1.75, 0.86]])
    high = np.array([[-1.35, -0.66], [0.25, -0.66], [0.25, 0.66], [-1.35, 0.66]])
    for i in range(4):
        j = (i + 1) % 4
        a, b = np.r_[low[i], 0.87], np.r_[low[j], 0.87]
        c, d = np.r_[high[j], 1.42], np.r_[high[i], 1.42]
        parts.append(dressed(np.array([[a, b, c], [a, c, d]]), 'glass'))
    parts.append(dressed(box((1.62, 1.34, 0.05), (-0.55, 0.0, 1.41)), 'paint'))
    for x in (-1.35, 1.35):
        for y in (-0.78, 0.78):
            wheel = np.concatenate([cone(0.34, -0.11, 0.11, sides=12, top=0.34),
                                    cone(0.34, 0.11, 0.11, sides=12),
                                    cone(0.34, -0.11, -0.11, sides=12)[:, ::-1]])
            parts.append(dressed(wheel[..., [0, 2, 1]][:, ::-1] + (x, y, 0.34), 'tyre'))
    for y in (-0.62, 0.62):
        parts.append(dressed(box((0.06, 0.36, 0.16), (2.2, y, 0.6)), 'lamp'))
        parts.append(dressed(box((0.06, 0.4, 0.16), (-2.0, y, 0.62)), 'tail'))
    return join(parts)
