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
"""What every node can say of itself: how often things happen, and how much processor it takes."""

from __future__ import annotations

from collections import Counter
import time


class Vitals:
    """Counts events between two reports; ``take`` gives their rates and the CPU share since."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def count(self, name: str) -> None:
        """Note that an event of this name has happened."""
        self._counts[name] += 1

    def take(self) -> dict[str, object]:
        """Return ``<name>_hz`` of each event ever seen and ``cpu_percent`` of one core."""
        wall, cpu = time.monotonic(), time.process_time()
        elapsed = max(wall - self._wall, 1e-6)
        values: dict[str, object] = {
            f'{name}_hz': round(count / elapsed, 2) for name, count in self._counts.items()}
        values['cpu_percent'] = round(100.0 * (cpu - self._cpu) / elapsed, 1)
        self._wall, self._cpu = wall, cpu
        self._counts = Counter(dict.fromkeys(self._counts, 0))
        return values
