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
What a drone may be asked to do where it is: floor, ceiling, fence, speed, acceleration, jerk.

A velocity command reaches the tilt of a multicopter through its derivative: acceleration is tilt,
jerk is the rate of tilt, so a bound on jerk keeps the autopilot's attitude loop quiet (PX4 bounds
the same with MPC_JERK_MAX). Towards floor, ceiling and fence the speed may be at most what can be
braked away in the distance left, v = sqrt(2 a d).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
import math

from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.core.errors import ConfigError

APPROACH_S = 0.5                               # floor and ceiling: slow enough for the jerk limit


@dataclass(frozen=True, slots=True)
class FlightLimits:
    """Bounds of a flight; heights over the ``odom`` origin, the fence around it."""

    floor: float = 0.6                         # [m]
    ceiling: float = 8.0                       # [m]
    fence_radius: float = 80.0                 # [m]
    max_speed: float = 5.0                     # horizontal [m/s]
    max_climb: float = 1.5                     # up and down [m/s]
    max_yaw_rate: float = 1.2                  # [rad/s]
    max_acceleration: float = 4.0              # [m/s^2], about 22 degrees of tilt
    max_jerk: float = 16.0                     # [m/s^3], about 90 degrees of tilt a second
    max_yaw_acceleration: float = 4.0          # [rad/s^2]

    def __post_init__(self) -> None:
        """Refuse bounds that are not finite, not above 0, or leave no room to fly in."""
        for f in fields(self):
            value = getattr(self, f.name)
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0.0):
                raise ConfigError(f'limit {f.name} is {value!r}; give a finite number above 0')
        if self.floor + 0.5 > self.ceiling:
            raise ConfigError(f'floor {self.floor!r} and ceiling {self.ceiling!r} leave no room; '
                              'give a ceiling at least 0.5 m above the floor')


@dataclass(frozen=True, slots=True)
class Motion:
    """What was published last, and the acceleration that led there; all of the levelled body."""

    forward: float = 0.0
    left: float = 0.0
    up: float = 0.0
    yaw_rate: float = 0.0
    pull_forward: float = 0.0                  # [m/s^2]
    pull_left: float = 0.0
    pull_up: float = 0.0


def bounded(asked: Velocity, odometry: Odometry, limits: FlightLimits) -> Velocity:
    """Return the command nearest to ``asked`` inside speeds, floor, ceiling and fence."""
    scale = min(1.0, limits.max_speed / max(math.hypot(asked.forward, asked.left), 1e-9))
    forward, left = _fenced(asked.forward * scale, asked.left * scale, odometry, limits)
    return Velocity(asked.stamp_ns, forward, left, _level(asked.up, odometry.z, limits),
                    min(max(asked.yaw_rate, -limits.max_yaw_rate), limits.max_yaw_rate))


def eased(wish: Velocity, before: Motion, *, dt_s: float, limits: FlightLimits) -> Motion:
    """
    Return the motion ``dt_s`` after ``before`` on the way to ``wish``, within acceleration, jerk.

    The acceleration a that is asked for can be taken back before the error e is gone, step by
    step: a dt + a^2 / 2 j <= e, so that velocity arrives without overshoot.
    """
    if dt_s <= 0.0:
        return before
    error = (wish.forward - before.forward, wish.left - before.left, wish.up - before.up)
    size = math.sqrt(sum(e * e for e in error))
    reach = limits.max_jerk * dt_s
    most = min(limits.max_acceleration,
               math.sqrt(reach * reach + 2.0 * limits.max_jerk * size) - reach)
    pulls = (before.pull_forward, before.pull_left, before.pull_up)
    goal = tuple(e * most / size if size > 0.0 else 0.0 for e in error)
    change = tuple(g - p for g, p in zip(goal, pulls, strict=True))
    step = math.sqrt(sum(c * c for c in change))
    share = min(1.0, reach / step) if step > 0.0 else 1.0
    pull = tuple(p + share * c for p, c in zip(pulls, change, strict=True))
    turn = min(max(wish.yaw_rate - before.yaw_rate, -limits.max_yaw_acceleration * dt_s),
               limits.max_yaw_acceleration * dt_s)
    forward, left = before.forward + pull[0] * dt_s, before.left + pull[1] * dt_s
    # a wish that turns while the drone speeds up: the bound on speed comes before that on change
    scale = min(1.0, limits.max_speed / max(math.hypot(forward, left), 1e-9))
    up = min(max(before.up + pull[2] * dt_s, -limits.max_climb), limits.max_climb)
    return Motion(forward * scale, left * scale, up, before.yaw_rate + turn, *pull)


def _level(up: float, height: float, limits: FlightLimits) -> float:
    """Return the climb rate that keeps between floor and ceiling; outside, one that goes back."""
    highest = _braking(limits.ceiling - height, limits)
    lowest = -_braking(height - limits.floor, limits)
    up = min(max(up, -limits.max_climb), limits.max_climb)
    return min(max(up, lowest), highest)


def _braking(distance: float, limits: FlightLimits) -> float:
    """Return the speed towards a bound this far away; below 0 beyond it: back, gently."""
    if distance < 0.0:
        return max(distance, -0.5)
    return min(math.sqrt(limits.max_acceleration * distance), distance / APPROACH_S,
               limits.max_climb)


def _fenced(forward: float, left: float, odometry: Odometry,
            limits: FlightLimits) -> tuple[float, float]:
    """Return the horizontal velocity with its outward part bounded by the room to the fence."""
    away = math.hypot(odometry.x, odometry.y)
    if away < 1e-6:
        return forward, left
    bearing = math.atan2(odometry.y, odometry.x) - odometry.yaw
    out_forward, out_left = math.cos(bearing), math.sin(bearing)
    outward = forward * out_forward + left * out_left
    room = limits.fence_radius - away
    most = math.sqrt(limits.max_acceleration * room) if room > 0.0 else max(room, -1.0)
    excess = max(outward - most, 0.0)
    return forward - excess * out_forward, left - excess * out_left
