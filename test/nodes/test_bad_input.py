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
sensor is well. Times are those at which safety sent: when a busy machine lets a test hear is
another matter.
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
SLACK_S = 0.1                              # some ticks of safety
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
                                      counted: str = '', verdict: str = '', **fault: Any) -> None:
    """
    Drive; break what ``fault`` names; drive again.

    It stays broken until ten late commands were heard, and where they are named: until the
    policy node's diagnostics count five of ``counted``, and safety gave ``verdict``.
    """
    vehicle.play_until_moving()
    start, before = time.time(), len(vehicle.verdicts)

    def late() -> list[Any]:
        # the first may have been judged in time, and the machine stood still before it was sent
        return [c for c in vehicle.commands if c.sent > start + after_s + SLACK_S][1:]

    vehicle.play_until(lambda: len(late()) >= 10
                       and (not counted or count_of(vehicle, counted) >= 5)
                       and (not verdict or verdict in vehicle.verdicts[before:]), **fault)
    assert {(command.speed, command.yaw_rate) for command in late()} == {(0.0, 0.0)}
    vehicle.play_until_moving()


def count_of(vehicle: Any, key: str) -> int:
    """Return what the policy node's diagnostics told last."""
    return int(vehicle.health.get('policy_node: input', {}).get(key, 0))


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_unusable_images_stop_the_car_and_are_counted(vehicle: Any, name: str) -> None:
    assert_stands_still_then_recovers(vehicle, image=BAD_IMAGES[name], counted='refused_image',
                                      verdict='stale')
    assert 'refused' in vehicle.warnings['policy_node: input']


def test_a_camera_that_stops_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, image=lambda _: None)


def test_a_camera_that_repeats_its_stamp_stops_the_car(vehicle: Any) -> None:
    vehicle.play_until_moving()
    frozen_ns = time.time_ns()
    assert_stands_still_then_recovers(vehicle, image=lambda _: vehicle.good_image(frozen_ns),
                                      counted='case_repeated_frame')


@pytest.mark.parametrize('seconds', [-10.0, 10.0])
def test_a_camera_clock_that_jumps_stops_the_car(vehicle: Any, seconds: float) -> None:
    shift = int(seconds * 1e9)
    assert_stands_still_then_recovers(
        vehicle, image=lambda now: vehicle.good_image(now + shift),
        imu=lambda now: vehicle.send_imu(now + shift))


def test_a_camera_that_stutters_moves_the_car_only_on_fresh_frames(vehicle: Any) -> None:
    vehicle.play_until_moving()
    start = len(vehicle.commands)
    for _ in range(4):
        vehicle.play_until(lambda: vehicle.commands[-1].speed == 0.0, image=lambda _: None)
        vehicle.play_until_moving()
    assert not vehicle.overdue(since=start, oldest_s=STALE_S + SLACK_S)


@pytest.mark.parametrize('gyro', [(0.0, 0.0, NAN), (float('inf'), 0.0, 0.0)])
def test_an_imu_that_is_not_finite_stops_the_car(vehicle: Any, gyro: Any) -> None:
    assert_stands_still_then_recovers(vehicle, imu=lambda now: vehicle.send_imu(now, gyro),
                                      counted='case_bad_imu')


def test_an_imu_that_is_missing_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, imu=lambda _: None, counted='refused_imu')


def test_odometry_that_stops_stops_the_car(vehicle: Any) -> None:
    assert_stands_still_then_recovers(vehicle, odometry=False, after_s=0.5,
                                      verdict='no_telemetry')


def frozen_image(stamp_ns: int) -> Image:
    """Return the same picture each time, stamped anew."""
    return image_with()(stamp_ns)


def test_a_frozen_camera_on_the_move_is_standstill_until_it_thaws(vehicle: Any) -> None:
    """It takes a second of frames and a smooth stop, and longer where a busy machine is late."""
    vehicle.play_until_moving()
    start = len(vehicle.commands)

    def stands() -> bool:
        last = vehicle.commands[start:][-10:]
        told = vehicle.health.get('policy_node: input', {})
        return (len(last) == 10 and not any(c.speed or c.yaw_rate for c in last)
                and int(told.get('frozen', 0)) > 0)

    vehicle.play_until(stands, image=frozen_image)
    vehicle.play_until_moving()
