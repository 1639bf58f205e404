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
Where a drone flies: a seeded grove with trees, houses, a red ball to find, and things like it.

All of a place follows from one seed: what stands where, where the drone starts, where the ball
hangs or which way it goes.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.sim import scenery, solids
from ltc_control.sim.thicket import Obstacle, Thicket
import numpy as np

ARENA_M = 42.0                             # the ball stays inside
REACH_M = 160.0                            # the hills stand so far away
TARGET_RADIUS_M = 0.6
WALKER_M = 1.05                            # the middle of a person's coat
RED = (0.86, 0.07, 0.05)
TRUNK_TRIANGLES = 10                       # scenery.tree puts the trunk first
BALLS = ((0.10, 0.25, 0.85), (0.95, 0.80, 0.10), (0.95, 0.95, 0.95), (0.55, 0.15, 0.70),
         (0.10, 0.60, 0.25), (0.10, 0.10, 0.12))
CLEAR_M = 1.1                              # beside the straight way to the ball


@dataclass(frozen=True)
class Decoy:
    """A thing like the target and not the target: of another colour, or red and no ball."""

    shape: str                             # sphere, box, cylinder or walker
    colour: tuple[float, float, float]
    x: float
    y: float
    z: float
    size: float                            # half its width [m]


@dataclass(frozen=True)
class Place:
    """One grove with its start; heights are over the ground, ``yaw`` is that of the start."""

    seed: int
    start: tuple[float, float, float]
    yaw: float
    target: tuple[float, float, float]
    starts_in_view: bool
    decoys: tuple[Decoy, ...]
    thicket: Thicket
    pieces: tuple[solids.Piece, ...]
    walks: bool                            # the target is a person in red, not a ball


def make_place(seed: int, *, half_view: float, trees: int = 150, surprise: float = 0.3,
               walks: bool = False) -> Place:
    """
    Return the place of a seed; ``half_view`` [rad] is half of what the camera sees across.

    ``walks`` makes the target a person who goes about; ``surprise`` is the chance that it is out
    of view at the start: behind, or aside.
    """
    rng = np.random.default_rng([seed, 31])
    start = (*rng.uniform(-10.0, 10.0, 2), rng.uniform(1.4, 2.6))
    way, distance = rng.uniform(-math.pi, math.pi), rng.uniform(10.0, 24.0)
    target = (start[0] + distance * math.cos(way), start[1] + distance * math.sin(way),
              WALKER_M if walks else rng.uniform(1.4, 3.0))
    in_view = bool(rng.random() >= surprise)
    aside = (rng.uniform(-0.8, 0.8) * half_view if in_view else
             rng.choice([-1.0, 1.0]) * rng.uniform(half_view + 0.25, math.pi))
    decoys = _decoys(rng, start, target, walks=walks)
    taken = [*(Obstacle(d.x, d.y, 1.5 * d.size, 0.0, d.z + d.size) for d in decoys)]
    soups, windows, shades, standing = _plant(
        rng, start, target, taken, trees=trees)
    pieces = (*scenery.open_ground(np.zeros(2), REACH_M, seed=seed),
              *solids.by_cell(soups, 'things'), *solids.by_cell(windows, 'window'),
              *solids.by_cell(shades, 'shade'))
    return Place(seed, tuple(map(float, start)), way + aside, tuple(map(float, target)), in_view,
                 decoys, Thicket([*taken, *standing]), pieces, walks)


def _decoys(rng: np.random.Generator, start: tuple[float, ...], target: tuple[float, ...], *,
            walks: bool) -> tuple[Decoy, ...]:
    """Return four balls of other colours and two red things, or people in other coats."""
    made: list[Decoy] = []
    colours = [BALLS[i] for i in rng.permutation(len(BALLS))[:4]]
    shapes = ('walker',) * 2 + ('sphere',) * 2 if walks else ('sphere',) * 4
    for shape, colour in (*zip(shapes, colours, strict=True), ('box', RED), ('cylinder', RED)):
        for _ in range(50):
            x, y = rng.uniform(-30.0, 30.0, 2)
            size = rng.uniform(0.4, 0.75)
            if _free(x, y, start, target, gap=3.0) and all(
                    math.hypot(x - d.x, y - d.y) > 3.0 for d in made):
                z = {'sphere': rng.uniform(1.2, 3.0), 'walker': WALKER_M}.get(shape, size)
                made.append(Decoy(shape, colour, float(x), float(y), float(z), float(size)))
                break
    return tuple(made)


