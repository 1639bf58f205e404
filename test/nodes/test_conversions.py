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
"""Messages against their own wire format: what is written must come back, field by field."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control.core.contracts import (
    Command,
    Decision,
    Frame,
    InputCase,
    Odometry,
    Verdict,
)
from ltc_control.core.errors import ImageError
from ltc_control.core.neurons import neuron_names
from ltc_control.nodes import conversions as convert
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState

pytestmark = pytest.mark.ros

STAMPS = st.integers(0, (2**31 - 1) * 10**9 + 999_999_999)
FINITE = st.floats(-1e6, 1e6)


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


@given(STAMPS)
def test_stamps_keep_every_nanosecond(stamp: int) -> None:
    time = convert.time_message(stamp)
    assert (time.sec, time.nanosec) == (stamp // 10**9, stamp % 10**9)
    assert convert.stamp_ns(time) == stamp


def test_rgb8_goes_out_and_comes_back_as_the_same_bytes() -> None:
    rgb = np.random.default_rng(3).integers(0, 256, (66, 200, 3), np.uint8)
    out = convert.Rgb8Message(66, 200)
    message = over_the_wire(out.fill(Frame(7_000_000_009, rgb)))
    frame = convert.frame_from_image(message)
    assert frame.stamp_ns == 7_000_000_009
    assert frame.rgb.tobytes() == rgb.tobytes()
    assert (message.encoding, message.step) == ('rgb8', 600)
    # the buffer is reused: a message that was sent before must not change
    out.fill(Frame(8, np.zeros_like(rgb)))
    assert convert.frame_from_image(message).rgb.tobytes() == rgb.tobytes()


def test_bgr_and_padded_rows_are_read_by_hand() -> None:
    pixels = np.array([[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]], np.uint8)
    padded = b''.join(row[:, ::-1].tobytes() + b'\xee\xee' for row in pixels)
    message = Image(height=2, width=2, encoding='bgr8', step=8, data=padded)
    assert convert.frame_from_image(message).rgb.tolist() == pixels.tolist()


def test_an_error_names_what_was_got() -> None:
    with pytest.raises(ImageError, match='yuv422'):
        convert.frame_from_image(Image(height=1, width=1, encoding='yuv422', step=2, data=b'ab'))
    with pytest.raises(ImageError, match='4 bytes'):
        convert.frame_from_compressed(CompressedImage(format='jpeg', data=b'nope'))


@given(STAMPS, st.tuples(FINITE, FINITE, FINITE), st.tuples(FINITE, FINITE, FINITE))
def test_imu_samples_survive(stamp: int, gyro: tuple, accel: tuple) -> None:
    sample = convert.ImuSample(stamp, gyro, accel)
    assert convert.imu_sample(over_the_wire(convert.imu_message(sample))) == sample


def test_a_quantity_marked_as_not_estimated_is_not_a_zero() -> None:
    message = Imu()
    message.angular_velocity_covariance[0] = -1.0
    sample = convert.imu_sample(message)
    assert all(math.isnan(value) for value in sample.angular_velocity)
    assert sample.linear_acceleration == (0.0, 0.0, 0.0)
    assert convert.imu_message(sample).orientation_covariance[0] == -1.0


@given(STAMPS, st.floats(-0.2, 0.2), st.floats(0.1, 30.0))
def test_commands_survive_as_twists(stamp: int, curvature: float, speed: float) -> None:
    message = over_the_wire(convert.twist_from_command(Command(stamp, curvature, speed)))
    assert message.twist.angular.z == pytest.approx(speed * curvature, abs=1e-15)
    back = convert.command_from_twist(message)
    assert (back.stamp_ns, back.speed) == (stamp, speed)
    assert back.curvature == pytest.approx(curvature, abs=1e-15)


def test_left_is_positive_on_the_wire() -> None:
    message = convert.twist_from_command(Command(0, 0.05, 4.0))   # a left curve of 20 m radius
    assert message.twist.angular.z == pytest.approx(0.2)
    assert message.header.frame_id == 'base_link'


@given(STAMPS, FINITE, FINITE, st.floats(-3.1, 3.1), FINITE, FINITE)
def test_odometry_survives(stamp: int, x: float, y: float, yaw: float, speed: float,
                           rate: float) -> None:
    given_odometry = Odometry(stamp, x, y, yaw, speed, rate)
    back = convert.odometry_from_message(over_the_wire(convert.odometry_message(given_odometry)))
    assert (back.stamp_ns, back.x, back.y, back.speed, back.yaw_rate) == (stamp, x, y, speed, rate)
    assert back.yaw == pytest.approx(yaw, abs=1e-12)


def test_neurons_carry_names_states_and_time_constants() -> None:
    names = neuron_names({'inter': 2, 'motor': 1}, 4)
    assert names == ('motor_0', 'inter_0', 'inter_1', 'unit_3')  # the order of the state
    decision = Decision(Command(5, 0.0, 0.0), np.float32([0.5, -0.25, 0.125, 1.0]),
                        np.float32([0.25, 0.5, 1.0, 2.0]), InputCase.OK, 0.1)
    message = over_the_wire(convert.NeuronsMessage(names).fill(decision))
    assert isinstance(message, JointState)
    assert tuple(message.name) == names
    assert message.position.tolist() == [0.5, -0.25, 0.125, 1.0]
    assert message.effort.tolist() == [0.25, 0.5, 1.0, 2.0]
    assert convert.stamp_ns(message.header.stamp) == 5


@pytest.mark.parametrize('verdict', list(Verdict))
def test_every_verdict_survives_and_zeros_are_no_ok(verdict: Verdict) -> None:
    message = over_the_wire(convert.verdict_message(verdict, stamp_ns=12))
    assert convert.verdict_of(message) is verdict
    moves = verdict in (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN)
    assert (message.status[0].level == b'\x00') == moves


def test_lane_truth_and_points_survive() -> None:
    truth = convert.LaneTruth(9, 100.5, -0.25, 0.01)
    assert convert.lane_truth(over_the_wire(convert.lane_message(truth))) == truth
    point = over_the_wire(convert.point_message(Odometry(9, 1.5, -2.5, 0.0, 0.0, 0.0)))
    assert (point.point.x, point.point.y, point.header.frame_id) == (1.5, -2.5, 'odom')


def test_figures_of_one_node_are_not_those_of_another() -> None:
    both = convert.health_message('policy_node: policy', {'latency_ms_p50': 0.0}, stamp_ns=1)
    both.status += convert.health_message(
        'simulator_node: drive', {'latency_ms_p50': 7.5}, stamp_ns=1).status
    assert convert.health_values(both, sender='simulator_node') == {'latency_ms_p50': '7.5'}
    assert convert.health_values(both, sender='policy_node') == {'latency_ms_p50': '0.0'}
    assert convert.health_values(both, sender='nobody') == {}
