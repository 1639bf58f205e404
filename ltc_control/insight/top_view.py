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
A drive from above: the road, the path on it coloured by its offset, and two strips over time.

Drawn with matplotlib's object interface and Agg alone: no display, no global state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from ltc_control.insight import palette
from ltc_control.insight.recorded_drive import RecordedDrive
from ltc_control.insight.road import Road, road_under

OFFSETS = LinearSegmentedColormap.from_list(
    'offset', [palette.RIGHT, palette.CENTRE, palette.LEFT])     # right is negative
FULL_SCALE_M = (0.1, 0.25, 0.5, 1.0, 2.0)  # of the colours; the first that holds the drive
ARROW_M = 14.0
MARGIN_M = 14.0


def draw_top_view(drive: RecordedDrive, path: Path, *, road: Road | None, title: str) -> None:
    """
    Write the picture of a drive to ``path`` (PNG).

    ``road`` None draws the stretch that was driven; without ground truth the path is one colour.
    """
    figure = Figure(figsize=(11.0, 9.2), dpi=130, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 1, height_ratios=(6.2, 1.0, 1.0), hspace=0.28,
                               left=0.07, right=0.975, top=0.93, bottom=0.06)
    figure.suptitle(title, x=0.07, y=0.972, ha='left', fontsize=13.5, color=palette.INK,
                    fontweight='bold')
    scale = _full_scale(drive)
    above = figure.add_subplot(grid[0])
    _draw_road(above, road if road is not None else road_under(drive))
    _draw_path(above, drive, scale)
    _finish_map(above, drive)
    _draw_offset(figure.add_subplot(grid[1]), drive, scale)
    _draw_speed(figure.add_subplot(grid[2]), drive)
    figure.savefig(path, facecolor=palette.PAPER)


def _full_scale(drive: RecordedDrive) -> float:
    if not len(drive.lane):
        return FULL_SCALE_M[0]
    largest = np.percentile(np.abs(drive.lane.values[:, 1]), 99)
    return next((scale for scale in FULL_SCALE_M if largest <= scale), FULL_SCALE_M[-1])


def _draw_road(axes: Axes, road: Road | None) -> None:
    if road is None:
        return
    left, right = road.line(road.left_m), road.line(road.right_m)
    outline = np.concatenate([left, right[::-1], left[:1]])
    axes.add_patch(PathPatch(Outline(outline), facecolor=palette.ASPHALT, edgecolor='none',
                             zorder=1))
    for offset in (road.left_m - 0.2, road.right_m + 0.2):
        axes.plot(*road.line(offset).T, color=palette.PAINT, linewidth=0.7, zorder=2)
    if road.left_m > road.lane_m:
        axes.plot(*road.line(road.lane_m / 2).T, color=palette.PAINT, linewidth=0.7,
                  dashes=(6, 5), zorder=2)


def _draw_path(axes: Axes, drive: RecordedDrive, scale: float) -> None:
    if not len(drive.pose):
        return
    if not len(drive.lane):
        axes.plot(*drive.pose.values[:, :2].T, color=palette.LEFT, linewidth=2.2, zorder=4)
        return
    points = drive.pose.at(drive.lane.stamps_ns)[:, :2]
    offset = drive.lane.values[:, 1]
    near = np.hypot(*np.diff(points, axis=0).T) < 5.0          # no stroke across a reset
    strokes = np.stack([points[:-1], points[1:]], axis=1)[near]
    lines = LineCollection(strokes, cmap=OFFSETS, norm=Normalize(-scale, scale),
                           linewidths=2.6, capstyle='round', zorder=4)
    lines.set_array(offset[:-1][near])
    axes.add_collection(lines)
    bar = axes.figure.colorbar(ScalarMappable(lines.norm, OFFSETS), ax=axes, fraction=0.02,
                               pad=0.01, aspect=32)
    bar.set_label('offset from lane centre [m], left is positive', color=palette.INK, fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0)


