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
"""Only the lane moves, or only the scenery: each change touches what it says and nothing else."""

from __future__ import annotations

from ltc_control.core.errors import SimulationError
from ltc_control.sim import road_mesh, scenery, solids
from ltc_control.sim.displaced_road import displaced
from ltc_control.sim.track import make_track, Track
import numpy as np
import pytest


@pytest.fixture(scope='module')
def track() -> Track:
    return make_track(1001)


@pytest.mark.parametrize('rms', [0.4, -0.4])
def test_the_lane_lies_beside_itself(track: Track, rms: float) -> None:
    moved = displaced(track, rms_m=rms, seed=0)
    places = [track.frenet(x, y, yaw) for x, y, yaw in
              zip(moved.x[::20], moved.y[::20], moved.heading[::20], strict=True)]
    offset = np.array([place.offset for place in places])
    assert np.sqrt((offset**2).mean()) == pytest.approx(0.4, rel=0.1)
    # the offset's slope turns the lane by as much
    arc = np.array([place.arc for place in places])
    slope = np.diff(offset) / np.diff(arc)
    error = np.array([place.heading_error for place in places])
    assert np.abs(slope - 0.5 * (error[1:] + error[:-1]))[np.diff(arc) > 0].max() < 0.02


def test_heading_and_curvature_belong_to_the_line(track: Track) -> None:
    moved = displaced(track, rms_m=0.6, seed=3)
    way = np.diff(np.r_[moved.x, moved.x[0]] + 1j * np.r_[moved.y, moved.y[0]])
    np.testing.assert_allclose(np.abs(way), moved.spacing, rtol=2e-3)
    turn = np.angle(way[1:] / way[:-1]) / moved.spacing
    np.testing.assert_allclose(turn, moved.curvature[1:], atol=2e-3)
    assert np.abs(np.exp(1j * moved.heading[:-1]) - way[:-1] / np.abs(way[:-1])).max() < 0.02


def test_the_sign_mirrors_and_the_seed_decides(track: Track) -> None:
    left, right, other = (displaced(track, rms_m=rms, seed=seed)
                          for rms, seed in ((0.3, 1), (-0.3, 1), (0.3, 2)))
    sides = [np.array([track.frenet(x, y, 0.0).offset for x, y in
                       zip(one.x[::40], one.y[::40], strict=True)]) for one in (left, right)]
    assert np.abs(sides[0] + sides[1]).max() < 0.05
    assert not np.allclose(left.x[:100], other.x[:100])
    with pytest.raises(SimulationError, match='closed'):
        displaced(make_track(3, closed=False), rms_m=0.3, seed=0)


def corners(soups: list[solids.Soup]) -> list[bytes]:
    return [soup.corner.tobytes() for soup in soups]


def test_other_scenery_leaves_the_road_as_it_is(track: Track) -> None:
    (own, *_), (same, *_), (other, *_) = (scenery.roadside(track, scenery_seed=seed)
                                          for seed in (None, track.seed, 5))
    assert corners(own) == corners(same)             # None is the track's own scenery
    posts = len(road_mesh.posts(track))
    kerbs = [soup for soup in own if soup.texture.tobytes() == own[-1].texture.tobytes()]
    furniture = posts + max(len(kerbs), 1)
    assert corners(own)[-furniture:] == corners(other)[-furniture:]
    assert not set(corners(own)[:50]) & set(corners(other))


def test_another_road_leaves_the_scenery_as_it_is(track: Track) -> None:
    moved = displaced(track, rms_m=0.4, seed=0)
    own, other = (scenery.roadside(track, road=road) for road in (None, moved))
    assert corners(own[1]) == corners(other[1])      # windows
    assert corners(own[2]) == corners(other[2])      # shades
    assert corners(own[0])[:50] == corners(other[0])[:50]
    assert corners(own[0])[-1] != corners(other[0])[-1]
