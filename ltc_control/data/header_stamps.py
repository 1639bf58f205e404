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
Header stamps straight from serialised messages, and what is missing between them.

A message whose type begins with a ``std_msgs/Header`` has its stamp in the first bytes of its CDR:
four of encapsulation, then seconds and nanoseconds.
"""

from __future__ import annotations

from collections import deque
import functools
from statistics import median
import struct

from ltc_control.core.errors import BagError
from ltc_control.data.messages import definition, typestore

_LITTLE, _BIG = struct.Struct('<4xiI'), struct.Struct('>4xiI')
_LEARN = 15                                # intervals before the period is believed
_LONG = 1.6                                # periods; a shorter interval is jitter
_REGULAR = 0.3                             # of the period: steady intervals deviate by less
_STEADY = 0.6                              # so many are, even where every third message is lost


@functools.cache
def has_header(type_name: str) -> bool:
    """Return whether messages of ``type_name`` begin with a header; False for unknown types."""
    try:
        definition(type_name)
    except BagError:
        return False
    fields = typestore().fielddefs[type_name][1]
    return bool(fields) and fields[0][1][1] == 'std_msgs/msg/Header'


def header_stamp(cdr: bytes | memoryview) -> int | None:
    """Return the header stamp [ns] of a message whose type has one; None for too few bytes."""
    if len(cdr) < _LITTLE.size:
        return None
    seconds, nanoseconds = (_LITTLE if cdr[1] & 1 else _BIG).unpack_from(cdr)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)


class StampWatch:
    """
    Counts what is missing in a topic of steady rate, by its header stamps.

    The period is the median of the last intervals. An interval of k periods means k - 1 missing
    messages: lost on the way, or never sent by a source that stalled; stamps alone cannot tell.
    A topic without a steady rate (most intervals far from the median) counts nothing.
    """

    def __init__(self) -> None:
        self._last_ns: int | None = None
        self._intervals: deque[int] = deque(maxlen=2 * _LEARN)
        self._period_ns = 0.0
        self._fresh = 0
        self.missing = 0
        self.gaps = 0
        self.unordered = 0                 # stamps that repeat or run back

    @property
    def period_s(self) -> float:
        """Return the learned period [s]; 0 where there is none."""
        return self._period_ns / 1e9

    def add(self, stamp_ns: int) -> int:
        """Take one stamp; return how many messages are missing before it."""
        last_ns, self._last_ns = self._last_ns, stamp_ns
        if last_ns is None:
            return 0
        interval = stamp_ns - last_ns
        if interval <= 0:
            self.unordered += 1
            return 0
        missing = self._missing(interval)
        self.missing += missing
        self.gaps += missing > 0
        self._intervals.append(interval)
        self._fresh += 1
        if self._fresh >= _LEARN:
            self._learn()
        return missing

    def _missing(self, interval: int) -> int:
        if not self._period_ns or interval < _LONG * self._period_ns:
            return 0
        return round(interval / self._period_ns) - 1

    def _learn(self) -> None:
        self._fresh = 0
        period = median(self._intervals)
        near = sum(abs(item - period) < _REGULAR * period for item in self._intervals)
        self._period_ns = period if near > _STEADY * len(self._intervals) else 0.0
