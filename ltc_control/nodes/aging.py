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
"""Stamped values as they grow old: by header stamp or by arrival, whichever is older."""

from __future__ import annotations

from dataclasses import dataclass, replace
import time
from typing import Generic, TypeVar

from ltc_control.core.contracts import Command, Odometry, Velocity
from ltc_control.core.obstacle import Returns

Stamped = TypeVar('Stamped', Command, Velocity, Odometry, Returns)


@dataclass(frozen=True)
class Arrived(Generic[Stamped]):
    """A value and the steady time of its arrival [ns], which no clock adjustment reaches."""

    value: Stamped
    at_ns: int

    @classmethod
    def now(cls, value: Stamped) -> Arrived[Stamped]:
        """Return a value that arrives at this moment."""
        return cls(value, time.monotonic_ns())

    def aged(self, now_ns: int, *, future_s: float) -> Stamped:
        """
        Return the value with a stamp that says its true age on the clock of ``now_ns``.

        A stamp from the future is left as it is: the gate knows how much of that is usual.
        """
        if self.value.stamp_ns > now_ns + 1e9 * future_s:
            return self.value
        arrived_ns = now_ns - (time.monotonic_ns() - self.at_ns)
        return replace(self.value, stamp_ns=min(self.value.stamp_ns, arrived_ns))
