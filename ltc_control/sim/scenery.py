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
"""What stands beside a road or in a grove, as triangles: meadow, hills, trees, houses, bushes."""

from __future__ import annotations

from ltc_control.sim import textures
from ltc_control.sim.road_mesh import kerbs, posts
from ltc_control.sim.solids import blob, box, cone, disc, dressed, join, moved, Piece, quads, Soup
from ltc_control.sim.track import ROAD_LEFT_M, ROAD_RIGHT_M, Track
import numpy as np


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
