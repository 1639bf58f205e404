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
"""
What a broken sensor does to a real policy and a real safety node, over real DDS.

The rule judged here: from the moment that the newest sound frame is older than 0.2 s, every
command to the car is zero, commands go on being published, and the car moves again once the
sensor is well.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

from ltc_control.nodes import conversions as convert
from ltc_control.nodes.policy_node import PolicyNode
from ltc_control.nodes.safety_node import SafetyNode
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros

STALE_S = 0.2
SLACK_S = 0.3                              # a busy machine between publishing and hearing
NAN = float('nan')


@pytest.fixture
def vehicle(stage: Any, model: Any) -> Any:
    stage.add(SafetyNode)
    stage.add(PolicyNode, model=str(model))
    return stage.vehicle()


def image_with(**changes: Any) -> Any:
    """Return a source of images that are good but for ``changes``."""
    def make(stamp_ns: int) -> Image:
        fields = {'height': 66, 'width': 200, 'encoding': 'rgb8', 'step': 600,
                  'data': bytes(66 * 600), **changes}
        message = Image(**fields)
        message.header.stamp = convert.time_message(stamp_ns)
        return message
    return make


BAD_IMAGES = {
    'encoding': image_with(encoding='yuv422'),
    'data shorter than step * height': image_with(data=bytes(100)),
    'step shorter than a row': image_with(step=200, data=bytes(66 * 200)),
    'step with other data': image_with(step=601),
    'no pixels': image_with(height=0, width=0, step=0, data=b''),
    'height of another image': image_with(height=67),
}


def assert_stands_still_then_recovers(vehicle: Any, *, after_s: float = STALE_S,
                                      **fault: Any) -> None:
    """Drive; break what ``fault`` names until ten late commands were heard; drive again."""
    vehicle.play_until_moving()
    start = time.time()
    late: list[Any] = []
    while len(late) < 10:
        assert time.time() < start + 20, 'silence is not a stop'
        vehicle.play(0.2, **fault)
        late = [c for c in vehicle.commands if c.at > start + after_s + SLACK_S]
    assert {(command.speed, command.yaw_rate) for command in late} == {(0.0, 0.0)}
    vehicle.play_until_moving()


def play_until_reported(vehicle: Any, key: str, count: int) -> None:
    """Drive until the policy node's diagnostics count ``key`` up to ``count``."""
    deadline = time.monotonic() + 10
    while int(vehicle.health.get('policy_node: input', {}).get(key, 0)) < count:
        assert time.monotonic() < deadline, vehicle.health
        vehicle.play(0.2)


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_unusable_images_stop_the_car_and_are_counted(vehicle: Any, name: str) -> None:
    assert_stands_still_then_recovers(vehicle, image=BAD_IMAGES[name])
    assert 'stale' in vehicle.verdicts
    play_until_reported(vehicle, 'refused_image', 5)
    assert 'refused' in vehicle.warnings['policy_node: input']


def test_a_camera_that_stops_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, image=lambda _: None)


def test_a_camera_that_repeats_its_stamp_stops_the_car(vehicle: Any) -> None:
    vehicle.play_until_moving()
    frozen_ns = time.time_ns()
    assert_stands_still_then_recovers(vehicle, image=lambda _: vehicle.good_image(frozen_ns))
    play_until_reported(vehicle, 'case_repeated_frame', 5)


@pytest.mark.parametrize('seconds', [-10.0, 10.0])
def test_a_camera_clock_that_jumps_stops_the_car(vehicle: Any, seconds: float) -> None:
    shift = int(seconds * 1e9)
    assert_stands_still_then_recovers(
        vehicle, image=lambda now: vehicle.good_image(now + shift),
        imu=lambda now: vehicle.send_imu(now + shift))


def test_a_camera_that_stutters_moves_the_car_only_on_fresh_frames(vehicle: Any) -> None:
    vehicle.play_until_moving()
    start = time.time()
    for _ in range(4):
        vehicle.play(0.02)
        vehicle.play(0.5, image=lambda _: None)
    heard = [command for command in vehicle.commands if command.at > start + STALE_S]
    moving = [command for command in heard if command.speed > 0]
    assert len(moving) >= 4
    assert len(heard) - len(moving) > 10
    assert max(command.at - command.stamp_ns * 1e-9 for command in moving) < STALE_S + SLACK_S


@pytest.mark.parametrize('gyro', [(0.0, 0.0, NAN), (float('inf'), 0.0, 0.0)])
def test_an_imu_that_is_not_finite_stops_the_car(vehicle: Any, gyro: Any) -> None:
    assert_stands_still_then_recovers(vehicle, imu=lambda now: vehicle.send_imu(now, gyro))
    play_until_reported(vehicle, 'case_bad_imu', 5)


def test_an_imu_that_is_missing_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, imu=lambda _: None)
    play_until_reported(vehicle, 'refused_imu', 5)


def test_odometry_that_stops_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, odometry=False, after_s=0.5)
    assert 'no_telemetry' in vehicle.verdicts


def frozen_image(stamp_ns: int) -> Image:
    """Return the same picture each time, stamped anew."""
    return image_with()(stamp_ns)


def test_a_frozen_camera_on_the_move_is_standstill_until_it_thaws(vehicle: Any) -> None:
    """It takes a second of frames and a smooth stop, and longer where a busy machine is late."""
    vehicle.play_until_moving()
    start, deadline = len(vehicle.commands), time.monotonic() + 30

    def stands() -> bool:
        last = vehicle.commands[start:][-10:]
        told = vehicle.health.get('policy_node: input', {})
        return (len(last) == 10 and not any(c.speed or c.yaw_rate for c in last)
                and int(told.get('frozen', 0)) > 0)

    while not stands():
        assert time.monotonic() < deadline, 'the car drives on with a frozen camera'
        vehicle.play(0.2, image=frozen_image)
    vehicle.play_until_moving()
