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
Things that stand on the road: boxes and parked cars, where they are and whether the car hits one.

A world has none unless it is asked for them. They stand at a distance along the road from its
start and may go away at a moment of the drive. A car that runs into one stands still.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.errors import SimulationError
from ltc_control.sim import car_shape, solids
from ltc_control.sim.scene import Vehicle
from ltc_control.sim.track import Track
import numpy as np

SIZES = {'box': (1.2, 1.8, 1.1), 'car': (4.2, 1.76, 1.42)}     # length, width, height [m]
CAR_OUTLINE = (0.125, 4.25, 1.8)           # of ours: middle ahead of base_link, length, width [m]
GONE_Z = -100.0
FORM = 'ARC, KIND:ARC, KIND:ARC:OFFSET or KIND:ARC:OFFSET:UNTIL, like 60, car:60 or box:60:0:20'


@dataclass(frozen=True)
class Obstacle:
    """One thing: kind, metres along the road, offset to the left [m], end of its time [s]."""

    kind: str
    arc_m: float
    offset_m: float = 0.0
    until_s: float = math.inf

    def __post_init__(self) -> None:
        """Refuse kinds that do not exist and places that are no numbers."""
        if self.kind not in SIZES:
            raise SimulationError(f'no obstacle {self.kind!r}; there are {sorted(SIZES)!r}')
        if not (math.isfinite(self.arc_m) and math.isfinite(self.offset_m) and self.until_s > 0):
            raise SimulationError(f'an obstacle needs a place and a time above 0, got {self!r}')


@dataclass(frozen=True, slots=True)
class Rectangle:
    """An outline on the ground: middle x, y [m], direction of its length [rad], sizes [m]."""

    x: float
    y: float
    yaw: float
    length: float
    width: float

    def corners(self) -> np.ndarray:
        """Return its four places (4, 2), counter-clockwise."""
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        along = 0.5 * self.length * np.array([1.0, -1.0, -1.0, 1.0])
        across = 0.5 * self.width * np.array([1.0, 1.0, -1.0, -1.0])
        return np.stack([self.x + along * cos - across * sin,
                         self.y + along * sin + across * cos], axis=1)


def parse_obstacles(text: str) -> tuple[Obstacle, ...]:
    """Read obstacles by spaces; SimulationError names the form where a word is not of it."""
    return tuple(_parse(word) for word in text.split())


def _parse(word: str) -> Obstacle:
    parts = word.split(':')
    kind, numbers = ('box', parts) if len(parts) == 1 else (parts[0], parts[1:])
    try:
        values = [float(number) for number in numbers]
    except ValueError as err:
        raise SimulationError(f'an obstacle reads {FORM}, got {word!r}') from err
    if not 1 <= len(values) <= 3:
        raise SimulationError(f'an obstacle reads {FORM}, got {word!r}')
    return Obstacle(kind, *values)


def outline_of_car(x: float, y: float, yaw: float) -> Rectangle:
    """Return the outline of our car with ``base_link`` at (x, y)."""
    ahead, length, width = CAR_OUTLINE
    return Rectangle(x + ahead * math.cos(yaw), y + ahead * math.sin(yaw), yaw, length, width)


def overlap(a: Rectangle, b: Rectangle) -> bool:
    """Say whether two outlines share a point: no side of either separates them."""
    first, second = a.corners(), b.corners()
    for yaw in (a.yaw, a.yaw + 0.5 * math.pi, b.yaw, b.yaw + 0.5 * math.pi):
        axis = np.array([math.cos(yaw), math.sin(yaw)])
        one, other = first @ axis, second @ axis
        if one.max() < other.min() or other.max() < one.min():
            return False
    return True


class Obstacles:
    """The obstacles of one road; ``replace`` takes some away or puts others in their place."""

    def __init__(self, items: tuple[Obstacle, ...], track: Track) -> None:
        self._track, self.room = track, len(items)
        self.kinds = tuple(item.kind for item in items)
        self.replace(items)

    def replace(self, items: tuple[Obstacle, ...]) -> None:
        """Set what stands there from now on: no more than at the start, of the same kinds."""
        if tuple(item.kind for item in items) != self.kinds[:len(items)]:
            raise SimulationError(
                f'this world was built with {list(self.kinds)!r}; obstacles may be moved or taken '
                f'away in that order, got {[item.kind for item in items]!r}')
        self._items = items
        self._outlines = tuple(self._outline(item) for item in items)

    def _outline(self, item: Obstacle) -> Rectangle:
        x, y, yaw = self._track.place(self._track.wrap(item.arc_m), offset=item.offset_m)
        return Rectangle(x, y, yaw, *SIZES[item.kind][:2])

    def standing(self, now_s: float) -> tuple[Rectangle | None, ...]:
        """Return the outline of each at this moment of the drive, None for one that is gone."""
        there = [outline if now_s < item.until_s else None
                 for item, outline in zip(self._items, self._outlines, strict=True)]
        return (*there, *[None] * (self.room - len(there)))

    def hit(self, x: float, y: float, yaw: float, *, now_s: float) -> bool:
        """Say whether the car at this pose touches one."""
        car = outline_of_car(x, y, yaw)
        return any(other is not None and math.hypot(other.x - x, other.y - y) < 6.0
                   and overlap(car, other) for other in self.standing(now_s))


def drawn_obstacles(kinds: tuple[str, ...]) -> Vehicle:
    """Return bodies ``obstacle0`` ... for a scene, each a mocap body that can be put anywhere."""
    soups = {'box': solids.dressed(solids.box(SIZES['box'], (0.0, 0.0, 0.0)), 'band'),
             'car': car_shape.car_soup()}
    bodies = [f'<body name="obstacle{i}" mocap="true" pos="0 0 {GONE_Z}"><geom type="mesh" '
              f'mesh="obstacle_{kind}" material="things" contype="0" conaffinity="0"/></body>'
              for i, kind in enumerate(kinds)]
    meshes = [solids.Piece(f'obstacle_{kind}', 'things', soups[kind])
              for kind in sorted(set(kinds))]
    return Vehicle('\n'.join(bodies), tuple(meshes))
