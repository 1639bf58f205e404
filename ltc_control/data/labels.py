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
"""Which command belongs to a frame: the one with its stamp, else the one in force at its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ltc_control.data.topics import TopicMap
import numpy as np


@dataclass(frozen=True)
class Commands:
    """The commands of a recording by rising stamp."""

    stamps_ns: np.ndarray                  # (C,) int64
    values: np.ndarray                     # (C, M): what the vehicle is commanded, see topics
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, rows: Sequence[tuple[float, ...]]) -> Commands:
        """
        Return the commands of rows (stamp, receive time, *values), at least one.

        Where no stamp was ever set the receive times stand in, which ``notes`` says; of commands
        with one stamp the last recorded counts.
        """
        stamps = np.array([row[0] for row in rows], np.int64)
        received = np.array([row[1] for row in rows], np.int64)
        notes: tuple[str, ...] = ()
        if not stamps.any() and received.any():
            stamps = received
            notes = ('commands carry no stamps; their receive times are used',)
        values = np.array([row[2:] for row in rows], np.float64)
        order = np.argsort(stamps, kind='stable')
        stamps, values = stamps[order], values[order]
        last = np.diff(stamps, append=stamps[-1] + 1) > 0
        return cls(stamps[last], values[last], notes)

    def describe(self) -> str:
        """Return how many there are and from when to when."""
        return (f'{len(self.stamps_ns)} commands from {self.stamps_ns[0]} to '
                f'{self.stamps_ns[-1]} ns')


def labels_at(stamps_ns: np.ndarray, commands: Commands,
              topics: TopicMap) -> tuple[np.ndarray, np.ndarray]:
    """
    Return (commands (T, M) float32, valid (T,) bool) at frames ``stamps_ns`` (T,).

    The label is the newest command not later than stamp + lag and not older than
    ``longest_command_age_s``; with ``interpolate``, the straight line between that one and the
    next. Frames without a label, or with one that is not finite, are zero and not valid.
    """
    when = stamps_ns + round(topics.command_lag_s * 1e9)
    longest_ns = round(topics.longest_command_age_s * 1e9)
    held = np.searchsorted(commands.stamps_ns, when, side='right') - 1
    known = held >= 0
    held = np.maximum(held, 0)
    age_ns = when - commands.stamps_ns[held]
    values = commands.values[held]
    if topics.interpolate:
        values = _towards_next(commands, held, age_ns, longest_ns)
    valid = known & (age_ns <= longest_ns) & np.isfinite(values).all(axis=1)
    return np.where(valid[:, None], values, 0.0).astype(np.float32), valid


def _towards_next(commands: Commands, held: np.ndarray, age_ns: np.ndarray,
                  longest_ns: int) -> np.ndarray:
    after = np.minimum(held + 1, len(commands.stamps_ns) - 1)
    span_ns = commands.stamps_ns[after] - commands.stamps_ns[held]
    values, following = commands.values[held], commands.values[after]
    near = (span_ns > 0) & (span_ns <= 2 * longest_ns) & np.isfinite(following).all(axis=1)
    part = (age_ns / np.maximum(span_ns, 1))[:, None]
    with np.errstate(invalid='ignore'):    # not finite: no label, the caller sees to it
        between: np.ndarray = values + part * (following - values)
    return np.where(near[:, None], between, values)
