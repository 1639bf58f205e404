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
"""What the live page shows of a car and of a drone: which numbers, under which names and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ltc_control.core.contracts import Command, Odometry, Velocity
from ltc_control.insight import words
from ltc_control.nodes import conversions as convert

LEAST_SPEED = 0.5                          # [m/s] below which a car's curvature is noise


@dataclass(frozen=True)
class Shown:
    """
    One kind of vehicle on the page.

    ``fields`` of its command in the order of the page; two of them, with what is driven, are the
    lines of the last minute. ``counted`` is its misfortune: what it is called, and what is said
    each time.
    """

    vehicle: str
    fields: tuple[str, ...]
    charts: tuple[tuple[str, str], ...]    # (field, label)
    counted: tuple[str, str]
    read: Callable[[Any], Any]             # TwistStamped -> command
    driven: Callable[[Odometry], tuple[float, ...]]    # in the order of fields
    words: Callable[[Any], str]

    def values(self, command: Any) -> list[float]:
        """Return the numbers of a command, in the order of ``fields``."""
        return [getattr(command, field) for field in self.fields]


def _bend(odometry: Odometry) -> float:
    return odometry.yaw_rate / odometry.speed if odometry.speed >= LEAST_SPEED else float('nan')


def _car_words(command: Command) -> str:
    return words.command_words(command.curvature, command.speed)


def _drone_words(command: Velocity) -> str:
    return words.velocity_words(command.forward, command.left, command.up, command.yaw_rate)


CAR = Shown(
    'car', ('curvature', 'speed'),
    (('speed', 'speed [m/s]'), ('curvature', 'curvature [1/m], left is up')),
    ('departures', 'The car left its lane.'), convert.command_from_twist,
    lambda car: (_bend(car), car.speed), _car_words)
DRONE = Shown(
    'drone', ('forward', 'left', 'up', 'yaw_rate'),
    (('forward', 'forward [m/s]'), ('yaw_rate', 'yaw rate [rad/s], left is up')),
    ('collisions', 'The drone hit something.'),
    convert.velocity_from_twist,
    lambda drone: (drone.speed, drone.speed_left, drone.speed_up, drone.yaw_rate), _drone_words)
VEHICLES = {'car': CAR, 'drone': DRONE}
