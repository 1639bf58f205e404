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
"""The drive from above as SVG: the road where it is known, the path coloured by its offset."""

from __future__ import annotations

from ltc_control.insight import svg
from ltc_control.insight.palette import CENTRE, LEFT, rgb, RIGHT
from ltc_control.insight.recorded_drive import RecordedDrive
from ltc_control.insight.road import Road, road_under
import numpy as np

WIDTH, TALLEST, MARGIN_M = 1000.0, 620.0, 12.0
CLASSES = 16                               # of colours on either side of the centre
FULL_SCALE_M = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)     # holds 97 % of the drive
APART_M, JUMP_M = 0.7, 5.0                 # of points of the path; beyond: the car was put back
ROAD_STEP_M = 2.0


def draw_map(drive: RecordedDrive, road: Road | None) -> str:
    """Return the map; '' where no pose was recorded."""
    if not len(drive.pose):
        return ''
    road = road if road is not None else road_under(drive)
    place = _Place(drive.pose.values[:, :2] if road is None else
                   np.concatenate([road.line(road.left_m), road.line(road.right_m)]))
    scale = full_scale(drive)
    parts = [] if road is None else _road(road, place)
    parts += _path(drive, place, scale) + _marks(drive, place) + _scale_bar(place)
    if len(drive.lane):
        parts += _colour_bar(scale)
    return svg.tag('svg', ''.join(parts), viewBox=f'0 0 {WIDTH:.0f} {place.height:.0f}',
                   class_='map', role='img', aria_label='map of the drive')


def full_scale(drive: RecordedDrive) -> float:
    """Return the offset [m] at the end of the colours: 97 % of the drive lie within."""
    if not len(drive.lane):
        return FULL_SCALE_M[0]
    largest = np.percentile(np.abs(drive.lane.values[:, 1]), 97)
    return next((scale for scale in FULL_SCALE_M if largest <= scale), FULL_SCALE_M[-1])


class _Place:
    """Metres to picture; turned a quarter where the road is taller than wide."""

    def __init__(self, points: np.ndarray) -> None:
        points = points[np.isfinite(points).all(axis=1)]
        points = points if len(points) else np.zeros((1, 2))
        self._turned = np.ptp(points[:, 1]) > np.ptp(points[:, 0])
        points = self._turn(points)
        low, high = points.min(axis=0) - MARGIN_M, points.max(axis=0) + MARGIN_M
        self.scale = min(WIDTH / (high - low)[0], TALLEST / (high - low)[1])
        self.height = max(120.0, self.scale * (high - low)[1])
        self._middle = 0.5 * (low + high)

    def _turn(self, points: np.ndarray) -> np.ndarray:
        return np.stack([points[:, 1], -points[:, 0]], axis=1) if self._turned else points

    def __call__(self, points: np.ndarray) -> np.ndarray:
        away = self.scale * (self._turn(np.atleast_2d(points)) - self._middle)
        return np.stack([WIDTH / 2 + away[:, 0], self.height / 2 - away[:, 1]], axis=1)

    def line(self, points: np.ndarray) -> str:
        return svg.points(*self(points).T)


def _road(road: Road, place: _Place) -> list[str]:
    way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(road.x), np.diff(road.y)))])
    keep = np.flatnonzero(np.diff(np.floor(way / ROAD_STEP_M), prepend=-1) > 0)
    road = Road(road.x[keep], road.y[keep], road.heading[keep], closed=road.closed,
                lane_m=road.lane_m, left_m=road.left_m, right_m=road.right_m)
    left, right = road.line(road.left_m), road.line(road.right_m)
    outline = np.concatenate([left, right[::-1], left[:1]])
    lines = [svg.tag('polyline', points=place.line(road.line(offset)), class_='paint')
             for offset in (road.left_m - 0.2, road.right_m + 0.2)]
    if road.left_m > road.lane_m:
        lines.append(svg.tag('polyline', points=place.line(road.line(road.lane_m / 2)),
                             class_='paint dashed'))
    return [svg.tag('polygon', points=place.line(outline), class_='asphalt'), *lines]


def _path(drive: RecordedDrive, place: _Place, scale: float) -> list[str]:
    """Return polylines of one colour each; without ground truth all are of one colour."""
    if len(drive.lane):
        points = drive.pose.at(drive.lane.stamps_ns)[:, :2]
        share = np.clip(drive.lane.values[:, 1] / scale, -1.0, 1.0)
        colour = np.round(CLASSES * share).astype(int)
    else:
        points, colour = drive.pose.values[:, :2], np.zeros(len(drive.pose), int)
    good = np.isfinite(points).all(axis=1)
    points, colour = points[good], colour[good]
    keep = _spaced(points)
    points, colour = points[keep], colour[keep]
    jumps = np.hypot(*np.diff(points, axis=0).T) > JUMP_M
    drawn, start = [], 0
    for i in range(1, len(points) + 1):
        if i < len(points) and colour[i] == colour[start] and not jumps[i - 1]:
            continue
        until = i + 1 if i < len(points) and not jumps[i - 1] else i     # up to the next stroke
        look = ({'class_': 'path', 'stroke': _colour(colour[start] / CLASSES)}
                if len(drive.lane) else {'class_': 'path plain'})
        drawn.append(svg.tag('polyline', points=place.line(points[start:until]), **look))
        start = i
    return drawn


def _spaced(points: np.ndarray) -> np.ndarray:
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    return np.flatnonzero(np.diff(np.floor(way / APART_M), prepend=-1) > 0)


def _marks(drive: RecordedDrive, place: _Place) -> list[str]:
    (x, y), = place(drive.pose.values[0, :2])
    marks = [svg.tag('circle', svg.tag('title', 'start'), cx=f'{x:.1f}', cy=f'{y:.1f}', r=7,
                     class_='start'), svg.text(x + 11, y - 9, 'start', 'label')]
    for number, (x, y) in enumerate(place(drive.departures.values) if len(drive.departures)
                                    else []):
        marks.append(svg.tag('circle', svg.tag('title', f'departure {number + 1}'),
                             cx=f'{x:.1f}', cy=f'{y:.1f}', r=11, class_='left-lane'))
    return marks


def _scale_bar(place: _Place) -> list[str]:
    metres = next((m for m in (500, 200, 100, 50, 20, 10) if m * place.scale < WIDTH / 5), 5)
    y, end = place.height - 16, 20 + metres * place.scale
    return [svg.tag('line', x1=20, x2=f'{end:.1f}', y1=f'{y:.1f}', y2=f'{y:.1f}', class_='bar'),
            svg.text(20, y - 7, f'{metres} m', 'label')]


def _colour_bar(scale: float) -> list[str]:
    cells = [svg.tag('rect', x=f'{760 + 200 * i / 33:.1f}', width=6.4, y=16, height=9,
                     fill=_colour((CLASSES - i) / CLASSES)) for i in range(2 * CLASSES + 1)]
    return [*cells, svg.text(760, 42, f'{100 * scale:.0f} cm left', 'label'),
            svg.text(960, 42, f'{100 * scale:.0f} cm right', 'label', text_anchor='end')]


def _colour(share: float) -> str:
    middle, end = (np.array(rgb(c), float) for c in (CENTRE, LEFT if share > 0 else RIGHT))
    red, green, blue = np.round(middle + abs(share) * (end - middle)).astype(int)
    return f'#{red:02x}{green:02x}{blue:02x}'
