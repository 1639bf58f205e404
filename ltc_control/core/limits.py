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
What a car may be asked to do at its speed: pure functions of numbers that name their source.

| letter | meaning                      | unit    | source of the default                         |
|--------|------------------------------|---------|-----------------------------------------------|
| a_lat  | lateral acceleration         | m/s^2   | ISO 11270 (lane keeping): 3, plus road roll   |
| j_lat  | lateral jerk                 | m/s^3   | measured, see below; ISO 11270 asks for 5     |
| a_up   | growth of the asked speed    | m/s^2   | ISO 15622 (cruise control): 2 to 4, by speed  |
| a_down | fall of the asked speed      | m/s^2   | ISO 15622: 5 at low speed                     |
| k_max  | curvature, hardware          | 1/m     | a turning circle of 10 m across               |
| r_max  | rate of curvature, hardware  | 1/(m s) | a road wheel that turns some 45 deg/s         |

Road roll: ISO counts acceleration in the plane of a flat road. A road that leans by 6 % adds
0.06 g, as opendbc allows in ``opendbc/car/lateral.py``. With curvature k at speed v, acceleration
is k v^2 and jerk is about dk/dt v^2.

ISO 11270 and UN R79 (ACSF B1) ask for at most 5 m/s^3 of jerk, of a system that assists a driver
who holds the wheel. Here the policy is the driver, and as a bound on every command 5 m/s^3 is a
rate limit inside the control loop: at 11 m/s it takes 2 s from one recovery to the opposite one,
and the car weaves off its lane (docs/decisions/0009). Comfort is measured by ``ltc eval``.

Order of application, fixed: lateral jerk, lateral acceleration, hardware range last.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
import math

from ltc_control.core.errors import ConfigError

_ROAD_ROLL = 0.06 * 9.81                       # [m/s^2], see above


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a command; every field is finite and above 0, units in the table above."""

    max_speed: float = 12.0                    # [m/s] top speed of the simulated car
    max_curvature: float = 0.2
    max_lateral_acceleration: float = 3.0 + _ROAD_ROLL
    max_lateral_jerk: float = 20.0
    max_acceleration: float = 2.5
    max_deceleration: float = 5.0
    max_curvature_rate: float = 0.3

    def __post_init__(self) -> None:
        """Refuse bounds that are not finite or not above 0."""
        for f in fields(self):
            value = getattr(self, f.name)
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0.0):
                raise ConfigError(f'limit {f.name} is {value!r}; give a finite number above 0')


def clamp(value: float, bound: float) -> float:
    """Return ``value`` in [-bound, bound]."""
    return min(max(value, -bound), bound)


def curvature_bound(speed: float, limits: Limits) -> float:
    """Return the largest |curvature| [1/m] at a measured speed [m/s]; any speed, 0 too."""
    square = speed * speed
    if square * limits.max_curvature <= limits.max_lateral_acceleration:
        return limits.max_curvature
    return limits.max_lateral_acceleration / square


def curvature_rate_bound(speed: float, limits: Limits) -> float:
    """Return the largest |change of curvature| [1/(m s)] at a measured speed [m/s]."""
    square = speed * speed
    if square * limits.max_curvature_rate <= limits.max_lateral_jerk:
        return limits.max_curvature_rate
    return limits.max_lateral_jerk / square


def speed_bound(curvature: float, limits: Limits) -> float:
    """Return the largest speed [m/s] at which a curvature [1/m] keeps lateral acceleration."""
    if abs(curvature) * limits.max_speed ** 2 <= limits.max_lateral_acceleration:
        return limits.max_speed
    return math.sqrt(limits.max_lateral_acceleration / abs(curvature))


def limit_curvature(
    asked: float, *, before: float, speed: float, dt_s: float, limits: Limits,
) -> float:
    """
    Return the curvature [1/m] nearest to ``asked`` that the limits allow at ``speed``.

    ``before`` is the last curvature asked of the car, ``dt_s`` >= 0 the time since. Always within
    ``curvature_bound``; within rate * dt of ``before``, once that is brought inside the bound (a
    speed that grew in between may have left it outside).
    """
    bound = curvature_bound(speed, limits)
    start, reach = clamp(before, bound), curvature_rate_bound(speed, limits) * dt_s
    return clamp(start + clamp(asked - start, reach), bound)


def limit_speed(
    asked: float, *, before: float, curvature: float, dt_s: float, limits: Limits,
) -> float:
    """
    Return the speed [m/s] nearest to ``asked`` that the limits allow, in [0, max_speed].

    ``before`` is the last speed asked of the car, ``curvature`` the one asked together with this
    speed. A curve too tight for the speed lowers it at the rate of deceleration, not at once.
    """
    goal = min(asked, speed_bound(curvature, limits))
    low = before - limits.max_deceleration * dt_s
    high = before + limits.max_acceleration * dt_s
    return min(max(min(max(goal, low), high), 0.0), limits.max_speed)
