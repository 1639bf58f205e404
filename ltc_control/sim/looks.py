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
How the world looks in each season, as data: light, sky, fog, surfaces, colours of things.

Colours are RGB in [0, 1]. Nothing here moves geometry, so one compiled scene wears every look.
The lane stays visible to a person in all of them; ``dusk`` and ``rain`` are for final tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ltc_control.core.errors import SimulationError

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Sky:
    """Colours from zenith to horizon, clouds, stars, and fog in the colour of the horizon."""

    zenith: Colour
    horizon: Colour
    clouds: float = 0.4                    # share of the sky
    cloud_colour: Colour = (1.0, 1.0, 1.0)
    stars: float = 0.0                     # brightness
    fog_start: float = 60.0                # [m]
    fog_end: float = 650.0                 # [m]; the sky is drawn at 300 m


@dataclass(frozen=True)
class Light:
    """Sun or moon (towards ``direction``), light from everywhere, and the car's own lamps."""

    direction: tuple[float, float, float]
    sun: Colour
    ambient: Colour
    lamp: float = 0.0
    windows: float = 0.0                   # glow of the houses' windows
    shade: float = 0.12                    # darkness under trees and under the car


@dataclass(frozen=True)
class Road:
    """Asphalt: colour, grain, paint, and what lies on it (shares of the surface)."""

    asphalt: Colour
    grain: float = 0.05
    paint: Colour = (0.95, 0.95, 0.92)
    paint_cover: float = 0.95              # 1: fresh paint, 0: gone
    wheel_tracks: float = -0.03            # brightness of the worn tracks
    litter: float = 0.0                    # snow or leaves
    litter_colour: Colour = (1.0, 1.0, 1.0)
    litter_size: float = 0.6               # [m]
    shine: float = 0.0                     # of a wet surface


@dataclass(frozen=True)
class Ground:
    """Meadow: two colours in patches, specks on it, gravel beside the asphalt."""

    low: Colour
    high: Colour
    specks: float = 0.0
    speck_colour: Colour = (0.9, 0.8, 0.3)
    gravel: Colour = (0.52, 0.48, 0.42)


@dataclass(frozen=True, eq=False)           # compared and hashed by identity
class Look:
    """One season; ``things`` colours the atlas of trees, houses and posts by name."""

    name: str
    sky: Sky
    light: Light
    road: Road
    ground: Ground
    things: Mapping[str, Colour] = field(default_factory=dict)
    speckle: float = 0.16                  # contrast of leaves
    streaks: int = 0                       # rain streaks an image of 200x66


BUILT: dict[str, Colour] = {
    'trunk': (0.33, 0.25, 0.18), 'wall0': (0.86, 0.80, 0.68), 'wall1': (0.72, 0.42, 0.33),
    'wall2': (0.80, 0.82, 0.80), 'roof0': (0.55, 0.24, 0.18), 'roof1': (0.30, 0.30, 0.33),
    'kerb': (0.66, 0.66, 0.64), 'post': (0.95, 0.95, 0.95), 'band': (0.08, 0.08, 0.08),
    'reflector': (0.95, 0.45, 0.10), 'paint': (0.80, 0.16, 0.10), 'glass': (0.10, 0.14, 0.18),
    'tyre': (0.06, 0.06, 0.07), 'lamp': (1.0, 0.97, 0.85), 'tail': (0.85, 0.05, 0.04),
    'chrome': (0.65, 0.67, 0.70),
}
SUMMER_TREES: dict[str, Colour] = {
    'crown0': (0.25, 0.47, 0.15), 'crown1': (0.33, 0.53, 0.18), 'crown2': (0.20, 0.40, 0.14),
    'crown3': (0.40, 0.55, 0.22), 'conifer': (0.13, 0.32, 0.18), 'cap': (0.15, 0.36, 0.20),
    'bush': (0.30, 0.46, 0.18), 'hill': (0.36, 0.48, 0.30), 'hill_far': (0.42, 0.53, 0.45),
}
AUTUMN_TREES: dict[str, Colour] = {
    'crown0': (0.82, 0.58, 0.12), 'crown1': (0.76, 0.36, 0.10), 'crown2': (0.58, 0.32, 0.12),
    'crown3': (0.88, 0.70, 0.22), 'conifer': (0.18, 0.32, 0.18), 'cap': (0.20, 0.34, 0.19),
    'bush': (0.66, 0.34, 0.14), 'hill': (0.58, 0.44, 0.24), 'hill_far': (0.56, 0.46, 0.36),
}
WINTER_TREES: dict[str, Colour] = {
    'crown0': (0.66, 0.66, 0.70), 'crown1': (0.55, 0.53, 0.54), 'crown2': (0.74, 0.75, 0.80),
    'crown3': (0.48, 0.44, 0.42), 'conifer': (0.20, 0.33, 0.29), 'cap': (0.90, 0.93, 0.97),
    'bush': (0.72, 0.72, 0.75), 'hill': (0.86, 0.89, 0.94), 'hill_far': (0.78, 0.83, 0.91),
}
SNOWED: dict[str, Colour] = {'roof0': (0.92, 0.94, 0.97), 'roof1': (0.90, 0.92, 0.96),
                             'kerb': (0.80, 0.82, 0.85)}

