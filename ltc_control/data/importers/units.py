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
Units that recordings use -> SI, and which side is positive -> left (REP-103).

A quantity is linear in its column: SI value = column x factor. ``share`` and ``percent`` are
parts of a full value, which the mapping has to name (``full: 25 deg``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any

from ltc_control.core.errors import ConfigError

UNITS: dict[str, dict[str, float]] = {
    'steering': {'rad': 1.0, 'deg': math.pi / 180},
    'curvature': {'1/m': 1.0},
    'yaw_rate': {'rad/s': 1.0, 'deg/s': math.pi / 180},
    'speed': {'m/s': 1.0, 'km/h': 1 / 3.6, 'mph': 0.44704, 'knots': 0.514444},
}
PARTS = {'share': 1.0, 'percent': 0.01}
TIME_UNITS_NS = {'s': 10**9, 'ms': 10**6, 'us': 10**3, 'ns': 1}
_KEYS = ('column', 'unit', 'full', 'positive', 'ratio')


@dataclass(frozen=True)
class Quantity:
    """A column of numbers and the factor that makes them SI, left positive."""

    column: str
    factor: float


def read_quantity(kind: str, values: Any, *, where: str) -> Quantity:
    """
    Return the quantity of a mapping's entry, ``{column: steering, unit: deg, positive: right}``.

    ``ratio`` divides a steering-wheel angle into that of the wheels. Raises ConfigError naming
    the entry ``where`` and what it may say.
    """
    entry = _entry(values, where)
    unit, factors = str(entry.get('unit', '')), UNITS[kind]
    if unit in PARTS:
        if 'full' not in entry:
            raise ConfigError(f'{where}: a {unit} needs its full value, for example '
                              f'`full: {_example(kind)}`')
        factor = PARTS[unit] * _full(str(entry['full']), factors, where)
    elif unit in factors:
        factor = factors[unit]
    else:
        raise ConfigError(f'{where}: unknown unit {unit!r}; use one of '
                          f'{[*factors, *PARTS]!r}')
    return Quantity(str(entry['column']), factor * _sign(kind, entry, where)
                    / _ratio(entry, where))


def _entry(values: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(values, Mapping) or 'column' not in values:
        raise ConfigError(f'{where}: give a column and a unit, got {values!r}')
    if unknown := sorted(set(values) - set(_KEYS)):
        raise ConfigError(f'{where}: unknown keys {unknown!r}; known are {list(_KEYS)!r}')
    return values


def _full(text: str, factors: Mapping[str, float], where: str) -> float:
    number, _, unit = text.partition(' ')
    try:
        value = float(number) * factors[unit.strip()]
    except (ValueError, KeyError) as error:
        raise ConfigError(f'{where}: full is {text!r}; give a number and one of '
                          f'{list(factors)!r}') from error
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f'{where}: full is {text!r}; give a value above 0')
    return value


def _sign(kind: str, entry: Mapping[str, Any], where: str) -> float:
    sides = ('left', 'right') if kind != 'speed' else ('forward', 'backward')
    side = entry.get('positive', sides[0])
    if side not in sides:
        raise ConfigError(f'{where}: positive is {side!r}; {sides[0]!r} or {sides[1]!r}')
    return 1.0 if side == sides[0] else -1.0


def _ratio(entry: Mapping[str, Any], where: str) -> float:
    ratio = entry.get('ratio', 1.0)
    if not isinstance(ratio, int | float) or not ratio > 0:
        raise ConfigError(f'{where}: ratio is {ratio!r}; give turns of the steering wheel by '
                          'turns of the wheels, above 0')
    return float(ratio)


def _example(kind: str) -> str:
    return {'steering': '25 deg', 'speed': '5 m/s'}.get(kind, f'1 {next(iter(UNITS[kind]))}')
