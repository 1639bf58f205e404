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
"""From the data of ``launches`` to a LaunchDescription: what every file in launch/ calls."""

from __future__ import annotations

import os
from pathlib import Path
import tempfile
from typing import Any, TYPE_CHECKING

from ltc_control import bringup
from ltc_control.cli.processes import free_shared_memory, profile_variable, SEGMENT_BYTES
from ltc_control.launches import Launch, LAUNCHES, Program, Told, truth

if TYPE_CHECKING:
    from launch import LaunchDescription

RESPAWN_DELAY_S = 0.3
END_S = 15.0                               # launch's own 5 s are short on a busy machine
RECORDER_END_S = 600.0                     # a long bag is rewritten with its index at the end
PARTICIPANTS = 8


def describe(name: str) -> LaunchDescription:
    """Return the description of the launch file ``name``_launch.py."""
    from launch import LaunchDescription
    from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
    plan = LAUNCHES[name]
    declared = [DeclareLaunchArgument(item.name, default_value=item.default,
                                      description=item.text,
                                      **({'choices': list(item.choices)} if item.choices else {}))
                for item in plan.arguments]
    profile = [SetEnvironmentVariable(*pair) for pair in shared_memory_profile().items()]
    return LaunchDescription([*declared, *profile,
                              OpaqueFunction(function=_start, args=[plan])])


def shared_memory_profile() -> dict[str, str]:
    """Return the variable that gives 640x480 images room in shared memory, where there is some."""
    variable, profile = profile_variable(), bringup.share('config/fastdds.xml')
    if (variable in os.environ or not profile.is_file()
            or free_shared_memory() < 2 * PARTICIPANTS * SEGMENT_BYTES):
        return {}
    return {variable: str(profile)}


def _start(context: Any, plan: Launch) -> list[Any]:
    from launch.substitutions import LaunchConfiguration
    told = plan.told({item.name: LaunchConfiguration(item.name).perform(context)
                      for item in plan.arguments})
    if told.get('world') == '':
        told['world'] = str(_written_world(told))
    return [*(_program(item, told) for item in plan.programs(told)),
            *(_node(node, told, plan) for node in plan.nodes(told))]


def _written_world(told: Told) -> Path:
    from ltc_control.sim.export_sdf import WorldSpec, write_world
    return write_world(WorldSpec(int(told['track']), told['season'],
                                 fortress=told['gazebo'] == 'fortress'),
                       Path(tempfile.mkdtemp(prefix='ltc_world_')))


def _node(node: bringup.NodeSpec, told: Told, plan: Launch) -> Any:
    from launch.actions import Shutdown
    from launch_ros.actions import Node
    ending = {'on_exit': Shutdown(reason=f'{node.name} has ended')} \
        if node.name == plan.leader else {'respawn': node.respawn,
                                          'respawn_delay': RESPAWN_DELAY_S}
    patience = RECORDER_END_S if node.name == 'recorder_node' else END_S
    return Node(package=bringup.PACKAGE, executable=node.executable, name=node.name,
                namespace=node.namespace or None,
                parameters=[told['parameters'], dict(node.parameters)],
                remappings=list(node.remaps.items()), output='screen', emulate_tty=True,
                ros_arguments=['--log-level', told['log_level']],
                sigterm_timeout=str(END_S), sigkill_timeout=str(patience), **ending)


def _program(item: Program, told: Told) -> Any:
    from launch.actions import ExecuteProcess, Shutdown
    from launch_ros.actions import Node
    ending = {'on_exit': Shutdown(reason=f'{item.command[0]} has ended')} if item.ends_all else {}
    if not item.package:
        return ExecuteProcess(cmd=list(item.command), output='screen', **ending)
    return Node(package=item.package, executable=item.command[0], output='screen',
                parameters=[dict(item.parameters or {})], respawn=truth(told['respawn']), **ending)