def _plant(rng: np.random.Generator, start: tuple[float, ...], target: tuple[float, ...],
           taken: list[Obstacle], *, trees: int) -> tuple[
               list[solids.Soup], list[solids.Soup], list[solids.Soup], list[Obstacle]]:
    """Return what grows and stands: things, windows, shades, and their obstacles."""
    things: list[solids.Soup] = []
    windows: list[solids.Soup] = []
    shades: list[solids.Soup] = []
    standing: list[Obstacle] = []
    for _ in range(5):
        x, y, yaw = *rng.uniform(-60.0, 60.0, 2), rng.uniform(0.0, 6.3)
        soup, panes = scenery.house(rng)
        wide = _reach(soup.corner)
        if _open(x, y, wide, start, target, [*taken, *standing], gap=6.0):
            things.append(_moved(soup, x, y, yaw))
            windows.append(solids.Soup(solids.moved(panes, x, y, yaw),
                                       np.zeros((*panes.shape[:2], 2))))
            standing.append(Obstacle(x, y, wide, 0.0, float(soup.corner[..., 2].max())))
    for _ in range(trees):
        x, y = rng.uniform(-1.0, 1.0, 2) * rng.choice([35.0, 75.0])
        soup, shade = scenery.tree(rng)
        crown = soup.corner[TRUNK_TRIANGLES:]
        wide = _reach(crown)
        if _open(x, y, wide, start, target, [*taken, *standing], gap=CLEAR_M):
            things.append(_moved(soup, x, y, 0.0))
            shades.append(_moved(shade, x, y, 0.0))
            standing += [Obstacle(x, y, wide, float(crown[..., 2].min()),
                                  float(crown[..., 2].max())),
                         Obstacle(x, y, _reach(soup.corner[:TRUNK_TRIANGLES]), 0.0,
                                  float(soup.corner[:TRUNK_TRIANGLES, :, 2].max()))]
    for _ in range(60):
        x, y = rng.uniform(-50.0, 50.0, 2)
        bush = solids.blob(rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.5), 0.15, rng)
        things.append(solids.dressed(solids.moved(bush, x, y, 0.0), 'bush'))
    return things, windows, shades, standing


def _moved(soup: solids.Soup, x: float, y: float, yaw: float) -> solids.Soup:
    return solids.Soup(solids.moved(soup.corner, x, y, yaw), soup.texture)


def _reach(corner: np.ndarray) -> float:
    return float(np.hypot(corner[..., 0], corner[..., 1]).max())


def _open(x: float, y: float, wide: float, start: tuple[float, ...], target: tuple[float, ...],
          taken: list[Obstacle], *, gap: float) -> bool:
    """Say whether a thing may stand here: off the way, and on nobody's ground."""
    return _free(x, y, start, target, gap=wide + gap) and all(
        math.hypot(x - o.x, y - o.y) > 0.6 * (wide + o.radius) + 0.5 for o in taken)


def _free(x: float, y: float, start: tuple[float, ...], target: tuple[float, ...], *,
          gap: float) -> bool:
    """Say whether a point is further than ``gap`` from the line between start and target."""
    ax, ay = target[0] - start[0], target[1] - start[1]
    along = ((x - start[0]) * ax + (y - start[1]) * ay) / (ax * ax + ay * ay)
    along = min(max(along, 0.0), 1.0)
    return math.hypot(x - start[0] - along * ax, y - start[1] - along * ay) > gap
