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
"""The simulated car with its driver; ``record:=FOLDER`` adds a recorder."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from ltc_control import bringup

ARGUMENTS = {
    'model': (str(bringup.share('models/car_lane')), 'folder of the policy'),
    'track': ('1001', 'seed of the road'),
    'season': ('summer', 'summer, autumn, winter, night, dusk or rain'),
    'seconds': ('0', 'length of the drive; 0 drives until stopped'),
    'lockstep': ('false', 'true: the world waits for each command, simulated clock'),
    'record': ('', 'folder of a bag to record; empty records nothing'),
}


def nodes(context):
    told = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    system = bringup.simulated_car(
        model=told['model'], track=int(told['track']), season=told['season'],
        duration_s=float(told['seconds']), lockstep=told['lockstep'].lower() == 'true',
        bag=told['record'])
    return [Node(package=bringup.PACKAGE, executable=node.executable, name=node.name,
                 parameters=[dict(node.parameters)], output='screen') for node in system]


def generate_launch_description():
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in ARGUMENTS.items()),
        OpaqueFunction(function=nodes),
    ])
