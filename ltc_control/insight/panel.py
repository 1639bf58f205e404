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
One picture of a film: the camera on top, below it what 19 neurons make of it.

Shapes by OpenCV with antialiasing, text by Pillow with the typeface that matplotlib brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
import math

import cv2
from ltc_control.insight import palette
from ltc_control.insight.palette import rgb
from matplotlib import font_manager
import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, PANEL_HEIGHT = 800, 176
STEERING_RATIO = 14.0                      # hand wheel to road wheels, as in a usual car
WHEELBASE_M = 2.7
TOP_SPEED_MPS = 12.0
LANE_HALF_M, BODY_HALF_M = 1.75, 0.9
WIDEST_BAR = 24.0                          # of a neuron [pixels]
SUBPIXEL = 4                               # fractional bits of the shapes' coordinates
OVERLAY_M = np.linspace(3.0, 34.0, 48)     # how far ahead the asked-for arc is drawn


@dataclass(frozen=True)
class View:
    """Where the camera looks from; as delivered, the simulated car's."""

    fovy_deg: float = 55.0                 # vertical
    height_m: float = 1.3                  # above the road
    pitch_deg: float = 10.0                # downwards
    ahead_m: float = 0.4                   # of base_link


@dataclass(frozen=True)
class Instant:
    """All that one picture shows; None where the bag does not hold it."""

    rgb: np.ndarray                        # (h, w, 3) uint8
    seconds: float
    curvature: float | None = None         # asked for [1/m]
    wanted_speed: float | None = None      # asked for [m/s]
    speed: float | None = None             # driven [m/s]
    offset_m: float | None = None
    verdict: str | None = None
    neurons: np.ndarray | None = None      # (N,) in -1 ... 1
    roles: tuple[str, ...] = ()
    note: str = ''                         # left corner of the camera picture


def draw(instant: Instant, *, view: View) -> np.ndarray:
    """Return the picture, (H, WIDTH, 3) uint8 RGB with even H."""
    height = 2 * round(WIDTH * instant.rgb.shape[0] / instant.rgb.shape[1] / 2)
    camera = cv2.resize(instant.rgb, (WIDTH, height), interpolation=cv2.INTER_CUBIC)
    if instant.curvature is not None:
        camera = _with_arc(camera, instant.curvature, view)
    canvas = np.concatenate([camera, _background()])
    texts: list[tuple[tuple[float, float], str, int, str, str]] = [
        ((14, 10), instant.note, 15, palette.PAINT, 'la'),
        ((WIDTH - 14, 10), f'{instant.seconds:6.1f} s', 15, palette.PAINT, 'ra')]
    _draw_wheel(canvas, texts, instant, centre=(92, height + 84))
    _draw_speed(canvas, texts, instant, left=196, top=height + 34)
    _draw_offset(canvas, texts, instant, left=196, top=height + 112)
    _draw_neurons(canvas, texts, instant, left=452, top=height + 34)
    return _with_texts(canvas, texts)


@cache
def _background() -> np.ndarray:
    panel = np.empty((PANEL_HEIGHT, WIDTH, 3), np.uint8)
    panel[:] = rgb(palette.PANEL)
    panel[:2] = rgb(palette.PANEL_LINE)
    panel.setflags(write=False)
    return panel


def _with_arc(camera: np.ndarray, curvature: float, view: View) -> np.ndarray:
    """Lay the path that was asked for over the road, as wide as the car."""
    left, right = (ground_to_pixels(arc_points(curvature, side), view, camera.shape)
                   for side in (BODY_HALF_M, -BODY_HALF_M))
    polygon = _fixed(np.concatenate([left, right[::-1]]))
    layer = camera.copy()
    cv2.fillPoly(layer, [polygon], rgb(palette.ACCENT), cv2.LINE_AA, SUBPIXEL)
    camera = cv2.addWeighted(layer, 0.35, camera, 0.65, 0.0)
    for edge in (left, right):
        cv2.polylines(camera, [_fixed(edge)], False, rgb(palette.ACCENT), 2, cv2.LINE_AA,
                      SUBPIXEL)
    return camera


