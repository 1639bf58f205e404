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
"""The wiring with each neuron coloured by what its loss does: a map of what is critical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ltc_control.insight import palette
from ltc_control.insight.circuit import Circuit
from ltc_control.insight.lesions import Damage
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
import numpy as np

COLUMNS = {'inter': 0.0, 'command': 1.0, 'motor': 2.0}
HARM = LinearSegmentedColormap.from_list('harm', ['#e9ecef', palette.SENT, palette.WARNING])


def draw_criticality(circuit: Circuit, damages: Sequence[Damage], path: Path | str, *,
                     title: str, critical: Sequence[str] = ()) -> None:
    """
    Write the map to ``path`` (PNG): neurons by role, synapses by sign, damage by colour.

    Colour is the ratio of the lateral error; the number beside a neuron is its departures a
    kilometre more, a red ring marks the neurons of ``critical``.
    """
    figure = Figure(figsize=(11.0, 8.0), dpi=120, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.03, 0.05, 0.84, 0.84))
    axes.axis('off')
    figure.suptitle(title, x=0.03, y=0.965, ha='left', fontsize=13, fontweight='bold',
                    color=palette.INK)
    places = _places(circuit)
    _draw_synapses(axes, circuit, places)
    worst = max([one.rms_ratio for one in damages if np.isfinite(one.rms_ratio)], default=1.0)
    norm = LogNorm(1.0, max(worst, 1.5), clip=True)
    by_name = {one.neuron: one for one in damages}
    for name, (x, y) in places.items():
        _draw_neuron(axes, name, x, y, by_name.get(name), norm, ring=name in critical)
    for role, x in COLUMNS.items():
        axes.text(x, 1.08, role, ha='center', fontsize=11, color=palette.MUTED)
    axes.set_xlim(-0.55, 2.3)
    axes.set_ylim(-0.09, 1.12)
    bar = figure.add_axes((0.9, 0.15, 0.02, 0.6))
    scale = figure.colorbar(ScalarMappable(norm, HARM), cax=bar)
    scale.set_label('lateral error, times the whole')
    scale.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    scale.ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.text(1.0, -0.06, 'blue excites, red inhibits; a red ring: fewer clean runs than a '
              'release needs', ha='center', fontsize=9, color=palette.MUTED)
    figure.savefig(path, facecolor=palette.PAPER)


def _places(circuit: Circuit) -> Mapping[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for role, x in COLUMNS.items():
        members = [n for n, r in zip(circuit.names, circuit.roles, strict=True) if r == role]
        for k, name in enumerate(members):
            found[name] = (x, 1.0 - (k + 0.5) / len(members))
    return found


def _draw_synapses(axes: Axes, circuit: Circuit,
                   places: Mapping[str, tuple[float, float]]) -> None:
    for source, target, polarity in circuit.inner.tolist():
        ends = circuit.names[int(source)], circuit.names[int(target)]
        if any(name not in places for name in ends):
            continue
        bend = 0.28 if ends[0].split('_')[0] == ends[1].split('_')[0] else 0.06
        axes.annotate('', xy=places[ends[1]], xytext=places[ends[0]], zorder=1, arrowprops={
            'arrowstyle': '-|>', 'shrinkA': 12, 'shrinkB': 14, 'linewidth': 0.8, 'alpha': 0.55,
            'color': palette.LEFT if polarity > 0 else palette.RIGHT,
            'connectionstyle': f'arc3,rad={bend}'})


def _draw_neuron(axes: Axes, name: str, x: float, y: float, harm: Damage | None, norm: LogNorm,
                 *, ring: bool) -> None:
    colour = '#ffffff' if harm is None else HARM(norm(max(harm.rms_ratio, 1.0)))
    axes.plot([x], [y], 'o', markersize=21, markerfacecolor=colour, zorder=3,
              markeredgecolor=palette.WARNING if ring else palette.INK,
              markeredgewidth=3.0 if ring else 0.8)
    axes.text(x, y, name.rsplit('_', 1)[-1], ha='center', va='center', fontsize=8.5, zorder=4,
              color=palette.INK)
    if harm is not None:
        extra = harm.departures_per_km_more
        more = f', +{extra:.1f}/km' if extra > 0 else ''
        left = x == COLUMNS['inter']       # their synapses leave to the right
        axes.text(x + (-0.07 if left else 0.07), y, f'×{harm.rms_ratio:.2f}{more}', fontsize=8,
                  zorder=4, color=palette.INK, va='center', ha='right' if left else 'left',
                  bbox={'facecolor': palette.PAPER, 'edgecolor': 'none', 'pad': 1.0, 'alpha': 0.8})
