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
"""Signs and axes against published examples, then inverses for all values."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core import geometry as g
from ltc_control.core.contracts import Command
import numpy as np
import pytest

angles = st.floats(-50, 50)
vectors = st.tuples(*[st.floats(-1e6, 1e6)] * 3).map(np.array)


def test_the_optical_frame_of_rep_103():
    # REP-103, suffix _optical: z forward, x right, y down.
    forward, left, up = np.eye(3)
    assert g.optical_from_body(forward).tolist() == [0, 0, 1]
    assert g.optical_from_body(left).tolist() == [-1, 0, 0]
    assert g.optical_from_body(up).tolist() == [0, -1, 0]


def test_ned_from_enu_as_mavros_tests_it():
    # mavros/test/test_frame_conversions.cpp: ENU (1, 2, 3) is NED (2, 1, -3).
    assert g.ned_from_enu(np.array([1.0, 2.0, 3.0])).tolist() == [2, 1, -3]
    # same file: aircraft (1, 2, 3) is base_link (1, -2, -3).
    assert g.flu_from_frd(np.array([1.0, 2.0, 3.0])).tolist() == [1, -2, -3]


@pytest.mark.parametrize(('compass_degrees', 'yaw_degrees'), [
    (0, 90), (90, 0), (180, -90), (-90, -180), (45, 45),
])
def test_yaw_zero_is_east_and_heading_zero_is_north(compass_degrees, yaw_degrees):
    found = g.yaw_from_ned_heading(math.radians(compass_degrees))
    assert math.degrees(found) == pytest.approx(yaw_degrees)


@pytest.mark.parametrize(('yaw', 'quaternion'), [
    (0.0, (0, 0, 0, 1)), (math.pi / 2, (0, 0, math.sqrt(0.5), math.sqrt(0.5))),
    (-math.pi / 2, (0, 0, -math.sqrt(0.5), math.sqrt(0.5))), (math.pi, (0, 0, 1, 0)),
])
def test_quaternions_of_quarter_turns(yaw, quaternion):
    assert g.quaternion_from_yaw(yaw) == pytest.approx(quaternion, abs=1e-15)


@given(st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1))
def test_yaw_is_where_the_rotation_matrix_sends_forward(q):
    # Rodrigues' vector form of a rotation, another route than the formula under test.
    q = np.array(q) / np.linalg.norm(q)
    axis, w = q[:3], q[3]
    forward = np.array([1.0, 0.0, 0.0])
    turned = forward + 2 * w * np.cross(axis, forward) + 2 * np.cross(
        axis, np.cross(axis, forward))
    if np.hypot(turned[0], turned[1]) < 1e-3:
        return                                 # straight up: yaw has no meaning
    expected = math.atan2(turned[1], turned[0])
    assert abs(g.wrap_angle(g.yaw_from_quaternion(*q) - expected)) < 1e-6


@given(angles)
def test_yaw_survives_a_quaternion(yaw):
    found = g.yaw_from_quaternion(*g.quaternion_from_yaw(yaw))
    assert abs(g.wrap_angle(found - yaw)) < 1e-9


@given(angles)
def test_wrapping_keeps_the_direction(angle):
    wrapped = g.wrap_angle(angle)
    assert -math.pi <= wrapped < math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(wrapped) == pytest.approx(math.sin(angle), abs=1e-9)


@given(vectors)
def test_frame_changes_are_inverses_and_keep_length(vector):
    pairs = [
        (g.optical_from_body, g.body_from_optical), (g.ned_from_enu, g.enu_from_ned),
        (g.frd_from_flu, g.flu_from_frd),
    ]
    for there, back in pairs:
        assert np.array_equal(back(there(vector)), vector)
        matrix = there(np.eye(3)).T
        assert np.linalg.det(matrix) == pytest.approx(1.0)     # a rotation, no mirror


def test_frame_changes_take_stacks():
    stack = np.arange(12.0).reshape(2, 2, 3)
    for change in (g.optical_from_body, g.body_from_optical, g.ned_from_enu, g.frd_from_flu):
        assert np.array_equal(change(stack)[1, 0], change(stack[1, 0]))


@pytest.mark.parametrize(('radius', 'wheelbase'), [(20.0, 2.7), (-35.0, 2.7), (5.0, 1.0)])
def test_the_bicycle_drives_the_circle_of_its_steering(radius, wheelbase):
    # The front wheel moves square to its own radius: its angle by plain trigonometry, then a
    # simulation in small steps must close the circle.
    steering = g.steering_from_curvature(1.0 / radius, wheelbase=wheelbase)
    assert math.tan(steering) * radius == pytest.approx(wheelbase)
    x = y = yaw = 0.0
    ds = abs(math.pi * radius) / 20_000
    for _ in range(20_000):                    # half a circle
        x, y = x + ds * math.cos(yaw), y + ds * math.sin(yaw)
        yaw += ds * g.curvature_from_steering(steering, wheelbase=wheelbase)
    assert (x, y) == (pytest.approx(0.0, abs=0.02), pytest.approx(2 * radius, rel=1e-3))


@given(st.floats(-5, 5), st.floats(0.1, 5))
def test_steering_and_curvature_are_inverses(curvature, wheelbase):
    steering = g.steering_from_curvature(curvature, wheelbase=wheelbase)
    assert (steering > 0) == (curvature > 0) or abs(curvature) < 1e-300
    assert g.curvature_from_steering(steering, wheelbase=wheelbase) == pytest.approx(curvature)


@given(st.floats(-0.5, 0.5), st.floats(0.06, 50))
def test_twist_and_command_are_inverses(curvature, speed):
    command = Command(7, curvature, speed)
    speed_out, yaw_rate = g.twist_from_command(command)
    back = g.command_from_twist(stamp_ns=7, speed=speed_out, yaw_rate=yaw_rate)
    assert (back.stamp_ns, back.speed) == (7, speed)
    assert back.curvature == pytest.approx(curvature)


@pytest.mark.parametrize(('speed', 'curvature'), [
    (0.0, 0.0), (0.05, 0.0), (-0.05, 0.0), (0.06, 10.0), (-0.1, -6.0),
])
def test_a_twist_at_rest_has_no_curvature(speed, curvature):
    found = g.command_from_twist(stamp_ns=0, speed=speed, yaw_rate=0.6)
    assert found.curvature == pytest.approx(curvature)