def arc_points(curvature: float, side_m: float) -> np.ndarray:
    """Return points (K, 2) [m], x forward and y left, ``side_m`` left of the arc driven."""
    angle = curvature * OVERLAY_M
    x = OVERLAY_M * np.sinc(angle / np.pi)                     # sin(k s) / k
    y = 0.5 * curvature * OVERLAY_M**2 * np.sinc(angle / (2 * np.pi))**2   # (1 - cos(k s)) / k
    return np.stack([x - side_m * np.sin(angle), y + side_m * np.cos(angle)], axis=1)


def ground_to_pixels(points: np.ndarray, view: View, shape: tuple[int, ...]) -> np.ndarray:
    """Project points (K, 2) of the ground into a picture of ``shape``; those ahead of it only."""
    pitch = math.radians(view.pitch_deg)
    ahead, left = points[:, 0] - view.ahead_m, points[:, 1]
    depth = ahead * math.cos(pitch) + view.height_m * math.sin(pitch)
    down = view.height_m * math.cos(pitch) - ahead * math.sin(pitch)
    keep = depth > 0.5
    focal = 0.5 * shape[0] / math.tan(math.radians(view.fovy_deg) / 2)
    return np.stack([0.5 * shape[1] - focal * left[keep] / depth[keep],
                     0.5 * shape[0] + focal * down[keep] / depth[keep]], axis=1)


def _draw_wheel(canvas: np.ndarray, texts: list, instant: Instant, *,
                centre: tuple[int, int], radius: int = 56) -> None:
    colour = rgb(palette.MUTED if instant.curvature is None else palette.PAINT)
    angle = STEERING_RATIO * math.atan(WHEELBASE_M * (instant.curvature or 0.0))
    _circle(canvas, centre, radius, colour, 9)
    for spoke in (0.0, math.pi, 1.5 * math.pi):                # left, right, down at rest
        turn = spoke + angle
        tip = (centre[0] + radius * math.cos(turn), centre[1] - radius * math.sin(turn))
        _line(canvas, centre, tip, colour, 7)
    _circle(canvas, centre, 13, colour, -1)
    top = 0.5 * math.pi + angle
    mark = np.array(centre) + radius * np.array([math.cos(top), -math.sin(top)])
    _circle(canvas, mark, 6, rgb(palette.ACCENT), -1)
    text = '' if instant.curvature is None else _radius_text(instant.curvature)
    texts.append(((centre[0], centre[1] + 70), text, 13, palette.MUTED, 'ma'))


def _radius_text(curvature: float) -> str:
    if abs(curvature) < 1 / 500:
        return 'straight on'
    return f'{"left" if curvature > 0 else "right"}, radius {1 / abs(curvature):.0f} m'


def _draw_speed(canvas: np.ndarray, texts: list, instant: Instant, *, left: int,
                top: int, width: int = 216) -> None:
    texts.append(((left, top - 20), 'speed', 13, palette.MUTED, 'la'))
    _bar(canvas, left, top, width, 1.0, rgb(palette.PANEL_LINE))
    if instant.speed is not None:
        share = min(max(instant.speed / TOP_SPEED_MPS, 0.0), 1.0)
        _bar(canvas, left, top, width, share, rgb(palette.PAINT))
        texts.append(((left + width, top - 20), f'{instant.speed:.1f} m/s', 13, palette.PAINT,
                      'ra'))
    if instant.wanted_speed is not None:
        x = left + width * min(max(instant.wanted_speed / TOP_SPEED_MPS, 0.0), 1.0)
        _line(canvas, (x, top - 5), (x, top + 17), rgb(palette.ACCENT), 3)
    verdict = instant.verdict or ''
    calm = verdict in ('', 'pass', 'limited')
    texts.append(((left, top + 24), f'safety: {verdict}' if verdict else '', 13,
                  palette.MUTED if calm else palette.WARNING, 'la'))


