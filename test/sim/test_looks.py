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
"""Six seasons, clearly different, with lane paint that stands out in each."""

from __future__ import annotations

from ltc_control.core.errors import SimulationError
from ltc_control.sim import textures
from ltc_control.sim.looks import find_look, LOOKS, SEASONS
import numpy as np
import pytest


def test_the_seasons_have_the_agreed_names() -> None:
    assert SEASONS == ('summer', 'autumn', 'winter', 'night', 'dusk', 'rain')


def test_an_unknown_season_names_the_known_ones() -> None:
    with pytest.raises(SimulationError, match=r"'spring'.*summer.*rain"):
        find_look('spring')


@pytest.mark.parametrize('season', SEASONS)
def test_paint_stands_out_of_asphalt_and_asphalt_of_meadow(season: str) -> None:
    look = LOOKS[season]
    road = textures.road(look.road).astype(float)
    across = np.linspace(textures.ROAD_FROM_M, textures.ROAD_TO_M, road.shape[1])
    line = road[:, np.abs(across + 1.75) < 0.05].mean()
    lane = road[:, np.abs(across) < 1.4].mean()
    assert line - lane > 50.0
    assert abs(lane - textures.ground(look.ground).mean(axis=(0, 1))).max() > 15.0


def test_the_middle_line_is_dashed_and_the_edges_are_not() -> None:
    road = textures.road(LOOKS['summer'].road).astype(float).mean(axis=2)
    across = np.linspace(textures.ROAD_FROM_M, textures.ROAD_TO_M, road.shape[1])
    middle = road[:, np.abs(across - 1.75) < 0.05].mean(axis=1) > 150.0
    assert middle.mean() == pytest.approx(0.5, abs=0.02)
    assert np.abs(np.diff(middle.astype(int))).sum() == 7, 'four dashes a tile'
    for edge in (-1.75, 5.25):
        assert (road[:, np.abs(across - edge) < 0.05].mean(axis=1) > 150.0).all()


def test_noise_repeats_without_a_seam() -> None:
    field = textures.noise((64, 64), (4.0, 4.0), 1)
    inside = np.abs(np.diff(field, axis=0)).mean()
    assert np.abs(field[0] - field[-1]).mean() < 1.6 * inside
    assert (field.mean(), field.std()) == pytest.approx((0.0, 1.0), abs=1e-9)


@pytest.mark.parametrize('season', SEASONS)
def test_every_thing_has_a_colour(season: str) -> None:
    assert set(textures.ATLAS_NAMES) <= set(LOOKS[season].things)
    assert textures.atlas(LOOKS[season]).shape == (*textures.ATLAS_SHAPE, 3)
    assert textures.sky(LOOKS[season].sky).shape == (*textures.SKY_SHAPE, 3)
