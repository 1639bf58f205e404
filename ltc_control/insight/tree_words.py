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
Intervals and commands in words: 'steers left: road curves left 10 m ahead > 0.04 1/m'.

A tree asks in numbers with a sign, people speak of left and right: this is the only place that
turns one into the other.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

from ltc_control.insight.tree_variables import Variable
from ltc_control.insight.trees import Box, Interval

STRAIGHT_CURVATURE = 0.005                 # [1/m] of a command that is called straight
MOST_CONDITIONS = 3                        # in a sentence; the first that the tree asked
# kind -> (what stands before the number, where 'left' or 'right' is {}; what the size is called)
_SIGNED = {
    'offset': ('car {} of the lane centre', 'offset'),
    'heading': ('heading {}', 'heading'),
    'curvature': ('road curves {}', 'curvature'),
    'yaw_rate': ('turning {}', 'yaw rate'),
}


def sentence(curvature: float, box: Box, variables: Sequence[Variable]) -> str:
    """Return what is asked of the wheel, and why: the first conditions of the path."""
    reasons = [condition(variables[number], interval)
               for number, interval in list(box.items())[:MOST_CONDITIONS]]
    return f'{steering(curvature)}: {", ".join(reasons) if reasons else "always"}'


def steering(curvature: float) -> str:
    """Return 'steers left', 'steers right' or 'goes straight' for a curvature [1/m]."""
    if abs(curvature) < STRAIGHT_CURVATURE:
        return 'goes straight'
    return f'steers {"left" if curvature > 0 else "right"}'


def condition(variable: Variable, interval: Interval) -> str:
    """Return one interval in words."""
    if variable.kind == 'season':
        return f'it is {"" if interval.low >= 0.0 else "not "}{variable.name}'
    words = (_signed(variable, interval) if variable.kind in _SIGNED
             else _plain(variable, interval))
    return words + (f' {variable.ago_s:g} s ago' if variable.ago_s else '')


def _signed(variable: Variable, interval: Interval) -> str:
    low, high = interval
    if low >= 0.0:
        return _one_side(variable, 'left', Interval(low, high))
    if high <= 0.0:
        return _one_side(variable, 'right', Interval(-high, -low))
    return _about_zero(variable, interval)


def _one_side(variable: Variable, side: str, size: Interval) -> str:
    what = _SIGNED[variable.kind][0].format(side) + _place(variable)
    if math.isinf(size.high):
        return f'{what} > {_amount(variable, size.low)}'
    return f'{what} {_amount(variable, size.low, unit=False)} to {_amount(variable, size.high)}'


def _about_zero(variable: Variable, interval: Interval) -> str:
    low, high = interval
    what = _SIGNED[variable.kind][1] + _place(variable)
    if math.isinf(low):
        return f'{what} at most {_amount(variable, high)} left'
    if math.isinf(high):
        return f'{what} at most {_amount(variable, -low)} right'
    return (f'{what} between {_amount(variable, -low)} right and '
            f'{_amount(variable, high)} left')


def _plain(variable: Variable, interval: Interval) -> str:
    low, high = interval
    name = variable.kind.replace('_', ' ')
    if math.isinf(low):
        return f'{name} <= {_amount(variable, high)}'
    if math.isinf(high):
        return f'{name} > {_amount(variable, low)}'
    return f'{name} {_amount(variable, low, unit=False)} to {_amount(variable, high)}'


def _place(variable: Variable) -> str:
    if variable.kind != 'curvature':
        return ''
    return f' {variable.ahead_m:g} m ahead' if variable.ahead_m else ' here'


def _amount(variable: Variable, value: float, *, unit: bool = True) -> str:
    """Return a size with its unit: angles in degrees, the rest with two figures that count."""
    if variable.unit == 'rad':
        return f'{math.degrees(value):.2g}' + ('°' if unit else '')
    text = f'{value:.2g}'
    return f'{text} {variable.unit}' if unit else text
