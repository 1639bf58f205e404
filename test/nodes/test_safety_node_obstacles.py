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
"""Sensors that watch the path, as messages: the car slows, stops and goes on."""

from __future__ import annotations

import array
from collections.abc import Callable
import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.core.contracts import Command
from ltc_control.core.errors import ImageError
from ltc_control.core.obstacle import ObstacleConfig, speed_bound
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.safety_node import SafetyNode
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image, LaserScan, Range

pytestmark = pytest.mark.ros
FRONT = ObstacleConfig().front_m


def scan(way: float) -> LaserScan:
    """Return a wall ``way`` metres ahead of the bumper, across the road; inf: none."""
    angles = np.linspace(-1.0, 1.0, 101)
    ranges = (way + FRONT - 2.0) / np.cos(angles)                # the scanner sits 2 m ahead
    return convert.scan_message(ranges, stamp_ns=0, angle_min=-1.0, angle_max=1.0,
                                range_min=0.1, range_max=50.0)


def sonar(way: float) -> Range:
    return Range(field_of_view=0.3, min_range=0.1, max_range=40.0, range=way)


def depth(way: float) -> Image:
    """Return a wall that fills the picture of a camera 1.5 m up, in millimetres."""
    pixels = np.full((48, 64), 0 if math.isinf(way) else round(1000 * (way + FRONT)), np.uint16)
    rows, focal = np.arange(40, 48), 32 / math.tan(0.5)
    pixels[40:] = (1500 * focal / (rows + 0.5 - 24))[:, None]    # the road is always there
    message = Image(height=48, width=64, encoding='16UC1', step=128)
    message.data = array.array('B', pixels.tobytes())
    return message


SENSORS = {
    'scan': (LaserScan, scan, {'scan_topic': bringup.SCAN, 'scan_x': 2.0}),
    'range': (Range, sonar, {'range_topic': bringup.RANGE, 'range_x': FRONT}),
    'depth': (Image, depth, {'depth_topic': bringup.DEPTH, 'depth_z': 1.5, 'depth_fov': 1.0}),
}


def drive_until(vehicle: Any, condition: Callable[[], bool],
                sense: Callable[[int], None] = lambda now: None) -> None:
    """Ask for 5 m/s straight on at 30 Hz, let a sensor speak, until ``condition``."""
    def both(now: int) -> None:
        vehicle.request_out.publish(convert.twist_from_command(Command(now, 0.0, 5.0)))
        sense(now)

    vehicle.play_until(condition, image=lambda _: None, imu=both)


@pytest.mark.parametrize('name', SENSORS)
def test_a_car_slows_stops_and_goes_on(stage: Any, name: str) -> None:
    kind, make, parameters = SENSORS[name]
    stage.add(SafetyNode, **parameters)
    vehicle = stage.vehicle()
    out = vehicle.create_publisher(kind, next(iter(parameters.values())),
                                   qos_profile_sensor_data)

    def ahead(way: float) -> Callable[[int], None]:
        def speak(now: int) -> None:
            message = make(way)
            message.header.stamp = convert.time_message(now)
            out.publish(message)
        return speak

    def says(*verdicts: str, low: float = 0.0, high: float = math.inf) -> Callable[[], bool]:
        """Return whether the newest verdict is one of these, the newest speed in this range."""
        return lambda: (bool(vehicle.verdicts) and vehicle.verdicts[-1] in verdicts
                        and low <= vehicle.commands[-1].speed <= high)

    drive_until(vehicle, says('obstacle_blind', high=0.0))       # not a word yet: stand
    drive_until(vehicle, says('pass'), ahead(math.inf))
    # odometry says 5 m/s, which is made up for as long as the measurement counts
    slow, fast = (speed_bound(way, ObstacleConfig())
                  for way in (6.0 - 5.0 * ObstacleConfig().stale_s, 6.1))
    drive_until(vehicle, says('obstacle_slow', low=slow, high=fast), ahead(6.0))
    drive_until(vehicle, says('obstacle_stop', high=0.0), ahead(1.5))
    drive_until(vehicle, says('pass', 'limited'), ahead(math.inf))
    drive_until(vehicle, says('obstacle_blind', high=0.0))       # the sensor dies: stand


def test_words_tell_what_is_ahead(stage: Any) -> None:
    stage.add(SafetyNode, scan_topic=bringup.SCAN, scan_x=2.0)
    vehicle = stage.vehicle()
    out = vehicle.create_publisher(LaserScan, bringup.SCAN, qos_profile_sensor_data)
    told: list[dict[str, str]] = []
    from diagnostic_msgs.msg import DiagnosticArray
    vehicle.create_subscription(DiagnosticArray, bringup.VERDICT,
                                lambda m: told.append(convert.health_values(m)), 10)

    def speak(now: int) -> None:
        message = scan(1.5)
        message.header.stamp = convert.time_message(now)
        out.publish(message)

    drive_until(vehicle, lambda: any('from the bumper' in one['reason']
                                     and one['in_command'] == 'policy' for one in told), speak)
    drive_until(vehicle, lambda: float(vehicle.health.get(
        'safety_node: gate', {}).get('obstacle_m', 'inf')) <= 1.5, speak)


def test_lockstep_waits_for_the_scan_of_the_same_moment(stage: Any) -> None:
    stage.add(SafetyNode, lockstep=True, scan_topic=bringup.SCAN, scan_x=2.0)
    vehicle = stage.vehicle()
    from nav_msgs.msg import Odometry as OdometryMessage
    vehicle.odometry_out = vehicle.create_publisher(OdometryMessage, bringup.ODOMETRY, 10)
    out = vehicle.create_publisher(LaserScan, bringup.SCAN, 10)
    stage.spin_until(lambda: vehicle.odometry_out.get_subscription_count() == 1
                     and out.get_subscription_count() == 1
                     and vehicle.request_out.get_subscription_count() == 2)
    for stamp in range(1_000_000_000, 1_200_000_000, 33_333_333):
        vehicle.request_out.publish(convert.twist_from_command(Command(stamp, 0.0, 5.0)))
        vehicle.send_odometry(stamp)
        stage.spin(0.05)
        assert not any(command.stamp_ns == stamp for command in vehicle.commands)
        message = scan(math.inf)
        message.header.stamp = convert.time_message(stamp)
        out.publish(message)
        stage.spin_until(lambda wanted=stamp: vehicle.commands
                         and vehicle.commands[-1].stamp_ns == wanted)
    assert vehicle.commands[-1].speed > 0


@pytest.mark.parametrize(('encoding', 'dtype', 'scale', 'big'), [
    ('32FC1', 'f4', 1.0, 0), ('16UC1', 'u2', 0.001, 0), ('16UC1', 'u2', 0.001, 1)])
def test_depth_images_are_read_with_their_rows_padded(encoding: str, dtype: str, scale: float,
                                                      big: int) -> None:
    values = np.arange(1, 13).reshape(3, 4) * 100
    padded = np.zeros((3, 6), ('>' if big else '<') + dtype)
    padded[:, :4] = values
    message = Image(height=3, width=4, encoding=encoding, is_bigendian=big,
                    step=padded.strides[0])
    message.data = array.array('B', padded.tobytes())
    assert convert.depth_from_image(message) == pytest.approx(values * scale)
    message.data = message.data[:-1]
    with pytest.raises(ImageError):
        convert.depth_from_image(message)
    message.encoding = 'rgb8'
    with pytest.raises(ImageError):
        convert.depth_from_image(message)
