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
"""Limits hold for all values, bind where the standards say and leave a good driver alone."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.core.limits import (
    curvature_bound,
    curvature_rate_bound,
    limit_curvature,
    limit_speed,
    Limits,
    speed_bound,
)
import pytest

L = Limits()
curvatures, speeds = st.floats(-1, 1), st.floats(-2, 40)
times = st.floats(0, 1)


def test_the_default_acceleration_is_the_standard_with_six_percent_of_road_roll():
    assert L.max_lateral_acceleration == pytest.approx(3.0 + 0.5886)       # ISO 11270, UN R79


def test_a_recovery_can_be_reversed_before_the_car_has_crossed_its_lane():
    # from full curvature one way to full the other at top speed, against the time that the
    # opposite lateral acceleration needs for half a lane's slack: 1/2 a t^2 = 0.85 m
    swing_s = 2 * curvature_bound(11.0, L) / curvature_rate_bound(11.0, L)
    assert swing_s < math.sqrt(2 * 0.85 / L.max_lateral_acceleration)


@pytest.mark.parametrize('speed', [0.0, 1e-200, 3.0, 4.0, 4.5, 7.0, 12.0, -12.0, 40.0])
def test_bounds_follow_acceleration_and_jerk(speed):
    bound, rate = curvature_bound(speed, L), curvature_rate_bound(speed, L)
    assert bound * speed**2 <= L.max_lateral_acceleration * (1 + 1e-12)
    assert rate * speed**2 <= L.max_lateral_jerk * (1 + 1e-12)
    # One of the two reasons binds: no bound is tighter than it need be.
    assert math.isclose(bound, L.max_curvature) or math.isclose(
        bound * speed**2, L.max_lateral_acceleration)
    assert math.isclose(rate, L.max_curvature_rate) or math.isclose(
        rate * speed**2, L.max_lateral_jerk)


@given(curvatures, curvatures, speeds, times)
def test_curvature_stays_within_bound_and_rate(asked, before, speed, dt_s):
    found = limit_curvature(asked, before=before, speed=speed, dt_s=dt_s, limits=L)
    bound = curvature_bound(speed, L)
    assert abs(found) <= bound
    inside = min(max(before, -bound), bound)
    assert abs(found - inside) <= curvature_rate_bound(speed, L) * dt_s + 1e-12
    # Never past what was asked, unless the bound forces it.
    goal = min(max(asked, -bound), bound)
    assert min(inside, goal) - 1e-12 <= found <= max(inside, goal) + 1e-12


@given(st.floats(0, 40), st.floats(0, 12), curvatures, times)
def test_speed_stays_within_range_and_rates(asked, before, curvature, dt_s):
    found = limit_speed(asked, before=before, curvature=curvature, dt_s=dt_s, limits=L)
    assert 0.0 <= found <= 12.0
    assert -5.0 * dt_s - 1e-9 <= found - before <= 2.5 * dt_s + 1e-9
    assert found <= max(asked, before)


@given(st.floats(-1, 1))
def test_speed_bound_is_where_the_curvature_bound_starts_to_bind(curvature):
    speed = speed_bound(curvature, L)
    assert speed**2 * abs(curvature) <= L.max_lateral_acceleration * (1 + 1e-12)
    if speed < L.max_speed and abs(curvature) <= L.max_curvature:
        assert curvature_bound(speed, L) == pytest.approx(abs(curvature))


def test_a_car_at_rest_starts_and_steers():
    k = limit_curvature(0.05, before=0.0, speed=0.0, dt_s=0.02, limits=L)
    v = limit_speed(8.0, before=0.0, curvature=k, dt_s=0.02, limits=L)
    assert k == pytest.approx(0.3 * 0.02)
    assert v == pytest.approx(2.5 * 0.02)


@pytest.mark.parametrize(('speed', 'radius'), [(12.0, 144 / 2.5), (12.0, 144 / 3.5), (7.0, 20.0)])
def test_a_good_driver_is_left_alone(speed, radius):
    # An expert's curve: a cosine ramp into it, half a turn, and out, at 50 Hz. The length of the
    # ramp keeps its lateral jerk at the 5 m/s^3 of the standard, and no command is changed.
    dt_s, peak = 0.02, 1.0 / radius
    ramp_s = math.pi / 2 * peak * speed**2 / 5.0
    before = 0.0
    for k in range(int((2 * ramp_s + 2.0) / dt_s)):
        t = min(k * dt_s, 2 * ramp_s + 2.0 - k * dt_s)
        asked = peak * 0.5 * (1 - math.cos(math.pi * min(t / ramp_s, 1.0)))
        found = limit_curvature(asked, before=before, speed=speed, dt_s=dt_s, limits=L)
        assert found == pytest.approx(asked, abs=1e-12)
        assert limit_speed(speed, before=speed, curvature=found, dt_s=dt_s, limits=L) == speed
        before = found


@pytest.mark.parametrize('value', [0.0, -1.0, math.nan, math.inf, '3', None])
@pytest.mark.parametrize('name', ['max_speed', 'max_curvature_rate', 'max_lateral_jerk'])
def test_a_limit_that_limits_nothing_is_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: value})
