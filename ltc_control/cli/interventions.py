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
Paired frames: the same poses of a car in worlds that differ in one thing.

The expert drives, slightly off at first, and its poses are kept. Then each changed world is drawn
from the very same poses: the lane displaced (the cause), or scenery, sky, light or season changed
with the lane untouched (distractors).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math

from ltc_control.core.contracts import Frame, ImuWindow
from ltc_control.insight.causes import CAUSE, DISTRACTOR
from ltc_control.sim.camera import Camera
from ltc_control.sim.displaced_road import displaced
from ltc_control.sim.environment import Environment
from ltc_control.sim.expert import Expert
from ltc_control.sim.looks import find_look, Light, Look, Sky
from ltc_control.sim.observation import Observation
from ltc_control.sim.scene import road_scene
from ltc_control.sim.track import Track
import numpy as np

WARM_FRAMES, TEST_FRAMES = 30, 8           # seen before the change; seen changed
OFFSET_M, HEADING = 0.6, math.radians(4.0)
LANE_M = 0.4                               # rms displacement of the lane that counts as raw
OTHER_LANES_M = (0.1, 0.2, 0.8)            # for matched pairs only
OTHER_SCENERY = (71, 72)
SEASONS_TRIED = ('summer', 'autumn', 'winter')   # the first two that differ
DISTRACTORS = ('scenery', 'sky', 'light', 'season')


@dataclass(frozen=True)
class Still:
    """Where a vehicle was drawn; all that a camera asks."""

    pose: tuple[float, float, float]
    tilt: tuple[float, float]
    height: float


@dataclass(frozen=True, eq=False)
class Sequence:
    """WARM_FRAMES + TEST_FRAMES of one drive: what was seen, and from where."""

    frames: tuple[Frame, ...]
    windows: tuple[ImuWindow, ...]
    stills: tuple[Still, ...]
    last: Observation


@dataclass(frozen=True, eq=False)
class Intervention:
    """One changed world; ``track`` is its road where that was moved."""

    name: str
    role: str
    strength: str
    look: Look
    scenery_seed: int | None = None
    track: Track | None = None
    raw: bool = True


def record_sequences(env: Environment, *, count: int, seed: int) -> list[Sequence]:
    """Let the expert drive ``count`` short stretches from random places and keep what it saw."""
    rng = np.random.default_rng([seed, env.spec.track, 6])
    return [_record(env, rng) for _ in range(count)]


def _record(env: Environment, rng: np.random.Generator) -> Sequence:
    seen = env.reset(seed=int(rng.integers(2**31)),
                     arc_m=float(rng.uniform(0.0, env.track.length)),
                     offset_m=float(rng.uniform(-OFFSET_M, OFFSET_M)),
                     heading_error=float(rng.uniform(-HEADING, HEADING)))
    frames, windows, stills = [], [], []
    for number in range(WARM_FRAMES + TEST_FRAMES):
        if number:
            seen = env.step(env.expert.command(seen.truth, seen.odometry))
        frames.append(Frame(seen.frame.stamp_ns, seen.frame.rgb.copy()))
        windows.append(seen.imu)
        stills.append(Still(env.car.pose, env.car.tilt, env.car.height))
    return Sequence(tuple(frames), tuple(windows), tuple(stills), seen)


def interventions(track: Track, season: str, *, seed: int,
                  distractors: tuple[str, ...] = DISTRACTORS) -> list[Intervention]:
    """Return the changed worlds of a road, the causes first, then the kinds in ``distractors``."""
    look = find_look(season)
    lanes = [(LANE_M, True), (-LANE_M, True), *((size, False) for size in OTHER_LANES_M)]
    causes = [Intervention(f'lane {size:+g} m', CAUSE, f'{abs(size):g} m rms', look,
                           track=displaced(track, rms_m=size, seed=seed), raw=raw)
              for size, raw in lanes]
    others = {
        'scenery': [Intervention(f'scenery {number}', DISTRACTOR, 'all trees, houses, hills', look,
                                 scenery_seed=number) for number in OTHER_SCENERY],
        'sky': [Intervention('sky', DISTRACTOR, 'overcast',
                             replace(look, sky=_overcast(look.sky)))],
        'light': [Intervention('light', DISTRACTOR, 'low sun from behind',
                               replace(look, light=_turned(look.light)))],
        'season': [Intervention(name, DISTRACTOR, 'season', find_look(name))
                   for name in SEASONS_TRIED if name != season][:2]}
    return [*causes, *(one for kind in distractors for one in others[kind])]


def redrawn(env: Environment, change: Intervention, sequences: list[Sequence],
            ) -> Iterator[list[np.ndarray]]:
    """Yield for each sequence its test frames as they look in the changed world."""
    scene = road_scene(env.track, change.look, mount=env.spec.camera.mount,
                       scenery_seed=change.scenery_seed, road=change.track)
    camera = Camera(env.spec.camera, scene)
    try:
        for one in sequences:
            yield [camera.capture(still) for still in one.stills[WARM_FRAMES:]]
    finally:
        camera.close()


def expert_change(env: Environment, change: Intervention, one: Sequence) -> tuple[float, float]:
    """Return how the expert's command changes: (curvature [1/m], speed [m/s])."""
    if change.track is None:
        return 0.0, 0.0
    seen, road = one.last, change.track
    place = road.frenet(*one.stills[-1].pose)
    truth = replace(seen.truth, arc_m=place.arc, offset_m=place.offset,
                    heading_error=place.heading_error,
                    curvature=float(road.curvature_at(place.arc)))
    before = env.expert.command(seen.truth, seen.odometry)
    after = Expert(road, env.spec.car).command(truth, seen.odometry)
    return after.curvature - before.curvature, after.speed - before.speed


def _overcast(sky: Sky) -> Sky:
    return replace(sky, zenith=(0.55, 0.57, 0.60), horizon=(0.78, 0.79, 0.80), clouds=0.95,
                   cloud_colour=(0.62, 0.63, 0.65))


def _turned(light: Light) -> Light:
    x, y, _ = light.direction
    return replace(light, direction=(-x - 0.4, -y, -0.45),
                   sun=(0.9 * light.sun[0], 0.7 * light.sun[1], 0.5 * light.sun[2]))
