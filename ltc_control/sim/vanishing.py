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
A target that is out of sight for a while, as behind something, or that is not there at all.

It vanishes at random moments, with the mean time ``BETWEEN_S`` between the end of one absence and
the next, for up to ``longest_s``. The moments come from the seed of the
episode, so the same seed hides it from every policy alike.
"""

from __future__ import annotations

import math

from ltc_control.core.errors import SimulationError
import numpy as np

BETWEEN_S = 6.0
LEAST_BETWEEN_S = 1.0                      # it is there for so long at first, and ever after
SHORTEST = 0.5                             # an absence lasts this share of the longest, or more
FAR_BELOW_M = -60.0                        # where what is not to be seen hangs


class Vanishing:
    """Whether a target is gone; ask at times that do not go back. ``longest_s`` inf: always."""

    def __init__(self, longest_s: float, rng: np.random.Generator) -> None:
        if not longest_s >= 0.0:
            raise SimulationError(f'a target hides for 0 s or longer, got {longest_s!r}')
        self._longest_s, self._rng = longest_s, rng
        self._begin_s = 0.0
        self._end_s = 0.0
        self._draw()

    def _draw(self) -> None:
        self._begin_s += LEAST_BETWEEN_S + float(
            self._rng.exponential(BETWEEN_S - LEAST_BETWEEN_S))
        self._end_s = self._begin_s + self._longest_s * float(self._rng.uniform(SHORTEST, 1.0))

    def gone(self, seconds: float) -> bool:
        """Say whether the target is out of sight at this time of the episode."""
        if self._longest_s in (0.0, math.inf):
            return self._longest_s > 0.0
        while seconds >= self._end_s:
            self._begin_s = self._end_s
            self._draw()
        return seconds >= self._begin_s