def _draw_offset(canvas: np.ndarray, texts: list, instant: Instant, *, left: int,
                 top: int, width: int = 216) -> None:
    """Draw the lane in cross-section with the car in it, to scale."""
    texts.append(((left, top - 20), 'place in the lane', 13, palette.MUTED, 'la'))
    middle, scale = left + width / 2, width / (2.3 * LANE_HALF_M)
    cv2.rectangle(canvas, (left, top), (left + width, top + 34), rgb(palette.ASPHALT), -1)
    for side in (-LANE_HALF_M, LANE_HALF_M):
        _line(canvas, (middle + scale * side, top + 3), (middle + scale * side, top + 31),
              rgb(palette.PAINT), 3)
    _line(canvas, (middle, top), (middle, top + 34), rgb(palette.MUTED), 1)
    if instant.offset_m is None:
        return
    shown = min(max(instant.offset_m, -2.2), 2.2)
    inside = abs(instant.offset_m) <= LANE_HALF_M - BODY_HALF_M
    colour = rgb(palette.ACCENT if inside else palette.WARNING)
    car = middle - scale * shown
    half = scale * BODY_HALF_M
    cv2.rectangle(canvas, (round(car - half), top + 12), (round(car + half), top + 22), colour,
                  -1, cv2.LINE_AA)
    texts.append(((left + width, top - 20), f'{100 * instant.offset_m:+.0f} cm', 13,
                  palette.PAINT, 'ra'))


def _draw_neurons(canvas: np.ndarray, texts: list, instant: Instant, *, left: int, top: int,
                  width: int = 322, height: int = 104) -> None:
    """Draw each neuron's state as a bar from the middle line, grouped by role."""
    if instant.neurons is None or not len(instant.neurons):
        return
    count, middle = len(instant.neurons), top + height / 2
    texts.append(((left, top - 20), f'{count} neurons', 13, palette.MUTED, 'la'))
    pitch = width / count
    thick = min(pitch, WIDEST_BAR)
    _line(canvas, (left, middle), (left + width, middle), rgb(palette.PANEL_LINE), 1)
    for index, value in enumerate(np.clip(instant.neurons, -1.0, 1.0)):
        x = left + pitch * (index + 0.5)
        colour = rgb(palette.LEFT if value >= 0 else palette.RIGHT)
        end = middle - value * (height / 2 - 4)
        if abs(end - middle) > 1:
            _line(canvas, (x, middle), (x, end), colour, max(2, round(0.5 * thick)))
        _circle(canvas, (x, end), max(1.5, 0.27 * thick), colour, -1)
    for role in dict.fromkeys(instant.roles):
        places = [index for index, name in enumerate(instant.roles) if name == role]
        x = left + pitch * (0.5 * (places[0] + places[-1]) + 0.5)
        texts.append(((x, top + height + 6), role, 12, palette.MUTED, 'ma'))


def _bar(canvas: np.ndarray, left: int, top: int, width: int, share: float,
         colour: tuple[int, int, int]) -> None:
    cv2.rectangle(canvas, (left, top), (left + round(width * share), top + 12), colour, -1)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(np.asarray(points) * 2**SUBPIXEL).astype(np.int32)


def _line(canvas: np.ndarray, start: tuple[float, float], end: tuple[float, float],
          colour: tuple[int, int, int], thickness: int) -> None:
    a, b = _fixed(np.array([start, end])).tolist()
    cv2.line(canvas, a, b, colour, thickness, cv2.LINE_AA, SUBPIXEL)


def _circle(canvas: np.ndarray, centre: tuple[float, float] | np.ndarray, radius: float,
            colour: tuple[int, int, int], thickness: int) -> None:
    cv2.circle(canvas, _fixed(np.array(centre)).tolist(), round(radius * 2**SUBPIXEL), colour,
               thickness, cv2.LINE_AA, SUBPIXEL)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return the typeface that matplotlib brings, in pixels."""
    return ImageFont.truetype(font_manager.findfont('DejaVu Sans'), size)


def _with_texts(canvas: np.ndarray, texts: list) -> np.ndarray:
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    for place, text, size, colour, anchor in texts:
        pen.text(place, text, font=font(size), fill=colour, anchor=anchor)
    return np.asarray(picture)
