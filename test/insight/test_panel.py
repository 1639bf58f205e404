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
"""The film's pictures: geometry by closed form, and drawings that answer to what they show."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.insight import palette
from ltc_control.insight.panel import (
    arc_points,
    draw,
    ground_to_pixels,
    Instant,
    OVERLAY_M,
    View,
    WIDTH,
)
import numpy as np
import pytest

GREY = np.full((66, 200, 3), 90, np.uint8)
VIEW = View()


@given(st.floats(-0.05, 0.05).filter(lambda k: abs(k) > 1e-4), st.floats(-2, 2))
def test_arc_lies_on_its_circle(curvature: float, side: float) -> None:
    points = arc_points(curvature, side)
    away = np.hypot(points[:, 0], points[:, 1] - 1 / curvature)
    assert away == pytest.approx(np.full(len(away), abs(1 / curvature - side)), abs=1e-6)


def test_a_straight_arc_runs_ahead() -> None:
    points = arc_points(0.0, 0.5)
    assert points[:, 0] == pytest.approx(OVERLAY_M)
    assert points[:, 1] == pytest.approx(np.full(len(points), 0.5))


def test_projection_of_a_level_camera() -> None:
    """A pinhole at height h sees the ground at distance d by f h / d below the middle."""
    view = View(fovy_deg=90.0, height_m=1.5, pitch_deg=0.0, ahead_m=0.0)
    pixels = ground_to_pixels(np.array([[10.0, 2.0]]), view, (100, 300, 3))
    assert pixels[0] == pytest.approx([150 - 50 * 2 / 10, 50 + 50 * 1.5 / 10])


def test_projection_of_the_optical_axis() -> None:
    view = View(fovy_deg=50.0, height_m=1.4, pitch_deg=6.0, ahead_m=0.5)
    hit = 1.4 / math.tan(math.radians(6.0)) + 0.5
    assert ground_to_pixels(np.array([[hit, 0.0]]), view, (66, 200, 3))[0] == pytest.approx(
        [100, 33])


def test_picture_has_an_even_size_and_keeps_the_camera() -> None:
    picture = draw(Instant(GREY, 1.0), view=VIEW)
    assert picture.shape[1] == WIDTH
    assert picture.shape[0] % 2 == 0
    assert (picture[100, 400] == 90).all()


def test_a_left_curve_is_drawn_to_the_left() -> None:
    plain = draw(Instant(GREY, 0.0), view=VIEW).astype(int)
    for sign in (1, -1):
        curved = draw(Instant(GREY, 0.0, curvature=sign * 0.03), view=VIEW).astype(int)
        changed = np.abs(curved - plain).sum(axis=2)[:264] > 20
        assert sign * (400 - changed.nonzero()[1].mean()) > 20


def test_the_car_turns_red_outside_its_lane() -> None:
    warning = np.array(palette.rgb(palette.WARNING))
    for offset, outside in ((0.0, False), (0.8, False), (0.9, True), (-1.2, True)):
        picture = draw(Instant(GREY, 0.0, offset_m=offset), view=VIEW)
        assert (picture == warning).all(axis=2).any() == outside


def test_neurons_rise_and_fall() -> None:
    states = np.array([1.0, -1.0])
    picture = draw(Instant(GREY, 0.0, neurons=states, roles=('inter', 'inter')), view=VIEW)
    rows = {name: (picture == palette.rgb(colour)).all(axis=2).nonzero()[0].mean()
            for name, colour in (('up', palette.LEFT), ('down', palette.RIGHT))}
    assert rows['up'] < rows['down'] - 30