SUMMER = Look(
    'summer',
    Sky(zenith=(0.22, 0.45, 0.85), horizon=(0.72, 0.84, 0.95)),
    Light(direction=(0.4, 0.25, -0.85), sun=(0.72, 0.70, 0.64), ambient=(0.42, 0.44, 0.48),
          shade=0.42),
    Road(asphalt=(0.33, 0.33, 0.34)),
    Ground(low=(0.27, 0.43, 0.14), high=(0.41, 0.54, 0.22), specks=0.01),
    {**BUILT, **SUMMER_TREES})
AUTUMN = Look(
    'autumn',
    Sky(zenith=(0.42, 0.52, 0.68), horizon=(0.88, 0.84, 0.76), clouds=0.6, fog_start=40.0,
        fog_end=480.0),
    Light(direction=(0.7, -0.2, -0.55), sun=(0.76, 0.62, 0.44), ambient=(0.42, 0.40, 0.38),
          shade=0.36),
    Road(asphalt=(0.30, 0.29, 0.28), litter=0.07, litter_colour=(0.68, 0.42, 0.14),
         litter_size=0.15),
    Ground(low=(0.44, 0.38, 0.16), high=(0.56, 0.47, 0.22), specks=0.22,
           speck_colour=(0.74, 0.42, 0.12)),
    {**BUILT, **AUTUMN_TREES}, speckle=0.22)
WINTER = Look(
    'winter',
    Sky(zenith=(0.62, 0.70, 0.82), horizon=(0.90, 0.92, 0.95), clouds=0.7, fog_start=40.0,
        fog_end=420.0),
    Light(direction=(0.5, 0.4, -0.6), sun=(0.36, 0.36, 0.38), ambient=(0.60, 0.62, 0.66)),
    Road(asphalt=(0.42, 0.43, 0.46), paint=(0.97, 0.97, 0.95), paint_cover=0.75,
         wheel_tracks=-0.06, litter=0.28, litter_colour=(0.86, 0.88, 0.92), litter_size=1.0),
    Ground(low=(0.84, 0.87, 0.92), high=(0.95, 0.96, 0.98), specks=0.015,
           speck_colour=(0.52, 0.48, 0.38), gravel=(0.74, 0.75, 0.78)),
    {**BUILT, **WINTER_TREES, **SNOWED}, speckle=0.28)
NIGHT = Look(
    'night',
    Sky(zenith=(0.02, 0.03, 0.08), horizon=(0.06, 0.08, 0.15), clouds=0.2,
        cloud_colour=(0.07, 0.08, 0.13), stars=0.9, fog_start=60.0, fog_end=700.0),
    Light(direction=(-0.4, 0.3, -0.8), sun=(0.07, 0.09, 0.15), ambient=(0.10, 0.11, 0.16),
          lamp=6.0, windows=1.0, shade=0.0),
    Road(asphalt=(0.33, 0.33, 0.34)),
    Ground(low=(0.22, 0.36, 0.13), high=(0.32, 0.45, 0.18)),
    {**BUILT, **SUMMER_TREES})
DUSK = Look(
    'dusk',
    Sky(zenith=(0.20, 0.22, 0.45), horizon=(0.98, 0.58, 0.30), clouds=0.5,
        cloud_colour=(0.90, 0.45, 0.40), fog_start=50.0, fog_end=560.0),
    Light(direction=(0.95, 0.25, -0.22), sun=(0.85, 0.42, 0.18), ambient=(0.42, 0.36, 0.44),
          lamp=1.2, windows=0.8, shade=0.3),
    Road(asphalt=(0.33, 0.32, 0.33)),
    Ground(low=(0.27, 0.40, 0.15), high=(0.40, 0.48, 0.22), specks=0.01),
    {**BUILT, **SUMMER_TREES})
RAIN = Look(
    'rain',
    Sky(zenith=(0.40, 0.43, 0.47), horizon=(0.58, 0.61, 0.64), clouds=0.8,
        cloud_colour=(0.50, 0.53, 0.57), fog_start=20.0, fog_end=300.0),
    Light(direction=(0.2, 0.2, -0.95), sun=(0.16, 0.17, 0.18), ambient=(0.52, 0.54, 0.57),
          lamp=0.8, windows=0.6),
    Road(asphalt=(0.19, 0.20, 0.22), grain=0.03, paint_cover=0.85, litter=0.22,
         litter_colour=(0.30, 0.33, 0.37), litter_size=1.6, shine=0.5),
    Ground(low=(0.19, 0.32, 0.12), high=(0.29, 0.40, 0.18), gravel=(0.36, 0.34, 0.31)),
    {**BUILT, **SUMMER_TREES}, streaks=90)

LOOKS: Mapping[str, Look] = MappingProxyType(
    {look.name: look for look in (SUMMER, AUTUMN, WINTER, NIGHT, DUSK, RAIN)})
SEASONS: tuple[str, ...] = tuple(LOOKS)


def find_look(name: str) -> Look:
    """Return the look of this name; SimulationError, naming all of them, for an unknown one."""
    if name not in LOOKS:
        raise SimulationError(f'unknown season {name!r}; use one of {", ".join(SEASONS)}')
    return LOOKS[name]
