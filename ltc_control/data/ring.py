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
The last seconds of all topics, in memory: what happened just before somebody wanted to know.

Bounded twice, in seconds and in bytes. The newest message of a latched topic stays however old it
is: without the map or the calibration that was said once, the seconds tell little.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

from ltc_control.data.spool import Received


class Ring:
    """Holds what came in the last ``seconds``, at most ``most_bytes``; 0 seconds hold nothing."""

    def __init__(self, *, seconds: float, most_bytes: int) -> None:
        self._span_ns = int(seconds * 1e9)
        self._most_bytes = most_bytes
        self._items: deque[Received] = deque()
        self._kept: dict[str, Received] = {}       # newest of each latched topic, if it is older
        self.latched: Collection[str] = set()      # names of topics, the owner's to fill
        self.bytes = 0

    @property
    def seconds(self) -> float:
        """Time between the oldest and the newest message held."""
        if not self._items:
            return 0.0
        return (self._items[-1].received_ns - self._items[0].received_ns) / 1e9

    def extend(self, batch: Collection[Received]) -> None:
        """Take in messages, oldest first, and let go of what is too old or too much."""
        if not batch or not self._span_ns:
            return
        self._items.extend(batch)
        self.bytes += sum(len(item.cdr) for item in batch)
        oldest_ns = self._items[-1].received_ns - self._span_ns
        while self._items and (self._items[0].received_ns < oldest_ns
                               or self.bytes > self._most_bytes):
            item = self._items.popleft()
            self.bytes -= len(item.cdr)
            if item.topic in self.latched:
                self._kept[item.topic] = item

    def content(self) -> list[Received]:
        """Return what is held, oldest first; later messages do not change it."""
        held = {item.topic for item in self._items}
        kept = [item for topic, item in self._kept.items() if topic not in held]
        return [*kept, *self._items]

    def clear(self) -> None:
        """Forget all."""
        self._items.clear()
        self._kept.clear()
        self.bytes = 0
