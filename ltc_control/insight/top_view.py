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

from ltc_control.insight import palette
from ltc_control.insight.recorded_drive import RecordedDrive
from ltc_control.insight.road import Road, road_under
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
import numpy as np

OFFSETS = LinearSegmentedColormap.from_list(
    'offset', [palette.RIGHT, palette.CENTRE, palette.LEFT])     # right is negative
FULL_SCALE_M = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)    # holds 97 % of the drive
ARROW_M = 16.0
MARGIN_M = 12.0
HALO = [withStroke(linewidth=3.0, foreground=palette.LAND)]
UPRIGHT = np.eye(2)
QUARTER_TURN = np.array([[0.0, 1.0], [-1.0, 0.0]])           # of (x, y) rows, to the left


def draw_top_view(drive: RecordedDrive, path: Path, *, road: Road | None, title: str) -> None:
    """
    Write the picture of a drive to ``path`` (PNG).

    ``road`` None draws the stretch that was driven; without ground truth the path is one colour.
    """
    figure = Figure(figsize=(11.0, 8.6), dpi=130, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 1, height_ratios=(6.4, 1.0, 1.0), hspace=0.2, left=0.065,
                               right=0.985, top=0.925, bottom=0.06)
    figure.suptitle(title, x=0.065, y=0.972, ha='left', fontsize=13.5, color=palette.INK,
                    fontweight='bold')
    scale = _full_scale(drive)
    _draw_map(figure.add_subplot(grid[0]), drive, road if road is not None else road_under(drive),
              scale)
    _draw_offset(figure.add_subplot(grid[1]), drive, scale)
    _draw_speed(figure.add_subplot(grid[2]), drive)
    figure.savefig(path, facecolor=palette.PAPER)


def _full_scale(drive: RecordedDrive) -> float:
    if not len(drive.lane):
        return FULL_SCALE_M[0]
    largest = np.percentile(np.abs(drive.lane.values[:, 1]), 97)
    return next((scale for scale in FULL_SCALE_M if largest <= scale), FULL_SCALE_M[-1])


def _draw_map(axes: Axes, drive: RecordedDrive, road: Road | None, scale: float) -> None:
    points = drive.pose.values[:, :2] if road is None else road.line(0.0)
    turn = QUARTER_TURN if len(points) and np.ptp(points[:, 1]) > np.ptp(points[:, 0]) else UPRIGHT
    if road is not None:
        _draw_road(axes, road, turn)
    if len(drive.pose):
        _draw_path(axes, drive, turn, scale)
        _mark_start(axes, drive, turn)
    if len(drive.departures):
        axes.plot(*(drive.departures.values @ turn).T, 'o', markersize=13, zorder=6,
                  markerfacecolor='none', markeredgecolor=palette.WARNING, markeredgewidth=2.2)
    _frame_map(axes, points @ turn)
    _scale_bar(axes, turn)


def _draw_road(axes: Axes, road: Road, turn: np.ndarray) -> None:
    left, right = road.line(road.left_m), road.line(road.right_m)
    outline = np.concatenate([left, right[::-1], left[:1]])
    axes.add_patch(PathPatch(Outline(outline @ turn), facecolor=palette.ASPHALT,
                             edgecolor='none', zorder=1))
    for offset in (road.left_m - 0.2, road.right_m + 0.2):
        axes.plot(*(road.line(offset) @ turn).T, color=palette.PAINT, linewidth=0.7, zorder=2)
    if road.left_m > road.lane_m:
        axes.plot(*(road.line(road.lane_m / 2) @ turn).T, color=palette.PAINT, linewidth=0.7,
                  dashes=(6, 5), zorder=2)


