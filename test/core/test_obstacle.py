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
"""The swept area against a car that is pushed along its path, and the stop that follows."""

from __future__ import annotations

import math

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.core.obstacle import (
    along_arc,
    blind,
    clearance,
    distance_ahead,
    ObstacleConfig,
    Returns,
    speed_bound,
    stops,
    swerve_bound,
)
from ltc_control.core.returns import (
    points_of_cone,
    points_of_depth,
    points_of_scan,
    SensorPose,
)
import numpy as np
import pytest

CONFIG = ObstacleConfig()
MS = 1_000_000
bends = st.floats(-0.15, 0.15) | st.just(0.0)


def pose_on_arc(s, k):
    """Return x, y, heading after ``s`` metres of curvature ``k``."""
    if abs(k * s) < 1e-4:                  # the quotients below would round away
        return s * (1.0 - (k * s) ** 2 / 6.0), 0.5 * s * k * s, k * s
    return math.sin(k * s) / k, (1.0 - math.cos(k * s)) / k, k * s


@given(st.floats(0, 20), st.floats(-3, 3), bends)
def test_along_arc_is_the_inverse_of_driving_it(s, offset, k):
    assume(abs(k * s) < 3.0)
    assume(1.0 - k * offset > 0.1)
    x, y, heading = pose_on_arc(s, k)
    point = np.array([[x - offset * math.sin(heading), y + offset * math.cos(heading)]])
    found_s, found_offset = along_arc(point, k)
    assert (found_s[0], found_offset[0]) == (pytest.approx(s, abs=1e-6),
                                             pytest.approx(offset, abs=1e-6))


def pushed(point, k, *, side, step=0.02):
    """Return how far the front of a car of half width ``side`` drives until it covers a point."""
    s = np.arange(0.0, 25.0, step)
    x, y = (s, 0 * s) if k == 0 else (np.sin(k * s) / k, (1 - np.cos(k * s)) / k)
    dx, dy = point[0] - x, point[1] - y
    ahead = dx * np.cos(k * s) + dy * np.sin(k * s)
    left = dy * np.cos(k * s) - dx * np.sin(k * s)
    covered = (np.abs(left) <= side) & (ahead <= CONFIG.front_m) & (ahead >= 0.0)
    return float(s[np.argmax(covered)]) if covered.any() else math.inf


@settings(max_examples=300, deadline=None)
@given(st.floats(2.5, 12.0), st.floats(-4, 4), bends)
def test_whatever_the_car_would_run_into_is_seen_in_time(x, y, k):
    """The first touch in a bend may be of a flank; then the way is shorter by the bend's part."""
    driven = pushed((x, y), k, side=CONFIG.half_width_m + CONFIG.margin_m)
    seen = clearance(Returns(0, np.array([[x, y]])), k, CONFIG)
    if driven < 10.0:
        assert seen <= driven + 0.6 + abs(k) * 12
        assert not math.isinf(seen)
    wide = pushed((x, y), k, side=CONFIG.half_width_m + CONFIG.margin_m + 0.03)
    if math.isinf(wide) and abs(k) * x < 1.2:
        assert math.isinf(seen) or seen > 10.0                   # a wall beside a bend is no wall


@settings(max_examples=300, deadline=None)
@given(st.floats(2.5, 22.0), st.floats(-8, 8), st.floats(-0.1, 0.1), st.floats(-1.0, 1.0))
def test_whatever_any_arc_within_the_swerve_would_run_into_is_seen(x, y, k, share):
    driven = pushed((x, y), k + share * CONFIG.swerve,
                    side=CONFIG.half_width_m + CONFIG.margin_m)
    seen = clearance(Returns(0, np.array([[x, y]])), k, CONFIG, swerve=CONFIG.swerve)
    if driven < min(20.0, 1.2 / max(abs(k), 1e-9)):
        assert seen <= driven + 0.6 + (abs(k) + CONFIG.swerve) * 12


