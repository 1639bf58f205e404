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
"""The camera: what it sees is where geometry says, and its faults are as declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import math

from ltc_control.core.errors import SimulationError
from ltc_control.sim.camera import CameraSpec, expose, rain_on
from ltc_control.sim.environment import Environment, EnvironmentSpec, SEASONS
from ltc_control.sim.textures import ROAD_FROM_M, ROAD_TO_M
import numpy as np
import pytest

pytestmark = pytest.mark.gl
TRACK = 7


@pytest.fixture(scope='module')
def world() -> Iterator[Environment]:
    with Environment(EnvironmentSpec(track=TRACK)) as environment:
        yield environment


def offsets_seen(world: Environment) -> tuple[np.ndarray, np.ndarray]:
    """Return lane offset and distance [m] of the road plane in each pixel, (H, W); nan: sky."""
    spec = world.spec.camera
    x, y, yaw = world.car.pose
    focal = 0.5 * spec.height / math.tan(math.radians(spec.mount.fovy) / 2.0)
    right = (np.arange(spec.width) + 0.5 - 0.5 * spec.width) / focal
    up = -(np.arange(spec.height) + 0.5 - 0.5 * spec.height) / focal
    cos, sin = math.cos(spec.mount.pitch), math.sin(spec.mount.pitch)
    offset = np.full((spec.height, spec.width), np.nan)
    distance = offset.copy()
    for row, col in np.ndindex(offset.shape):
        forward, climb = cos + up[row] * sin, -sin + up[row] * cos
        if climb >= -1e-3:
            continue
        reach = spec.mount.high / -climb
        ahead, left = spec.mount.ahead + reach * forward, -reach * right[col]
        px = x + ahead * math.cos(yaw) - left * math.sin(yaw)
        py = y + ahead * math.sin(yaw) + left * math.cos(yaw)
        distance[row, col] = math.hypot(ahead, left)
        offset[row, col] = world.track.frenet(px, py, 0.0).offset
    return offset, distance


@pytest.mark.parametrize('arc', [30.0, 210.0])
def test_the_mask_is_where_geometry_puts_the_road(world: Environment, arc: float) -> None:
    world.reset(seed=0, arc_m=arc, offset_m=0.3, heading_error=0.05)
    mask = world.road_mask()
    offset, distance = offsets_seen(world)
    assert mask.shape == (66, 200)
    assert mask.dtype == bool
    near = distance < 20.0
    inside = near & (offset > ROAD_FROM_M + 0.35) & (offset < ROAD_TO_M - 0.35)
    outside = near & ((offset < ROAD_FROM_M - 0.35) | (offset > ROAD_TO_M + 0.35))
    assert inside.sum() > 2000
    assert outside.sum() > 200
    assert mask[inside].mean() > 0.99
    assert mask[outside].mean() < 0.01
    assert not mask[np.isnan(offset)].any(), 'no road in the sky'


def test_road_is_grey_and_meadow_green_where_the_mask_says(world: Environment) -> None:
    world.set_season('summer')
    rgb = world.reset(seed=0, arc_m=30.0).frame.rgb.astype(float)
    mask = world.road_mask()
    assert np.ptp(rgb[mask].mean(axis=0)) < 15.0
    below = np.zeros_like(mask)
    below[40:] = ~mask[40:]
    red, green, blue = rgb[below].mean(axis=0)
    assert green > red > blue


def test_a_switched_season_equals_one_compiled_fresh(world: Environment) -> None:
    for season in SEASONS[::-1]:
        world.set_season(season)
        switched = world.reset(seed=4, arc_m=100.0).frame.rgb
        with Environment(EnvironmentSpec(track=TRACK, season=season)) as fresh:
            np.testing.assert_array_equal(fresh.reset(seed=4, arc_m=100.0).frame.rgb, switched)
    world.set_season('summer')


def test_seasons_differ_and_the_picture_is_right_side_up(world: Environment) -> None:
    pictures = []
    for season in SEASONS:
        world.set_season(season)
        pictures.append(world.reset(seed=4, arc_m=30.0).frame.rgb.astype(float))
    world.set_season('summer')
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert np.abs(one - other).mean() > 12.0
    assert pictures[0][:5, :, 2].mean() > pictures[0][-20:, :, 2].mean() + 40.0, 'blue above'
    assert pictures[3].mean() < 0.4 * pictures[0].mean(), 'night is dark'


def test_the_road_is_drawn_to_the_left_of_a_car_that_stands_right(world: Environment) -> None:
    columns = []
    for offset in (-1.0, 1.0):
        world.reset(seed=0, arc_m=30.0, offset_m=offset)
        columns.append(np.flatnonzero(world.road_mask()[60]).mean())
    assert columns[0] < columns[1] - 5.0


def test_the_view_from_behind_has_the_asked_size_and_shows_the_car(world: Environment) -> None:
    world.reset(seed=0, arc_m=30.0)
    view = world.view(width=320, height=180)
    assert view.shape == (180, 320, 3)
    red = (view[..., 0] > 120) & (view[..., 1] < 70) & (view[..., 2] < 70)
    assert 0.01 < red.mean() < 0.25
    assert 0.35 < np.flatnonzero(red.any(axis=0)).mean() / 320 < 0.65


def test_delay_is_a_shift_by_whole_frames() -> None:
    spec = EnvironmentSpec(track=TRACK)
    late = replace(spec, camera=CameraSpec(delay_frames=3))
    pictures = []
    for each in (spec, late):
        with Environment(each) as environment:
            seen = environment.reset(seed=0)
            rgb = [seen.frame.rgb]
            for _ in range(8):
                seen = environment.step(environment.expert.command(seen.truth, seen.odometry))
                rgb.append(seen.frame.rgb)
            pictures.append(rgb)
    sharp, delayed = pictures
    assert not np.array_equal(sharp[0], sharp[1])
    for i in range(9):
        np.testing.assert_array_equal(delayed[i], sharp[max(i - 3, 0)])


def test_noise_has_the_declared_variance_and_clips() -> None:
    grey = np.full((66, 200, 3), 128, np.uint8)
    spec = CameraSpec(noise_var=0.01)
    noisy = expose(grey, spec, np.random.default_rng(0)) / 255.0
    assert noisy.var() == pytest.approx(0.01, rel=0.03)
    assert noisy.mean() == pytest.approx(128 / 255.0, abs=0.003)
    strong = expose(grey, CameraSpec(noise_var=0.1), np.random.default_rng(0))
    share = np.mean(strong == 255)         # P(z > (1 - 128/255) / sqrt(0.1)), half a level early
    assert share == pytest.approx(0.5 * math.erfc((126.5 / 255) / math.sqrt(0.2)), abs=0.005)
    assert (grey == 128).all(), 'the drawn picture is left alone'


def test_exposure_scales_and_saturates() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    bright = expose(ramp, CameraSpec(exposure=1.5), np.random.default_rng(0))
    np.testing.assert_array_equal(bright[0, :, 0],
                                  np.minimum(np.rint(np.arange(256) * 1.5), 255))


def test_rain_only_brightens_a_little() -> None:
    grey = np.full((66, 200, 3), 90, np.uint8)
    wet = rain_on(grey, 90, np.random.default_rng(0)).astype(int) - 90
    assert wet.min() == 0
    assert 0.01 < np.mean(wet > 0) < 0.12


@pytest.mark.parametrize('wrong', [{'width': 4}, {'delay_frames': -1}, {'noise_var': -0.1},
                                   {'exposure': 0.0}, {'noise_var': float('nan')}])
def test_impossible_cameras_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SimulationError, match='got'):
        CameraSpec(**wrong)  # type: ignore[arg-type]
