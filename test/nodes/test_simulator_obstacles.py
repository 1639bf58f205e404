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
"""The simulator node with obstacles: its scan as a message, and what may change while it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.nodes.simulator_node import SimulatorNode
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import LaserScan

pytestmark = [pytest.mark.ros, pytest.mark.gl]


def test_obstacles_are_scanned_and_taken_away_while_it_runs(stage: Any) -> None:
    ear = stage.listener()
    scans: list[LaserScan] = []
    ear.create_subscription(LaserScan, bringup.SCAN, scans.append, qos_profile_sensor_data)
    node = stage.add(SimulatorNode, obstacles='box:12', scan=True, speed=0.0)

    def ahead() -> float:
        return min(scans[-1].ranges[80:110])

    # face of the box at 12 - 0.6, scanner 2.2 m ahead of base_link, on a bend
    stage.spin_until(lambda: bool(scans) and abs(ahead() - 9.2) < 0.5)
    scan = scans[-1]
    assert scan.angle_min + scan.angle_increment * (len(scan.ranges) - 1) == pytest.approx(
        scan.angle_max, abs=1e-5)
    assert (scan.header.frame_id, scan.range_max) == ('laser', 40.0)
    assert np.isinf(scan.ranges).any()

    def change(**values: Any) -> list[bool]:
        return [result.successful for result in node.set_parameters(
            [Parameter(name, value=value) for name, value in values.items()])]

    assert change(obstacles='cow:12') == [False]
    assert change(obstacles='box:12 box:20') == [False]          # it was built with one
    assert change(track=7) == [False]                            # read-only
    assert change(obstacles='') == [True]
    stage.spin_until(lambda: ahead() > 12.0)
    assert change(obstacles='box:14') == [True]
    stage.spin_until(lambda: abs(ahead() - 11.2) < 0.5)
    stage.spin_until(lambda: 'cpu_percent' in ear.health.get('simulator_node: drive', {}))
    assert ear.health['simulator_node: drive']['collisions'] == '0'