@given(st.floats(0.0, 60.0))
def test_what_a_swerve_would_meet_bounds_to_what_the_brakes_can_and_never_stops(way):
    v, t, b = swerve_bound(way, CONFIG), CONFIG.reaction_s, CONFIG.brakes
    assert v == CONFIG.crawl or v * t + v * v / (2 * b) == pytest.approx(way)
    assert v >= CONFIG.crawl
    assert swerve_bound(math.inf, CONFIG) == math.inf


@given(st.floats(0.1, 60.0))
def test_a_car_that_brakes_from_the_bound_stops_where_it_shall(distance):
    v, t, a = speed_bound(distance, CONFIG), CONFIG.reaction_s, CONFIG.deceleration
    assert v <= math.sqrt(2 * a * distance)
    if distance > CONFIG.stop_m:
        assert v * t + v * v / (2 * a) == pytest.approx(distance - CONFIG.stop_m)
    else:
        assert v == 0.0


def test_hysteresis_takes_more_room_to_go_than_to_stop():
    come, gone = (
        [stops(way, stopped=stopped, config=CONFIG) for way in (1.0, 2.0, 2.3, 2.9, 3.1, math.inf)]
        for stopped in (False, True))
    assert come == [True, True, False, False, False, False]
    assert gone == [True, True, True, True, False, False]


def look(*ways, period=50 * MS, speed=0.0, config=CONFIG):
    """Return the distance seen after measurements with a wall ``ways`` ahead, None for no wall."""
    history = tuple(
        Returns(number * period, np.array([[way + config.front_m, 0.0]] if way else [],
                                          float).reshape(-1, 2))
        for number, way in enumerate(ways))
    return distance_ahead({'scan': history}, now_ns=(len(ways) - 1) * period, curvature=0.0,
                          speed=speed, config=config)


def test_two_of_three_measurements_make_an_obstacle():
    assert look() == math.inf
    assert look(5.0) == 5.0                                      # the first is all there is
    assert look(None, None, 5.0) == math.inf                     # a speck of dust
    assert look(None, 5.0, 5.2) == 5.2
    assert look(5.0, 5.0, None) == 5.0                           # one dropout hides nothing
    assert look(5.0, None, None) == math.inf
    assert look(5.0, 5.0, None, None) == math.inf
    assert look(9.5, 9.0, 8.5, speed=10.0) == pytest.approx(8.5)     # driven since is made up for
    sure = ObstacleConfig(seen=3, of=5)
    assert look(None, None, 5.0, 5.0, 5.0, config=sure) == 5.0
    assert look(None, None, None, 5.0, 5.0, config=sure) == math.inf


def test_several_points_make_an_obstacle_and_the_nearest_sensor_counts():
    row = np.array([[8.25, 0.0], [7.25, 0.5], [9.25, -0.5], [6.25, 3.0]])
    assert clearance(Returns(0, row, least=1), 0.0, CONFIG) == 5.0
    assert clearance(Returns(0, row, least=2), 0.0, CONFIG) == 6.0
    assert clearance(Returns(0, row, least=4), 0.0, CONFIG) == math.inf
    sight = {'scan': (Returns(0, row),), 'range': (Returns(0, np.array([[4.25, 0.0]])),)}
    assert distance_ahead(sight, now_ns=0, curvature=0.0, speed=0.0, config=CONFIG) == 2.0


def test_a_silent_sensor_is_blind():
    def is_blind(now_ns, **stamps):
        sight = {name: tuple(Returns(stamp, np.empty((0, 2))) for stamp in history)
                 for name, history in stamps.items()}
        return blind(sight, now_ns=now_ns, future_s=0.05, config=CONFIG)

    assert is_blind(0, scan=())
    assert not is_blind(500 * MS, scan=(0,))
    assert is_blind(501 * MS, scan=(0,))
    assert is_blind(501 * MS, scan=(500 * MS,), range=(0,))      # one of two
    assert is_blind(0, scan=(51 * MS,))                          # from the future
    assert not is_blind(0)


@pytest.mark.parametrize('wrong', [
    {'stop_m': -1.0}, {'deceleration': 0.0}, {'brakes': 0.0}, {'swerve': -0.1},
    {'seen': 0}, {'seen': 4}, {'margin_m': math.nan}])
