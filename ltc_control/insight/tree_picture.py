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
The trees as one picture: how the wheel is decided, how well trees repeat it, neuron by neuron.

Drawn with matplotlib's object interface and Agg alone: no display, no global state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_control.insight import palette
from ltc_control.insight.tree_file import Explanation
from ltc_control.insight.tree_variables import Variable
from ltc_control.insight.tree_words import condition
from ltc_control.insight.trees import Interval, LEAF, Tree
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DRAWN_DEPTH = 3                            # deeper is not read in a picture
INFINITY = float('inf')


def draw_trees(explanation: Explanation, path: Path | str) -> None:
    """Write the picture of an explanation to ``path`` (PNG)."""
    figure = Figure(figsize=(15.0, 9.5), dpi=110, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 3, height_ratios=(1.5, 1.0), hspace=0.22, wspace=0.24,
                               left=0.05, right=0.985, top=0.9, bottom=0.075)
    figure.suptitle(f'Why {explanation.model} steers: trees grown on {explanation.frames} frames',
                    x=0.05, y=0.965, ha='left', fontsize=14, fontweight='bold', color=palette.INK)
    _draw_tree(figure.add_subplot(grid[0, :]), explanation.policy.curvature,
               explanation.variables)
    _draw_fidelity(figure.add_subplot(grid[1, 0]), explanation.facts)
    _draw_drives(figure.add_subplot(grid[1, 1]), explanation.facts)
    _draw_neurons(figure.add_subplot(grid[1, 2]), explanation.facts)
    figure.savefig(path, facecolor=palette.PAPER)


def _draw_tree(axes: Axes, tree: Tree, variables: Sequence[Variable]) -> None:
    axes.axis('off')
    deeper = '' if tree.depth <= DRAWN_DEPTH else f' (the first {DRAWN_DEPTH} of {tree.depth})'
    axes.set_title(f'curvature from the true state, depth {tree.depth}{deeper}; yes is left',
                   loc='left', fontsize=11, color=palette.INK)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-DRAWN_DEPTH - 0.45, 0.4)
    _draw_node(axes, tree, variables, node=0, span=(0.0, 1.0), level=0)


def _draw_node(axes: Axes, tree: Tree, variables: Sequence[Variable], *, node: int,
               span: tuple[float, float], level: int) -> float:
    """Draw a node and what is under it in ``span``; return where it stands."""
    middle = 0.5 * (span[0] + span[1])
    end = tree.variable[node] == LEAF or level == DRAWN_DEPTH
    if not end:
        for child, part in ((tree.left[node], (span[0], middle)),
                            (tree.right[node], (middle, span[1]))):
            x = _draw_node(axes, tree, variables, node=int(child), span=part, level=level + 1)
            axes.plot([middle, x], [-level, -level - 1], color=palette.MUTED, linewidth=1.2,
                      zorder=1)
    value = float(tree.value[node])
    colour = palette.LEFT if value > 0 else palette.RIGHT
    text = f'{abs(value):.3f} 1/m\n{"left" if value > 0 else "right"}' if end else condition(
        variables[int(tree.variable[node])], Interval(-INFINITY, float(tree.threshold[node])))
    axes.text(middle, -level, _wrapped(text), ha='center', va='center', fontsize=9 - level // 2,
              color=palette.INK, zorder=2,
              bbox={'boxstyle': 'round,pad=0.45', 'edgecolor': colour if end else palette.MUTED,
                    'facecolor': palette.CENTRE, 'linewidth': 2.2 if end else 1.0})
    share = tree.count[node] / tree.count[0]
    axes.text(middle, -level - 0.3, f'{share:.0%}', ha='center', va='top', fontsize=7.5,
              color=palette.MUTED, zorder=2)
    return middle


def _wrapped(text: str, width: int = 22) -> str:
    lines: list[str] = []
    for word in text.split(' '):
        if lines and '\n' not in word and len(lines[-1]) + len(word) < width:
            lines[-1] += f' {word}'
        else:
            lines.append(word)
    return '\n'.join(lines)


def _draw_fidelity(axes: Axes, facts: Mapping[str, Any]) -> None:
    rows = facts['policy']['fidelity']
    depths = [row['depth'] for row in rows]
    for name, colour in (('curvature', palette.LEFT), ('speed', palette.SENT)):
        axes.plot(depths, [row[f'r2_{name}'] if row[f'r2_{name}'] is not None else float('nan')
                           for row in rows], 'o-', color=colour, label=name)
    _dress(axes, 'R² on held-out frames', 'depth of the tree')
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.02)
    axes.legend(frameon=False, loc='lower right')


def _draw_drives(axes: Axes, facts: Mapping[str, Any]) -> None:
    drives = facts['policy'].get('closed_loop')
    _dress(axes, 'the tree drives alone: departures a kilometre', 'depth of the tree')
    if not drives:
        axes.text(0.5, 0.5, 'not driven', ha='center', transform=axes.transAxes,
                  color=palette.MUTED)
        return
    for key, colour, label in (('before', palette.MUTED, 'grown on the bag'),
                               ('after', palette.ACCENT, 'and on its own drives')):
        rows = drives.get(key) or []
        axes.plot([row['depth'] for row in rows], [row['departures_per_km'] for row in rows],
                  'o-', color=colour, label=label)
    network = drives.get('network')
    if network:
        axes.axhline(network['departures_per_km'], color=palette.INK, linestyle=':',
                     label='the network')
    axes.legend(frameon=False)


def _draw_neurons(axes: Axes, facts: Mapping[str, Any]) -> None:
    rows = facts['neurons']
    values = [max(row['r2'] or 0.0, 0.0) for row in rows]
    axes.barh([row['name'] for row in rows], values, color=palette.LEFT, height=0.7)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.tick_params(axis='y', labelsize=7.5)
    _dress(axes, 'state of each neuron told by its tree: R²', '')


def _dress(axes: Axes, title: str, below: str) -> None:
    axes.set_title(title, loc='left', fontsize=10, color=palette.INK)
    axes.set_xlabel(below, fontsize=9, color=palette.MUTED)
    axes.set_facecolor(palette.PAPER)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
