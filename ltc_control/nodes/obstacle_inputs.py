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
"""What watches the path for the safety node: the newest few laser scans, echoes, depth images."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ltc_control.core.errors import ImageError
from ltc_control.core.obstacle import Returns, Sight
from ltc_control.core.returns import (
    check_field_of_view,
    points_of_cone,
    points_of_depth,
    points_of_scan,
    SensorPose,
)
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.aging import Arrived
from ltc_control.nodes.safety_parameters import SafetyParameters
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Image, LaserScan, Range


class ObstacleInputs:
    """
    Subscriptions to the sensors that have a topic, and their newest measurements.

    A measurement that says nothing (a covered lens) is not kept: its sensor falls silent. ``then``
    is called after each one that is kept.
    """

    def __init__(self, node: Node, told: SafetyParameters, *, then: Callable[[], None]) -> None:
        self._log, self._then = node.get_logger(), then
        self._kept: dict[str, deque[Arrived[Returns]]] = {}
        self._read_scan = _scan_reader(told)
        self._read_range = _range_reader(told)
        self._read_depth = _depth_reader(told)
        for name, kind, topic, read in (
                ('scan', LaserScan, told.scan_topic, self._read_scan),
                ('range', Range, told.range_topic, self._read_range),
                ('depth', Image, told.depth_topic, self._read_depth)):
            if topic:
                self._kept[name] = deque(maxlen=told.obstacle_of)
                node.create_subscription(
                    kind, topic, self._callback(name, read, told.obstacle_least),
                    qos.sensor(2, lockstep=told.lockstep))

    def _callback(self, name: str, read: Callable[[Any], np.ndarray | None], least: int,
                  ) -> Callable[[Any], None]:
        many = 1 if name == 'range' else least     # a sonar has but one echo

        def keep(message: Any) -> None:
            try:
                points = read(message)
            except ImageError as error:
                points = None
                self._log.error(f'{name}: {error}', throttle_duration_sec=2.0)
            if points is not None:
                stamp_ns = convert.stamp_ns(message.header.stamp)
                self._kept[name].append(Arrived.now(Returns(stamp_ns, points, many)))
                self._then()

        return keep

    @property
    def newest_ns(self) -> int | None:
        """Return the stamp up to which all sensors have spoken; None where there is no sensor."""
        if not self._kept:
            return None
        return min(kept[-1].value.stamp_ns if kept else 0 for kept in self._kept.values())

    def sight(self, *, now_ns: int | None, future_s: float) -> Sight | None:
        """
        Return what the gate shall know; None where there is no sensor.

        With ``now_ns`` the stamps say the true age on that clock, without it (lockstep) they are
        those of the headers.
        """
        if not self._kept:
            return None
        return {name: tuple(item.value if now_ns is None else
                            item.aged(now_ns, future_s=future_s) for item in kept)
                for name, kept in self._kept.items()}


def _scan_reader(told: SafetyParameters) -> Callable[[LaserScan], np.ndarray | None]:
    pose = SensorPose(told.scan_x, told.scan_y, yaw=told.scan_yaw)
    return lambda message: points_of_scan(
        np.asarray(message.ranges), angle_min=message.angle_min,
        angle_increment=message.angle_increment, range_min=message.range_min,
        range_max=message.range_max, pose=pose)


def _range_reader(told: SafetyParameters) -> Callable[[Range], np.ndarray | None]:
    pose = SensorPose(told.range_x, told.range_y, yaw=told.range_yaw)
    return lambda message: points_of_cone(
        message.range, field_of_view=message.field_of_view, range_min=message.min_range,
        range_max=message.max_range, pose=pose)


def _depth_reader(told: SafetyParameters) -> Callable[[Image], np.ndarray | None]:
    pose = SensorPose(told.depth_x, told.depth_y, told.depth_z, told.depth_yaw, told.depth_pitch)
    check_field_of_view(told.depth_fov)
    return lambda message: points_of_depth(
        convert.depth_from_image(message), field_of_view=told.depth_fov, pose=pose,
        low=told.obstacle_low_m, high=told.obstacle_high_m)
