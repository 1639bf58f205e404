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
"""A real car: policy and safety on its topics; ``record:=FOLDER`` adds a recorder."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from ltc_control import bringup

ARGUMENTS = {
    'model': (str(bringup.share('models/car_lane')), 'folder of the policy'),
    'parameters': (str(bringup.share('config/car.yaml')), 'parameter file of the nodes'),
    'camera_topic': (bringup.CAMERA, 'sensor_msgs/Image, stamped at acquisition'),
    'imu_topic': (bringup.IMU, 'sensor_msgs/Imu in base_link'),
    'odom_topic': (bringup.ODOMETRY, 'nav_msgs/Odometry, twist in base_link'),
    'cmd_vel_topic': (bringup.COMMAND, 'geometry_msgs/TwistStamped, to the car'),
    'record': ('', 'folder of a bag to record; empty records nothing'),
}


def nodes(context):
    told = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    remaps = {bringup.CAMERA: told['camera_topic'], bringup.IMU: told['imu_topic'],
              bringup.ODOMETRY: told['odom_topic'], bringup.COMMAND: told['cmd_vel_topic']}
    system = bringup.real_car(model=told['model'], remaps=remaps, bag=told['record'])
    return [Node(package=bringup.PACKAGE, executable=node.executable, name=node.name,
                 parameters=[told['parameters'], dict(node.parameters)],
                 remappings=list(node.remaps.items()), output='screen') for node in system]


def generate_launch_description():
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text)
          for name, (default, text) in ARGUMENTS.items()),
        OpaqueFunction(function=nodes),
    ])
