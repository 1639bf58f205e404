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
"""The road is what it promises, judged by brute force and by geometry of the bare points."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import SimulationError
from ltc_control.sim.track import CLEARANCE_M, make_track, Track
import numpy as np
import pytest

SEEDS = (0, 7, 512, 1001, 1010)


def circumradius(track: Track) -> np.ndarray:
    """Return the radius of the circle through samples i-4, i, i+4: needs no derivative."""
    points = np.stack([track.x, track.y], axis=1)
    a, b, c = points[:-8], points[4:-4], points[8:]
    sides = [np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (a, c))]
    twice_area = np.abs(np.cross(np.c_[b - a, np.zeros(len(a))], np.c_[c - a, np.zeros(len(a))])
                        )[:, 2]
    return sides[0] * sides[1] * sides[2] / np.maximum(2.0 * twice_area, 1e-9)


def brute_offset(track: Track, x: float, y: float) -> float:
    """Return the distance from the polyline of the samples, segment by segment."""
    ring = np.stack([track.x, track.y], axis=1)
    start, end = ring, np.roll(ring, -1, axis=0)
    if not track.closed:
        start, end = start[:-1], end[:-1]
    leg = end - start
    share = np.clip(((np.array([x, y]) - start) * leg).sum(1) / (leg**2).sum(1), 0.0, 1.0)
    return float(np.linalg.norm(start + share[:, None] * leg - (x, y), axis=1).min())


@pytest.mark.parametrize('closed', [True, False])
@pytest.mark.parametrize('seed', SEEDS)
def test_radius_length_and_both_ways(seed: int, closed: bool) -> None:
    track = make_track(seed, closed=closed)
    radius = circumradius(track)
    assert 20.0 <= radius.min() < 25.0
    assert 350.0 <= track.length <= 1000.0
    assert np.mean(track.curvature > 0.01) > 0.05
    assert np.mean(track.curvature < -0.01) > 0.05
    assert np.mean(radius > 200.0) > 0.2, 'straights too'


@pytest.mark.parametrize('closed', [True, False])
@pytest.mark.parametrize('seed', SEEDS)
def test_samples_agree_with_each_other(seed: int, closed: bool) -> None:
    track = make_track(seed, closed=closed)
    step = np.diff(track.x + 1j * track.y)
    assert np.abs(step) == pytest.approx(track.spacing, rel=1e-3)
    turned = np.exp(1j * 0.5 * (track.heading[1:] + track.heading[:-1]))
    assert np.abs(np.angle(step / turned)).max() < 2e-3
    assert np.abs(1.0 / circumradius(track) - np.abs(track.curvature[4:-4])).max() < 2e-3


@pytest.mark.parametrize('seed', SEEDS)
def test_a_loop_closes_and_never_meets_itself(seed: int) -> None:
    track = make_track(seed)
    seam = np.hypot(track.x[0] - track.x[-1], track.y[0] - track.y[-1])
    assert seam == pytest.approx(track.spacing, rel=1e-3)
    turn = track.heading[-1] + track.spacing * track.curvature[-1] - track.heading[0]
    assert abs(turn) == pytest.approx(2.0 * np.pi, abs=1e-3)
    points = np.stack([track.x, track.y], axis=1)
    for i in range(0, len(points), 40):
        gap = np.abs(np.arange(len(points)) - i) * track.spacing
        far = np.minimum(gap, track.length - gap) > 75.0
        assert np.linalg.norm(points[far] - points[i], axis=1).min() > CLEARANCE_M - 2.0


def test_equal_seeds_give_equal_roads_and_others_do_not() -> None:
    again = make_track(7)
    np.testing.assert_array_equal(make_track(7).x, again.x)
    assert abs(make_track(8).length - again.length) > 1e-3


@settings(max_examples=60, deadline=None)
@given(share=st.floats(0.0, 0.999), offset=st.floats(-8.0, 8.0), turn=st.floats(-1.5, 1.5),
       seed=st.sampled_from(SEEDS))
def test_frenet_finds_the_nearest_point_and_inverts_place(
        share: float, offset: float, turn: float, seed: int) -> None:
    track = make_track(seed)
    arc = share * track.length
    x, y, yaw = track.place(arc, offset=offset, heading_error=turn)
    found = track.frenet(x, y, yaw)
    assert abs(found.offset) == pytest.approx(brute_offset(track, x, y), abs=5e-4)
    assert found.offset == pytest.approx(offset, abs=2e-3)
    gap = (found.arc - arc + 0.5 * track.length) % track.length - 0.5 * track.length
    assert gap == pytest.approx(0.0, abs=5e-3)
    assert found.heading_error == pytest.approx(turn, abs=2e-3)
    near = track.frenet(x, y, yaw, near=track.wrap(arc + 3.0))
    assert near == pytest.approx(found, abs=1e-9)


def test_left_is_positive() -> None:
    track = make_track(3, closed=False)    # starts at the origin, straight, heading east
    assert track.frenet(10.0, 1.0, 0.1).offset == pytest.approx(1.0, abs=1e-3)
    assert track.frenet(10.0, 1.0, 0.1).heading_error == pytest.approx(0.1, abs=1e-3)


def test_a_wrong_neighbourhood_falls_back_to_the_whole_road() -> None:
    track = make_track(0)
    x, y, yaw = track.place(10.0, offset=0.5)
    assert track.frenet(x, y, yaw, near=0.5 * track.length).arc == pytest.approx(10.0, abs=0.01)


def test_arc_wraps_on_a_loop_and_stops_on_an_open_road() -> None:
    loop, road = make_track(0), make_track(0, closed=False)
    assert loop.wrap(loop.length + 5.0) == pytest.approx(5.0)
    assert road.wrap(road.length + 5.0) == road.length
    assert road.wrap(-1.0) == 0.0


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(SimulationError, match='-3'):
        make_track(-3)
