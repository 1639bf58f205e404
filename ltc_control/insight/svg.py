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
Charts over time as SVG text: small, sharp at any size, and readable by every browser.

All share one time axis of WIDTH units, so that one moment stands at one place on the page.
Colours are classes of the page's style sheet, which knows light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

import numpy as np

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 1000.0, 84.0, 12.0, 10.0, 22.0
MOST_BINS = 900                            # of a line: two points each, so that no peak is lost
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Line:
    """One line of a chart: (K,) times [s] and values, its class and what it is called."""

    times: np.ndarray
    values: np.ndarray
    look: str
    label: str


def tag(name: str, content: str = '', /, **attributes: object) -> str:
    """Return one element; ``class_`` and ``font_size`` lose or change their underscore."""
    told = ''.join(f' {key.rstrip("_").replace("_", "-")}={quoteattr(str(value))}'
                   for key, value in attributes.items())
    return f'<{name}{told}>{content}</{name}>' if content else f'<{name}{told}/>'


def text(x: float, y: float, words: str, look: str = 'tick', **attributes: object) -> str:
    """Return a text at a place."""
    return tag('text', escape(words), x=_short(x), y=_short(y), class_=look, **attributes)


class Axes:
    """Maps time and value to places: ``seconds`` long, from ``low`` to ``high``."""

    def __init__(self, seconds: float, *, low: float, high: float, height: float) -> None:
        self.seconds, self.height = max(seconds, 1e-3), height
        self.low, self.high = low, high if high > low else low + 1.0

    def x(self, seconds: np.ndarray | float) -> np.ndarray:
        """Return places across."""
        return LEFT + np.asarray(seconds) / self.seconds * (WIDTH - LEFT - RIGHT)

    def y(self, values: np.ndarray | float) -> np.ndarray:
        """Return places down."""
        share = (np.asarray(values) - self.low) / (self.high - self.low)
        return self.height - BOTTOM - share * (self.height - TOP - BOTTOM)

    def frame(self, label: str, *, ticks: bool = True) -> str:
        """Return grid, numbers and the axis's name."""
        parts = []
        if ticks:
            for value in nice(self.low, self.high, 4):
                y = float(self.y(value))
                parts += [tag('line', x1=LEFT, x2=WIDTH - RIGHT, y1=_short(y), y2=_short(y),
                              class_='grid'),
                          text(LEFT - 6, y + 4, f'{value:g}', text_anchor='end')]
        for second in nice(0.0, self.seconds, 10):
            x = float(self.x(second))
            parts.append(text(x, self.height - 5, f'{second:g} s', text_anchor='middle'))
        return ''.join(parts) + text(14, self.height / 2, label, 'label', text_anchor='middle',
                                     transform=f'rotate(-90 14 {_short(self.height / 2)})')


def chart(lines: Sequence[Line], *, seconds: float, label: str, height: float = 190.0,
          low: float | None = None, high: float | None = None, under: str = '') -> str:
    """Return a chart of ``lines``; bounds are those of the values where none are given."""
    values = np.concatenate([line.values[np.isfinite(line.values)] for line in lines]
                            or [np.zeros(1)])
    values = values if len(values) else np.zeros(1)
    bottom = float(values.min()) if low is None else low
    top = float(values.max()) if high is None else high
    axes = Axes(seconds, low=bottom, high=top + 0.04 * (top - bottom), height=height)
    drawn = ''.join(stroke(axes, line) for line in lines)
    return figure(axes.frame(label) + under + drawn, height=height, label=label)


def figure(content: str, *, height: float, label: str) -> str:
    """Return the SVG element around ``content``."""
    return tag('svg', content, viewBox=f'0 0 {_short(WIDTH)} {_short(height)}', role='img',
               aria_label=label)


def stroke(axes: Axes, line: Line) -> str:
    """Return a line, broken where a value is not finite, thinned to its peaks."""
    pieces = []
    for times, values in finite_runs(line.times, line.values):
        times, values = thinned(times, values)
        pieces.append(points(axes.x(times), axes.y(values)))
    return ''.join(tag('polyline', points=piece, class_=f'line {line.look}') for piece in pieces)


def area(axes: Axes, times: np.ndarray, values: np.ndarray, look: str) -> str:
    """Return the surface between values and zero."""
    times, values = thinned(times, values)
    if not len(times):
        return ''
    x = np.concatenate([times[:1], times, times[-1:]])
    y = np.concatenate([[0.0], values, [0.0]])
    return tag('polygon', points=points(axes.x(x), axes.y(y)), class_=look)


def finite_runs(times: np.ndarray, values: np.ndarray) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    """Yield the stretches (at least one point) in which all values are finite."""
    breaks = np.flatnonzero(np.diff(np.isfinite(values).astype(int))) + 1
    for part in np.split(np.arange(len(values)), breaks):
        if len(part) and np.isfinite(values[part[0]]):
            yield times[part], values[part]


def thinned(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most 2 MOST_BINS points: the lowest and highest of each stretch, in order."""
    if len(times) <= 2 * MOST_BINS:
        return times, values
    chosen: set[int] = {0, len(times) - 1}
    for part in np.array_split(np.arange(len(times)), MOST_BINS - 1):
        chosen |= {int(part[np.argmin(values[part])]), int(part[np.argmax(values[part])])}
    index = np.array(sorted(chosen))
    return times[index], values[index]


def points(x: np.ndarray, y: np.ndarray) -> str:
    """Return the points attribute of a polyline."""
    return ' '.join(f'{_short(a)},{_short(b)}' for a, b in zip(x, y, strict=True))


def nice(low: float, high: float, count: int) -> np.ndarray:
    """Return about ``count`` round values in [low, high]."""
    raw = max(high - low, 1e-12) / count
    power = 10.0 ** np.floor(np.log10(raw))
    step = next((s * power for s in (*STEPS, 10) if s * power >= raw * 0.999), raw)
    found = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
    return np.where(np.abs(found) < 1e-12, 0.0, np.round(found, 10))


def _short(value: float) -> str:
    return f'{float(value):.1f}'.removesuffix('.0')