def _draw_path(axes: Axes, drive: RecordedDrive, turn: np.ndarray, scale: float) -> None:
    if not len(drive.lane):
        axes.plot(*(drive.pose.values[:, :2] @ turn).T, color=palette.LEFT, linewidth=2.2,
                  zorder=4)
        return
    points = drive.pose.at(drive.lane.stamps_ns)[:, :2] @ turn
    offset = drive.lane.values[:, 1]
    near = np.hypot(*np.diff(points, axis=0).T) < 5.0          # no stroke across a reset
    strokes = np.stack([points[:-1], points[1:]], axis=1)[near]
    lines = LineCollection(strokes, cmap=OFFSETS, norm=Normalize(-scale, scale),
                           linewidths=2.8, capstyle='round', zorder=4)
    lines.set_array(offset[:-1][near])
    axes.add_collection(lines)
    place = axes.inset_axes((0.72, 0.055, 0.26, 0.022), zorder=8)
    bar = axes.figure.colorbar(ScalarMappable(lines.norm, OFFSETS), cax=place,
                               orientation='horizontal', ticks=(-scale, 0.0, scale))
    bar.set_label('offset from the lane centre [m], left is positive', color=palette.INK,
                  fontsize=8.5, labelpad=4)
    bar.ax.xaxis.set_label_position('top')
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=8, length=0, pad=2, colors=palette.INK)


def _mark_start(axes: Axes, drive: RecordedDrive, turn: np.ndarray) -> None:
    x, y, yaw = drive.pose.values[0, :3]
    start = np.array([x, y])
    ahead = np.array([np.cos(yaw), np.sin(yaw)])
    right = np.array([np.sin(yaw), -np.cos(yaw)])
    axes.plot(*(start @ turn), 'o', color=palette.ACCENT, markersize=9,
              markeredgecolor=palette.INK, zorder=7)
    axes.annotate('', xy=(start + 7 * right + ARROW_M * ahead) @ turn,
                  xytext=(start + 7 * right) @ turn, zorder=6,
                  arrowprops={'arrowstyle': '-|>', 'color': palette.INK, 'linewidth': 1.6})
    axes.annotate('start', xy=(start + 14 * right + 0.5 * ARROW_M * ahead) @ turn, zorder=7,
                  ha='center', va='center', fontsize=9.5, color=palette.INK, path_effects=HALO)


def _frame_map(axes: Axes, points: np.ndarray) -> None:
    """Show all points with a margin; land fills the axes whatever their shape."""
    axes.set_facecolor(palette.LAND)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([])
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_aspect('equal')
    low = points.min(axis=0) if len(points) else np.zeros(2)
    high = points.max(axis=0) if len(points) else np.zeros(2)
    box = axes.get_window_extent()
    scale = max((high - low + 2 * MARGIN_M) / (box.width, box.height))     # [m] a pixel
    half = 0.5 * scale * np.array([box.width, box.height])
    for centre, reach, show in zip(0.5 * (low + high), half, (axes.set_xlim, axes.set_ylim),
                                   strict=True):
        show(centre - reach, centre + reach)


def _scale_bar(axes: Axes, turn: np.ndarray, length_m: float = 50.0) -> None:
    (left, _), (low, _) = axes.get_xlim(), axes.get_ylim()
    x, y = left + 6.0, low + 6.0
    axes.plot([x, x + length_m], [y, y], color=palette.INK, linewidth=2.5, zorder=6,
              solid_capstyle='butt')
    axes.annotate(f'{length_m:.0f} m', xy=(x + length_m / 2, y + 1.5), ha='center', va='bottom',
                  fontsize=9, color=palette.INK)
    base = np.array([x + 0.5 * length_m, y + 15.0])
    north = np.array([0.0, 9.0]) @ turn
    axes.annotate('', xy=base + north, xytext=base, zorder=6,
                  arrowprops={'arrowstyle': '-|>', 'color': palette.INK, 'linewidth': 1.2})
    axes.annotate('N', xy=base + 1.55 * north, ha='center', va='center', fontsize=9,
                  color=palette.INK)


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
    reach = max(scale, float(np.abs(offset).max()))
    axes.set_ylim(-1.15 * reach, 1.15 * reach)
    axes.tick_params(labelbottom=False)


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
    axes.set_ylim(0.0, 1.08 * axes.get_ylim()[1])
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
