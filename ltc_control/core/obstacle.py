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
What stands in the car's way, and how fast it may still go: pure functions of measured points.

After the manner of Nav2's collision monitor (nav2_collision_monitor), for a car: where Nav2 asks
whether enough points lie in a fixed polygon, the zone here is the area that the car's outline
sweeps along the arc of the curvature asked for, so that a wall beside a bend is not in the way.
As there, a source is debounced, several points make an obstacle, the nearest of all sources
counts, and the motion since a measurement is made up for. Two zones of one distance d, measured
from the bumper along the arc, and a third of its own:

* stop: d <= stop_m, until d > stop_m + hysteresis_m;
* approach: v t + v^2 / (2 a) <= d - stop_m, so v <= sqrt((a t)^2 + 2 a (d - stop_m)) - a t,
  the stopping distance with reaction time t, never above sqrt(2 a d);
* swerve: the curvature asked for is that of now, and what stands just inside a bend lies beside
  its arc until the bend begins. So d is measured once more in what all arcs within ``swerve``
  of the curvature sweep, and there v t + v^2 / (2 b) <= d with the full brakes b. That slows
  the car down to ``crawl`` and never stops it: what it may swerve into is not in its way yet.

A source that is configured and silent counts as blind, and blind means stop: lost information
never removes protection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
import math

from ltc_control.core.errors import ConfigError
import numpy as np


@dataclass(frozen=True, slots=True)
class Returns:
    """One measurement of one sensor: points (K, 2) in ``base_link``, x forward, y left [m]."""

    stamp_ns: int
    points: np.ndarray
    least: int = 1                             # so many points make an obstacle


Sight = Mapping[str, Sequence[Returns]]        # by sensor, oldest first; () has not spoken yet


@dataclass(frozen=True, slots=True)
class ObstacleConfig:
    """The car's outline from ``base_link`` and how it shall stop; change the first four."""

    front_m: float = 2.25                      # of the bumper ahead of base_link
    half_width_m: float = 0.9
    margin_m: float = 0.3                      # kept free on either side
    stop_m: float = 2.0                        # kept free ahead
    hysteresis_m: float = 1.0                  # more than that to drive on
    deceleration: float = 2.0                  # [m/s^2] of an approach, well below the brakes'
    reaction_s: float = 0.5                    # of sensor, command and brakes together
    swerve: float = 0.006                      # [1/m] the curvature asked for may change so much
    brakes: float = 3.0                        # [m/s^2] for what comes into the path so late
    crawl: float = 0.3                         # [m/s] a slower approach is a stop
    seen: int = 2                              # an obstacle is there when so many ...
    of: int = 3                                # ... of the last so many measurements show it
    stale_s: float = 0.5                       # a sensor silent for longer is blind
    for_human: bool = True                     # a person is stopped too

    def __post_init__(self) -> None:
        """Refuse lengths and times below 0, and counts that can never be reached."""
        for item in fields(self):
            value = getattr(self, item.name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f'obstacle {item.name} is {value!r}; give a number >= 0')
        if 0.0 in (self.deceleration, self.brakes) or not 1 <= self.seen <= self.of:
            raise ConfigError(
                'obstacles need a deceleration and brakes above 0 and 1 <= seen <= of, got '
                f'{self.deceleration!r}, {self.brakes!r}, {self.seen!r} of {self.of!r}')


def along_arc(points: np.ndarray, curvature: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Return (distance along, offset left of) the arc of ``curvature`` from the origin, (K,) each.

    With centre (0, 1/k) and q = |k| times the distance from it, the offset is (1 - q) / k; it is
    written as (2 y - k r^2) / (1 + q), which is true for k = 0 too.
    """
    x, y = points[:, 0], points[:, 1]
    q = np.hypot(curvature * x, 1.0 - curvature * y)
    offset = (2.0 * y - curvature * (x * x + y * y)) / (1.0 + q)
    if abs(curvature) < 1e-9:
        return x, offset
    return np.arctan2(curvature * x, 1.0 - curvature * y) / curvature, offset


def clearance(
    returns: Returns, curvature: float, config: ObstacleConfig, *, swerve: float = 0.0,
) -> float:
    """
    Return the way [m] from the bumper to the ``least``-th point in the swept area, or inf.

    With ``swerve`` [1/m] it is the area of all arcs whose curvature differs by no more than that.
    """
    distance, offset = along_arc(returns.points, curvature)
    # two arcs are s^2 / 2 times the difference of their curvatures apart after the way s
    side = config.half_width_m + config.margin_m + 0.5 * swerve * distance * distance
    # the outer front corner of a car in a bend runs outside the track of its side
    swing = abs(curvature) * config.front_m ** 2 / (2.0 * (1.0 + abs(curvature) * side))
    outward = -math.copysign(1.0, curvature) * offset
    inside = (np.abs(offset) <= side) | ((outward > 0.0) & (outward <= side + swing))
    ahead = np.sort(distance[inside & (returns.points[:, 0] > config.front_m)])
    if len(ahead) < max(returns.least, 1):
        return math.inf
    return max(float(ahead[max(returns.least, 1) - 1]) - config.front_m, 0.0)


def distance_ahead(
    sight: Sight, *, now_ns: int, curvature: float, speed: float, config: ObstacleConfig,
    swerve: float = 0.0,
) -> float:
    """Return the way [m] to the nearest obstacle that any sensor is sure of, or inf."""
    return min((_debounced(history, now_ns=now_ns, curvature=curvature, speed=speed,
                           config=config, swerve=swerve) for history in sight.values()),
               default=math.inf)


def _debounced(
    history: Sequence[Returns], *, now_ns: int, curvature: float, speed: float,
    config: ObstacleConfig, swerve: float,
) -> float:
    """Return the distance that ``seen`` of the last ``of`` measurements agree on, or inf."""
    found = []
    for returns in history[-config.of:]:
        age_s = (now_ns - returns.stamp_ns) / 1e9
        if age_s <= config.stale_s:
            moved = max(speed, 0.0) * max(age_s, 0.0)
            found.append(max(
                clearance(returns, curvature, config, swerve=swerve) - moved, 0.0))
    if not found:
        return math.inf
    return sorted(found)[min(config.seen, len(found)) - 1]


def blind(sight: Sight, *, now_ns: int, future_s: float, config: ObstacleConfig) -> bool:
    """Say whether a sensor has no measurement of now: none yet, too old, or from the future."""
    return any(
        not history
        or not -future_s <= (now_ns - history[-1].stamp_ns) / 1e9 <= config.stale_s
        for history in sight.values())


def speed_bound(distance: float, config: ObstacleConfig) -> float:
    """Return the speed [m/s] from which the car still stops ``stop_m`` before the obstacle."""
    return _stopping(distance - config.stop_m, config.deceleration, config.reaction_s)


def swerve_bound(distance: float, config: ObstacleConfig) -> float:
    """Return the speed [m/s] from which the brakes still save what comes into the path so late."""
    return max(_stopping(distance, config.brakes, config.reaction_s), config.crawl)


def _stopping(way: float, deceleration: float, reaction_s: float) -> float:
    """Return the speed [m/s] from which a car stands after ``way`` [m]."""
    lag = deceleration * reaction_s
    return math.sqrt(lag * lag + 2.0 * deceleration * max(way, 0.0)) - lag


def stops(distance: float, *, stopped: bool, config: ObstacleConfig) -> bool:
    """Say whether the car must stand; once it ``stopped`` it takes more room to drive on."""
    if stopped:
        return distance <= config.stop_m + config.hysteresis_m
    return speed_bound(distance, config) <= config.crawl
