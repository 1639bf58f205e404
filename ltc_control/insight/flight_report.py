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
What a flight leaves behind: report.json, the flight in three dimensions, and from above.

Drawn with matplotlib's object interface and Agg alone: no display, no global state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from ltc_control.insight import palette
from ltc_control.insight.recorded_flight import (
    measure_flight,
    read_flight,
    RecordedFlight,
)
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
import numpy as np

REPORT, IN_SPACE, FROM_ABOVE = 'report.json', 'flight_3d.png', 'flight_top.png'
TREES = '#9db58b'
Circles = Sequence[tuple[float, float, float]]         # x, y, radius [m] of what stands there


def make_flight_report(bag: Path | str, out: Path | str, *, standing: Circles = (),
                       extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Write report.json and both pictures of the flight in ``bag`` into ``out``.

    Returns what report.json holds. ``standing`` are the things to draw from above, where they are
    known. Raises BagError when the bag cannot be read.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    flight = read_flight(bag)
    report = {'bag': str(bag), 'attributes': flight.attributes, **measure_flight(flight),
              **(extra or {}), 'files': {'flight_3d': IN_SPACE, 'flight_top': FROM_ABOVE}}
    title = _headline(flight, report)
    draw_in_space(flight, out / IN_SPACE, title=title)
    draw_from_above(flight, out / FROM_ABOVE, title=title, standing=standing)
    (out / REPORT).write_text(json.dumps(report, indent=2, sort_keys=True) + '\n',
                              encoding='utf-8')
    return report


def draw_in_space(flight: RecordedFlight, path: Path, *, title: str) -> None:
    """Write the flight seen from a corner of the sky (PNG): path, its shadow, the target."""
    figure = Figure(figsize=(9.5, 7.2), dpi=120, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection='3d', facecolor=palette.PAPER)
    place = flight.pose.values[:, :3]
    axes.plot(*place.T, color=palette.LEFT, linewidth=2.0, label='drone')
    axes.plot(place[:, 0], place[:, 1], np.zeros(len(place)), color=palette.MUTED, linewidth=1.0,
              alpha=0.6)
    for x, y, z in place[::30]:            # a plumb line a second
        axes.plot([x, x], [y, y], [0.0, z], color=palette.MUTED, linewidth=0.5, alpha=0.5)
    if len(flight.target):
        axes.plot(*flight.target.values.T, color=palette.RIGHT, linewidth=1.5, alpha=0.8)
        axes.scatter(*flight.target.values[-1], color=palette.RIGHT, s=80, label='target')
    axes.scatter(*place[0], color=palette.INK, s=30, label='start')
    axes.set(xlabel='x [m]', ylabel='y [m]', zlabel='height [m]',
             zlim=(0.0, float(place[:, 2].max()) + 1.0))
    axes.set_title(title, color=palette.INK, fontsize=11.5)
    _equal_sides(axes, np.vstack([place, flight.target.values]) if len(flight.target) else place)
    axes.legend(loc='upper right', frameon=False)
    figure.savefig(path, facecolor=palette.PAPER)


def draw_from_above(flight: RecordedFlight, path: Path, *, title: str,
                    standing: Circles) -> None:
    """Write the flight from above (PNG), with distance and commands over time below."""
    figure = Figure(figsize=(9.5, 10.0), dpi=120, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 1, height_ratios=(6.0, 1.2, 1.6), hspace=0.28)
    _map(figure.add_subplot(grid[0]), flight, standing, title)
    _over_time(figure.add_subplot(grid[1]), figure.add_subplot(grid[2]), flight)
    figure.savefig(path, facecolor=palette.PAPER, bbox_inches='tight')


def _map(axes: Axes, flight: RecordedFlight, standing: Circles, title: str) -> None:
    place = flight.pose.values
    axes.set_facecolor(palette.LAND)
    for x, y, radius in standing:
        axes.add_patch(Circle((x, y), radius, color=TREES, linewidth=0.0))
    axes.plot(place[:, 0], place[:, 1], color=palette.LEFT, linewidth=2.0)
    for x, y, _, yaw in place[::60, :4]:
        axes.annotate('', (x + np.cos(yaw), y + np.sin(yaw)), (x, y),
                      arrowprops={'arrowstyle': '->', 'color': palette.INK, 'linewidth': 0.8})
    seen = [place[:, :2]]
    if len(flight.target):
        axes.plot(*flight.target.values[:, :2].T, color=palette.RIGHT, linewidth=1.2)
        axes.plot(*flight.target.values[-1, :2], 'o', color=palette.RIGHT, markersize=9)
        seen.append(flight.target.values[:, :2])
    if len(flight.collisions):
        axes.plot(*flight.collisions.values[:, :2].T, 'x', color=palette.WARNING, markersize=11)
    both = np.vstack(seen)
    middle, half = (both.min(0) + both.max(0)) / 2.0, 0.5 * np.ptp(both, axis=0).max() + 4.0
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half),
             aspect='equal', xlabel='x [m]', ylabel='y [m]')
    axes.set_title(title, loc='left', color=palette.INK, fontsize=11.5)


def _over_time(distances: Axes, commands: Axes, flight: RecordedFlight) -> None:
    first = flight.pose.stamps_ns[0]
    if len(flight.distance):
        distances.plot((flight.pose.stamps_ns - first) * 1e-9, flight.distance,
                       color=palette.RIGHT)
    distances.set(ylabel='to target [m]')
    distances.set_ylim(bottom=0.0)
    seconds = (flight.command.stamps_ns - first) * 1e-9
    for column, name in enumerate(('forward [m/s]', 'left [m/s]', 'up [m/s]', 'yaw rate [rad/s]')):
        if len(flight.command):
            commands.plot(seconds, flight.command.values[:, column], linewidth=1.2, label=name)
    commands.set(xlabel='time [s]', ylabel='command')
    commands.legend(ncols=4, frameon=False, fontsize=8, loc='upper right')


def _equal_sides(axes: Any, places: np.ndarray) -> None:
    """Give x and y the same scale, and heights twice theirs at most."""
    middle = (places.min(axis=0) + places.max(axis=0)) / 2.0
    half = max(float(np.ptp(places[:, :2], axis=0).max()) / 2.0, 3.0) + 1.0
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half))
    axes.set_box_aspect((1.0, 1.0, 0.35))


def _headline(flight: RecordedFlight, report: Mapping[str, Any]) -> str:
    known = flight.attributes
    words = [f'{known[key]}' for key in ('task', 'season') if key in known]
    words += [f'{report["distance_m"]:.0f} m in {report["seconds"]:.0f} s']
    if report['final_distance_m'] is not None:
        words += [f'{report["final_distance_m"]:.1f} m from the target at the end']
    words += [f'{report["collisions"]} collisions'] if report['collisions'] else []
    return '  ·  '.join(words)
