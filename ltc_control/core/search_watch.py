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
A search that finds nothing: a drone that has turned round and round on the spot is to hover.

Read off the odometry alone, whatever it is that steers: the way turned (signed, unwrapped) since
the drone was last ``REACH_M`` away from here. A camera that was carried round twice has seen all
there is to see from this place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math

from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.core.geometry import wrap_angle

REACH_M = 4.0                              # farther from where it began: another place
RESOLVED_M_S = 0.8                         # who asks for so much knows where to go


@dataclass(frozen=True, slots=True)
class Search:
    """Where the present search began, and how far it has turned since [rad]."""

    x: float = math.nan
    y: float = math.nan
    yaw: float = 0.0
    turned: float = 0.0
    over: bool = False                     # nothing was found; holds until someone flies on


def searched(before: Search, odometry: Odometry, wish: Velocity, *, turns: float) -> Search:
    """
    Return the search after one more look at where the drone is; ``turns`` 0 never ends one.

    ``odometry`` must be finite. A wish that flies on begins a new search.
    """
    resolved = math.hypot(wish.forward, wish.left) > RESOLVED_M_S
    away = math.hypot(odometry.x - before.x, odometry.y - before.y)
    if not away < REACH_M or (before.over and resolved):        # nan: the first look
        return Search(odometry.x, odometry.y, odometry.yaw)
    turned = before.turned + wrap_angle(odometry.yaw - before.yaw)
    over = before.over or 0.0 < turns * math.tau <= abs(turned)
    return replace(before, yaw=odometry.yaw, turned=turned, over=over)