def test_a_monitor_that_cannot_work_is_refused(wrong):
    with pytest.raises(ConfigError):
        ObstacleConfig(**wrong)


# ----------------------------------------------------------------------------- what sensors say

def scan(ranges, **changes):
    told = {'angle_min': -0.5, 'angle_increment': 1.0 / (len(ranges) - 1), 'range_min': 0.1,
            'range_max': 10.0, 'pose': SensorPose(2.0, 0.0), **changes}
    return points_of_scan(np.array(ranges), **told)


def test_a_scan_says_where_it_hit_by_rep_117():
    points = scan([1.0, math.inf, 2.0, 11.0, -math.inf])
    assert points == pytest.approx(np.array([
        [2 + math.cos(0.5), -math.sin(0.5)], [4.0, 0.0],
        [2 + 0.1 * math.cos(0.5), 0.1 * math.sin(0.5)]]))
    assert scan([math.inf] * 5).shape == (0, 2)                  # a free road
    assert scan([math.nan] * 5) is None                          # a covered lens
    assert scan([0.0, 0.0, 0.0, 1.0, 1.0]) is None               # most beams say nothing
    turned = scan([3.0, 3.0, 3.0], pose=SensorPose(1.0, 0.5, yaw=math.pi / 2))
    assert turned[1] == pytest.approx([1.0, 3.5])                # looks to the left


def test_a_sonar_says_that_something_is_in_its_cone():
    def cone(distance):
        return points_of_cone(distance, field_of_view=0.4, range_min=0.2, range_max=4.0,
                              pose=SensorPose(2.2))

    points = cone(3.0)
    assert np.hypot(points[:, 0] - 2.2, points[:, 1]) == pytest.approx(3.0)
    assert np.arctan2(points[[0, -1], 1], points[[0, -1], 0] - 2.2) == pytest.approx([-0.2, 0.2])
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() < 0.11
    assert clearance(Returns(0, points), 0.0, CONFIG) == pytest.approx(2.95, abs=0.07)
    assert len(cone(math.inf)) == len(cone(5.0)) == 0
    assert cone(math.nan) is None
    assert cone(0.1) is None                                     # no echo can be so near
    assert cone(-math.inf)[:, 0].max() == pytest.approx(2.4)


@pytest.mark.parametrize(('pitch', 'yaw'), [(0.0, 0.0), (0.2, 0.0), (0.1, 0.3)])
def test_a_depth_image_of_a_wall_gives_the_wall(pitch, yaw):
    """Cast every pixel's ray into a world of road and wall, by vectors; the points come back."""
    height, width, fov = 60, 80, 1.2
    pose = SensorPose(0.4, 0.1, 1.3, yaw=yaw, pitch=pitch)
    focal = width / 2 / math.tan(fov / 2)
    v, u = np.mgrid[:height, :width] + 0.5
    optical = np.stack([(u - width / 2) / focal, (v - height / 2) / focal, np.ones_like(u)], -1)
    turn = (np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0],
                      [0, 0, 1]])
            @ np.array([[math.cos(pitch), 0, math.sin(pitch)], [0, 1, 0],
                        [-math.sin(pitch), 0, math.cos(pitch)]])
            @ np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]))     # optical to body
    rays = optical @ turn.T
    to_wall = (9.0 - 0.4) / rays[..., 0]
    to_road = np.where(rays[..., 2] < 0, -1.3 / rays[..., 2], np.inf)
    depth = np.minimum(to_wall, to_road).astype(np.float32)      # along the optical axis
    points = points_of_depth(depth, field_of_view=fov, low=0.25, high=2.0, pose=pose)
    assert len(points) > 200
    assert points[:, 0] == pytest.approx(9.0, abs=1e-4)          # the wall, and no road
    assert np.ptp(points[:, 1]) > 6.0
    assert points_of_depth(np.zeros((60, 80)), field_of_view=fov, low=0.2, high=2.0,
                           pose=pose) is None
    depth[:, :-2] = np.nan
    assert len(points_of_depth(depth, field_of_view=fov, low=0.25, high=2.0, pose=pose)) > 0
