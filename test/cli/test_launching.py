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
Every launch file: as data here, and handed to the real launch where ``launch_ros`` is installed.

``launch`` alone may be our own folder of that name, so ``launch_ros`` is what is asked for.
"""

from __future__ import annotations

import ast
import importlib.util
import os
from pathlib import Path
import shutil
import subprocess
import sys
from typing import Any

from ltc_control import bringup
from ltc_control.launches import LAUNCHES
import pytest
import yaml

ROOT = Path(bringup.__file__).resolve().parents[1]
HAS_LAUNCH = importlib.util.find_spec('launch_ros') is not None
real_launch = pytest.mark.skipif(not HAS_LAUNCH, reason='launch_ros is not installed: '
                                 'source a ROS 2 install')


def plan(name: str, **given: str) -> tuple[Any, ...]:
    return LAUNCHES[name].nodes(LAUNCHES[name].told(given))


def names(nodes: tuple[Any, ...]) -> list[str]:
    return [node.name for node in nodes]


def test_every_launch_file_is_thin_and_has_its_data() -> None:
    files = {path.name.removesuffix('_launch.py') for path in (ROOT / 'launch').glob('*.py')}
    assert files == LAUNCHES.keys()
    for name in files:
        source = (ROOT / 'launch' / f'{name}_launch.py').read_text()
        assert f"describe('{name}')" in source
        assert len(ast.parse(source).body) == 3
        assert LAUNCHES[name].text in source


@pytest.mark.parametrize('name', LAUNCHES)
def test_every_argument_is_described_and_its_default_is_a_choice(name: str) -> None:
    arguments = LAUNCHES[name].arguments
    assert len({item.name for item in arguments}) == len(arguments)
    for item in arguments:
        assert len(item.text) > 8, item.name
        assert not item.choices or item.default in item.choices
    assert {'namespace', 'parameters', 'log_level', 'respawn'} <= {one.name for one in arguments}


def test_a_vehicle_is_policy_safety_and_a_manager() -> None:
    assert names(plan('vehicle')) == ['policy_node', 'safety_node', 'manager_node']
    assert names(plan('vehicle', manager='false', record='bag')) == [
        'policy_node', 'safety_node', 'recorder_node']
    assert all(node.parameters.get('use_sim_time') for node in plan(
        'vehicle', use_sim_time='true'))
    assert not any(node.respawn for node in plan('vehicle', respawn='false'))


def test_the_camera_can_be_named_raw_and_compressed() -> None:
    policy = plan('vehicle', camera='/front/image_raw', image_transport='compressed')[0]
    assert policy.remaps == {bringup.CAMERA: '/front/image_raw',
                             bringup.CAMERA + '/compressed': '/front/image_raw/compressed'}
    assert policy.parameters['image_transport'] == 'compressed'


def test_two_vehicles_share_no_topic() -> None:
    left, right = (plan('vehicle', namespace=name) for name in ('left', 'right'))
    for a, b in zip(left, right, strict=True):
        assert a.full_name != b.full_name
        assert not set(a.remaps.values()) & set(b.remaps.values())


def test_lockstep_is_not_supervised_and_a_live_drive_is() -> None:
    live, step = plan('drive'), plan('drive', lockstep='true')
    assert names(live) == ['simulator_node', 'policy_node', 'safety_node', 'manager_node']
    assert names(step) == ['simulator_node', 'policy_node', 'safety_node']
    assert not any(node.respawn for node in step)
    assert LAUNCHES['drive'].leader == 'simulator_node'


def test_a_drone_flies_behind_mavros_or_in_the_embedded_simulator() -> None:
    real = plan('drone', output_frame='map', record='b')
    assert names(real) == ['policy_node', 'flight_safety_node', 'recorder_node', 'manager_node']
    assert real[1].remaps == bringup.MAVROS
    assert real[1].parameters['output_frame'] == 'map'
    assert real[0].parameters['vehicle'] == 'drone'
    assert plan('drone', odom='/odom')[1].remaps[bringup.COMMAND].startswith('/mavros/')
    assert bringup.ODOMETRY not in plan('drone', odom='/odom')[1].remaps
    simulated = plan('drone', simulate='true', task='follow', episode='7')
    assert names(simulated) == ['simulator_node', 'policy_node', 'flight_safety_node',
                                'manager_node']
    assert simulated[0].parameters['task'] == 'follow'
    parameters = next(one for one in LAUNCHES['drone'].arguments if one.name == 'parameters')
    assert parameters.default.endswith('config/drone.yaml')


def test_gazebo_has_a_car_and_a_drone() -> None:
    for vehicle, safety, bridge in (('car', 'safety_node', 'gazebo_bridge.yaml'),
                                    ('drone', 'flight_safety_node',
                                     'gazebo_bridge_quadrotor.yaml')):
        told = LAUNCHES['gazebo'].told({'world': 'w.sdf', 'vehicle': vehicle})
        nodes = LAUNCHES['gazebo'].nodes(told)
        assert names(nodes) == ['policy_node', safety, 'manager_node']
        assert not nodes[1].remaps, 'the bridge gives the usual names'
        assert LAUNCHES['gazebo'].programs(told)[1].parameters['config_file'].endswith(bridge)
        assert Path(nodes[0].parameters['model']).name == {
            'car': 'car_lane', 'drone': 'drone_target'}[vehicle]


def test_the_drone_has_parameters_that_exist() -> None:
    from dataclasses import fields

    from ltc_control.nodes.parameters import PolicyParameters
    from ltc_control.nodes.safety_parameters import FlightSafetyParameters
    told = yaml.safe_load((ROOT / 'config' / 'drone.yaml').read_text())
    for node, table in (('policy_node', PolicyParameters),
                        ('flight_safety_node', FlightSafetyParameters)):
        given = told[f'/**/{node}']['ros__parameters']
        defaults = {item.name: item.default for item in fields(table)}
        assert given.items() <= defaults.items()


def test_gazebo_starts_the_world_and_the_bridge_on_simulated_time() -> None:
    told = LAUNCHES['gazebo'].told({'world': 'w.sdf', 'headless': 'true'})
    gazebo, bridge = LAUNCHES['gazebo'].programs(told)
    assert gazebo.command == ('gz', 'sim', '-r', '-s', '--headless-rendering', 'w.sdf')
    assert gazebo.ends_all
    older, _ = LAUNCHES['gazebo'].programs({**told, 'gazebo': 'fortress'})
    assert older.command[:2] == ('ign', 'gazebo')
    assert bridge.package == 'ros_gz_bridge'
    assert Path(bridge.parameters['config_file']).is_file()
    assert all(node.parameters['use_sim_time'] for node in LAUNCHES['gazebo'].nodes(told))


def test_a_recorder_alone_records_what_it_is_told() -> None:
    recorder, = plan('record', bag='b', topics='/a,/b')
    assert recorder.parameters['topics'] == '/a,/b'
    assert bringup.CAMERA in plan('record')[0].parameters['topics']


@real_launch
@pytest.mark.parametrize('name', LAUNCHES)
def test_the_real_launch_reads_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch_ros.actions import Node

    spec = importlib.util.spec_from_file_location('launch_file',
                                                  ROOT / 'launch' / f'{name}_launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    description = module.generate_launch_description()
    arguments = [item for item in description.entities if isinstance(item, DeclareLaunchArgument)]
    assert [item.name for item in arguments] == [one.name for one in LAUNCHES[name].arguments]
    context = LaunchContext()
    for item in arguments:
        item.execute(context)
    context.launch_configurations['world'] = 'w.sdf'
    starter = next(item for item in description.entities if isinstance(item, OpaqueFunction))
    actions = starter.execute(context)
    nodes = [item for item in actions if isinstance(item, Node)]
    wanted = len(LAUNCHES[name].nodes(LAUNCHES[name].told({'world': 'w.sdf'})))
    assert len(nodes) == wanted + (name == 'gazebo')


@real_launch
@pytest.mark.skipif(shutil.which('ros2') is None, reason='ros2 is not installed: source a ROS 2 '
                                                         'install')
@pytest.mark.parametrize('name', LAUNCHES)
def test_ros2_launch_shows_every_argument(name: str) -> None:
    environment = {**os.environ, 'AMENT_PREFIX_PATH': os.environ.get('AMENT_PREFIX_PATH',
                                                                     sys.prefix)}
    done = subprocess.run(['ros2', 'launch', str(ROOT / 'launch' / f'{name}_launch.py'),
                           '--show-args'], capture_output=True, text=True, timeout=300,
                          env=environment, check=False)
    assert done.returncode == 0, done.stderr
    for item in LAUNCHES[name].arguments:
        assert f"'{item.name}':" in done.stdout
        assert item.text.split()[0] in done.stdout
