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
The picture of a moment: frame and maps on top, below them 19 neurons, their flow and words.

Drawn with matplotlib's object interface and Agg alone: no display, no global state.
"""

from __future__ import annotations

from pathlib import Path
import textwrap

from ltc_control.insight import palette
from ltc_control.insight.attention import AttentionMap
from ltc_control.insight.flow import Part
from ltc_control.insight.moment import LARGEST, Moment, part_words
from ltc_control.insight.overlay import overlay
from ltc_control.insight.words import command_words
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np

ROLE_ORDER = ('inter', 'command', 'motor')     # from the eye to the wheels
MAPS_IN_A_ROW = 2
WRAP = 74


def draw_moment(moment: Moment, path: Path | str) -> None:
    """Write the picture (PNG)."""
    pictures = _pictures(moment)
    rows = -(-len(pictures) // MAPS_IN_A_ROW)
    figure = Figure(figsize=(14.0, 2.5 * rows + 7.3), dpi=110, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    heights = (*[2.3] * rows, 6.4)
    grid = figure.add_gridspec(rows + 1, 1, height_ratios=heights, hspace=0.11, left=0.075,
                               right=0.985, top=1 - 0.62 / figure.get_figheight(), bottom=0.045)
    for row in range(rows):
        line = grid[row].subgridspec(1, MAPS_IN_A_ROW, wspace=0.04)
        for column, (rgb, title) in enumerate(pictures[row * MAPS_IN_A_ROW:][:MAPS_IN_A_ROW]):
            _show(figure.add_subplot(line[column]), rgb, title)
    below = grid[rows].subgridspec(1, 3, width_ratios=(1.0, 0.8, 2.0), wspace=0.09)
    order = _order(moment.names)
    _draw_states(figure.add_subplot(below[0]), moment, order)
    _draw_taus(figure.add_subplot(below[1]), moment, order)
    _draw_flow(figure.add_subplot(below[2]), moment)
    figure.text(0.012, 1 - 0.2 / figure.get_figheight(), _title(moment), fontsize=13.5,
                color=palette.INK, va='top')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format='png')


def _title(moment: Moment) -> str:
    names = [command.name for command in moment.spec.commands]
    asked = dict(zip(names, moment.command.tolist(), strict=True))
    if names == ['curvature', 'speed']:
        words = command_words(asked['curvature'], asked['speed'])
    else:
        words = ', '.join(f'{name} {value:+.3f}' for name, value in asked.items())
    step = moment.step
    return (f'{moment.spec.name} at {step.seconds:.2f} s: {words}    '
            f'(state {step.origin}, {step.case.replace("_", " ")}, dt {1e3 * step.dt:.1f} ms)')


def _pictures(moment: Moment) -> list[tuple[np.ndarray, str]]:
    rgb, spec = moment.step.frame.rgb, moment.spec
    found = [(rgb, 'camera'), (overlay(rgb, moment.visual_backprop, spec.image),
                               _map_title(moment, moment.visual_backprop))]
    return found + [(overlay(rgb, one, spec.image), _map_title(moment, one))
                    for one in moment.gradients]


def _map_title(moment: Moment, one: AttentionMap) -> str:
    if not one.target:
        return one.note or 'VisualBackProp: what the head passes on'
    alike = moment.correlation(one)
    also = '' if alike is None else f', correlation with VisualBackProp {alike:.2f}'
    return f'{one.target}: ' + (one.note or f'blue raises it, orange lowers it{also}')


def _show(axes: Axes, rgb: np.ndarray, title: str) -> None:
    axes.imshow(rgb, interpolation='bilinear')
    axes.set_title(title, fontsize=9.5, color=palette.INK, loc='left', pad=3)
    axes.set_axis_off()


def _order(names: tuple[str, ...]) -> list[int]:
    """Return the places of the neurons from the eye to the wheels."""
    def rank(index: int) -> tuple[int, int]:
        role = names[index].rsplit('_', 1)[0]
        return (ROLE_ORDER.index(role) if role in ROLE_ORDER else -1, index)
    return sorted(range(len(names)), key=rank)


def _lines(axes: Axes, moment: Moment, order: list[int], title: str, *, named: bool) -> None:
    axes.set_facecolor(palette.PAPER)
    axes.set_title(title, fontsize=10, loc='left', color=palette.INK)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_yticks(range(len(order)), [moment.names[i] for i in order] if named else [])
    axes.tick_params(labelsize=8, length=0, axis='y')
    axes.tick_params(labelsize=8, axis='x')
    for side in ('top', 'right', 'left'):
        axes.spines[side].set_visible(False)


def _draw_states(axes: Axes, moment: Moment, order: list[int]) -> None:
    _lines(axes, moment, order, 'state, in its envelope', named=True)
    low, high = moment.spec.envelope_low, moment.spec.envelope_high
    for row, i in enumerate(order):
        if low is not None and high is not None and max(abs(low[i]), abs(high[i])) < 1e6:
            axes.plot([low[i], high[i]], [row, row], color=palette.LAND, linewidth=7,
                      solid_capstyle='butt', zorder=0)
        value = float(moment.state[i])
        colour = palette.LEFT if value >= 0 else palette.RIGHT
        axes.plot([0, value], [row, row], color=colour, linewidth=2.5)
        axes.plot(value, row, 'o', color=colour, markersize=5)
        axes.plot(float(moment.step.before[i]), row, '|', color=palette.INK, markersize=7)
    axes.axvline(0.0, color=palette.MUTED, linewidth=0.8)
    axes.set_xlabel('tick: before this step', fontsize=8, color=palette.MUTED)


def _draw_taus(axes: Axes, moment: Moment, order: list[int]) -> None:
    _lines(axes, moment, order, 'time constant [ms]', named=False)
    tau = np.array([moment.tau[i] for i in order], float)
    fine = np.isfinite(tau) & (tau > 0)        # no conductance: infinite; none to show
    axes.plot(1e3 * tau[fine], np.flatnonzero(fine), 'D', color=palette.INK, markersize=4.5)
    for row in np.flatnonzero(~fine):
        axes.text(0.5, row, 'none' if tau[row] == 0 else 'endless', fontsize=7.5,
                  color=palette.MUTED, transform=axes.get_yaxis_transform(), va='center')
    if fine.any():
        axes.set_xscale('log')
    axes.grid(axis='x', color=palette.LAND, linewidth=0.8)


def _draw_flow(axes: Axes, moment: Moment) -> None:
    """Write what carried each command, as bars and words, and the way back to the image."""
    axes.set_axis_off()
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    y = 1.0
    for command, motor in zip(moment.spec.commands, moment.motors, strict=False):
        y = _draw_parts(axes, moment, y, (command.name, motor))
    words = [moment.why] if moment.why else []
    words += [f'{name}: {words}' for name, words in zip(moment.names, moment.paths, strict=False)
              if name.startswith(('motor', 'command'))]
    words += list(moment.notes)
    lines = [line for text in words for line in textwrap.wrap(text, WRAP + 24)]
    axes.text(0.0, y - 0.015, '\n'.join(lines), fontsize=8.5, color=palette.INK, va='top',
              linespacing=1.35)


def _draw_parts(axes: Axes, moment: Moment, top: float, what: tuple[str, str]) -> float:
    """Draw the parts of one motor neuron below ``top``; return where they end."""
    assert moment.flow is not None
    name, motor = what
    memory, leak, *synapses = moment.flow.parts(motor)
    value = float(moment.flow.state[moment.names.index(motor)])
    axes.text(0.0, top, f'{name}: {motor} = {value:+.3f}, the exact sum of', fontsize=10,
              color=palette.INK, va='top')
    shown: list[Part] = [memory, leak, *synapses[:LARGEST]]
    rest = synapses[LARGEST:]
    if rest:
        shown.append(Part(f'{len(rest)} more', motor, sum(p.weight for p in rest), 0.0,
                          sum(p.value for p in rest)))
    full = max(*(abs(part.value) for part in shown), 1e-9)
    y = top - 0.047
    for part in shown:
        width = 0.3 * abs(part.value) / full
        colour = palette.LEFT if part.value >= 0 else palette.RIGHT
        axes.barh(y, width, 0.019, left=0.2, color=colour)
        axes.text(0.19, y, part.source, fontsize=8.5, ha='right', va='center', color=palette.INK)
        axes.text(0.21 + width, y, f'{part.value:+.3f}   weight {100 * part.weight:.0f} %',
                  fontsize=8, va='center', color=palette.MUTED)
        y -= 0.028
    chain = 'largest, back to the image:  ' + '  ←  '.join(
        part_words(part) for part in moment.flow.upstream(motor))
    lines = textwrap.wrap(chain, WRAP + 24)
    axes.text(0.0, y - 0.002, '\n'.join(lines), fontsize=8, va='top', color=palette.INK)
    return y - 0.03 * len(lines) - 0.025
