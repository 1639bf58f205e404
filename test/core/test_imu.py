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
"""IMU features equal means taken by hand; windows equal a filter over the whole recording."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.contracts import ImuWindow
from ltc_control.core.errors import ImuError
from ltc_control.core.imu import (
    checked_features,
    FEATURES,
    imu_features,
    ImuBuffer,
    ImuSpec,
    LONGEST_WINDOW_NS,
    slice_window,
)
import numpy as np
import pytest

ALL = ImuSpec(FEATURES, (2.0, 1.0, 0.5, 10.0, 5.0, 4.0, 1.0))
MS = 1_000_000


def window(gyro, accel):
    gyro, accel = np.array(gyro, float), np.array(accel, float)
    return ImuWindow(np.arange(len(gyro), dtype=np.int64), gyro, accel)


def test_features_are_scaled_means_without_gravity():
    sample = window([(1, 2, 3), (3, 4, 5)], [(10, 20, 9.81), (30, 40, 13.81)])
    found = imu_features(sample, ALL)
    assert found.dtype == np.float32
    # By hand: gyro means (2, 3, 4), accel means (20, 30, 11.81 - 9.81).
    np.testing.assert_allclose(found, [1, 3, 8, 2, 6, 0.5, 1], rtol=1e-6)


def test_order_and_choice_are_those_of_the_spec():
    sample = window([(1, 2, 3)], [(4, 5, 6)])
    spec = ImuSpec(('valid', 'gyro_z', 'accel_x'), (1.0, 1.0, 2.0))
    assert imu_features(sample, spec).tolist() == [1.0, 3.0, 2.0]
    assert imu_features(sample, ImuSpec()).shape == (0,)


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize('axis', range(6))
def test_one_number_that_float32_cannot_hold_voids_the_window(bad, axis):
    values = np.ones((3, 6))
    values[1, axis] = bad
    features, usable = checked_features(window(values[:, :3], values[:, 3:]), ALL)
    assert not usable
    assert features.tolist() == [0.0] * 7


def test_an_axis_that_the_model_ignores_voids_the_window_too():
    sample = window([(np.nan, 0, 1)], [(0, 0, 9.81)])
    spec = ImuSpec(('gyro_z', 'valid'), (1.0, 1.0))
    assert imu_features(sample, spec).tolist() == [0.0, 0.0]


def test_an_empty_window_is_invalid_unless_nothing_is_asked():
    assert checked_features(ImuWindow.empty(), ALL)[0].tolist() == [0.0] * 7
    assert checked_features(ImuWindow.empty(), ALL)[1] is False
    assert checked_features(ImuWindow.empty(), ImuSpec())[1] is True


def test_shapes_that_disagree_are_refused():
    bad = ImuWindow(np.zeros(2, np.int64), np.zeros((2, 3)), np.zeros((1, 3)))
    with pytest.raises(ImuError, match=r'2 stamps.*\(1, 3\)'):
        imu_features(bad, ALL)


@pytest.mark.parametrize(('features', 'scales'), [
    (('yaw',), (1.0,)), (('gyro_x', 'gyro_x'), (1.0, 1.0)), (('gyro_x',), ()),
    (('gyro_x',), (0.0,)), (('gyro_x',), (-1.0,)), (('gyro_x',), (np.nan,)),
])
def test_a_spec_that_cannot_work_is_refused(features, scales):
    with pytest.raises(ImuError):
        ImuSpec(features, scales)


def test_a_spec_survives_its_dict():
    assert ImuSpec.from_dict(ALL.to_dict()) == ALL
    with pytest.raises(ImuError, match='features'):
        ImuSpec.from_dict({'features': []})


def test_the_window_is_open_at_its_start_and_closed_at_its_end():
    stamps = np.array([0, 10, 20, 30, 40], np.int64) * MS
    found = slice_window(
        stamps, np.zeros((5, 3)), np.zeros((5, 3)), after_ns=10 * MS, until_ns=30 * MS)
    assert found.stamps_ns.tolist() == [20 * MS, 30 * MS]


def test_samples_out_of_order_are_sorted():
    stamps = np.array([30, 10, 20], np.int64) * MS
    gyro = np.arange(9.0).reshape(3, 3)
    found = slice_window(stamps, gyro, gyro, after_ns=None, until_ns=30 * MS)
    assert found.stamps_ns.tolist() == [10 * MS, 20 * MS, 30 * MS]
    assert found.angular_velocity[:, 0].tolist() == [3.0, 6.0, 0.0]


@given(
    gaps=st.lists(st.integers(1, 30), min_size=1, max_size=80),
    frames=st.lists(st.integers(1, 250), min_size=1, max_size=12),
)
def test_a_running_buffer_gives_the_windows_of_the_whole_recording(gaps, frames):
    stamps = np.cumsum(np.array(gaps, np.int64)) * MS
    values = np.random.default_rng(len(gaps)).normal(size=(len(stamps), 6))
    buffer, fed, before = ImuBuffer(), 0, None
    for frame_ns in (np.cumsum(frames) * MS).tolist():
        while fed < len(stamps) and stamps[fed] <= frame_ns:
            buffer.append(int(stamps[fed]), values[fed, :3], values[fed, 3:])
            fed += 1
        found = buffer.window(after_ns=before, until_ns=frame_ns)
        start = max(frame_ns - LONGEST_WINDOW_NS, -1 if before is None else before)
        chosen = [i for i in range(len(stamps)) if start < stamps[i] <= frame_ns]
        assert found.stamps_ns.tolist() == stamps[chosen].tolist()
        assert found.angular_velocity.tolist() == values[chosen, :3].tolist()
        assert found.linear_acceleration.tolist() == values[chosen, 3:].tolist()
        before = frame_ns


def test_a_buffer_is_bounded_and_drops_another_time():
    buffer = ImuBuffer(capacity=10)
    for k in range(50):
        buffer.append(k * MS, (0, 0, 0), (0, 0, 0))
    assert len(buffer) == 10
    late = 50 * MS
    buffer.append(10_000 * MS, (0, 0, 0), (0, 0, 0))
    buffer.append(late, (1, 2, 3), (0, 0, 0))
    found = buffer.window(after_ns=None, until_ns=10_000 * MS)
    assert len(found.stamps_ns) == 0
    buffer.append(late, (1, 2, 3), (0, 0, 0))
    found = buffer.window(after_ns=None, until_ns=late)
    assert found.angular_velocity.tolist() == [[1, 2, 3]]
    buffer.clear()
    assert len(buffer) == 0
    with pytest.raises(ImuError, match='capacity'):
        ImuBuffer(capacity=0)
