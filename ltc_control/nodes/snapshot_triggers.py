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
"""Which messages say that the last seconds matter: a take-over, an emergency stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
import time

from ltc_control.data.spool import Received

BOOL, STRING = 'std_msgs/msg/Bool', 'std_msgs/msg/String'
QUIET_S = 1.0                              # one event shows on several topics


class Triggers:
    """
    Reads ``/topic`` and ``/topic=text`` from ``words``, by commas.

    A Bool fires when it becomes true, a String when it becomes ``text``, another type when one of
    the texts in it becomes ``text``; where no text is named, at each message. ``resolve`` makes
    full names of topics.
    """

    def __init__(self, words: str, *, resolve: Callable[[str], str]) -> None:
        self._texts = {resolve(word.partition('=')[0]): word.partition('=')[2]
                       for word in words.split(',') if word}
        self._before: dict[str, bool] = {}
        self._fired_at = -QUIET_S

    @property
    def topics(self) -> list[str]:
        """Names of the topics to listen to."""
        return list(self._texts)

    def fired(self, batch: Iterable[Received]) -> Iterator[str]:
        """Yield a word for each event in ``batch``; none so soon after another."""
        for item in batch:
            if item.topic not in self._texts or not self._begins(item):
                continue
            if time.monotonic() - self._fired_at >= QUIET_S:
                self._fired_at = time.monotonic()
                yield self._texts[item.topic] or item.topic.rpartition('/')[2]

    def _begins(self, item: Received) -> bool:
        now = self._holds(item)
        before = self._before.get(item.topic, False)
        lasts = item.type_name == BOOL or self._texts[item.topic] != ''
        self._before[item.topic] = now and lasts
        return now and not before

    def _holds(self, item: Received) -> bool:
        if item.type_name == BOOL:         # after four bytes of encapsulation
            return item.cdr[4:5] == b'\x01'
        text = self._texts[item.topic].encode()
        if not text:
            return True
        # a length that counts the closing zero, and the text
        told = (len(text) + 1).to_bytes(4, 'little' if item.cdr[1] & 1 else 'big') + text + b'\0'
        if item.type_name == STRING:
            return item.cdr[4:4 + len(told)] == told
        return told in item.cdr
