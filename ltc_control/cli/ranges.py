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
"""Lists on the command line: ``1001:1010`` counts both ends, ``summer,winter`` are looks."""

from __future__ import annotations

import math

from ltc_control.core.errors import ConfigError


def parse_numbers(text: str) -> list[int]:
    """
    Return the numbers of ``'3'``, ``'1001:1010'`` (both ends) or a comma list of such.

    Raises ConfigError for anything else, an empty list or a range that runs backwards.
    """
    numbers: list[int] = []
    for part in text.split(','):
        first, _, last = part.partition(':')
        try:
            low, high = int(first), int(last or first)
        except ValueError as error:
            raise ConfigError(
                f'not a number or a range: {part!r}; write 1001, 1001:1010 or 3,5,9') from error
        if high < low:
            raise ConfigError(f'range runs backwards: {part!r}; write {high}:{low}')
        numbers.extend(range(low, high + 1))
    return numbers


def parse_seasons(text: str) -> list[str]:
    """Return the seasons of a comma list; raises ConfigError for none or an unknown one."""
    from ltc_control.sim.looks import SEASONS

    names = [name.strip() for name in text.split(',') if name.strip()]
    if not names:
        raise ConfigError(f'no season in {text!r}; write for example summer,autumn')
    for name in names:
        if name not in SEASONS:
            raise ConfigError(f'unknown season {name!r}; use some of {", ".join(SEASONS)}')
    return names


def parse_decimals(text: str) -> list[float]:
    """Return the finite numbers of a comma list, ``10,15,29.97``; raises ConfigError."""
    try:
        numbers = [float(part) for part in text.split(',')]
    except ValueError as error:
        raise ConfigError(f'not a comma list of numbers: {text!r}; write 10,15,30') from error
    if not all(math.isfinite(number) for number in numbers):
        raise ConfigError(f'not finite: {text!r}; write 10,15,30')
    return numbers
