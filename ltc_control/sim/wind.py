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
Wind in gusts of the "1 - cosine" shape (MIL-F-8785C, section 3.7.3), at random times and bearings.

Between gusts the air stands still. Everything is drawn from the generator handed in.
"""

from __future__ import annotations

import math

import numpy as np

MEAN_PAUSE_S = 2.0
LENGTH_S = (1.0, 4.0)


class Wind:
    """The air's velocity in time; ask for rising times. ``peak`` [m/s] is that of every gust."""

    def __init__(self, peak: float, rng: np.random.Generator) -> None:
        self._peak, self._rng = peak, rng
        self._begin = self._end = 0.0
        self._bearing = 0.0

    def at(self, seconds: float) -> tuple[float, float, float]:
        """Return the wind (x, y, z) [m/s], world axes; none blows up or down."""
        if self._peak <= 0.0:
            return 0.0, 0.0, 0.0
        while seconds >= self._end:
            self._begin = self._end + float(self._rng.exponential(MEAN_PAUSE_S))
            self._end = self._begin + float(self._rng.uniform(*LENGTH_S))
            self._bearing = float(self._rng.uniform(-math.pi, math.pi))
        part = (seconds - self._begin) / (self._end - self._begin)
        speed = 0.5 * self._peak * (1.0 - math.cos(2.0 * math.pi * part)) if part > 0.0 else 0.0
        return speed * math.cos(self._bearing), speed * math.sin(self._bearing), 0.0
