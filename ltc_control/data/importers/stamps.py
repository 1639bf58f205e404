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
"""When a row of a table was taken: a number, a date, a part of a file name, or a fixed rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
import re
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.data.importers.door import SourceError
from ltc_control.data.importers.table import Row
from ltc_control.data.importers.units import TIME_UNITS_NS

_KEYS = ('column', 'unit', 'pattern', 'format', 'rate_hz')
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Clock:
    """
    How the time of a row is found; exactly one of ``unit``, ``format`` and ``rate_hz``.

    ``format`` is that of ``datetime.strptime``, or ``iso``; without a zone it is UTC. ``pattern``
    is a regular expression whose first group is the part to read.
    """

    column: str | None = None
    unit: str | None = None
    pattern: str | None = None
    format: str | None = None  # noqa: A003
    rate_hz: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that must exist."""
        return () if self.column is None else (self.column,)

    def stamp_ns(self, row: Row) -> int:
        """Return the time of a row [ns]; SourceError names the row that does not say it."""
        if self.column is None:
            return round((row.number - 1) * 1e9 / float(self.rate_hz or 1))
        text = self._part(row)
        try:
            stamp = self._read(text)
        except (ValueError, InvalidOperation, OverflowError) as error:
            raise SourceError(f'{row.where}: {self.column} is {row[self.column]!r}, not a time '
                              f'{self._said()}') from error
        if stamp < 0:
            raise SourceError(f'{row.where}: {self.column} is {text!r}, a time below 0; a bag '
                              'counts from 0 on')
        return stamp

    def _part(self, row: Row) -> str:
        text = row[self.column or '']
        if self.pattern is None:
            return text
        found = re.search(self.pattern, text)
        if found is None:
            raise SourceError(f'{row.where}: {self.column} is {text!r}, in which the pattern '
                              f'{self.pattern!r} is not found')
        return found.group(1)

    def _read(self, text: str) -> int:
        if self.unit is not None:          # decimal: a float holds no nanoseconds since 1970
            return int((Decimal(text) * TIME_UNITS_NS[self.unit]).to_integral_value())
        when = (datetime.fromisoformat(text) if self.format == 'iso'
                else datetime.strptime(text, str(self.format)))
        if when.tzinfo is None:
            when = when.replace(tzinfo=timezone.utc)
        return (when - _EPOCH) // timedelta(microseconds=1) * 1000

    def _said(self) -> str:
        return f'in {self.unit}' if self.unit else f'of the form {self.format!r}'


def read_clock(values: Any, *, where: str) -> Clock:
    """Return the clock of a mapping's entry; ConfigError says what it may hold."""
    if not isinstance(values, Mapping) or (unknown := sorted(set(values) - set(_KEYS))):
        got = repr(values) if not isinstance(values, Mapping) else f'unknown keys {unknown!r}'
        raise ConfigError(f'{where}: {got}; give some of {list(_KEYS)!r}')
    clock = Clock(**values)
    ways = [name for name in ('unit', 'format', 'rate_hz') if getattr(clock, name) is not None]
    if len(ways) != 1 or (clock.column is None) != (clock.rate_hz is not None):
        raise ConfigError(f'{where}: got {dict(values)!r}; give a column with a unit or a '
                          'format, or rate_hz alone')
    if clock.unit is not None and clock.unit not in TIME_UNITS_NS:
        raise ConfigError(f'{where}: unknown unit {clock.unit!r}; use one of '
                          f'{list(TIME_UNITS_NS)!r}')
    if clock.rate_hz is not None and not clock.rate_hz > 0:
        raise ConfigError(f'{where}: rate_hz is {clock.rate_hz!r}; give frames a second above 0')
    if clock.pattern is not None:
        _check_pattern(clock.pattern, where)
    return clock


def _check_pattern(pattern: str, where: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ConfigError(f'{where}: pattern {pattern!r} is no regular expression: {error}'
                          ) from error
    if groups < 1:
        raise ConfigError(f'{where}: pattern {pattern!r} has no group; put the time in (...)')
