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
"""A picture of where and how decisions leave the recorded ones."""

from __future__ import annotations

from pathlib import Path

from ltc_control.insight import palette
from ltc_control.insight.what_if import WhatIf
from ltc_control.insight.what_if_measures import BEYOND, UNITS
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
import numpy as np

LABELS = ('curvature', 'speed')


def draw_what_if(result: WhatIf, path: Path | str, *, title: str,
                 beyond: tuple[float, float] = BEYOND) -> None:
    """Write curvature, speed and the neurons' differences over time as a PNG."""
    with_neurons = bool(result.states.shape[2])
    figure = Figure(figsize=(11.0, 8.0 if with_neurons else 5.5), facecolor=palette.PAPER,
                    layout='constrained')
    axes = figure.subplots(3 if with_neurons else 2, 1, sharex=True, squeeze=False)[:, 0]
    for index in range(2):
        _draw_command(axes[index], result, index, beyond[index])
    axes[0].set_title(title, loc='left', color=palette.INK, fontsize=11)
    axes[0].legend(loc='upper right', frameon=False, ncols=3, fontsize=8)
    if with_neurons:
        _draw_neurons(figure, axes[2], result)
    axes[-1].set_xlabel('seconds since the first decision')
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(str(path))


def _draw_command(axis: Axes, result: WhatIf, index: int, beyond: float) -> None:
    seconds = result.seconds
    recorded, other = result.recorded[:, index], result.other[:, index]
    axis.fill_between(seconds, 0, 1, where=np.abs(other - recorded) > beyond, step='mid',
                      transform=axis.get_xaxis_transform(), color=palette.WARNING, alpha=0.18,
                      linewidth=0, label=f'further off than {beyond:g} {UNITS[index]}')
    axis.plot(seconds, recorded, color=palette.INK, linewidth=1.2, label='recorded')
    axis.plot(seconds, other, color=palette.RIGHT, linewidth=1.0, drawstyle='steps-post',
              label='under these conditions')
    axis.set_ylabel(f'{LABELS[index]} [{UNITS[index]}]')
    axis.set_facecolor(palette.PAPER)
    axis.spines[['top', 'right']].set_visible(False)
    axis.margins(x=0.0)


def _draw_neurons(figure: Figure, axis: Axes, result: WhatIf) -> None:
    error = (result.states[:, 1] - result.states[:, 0]).T
    most = max(float(np.abs(error).max()), 1e-9)
    seconds = result.seconds
    image = axis.pcolormesh(seconds, np.arange(len(error)), error, cmap='RdBu_r', vmin=-most,
                            vmax=most, shading='nearest', rasterized=True)
    axis.set_yticks(np.arange(len(error)), result.names or None, fontsize=6)
    axis.invert_yaxis()
    axis.set_ylabel('neurons')
    figure.colorbar(image, ax=axis, label='state, minus recorded', pad=0.01)
