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
"""The system as data: names that exist, partners that add up, no import of the project."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

from ltc_control import bringup
import pytest
import yaml

ROOT = Path(bringup.__file__).resolve().parents[1]
SYSTEMS = {
    'live': bringup.simulated_car(model='m', track=1, bag='b'),
    'lockstep': bringup.simulated_car(model='m', track=1, lockstep=True, bag='b'),
    'no bag': bringup.simulated_car(model='m', track=1),
    'car': bringup.real_car(model='m', bag='b'),
}


def test_it_imports_nothing_of_the_project_nor_of_ros() -> None:
    tree = ast.parse(Path(bringup.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names <= {'__future__', 'json', 'os', 'sys', 'collections.abc', 'dataclasses',
                     'pathlib', 'yaml'}


@pytest.mark.parametrize('name', SYSTEMS)
def test_every_node_is_a_module_and_an_entry_point(name: str) -> None:
    setup = (ROOT / 'setup.py').read_text()
    for node in SYSTEMS[name]:
        assert importlib.util.find_spec(node.module) is not None
        assert f"'{node.executable}'" in setup


def test_partners_add_up() -> None:
    told = {node.name: node.parameters['expect'].split() for node in SYSTEMS['live']}
    assert 'publisher:/camera/image_raw:2' in told['simulator_node']       # policy, recorder
    assert 'subscription:/cmd_vel:1' in told['simulator_node']
    assert 'publisher:/policy/command:2' in told['policy_node']            # safety, recorder
    assert 'publisher:/cmd_vel:2' in told['safety_node']
    alone = {node.name: node.parameters['expect'].split() for node in SYSTEMS['no bag']}
    assert 'publisher:/camera/image_raw:1' in alone['simulator_node']
    assert not any('/policy/neurons' in word for word in alone['policy_node'])


def test_the_leader_awaits_all_others() -> None:
    leader, *others = SYSTEMS['live']
    assert leader.parameters['wait_for'].split() == [node.name for node in others]
    assert not any('wait_for' in node.parameters for node in others)


def test_only_safety_speaks_to_the_car() -> None:
    for system in SYSTEMS.values():
        speakers = [node.name for node in system if bringup.COMMAND in node.publishes]
        assert speakers in (['safety_node'], [])


def test_only_lockstep_owns_the_clock() -> None:
    clocks = {name: any(bringup.CLOCK in node.publishes for node in system)
              for name, system in SYSTEMS.items()}
    assert clocks == {'live': False, 'lockstep': True, 'no bag': False, 'car': False}
    for node in SYSTEMS['live']:
        assert node.parameters.get('use_sim_time', False) is False


def test_a_real_car_is_remapped_and_its_recorder_follows() -> None:
    system = bringup.real_car(model='m', bag='b', remaps={
        bringup.CAMERA: '/front/image', bringup.IMU: bringup.IMU})
    policy, _, recorder = system
    assert policy.remaps == {bringup.CAMERA: '/front/image'}
    assert '/front/image' in recorder.parameters['topics'].split(',')
    assert bringup.CAMERA not in recorder.parameters['topics'].split(',')


def test_the_parameter_file_holds_plain_values() -> None:
    text = yaml.safe_dump(bringup.parameter_sections(SYSTEMS['lockstep']))
    sections = yaml.safe_load(text)
    assert sections['safety_node']['ros__parameters']['lockstep'] is True
    assert sections['simulator_node']['ros__parameters']['track'] == 1


def test_the_parameters_of_the_car_are_known_to_its_nodes() -> None:
    pytest.importorskip('rclpy')
    from dataclasses import fields

    from ltc_control.nodes.parameters import PolicyParameters
    from ltc_control.nodes.safety_parameters import SafetyParameters
    sections = yaml.safe_load((ROOT / 'config' / 'car.yaml').read_text())
    tables = {'policy_node': PolicyParameters, 'safety_node': SafetyParameters}
    assert sections.keys() == {f'/**/{name}' for name in tables}, 'for any namespace'
    for name, table in tables.items():
        defaults = {item.name: item.default for item in fields(table)}
        told = sections[f'/**/{name}']['ros__parameters']
        assert told == {key: defaults[key] for key in told}, 'car.yaml says what the default is'


def test_a_namespace_moves_every_name_and_leaves_the_clock() -> None:
    left = {node.name: node for node in bringup.namespaced(SYSTEMS['live'], '/left')}
    assert left['policy_node'].full_name == '/left/policy_node'
    remaps = left['policy_node'].remaps
    assert remaps[bringup.CAMERA] == '/left/camera/image_raw'
    assert not {bringup.CLOCK, bringup.DIAGNOSTICS} & remaps.keys()
    names = {value for name, value in vars(bringup).items() if name.isupper()
             and isinstance(value, str) and value.startswith('/')}
    assert names - {bringup.CLOCK, bringup.DIAGNOSTICS} <= set(bringup.NAMES)
    assert '__ns:=/left' in bringup.ros_arguments(left['policy_node'])
    assert '/left/policy_node' in bringup.parameter_sections(tuple(left.values()))
    assert bringup.namespaced(SYSTEMS['live'], '') == SYSTEMS['live']


def test_what_a_person_remapped_stays_in_a_namespace() -> None:
    car = bringup.real_car(model='m', remaps={bringup.CAMERA: '/front/image_raw'})
    for node in bringup.namespaced(car, 'left'):
        assert node.remaps[bringup.CAMERA] == '/front/image_raw'
        assert node.remaps[bringup.COMMAND] == '/left/cmd_vel'


def test_only_what_can_go_on_is_started_again() -> None:
    respawned = {name: [node.name for node in system if node.respawn]
                 for name, system in SYSTEMS.items()}
    assert respawned['live'] == ['policy_node']
    assert respawned['lockstep'] == []
    assert 'recorder_node' not in respawned['car']      # its folder is there already


def test_the_manager_knows_the_nodes_with_states() -> None:
    manager = bringup.manager(SYSTEMS['live'])
    assert manager.parameters['manage'] == 'policy_node'