def _finish_map(axes: Axes, drive: RecordedDrive) -> None:
    axes.set_aspect('equal')
    axes.set_facecolor(palette.LAND)
    axes.autoscale_view()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    low, high = axes.get_xlim()
    axes.set_xlim(low - MARGIN_M, high + MARGIN_M)
    low, high = axes.get_ylim()
    axes.set_ylim(low - MARGIN_M, high + MARGIN_M)
    if len(drive.pose):
        _mark_start(axes, drive)
    for x, y in drive.departures.values:
        axes.plot(x, y, 'o', markersize=13, markerfacecolor='none', zorder=6,
                  markeredgecolor=palette.WARNING, markeredgewidth=2.2)
    _scale_bar(axes)


def _mark_start(axes: Axes, drive: RecordedDrive) -> None:
    x, y, yaw = drive.pose.values[0, :3]
    axes.plot(x, y, 'o', color=palette.ACCENT, markersize=9, markeredgecolor=palette.INK,
              zorder=7)
    tip = (x + ARROW_M * np.cos(yaw), y + ARROW_M * np.sin(yaw))
    axes.annotate('', xy=tip, xytext=(x, y), zorder=6,
                  arrowprops={'arrowstyle': '-|>', 'color': palette.INK, 'linewidth': 1.6,
                              'shrinkA': 5})
    side = (x - 11 * np.sin(yaw), y + 11 * np.cos(yaw))
    axes.annotate('start', xy=side, ha='center', va='center', fontsize=9.5, color=palette.INK,
                  zorder=7)


def _scale_bar(axes: Axes, length_m: float = 50.0) -> None:
    (left, _), (low, _) = axes.get_xlim(), axes.get_ylim()
    x, y = left + 6.0, low + 6.0
    axes.plot([x, x + length_m], [y, y], color=palette.INK, linewidth=2.5, zorder=6,
              solid_capstyle='butt')
    axes.annotate(f'{length_m:.0f} m', xy=(x + length_m / 2, y + 1.5), ha='center', va='bottom',
                  fontsize=9, color=palette.INK)


def _draw_offset(axes: Axes, drive: RecordedDrive, scale: float) -> None:
    _strip(axes, 'offset [m]', drive)
    if not len(drive.lane):
        axes.text(0.5, 0.5, 'no ground truth in this bag', transform=axes.transAxes,
                  ha='center', va='center', color=palette.MUTED)
        return
    seconds, offset = _seconds(drive, drive.lane.stamps_ns), drive.lane.values[:, 1]
    axes.axhline(0.0, color=palette.MUTED, linewidth=0.8)
    axes.fill_between(seconds, offset, 0.0, where=offset >= 0, color=palette.LEFT, linewidth=0,
                      interpolate=True)
    axes.fill_between(seconds, offset, 0.0, where=offset < 0, color=palette.RIGHT, linewidth=0,
                      interpolate=True)
    axes.set_ylim(-scale, scale)


def _draw_speed(axes: Axes, drive: RecordedDrive) -> None:
    _strip(axes, 'speed [m/s]', drive)
    parts: list[tuple[Any, np.ndarray, dict[str, Any]]] = [
        (drive.request, drive.request.values[:, 0],
         {'color': palette.ACCENT, 'label': 'asked by the network', 'linewidth': 2.4}),
        (drive.command, drive.command.values[:, 0],
         {'color': palette.SENT, 'label': 'sent by safety', 'linewidth': 1.2}),
        (drive.pose, drive.pose.values[:, 3],
         {'color': palette.INK, 'label': 'driven', 'linewidth': 1.0}),
    ]
    for trace, values, look in parts:
        if len(trace):
            axes.plot(_seconds(drive, trace.stamps_ns), values, **look)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel('time [s]', fontsize=9, color=palette.INK, labelpad=1)
    axes.legend(loc='lower right', ncols=3, fontsize=8, frameon=False)


def _strip(axes: Axes, label: str, drive: RecordedDrive) -> None:
    axes.set_facecolor(palette.PAPER)
    axes.set_xlim(0.0, max(drive.seconds, 1e-3))
    axes.set_ylabel(label, fontsize=9, color=palette.INK)
    axes.tick_params(labelsize=8, length=2, colors=palette.INK)
    for name in ('top', 'right'):
        axes.spines[name].set_visible(False)


def _seconds(drive: RecordedDrive, stamps_ns: np.ndarray) -> np.ndarray:
    return (stamps_ns - drive.frames.stamps_ns[0]) * 1e-9
