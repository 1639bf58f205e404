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
"""The driven path for a map: points some way apart, a break where the car was put elsewhere."""

from __future__ import annotations

import math
from typing import Any

SPACING_M = 0.5
JUMP_M = 5.0                               # farther is no driving: the car was put back
LONGEST = 6000                             # points; then every second one goes, and so on
NEWEST = 24                                # points a tick tells, so that a slow page loses none


class DrivenPath:
    """Points [x, y] in metres, None between stretches; old ones thin out, none are forgotten."""

    def __init__(self) -> None:
        self._points: list[list[float] | None] = []
        self._dropped = 0                  # of the numbering that pages use
        self._last: tuple[float, float] | None = None

    def append(self, x: float, y: float) -> None:
        """Take a pose; what is not finite or too near the last point is left out."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        way = math.inf if self._last is None else math.hypot(x - self._last[0], y - self._last[1])
        if way < SPACING_M:
            return
        if self._last is not None and way > JUMP_M:
            self._points.append(None)
        self._points.append([round(x, 2), round(y, 2)])
        self._last = (x, y)
        if len(self._points) > LONGEST:
            self._thin()

    def newest(self) -> dict[str, Any]:
        """Return the last points and the number of the first of them."""
        start = max(0, len(self._points) - NEWEST)
        return {'from': self._dropped + start, 'points': self._points[start:]}

    def whole(self) -> dict[str, Any]:
        """Return all points and the number of the first."""
        return {'from': self._dropped, 'points': list(self._points)}

    def _thin(self) -> None:
        half = len(self._points) // 2
        kept = [point for index, point in enumerate(self._points[:half])
                if index % 2 == 0 or point is None]
        self._dropped += half - len(kept)
        self._points[:half] = kept
