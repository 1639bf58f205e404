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
"""The doctor's look at ROS: variables that do not fit, and topics of a real publisher."""

from __future__ import annotations

import json
import os
from pathlib import Path
import subprocess
import sys

from ltc_control import bringup
from ltc_control.cli.doctor_ros import environment, judged, PROFILES
from ltc_control.cli.processes import choose_domain, profile_variable, ros_environment
import pytest


@pytest.mark.parametrize(('variables', 'state', 'word'), [
    ({}, 'ok', 'domain 0'),
    ({'ROS_DOMAIN_ID': '7'}, 'ok', 'domain 7'),
    ({'ROS_DOMAIN_ID': '120'}, 'warning', 'domain 120'),
    ({'ROS_DOMAIN_ID': '233'}, 'failed', '233'),
    ({'ROS_DOMAIN_ID': 'seven'}, 'failed', 'seven'),
])
def test_the_domain_is_judged(variables: dict[str, str], state: str, word: str) -> None:
    found, = environment(variables)
    assert (found.state, word in found.text) == (state, True)
    assert bool(found.advice) == (state != 'ok')


@pytest.mark.parametrize(('variable', 'value'), [('RMW_IMPLEMENTATION', 'rmw_none_cpp'),
                                                 ('ROS_DOMAIN_ID', 'abc')])
def test_a_wrong_variable_is_named_and_ends_nothing(variable: str, value: str) -> None:
    """rclpy would end the process without a word of advice; both checks speak before it does."""
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.cli.main', 'doctor', '--only', 'domain', 'topics',
         '--json'], env={**os.environ, variable: value}, capture_output=True, text=True,
        timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    domain, topics = json.loads(done.stdout)['checks']
    assert domain['state'] == topics['state'] == 'failed'
    assert variable in domain['text']
    assert variable in topics['advice']


def test_wheels_and_a_sourced_install_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / 'lib' / 'python3.11' / 'site-packages' / 'rclpy').mkdir(parents=True)
    sourced = {'AMENT_PREFIX_PATH': '/opt/ros/jazzy'}
    found, = environment(sourced, prefix=str(tmp_path))
    assert found.state == 'failed'
    assert environment(sourced, prefix=str(tmp_path / 'other'))[0].state == 'ok'


def test_the_profile_of_another_distribution_is_pointed_out() -> None:
    wrong = next(name for name in PROFILES if name != profile_variable())
    found, = environment({wrong: 'config/fastdds.xml'})
    assert found.state == 'warning'
    assert profile_variable() in found.advice
    found, = environment({profile_variable(): 'nowhere.xml'})
    assert (found.state, 'nowhere.xml' in found.text) == ('warning', True)


def test_a_topic_is_judged_by_type_and_rate() -> None:
    image = ['sensor_msgs/msg/Image']
    assert judged(bringup.CAMERA, 30.0, {bringup.CAMERA: image}).state == 'ok'
    assert judged(bringup.CAMERA, 3.0, {bringup.CAMERA: image}).state == 'warning'
    assert judged(bringup.CAMERA, 30.0, {bringup.CAMERA: ['std_msgs/msg/Bool']}).state == 'failed'
    missing = judged(bringup.CAMERA, None, {'/front/image_raw': image})
    assert missing.state == 'warning'
    assert 'vehicle_launch.py camera:=/front/image_raw' in missing.advice
    odometry = {'/mavros/local_position/odom': ['nav_msgs/msg/Odometry']}
    assert 'drone_launch.py odom:=/mavros' in judged(bringup.ODOMETRY, None, odometry).advice


@pytest.mark.ros
def test_a_vehicle_in_this_domain_is_found(tmp_path: Path) -> None:
    pytest.importorskip('rclpy')
    publisher = (
        'import rclpy\n'
        'from rclpy.qos import qos_profile_sensor_data\n'
        'from sensor_msgs.msg import Imu\n'
        'rclpy.init()\n'
        'node = rclpy.create_node("imu")\n'
        f'out = node.create_publisher(Imu, {bringup.IMU!r}, qos_profile_sensor_data)\n'
        'node.create_timer(0.005, lambda: out.publish(Imu()))\n'
        'print("there", flush=True)\n'
        'rclpy.spin(node)\n')
    variables = ros_environment(domain=choose_domain(None), logs=tmp_path, participants=2)
    with subprocess.Popen([sys.executable, '-c', publisher], stdout=subprocess.PIPE,
                          env=variables, text=True) as vehicle:
        try:
            assert vehicle.stdout.readline() == 'there\n'
            found = doctor(variables)
        finally:
            vehicle.kill()
    assert found[f'topics {bringup.IMU}']['state'] in ('ok', 'warning')
    assert 'Hz' in found[f'topics {bringup.IMU}']['text']
    assert 'nobody publishes' in found[f'topics {bringup.CAMERA}']['text']


def doctor(variables: dict[str, str]) -> dict[str, dict[str, str]]:
    done = subprocess.run([sys.executable, '-m', 'ltc_control.cli.main', 'doctor', '--only',
                           'topics', '--json'], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **variables}, check=False)
    return {one['name']: one for one in json.loads(done.stdout)['checks']}
