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
"""Obstacles on a road and the scanner that sees them, against plain geometry."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.contracts import Command
from ltc_control.core.errors import SimulationError
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.obstacles import (
    Obstacle,
    Obstacles,
    outline_of_car,
    overlap,
    parse_obstacles,
    Rectangle,
    SIZES,
)
from ltc_control.sim.scanner import Scanner, ScannerSpec
from ltc_control.sim.track import make_track
import numpy as np
import pytest

TRACK = make_track(1001)
SILENT = ScannerSpec(noise=0.0)


def scanner(text, spec=SILENT):
    obstacles = Obstacles(parse_obstacles(text), TRACK)
    return Scanner(spec, TRACK, obstacles), obstacles


def met(eye, angle, outline):
    """Return the way from ``eye`` along ``angle`` to the sides of a rectangle, or inf."""
    ways = [math.inf]
    corners = outline.corners()
    ray = np.array([math.cos(angle), math.sin(angle)])
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        matrix = np.array([ray, a - b]).T                        # eye + t ray = a + u (b - a)
        if abs(np.linalg.det(matrix)) > 1e-12:
            t, u = np.linalg.solve(matrix, a - eye)
            ways += [t] if t >= 0 and 0 <= u <= 1 else []
    return min(ways)


@pytest.mark.parametrize(('arc', 'text'), [
    (40.0, 'box:55'), (46.0, 'box:55:1.2 car:52:-3.0'), (20.0, 'car:30:3.5')])
def test_beams_end_where_lines_cross_the_outline(arc, text):
    laser, obstacles = scanner(text)
    x, y, yaw = TRACK.place(arc)
    ranges = laser.measure((x, y, yaw), now_s=0.0)
    assert (ranges.shape, ranges.dtype) == ((181,), np.float32)
    eye = np.array([x + 2.2 * math.cos(yaw), y + 2.2 * math.sin(yaw)])
    truth = np.array([min(met(eye, yaw + angle, outline)
                          for outline in obstacles.standing(0.0)) for angle in SILENT.angles])
    near = np.where(np.isfinite(truth), truth, 100.0)
    # a beam at the edge of an outline may go either way by rounding
    sure = (np.abs(near - np.roll(near, 1)) < 0.5) & (np.abs(near - np.roll(near, -1)) < 0.5)
    hit = (near < 15.0) & sure
    assert hit.sum() > 5
    assert ranges[hit] == pytest.approx(truth[hit], abs=2e-3)
    free, _ = scanner('')
    alone = free.measure((x, y, yaw), now_s=0.0)
    np.testing.assert_array_equal(ranges[np.isinf(truth)], alone[np.isinf(truth)])


def test_what_is_gone_is_not_seen_and_noise_comes_from_the_seed():
    laser, obstacles = scanner('box:55:0:10')
    pose = TRACK.place(46.0)
    assert laser.measure(pose, now_s=9.9)[90] < 7.0
    assert laser.measure(pose, now_s=10.0)[90] > 7.0
    obstacles.replace(())
    assert laser.measure(pose, now_s=0.0)[90] > 7.0
    noisy, _ = scanner('box:55', ScannerSpec(noise=0.05))
    found = []
    for seed in (1, 1, 2):
        noisy.reset(np.random.default_rng(seed))
        found.append(noisy.measure(pose, now_s=0.0))
    np.testing.assert_array_equal(found[0], found[1])
    seen = np.isfinite(found[0]) & np.isfinite(found[2])
    assert 0.02 < np.std(found[0][seen] - found[2][seen]) < 0.15


@settings(max_examples=150, deadline=None)
@given(*[st.floats(-4, 4)] * 2, st.floats(-3.2, 3.2), *[st.floats(0.5, 5)] * 4)
def test_outlines_overlap_where_they_share_a_point(x, y, yaw, long, wide, length, width):
    a, b = Rectangle(0, 0, 0.3, long, wide), Rectangle(x, y, yaw, length, width)
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 41)] * 2), -1).reshape(-1, 2)

    def inside(points, box, slack):
        cos, sin = math.cos(box.yaw), math.sin(box.yaw)
        dx, dy = points[:, 0] - box.x, points[:, 1] - box.y
        return ((np.abs(dx * cos + dy * sin) <= 0.5 * box.length + slack)
                & (np.abs(dy * cos - dx * sin) <= 0.5 * box.width + slack)).any()

    cos, sin = math.cos(a.yaw), math.sin(a.yaw)
    points = grid * (a.length, a.width) @ np.array([[cos, sin], [-sin, cos]])
    if inside(points, b, 0.0):
        assert overlap(a, b)
    if overlap(a, b):
        assert inside(points, b, 0.13)                           # the grid is so coarse


def test_the_car_has_the_outline_that_is_drawn():
    corners = outline_of_car(0.0, 0.0, 0.0).corners()
    assert corners.min(axis=0) == pytest.approx([-2.0, -0.9])
    assert corners.max(axis=0) == pytest.approx([2.25, 0.9])


@pytest.mark.parametrize(('text', 'expected'), [
    ('', ()), ('60', (Obstacle('box', 60.0),)), ('car:60', (Obstacle('car', 60.0),)),
    ('box:60:-1.5:20 70', (Obstacle('box', 60.0, -1.5, 20.0), Obstacle('box', 70.0)))])
def test_obstacles_are_read_from_words(text, expected):
    assert parse_obstacles(text) == expected


@pytest.mark.parametrize('text', ['cow:60', 'box', 'box:60:1:2:3', 'box:near', '60:1', 'box:nan',
                                  'box:60:0:-1'])
def test_words_that_are_no_obstacle_are_refused(text):
    with pytest.raises(SimulationError):
        parse_obstacles(text)


def test_a_world_cannot_get_more_than_it_was_built_with():
    _, obstacles = scanner('box:55 car:80')
    obstacles.replace(parse_obstacles('box:30'))
    assert obstacles.standing(0.0)[1] is None
    for text in ('car:30', 'box:1 car:2 box:3'):
        with pytest.raises(SimulationError):
            obstacles.replace(parse_obstacles(text))


def drive(text, frames, *, camera=False):
    """Let the expert drive, who knows no obstacles; return all that was observed."""
    spec = EnvironmentSpec(track=1001, render=camera, obstacles=parse_obstacles(text),
                           scanner=ScannerSpec() if text else None)
    with Environment(spec) as world:
        seen = [world.reset(seed=0, speed=6.0)]
        for _ in range(frames):
            seen.append(world.step(world.expert.command(seen[-1].truth, seen[-1].odometry)))
    return seen


def test_a_car_that_runs_into_a_box_stands_there_until_it_is_gone():
    seen = drive('box:20:0:5', 240)
    hit = [observation.truth.hit for observation in seen]
    first, last = hit.index(True), len(hit) - hit[::-1].index(True)
    assert all(hit[first:last])
    bumper = seen[first].truth.arc_m + 2.25
    assert bumper == pytest.approx(20.0 - SIZES['box'][0] / 2, abs=0.1)
    stuck = [observation.truth.lap_m for observation in seen[first:last]]
    assert np.ptp(stuck) < 0.02
    assert seen[last].truth.stamp_ns * 1e-9 == pytest.approx(5.0, abs=0.05)
    assert seen[-1].truth.lap_m > 25.0


def test_obstacles_and_scanner_change_nothing_else_in_a_drive():
    plain, watched = drive('', 60), drive('box:300', 60)
    for a, b in zip(plain, watched, strict=True):
        assert a.odometry == b.odometry
        assert a.imu.linear_acceleration.tobytes() == b.imu.linear_acceleration.tobytes()
        assert (a.scan is None, b.scan.shape) == (True, (181,))


@pytest.mark.gl
def test_the_camera_sees_an_obstacle_and_then_the_road_behind_it():
    with Environment(EnvironmentSpec(track=1001)) as plain, Environment(EnvironmentSpec(
            track=1001, obstacles=parse_obstacles('car:12:0:0.1'))) as world:
        there = world.reset(seed=0, speed=0.0).frame.rgb
        without = plain.reset(seed=0, speed=0.0).frame.rgb
        assert (there != without).any(axis=2).sum() > 50
        stand = Command(0, 0.0, 0.0)
        for _ in range(5):
            gone, without = world.step(stand).frame.rgb, plain.step(stand).frame.rgb
        np.testing.assert_array_equal(gone, without)
