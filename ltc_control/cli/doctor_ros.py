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
"""What ``ltc doctor`` sees of the ROS around it: environment, and the topics of a vehicle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import import_module
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any

from ltc_control import bringup
from ltc_control.cli.doctor import Finding
from ltc_control.cli.processes import profile_variable

HIGHEST_DOMAIN, LAST_SAFE_DOMAIN = 232, 101
DISCOVERY_S, LISTEN_S = 3.5, 1.5           # Fast DDS announces every 3 s without our profile
FEWEST_LOOKS = 20
WANTED = {                                 # topic -> type, least rate [Hz], argument of the launch
    bringup.CAMERA: ('sensor_msgs/msg/Image', 10.0, 'camera'),
    bringup.IMU: ('sensor_msgs/msg/Imu', 50.0, 'imu'),
    bringup.ODOMETRY: ('nav_msgs/msg/Odometry', 10.0, 'odom'),
}
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def missing_middleware(environ: Mapping[str, str], *, prefix: str = sys.prefix) -> str:
    """
    Return the middleware that is asked for and not installed, or ''.

    Asked before rclpy is started: that ends the whole process with code 102 where it is missing.
    """
    wanted = environ.get('RMW_IMPLEMENTATION', '')
    places = [*environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), prefix]
    there = any(Path(place, 'share', wanted).is_dir() for place in places if place)
    return '' if not wanted or there else wanted


def environment(environ: Mapping[str, str], *, prefix: str = sys.prefix) -> list[Finding]:
    """Judge distribution, middleware, domain and profile by their variables alone."""
    sourced = [part for part in environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
               if part.startswith('/opt/ros/')]
    wheels = any(Path(prefix, 'lib').glob('python*/site-packages/rclpy'))
    if sourced and wheels:
        return [Finding('domain', 'failed', f'{sourced[0]} is sourced and {prefix} holds ROS 2 '
                        'wheels', 'one of the two: open a shell without the install, or use '
                        'colcon: docs/install.md')]
    missing = missing_middleware(environ, prefix=prefix)
    if missing:
        return [Finding('domain', 'failed', f'RMW_IMPLEMENTATION is {missing!r}, which is not '
                        'installed', 'unset RMW_IMPLEMENTATION, or install it: apt-get install '
                        f'ros-{environ.get("ROS_DISTRO", "jazzy")}-{missing.replace("_", "-")}')]
    number = environ.get('ROS_DOMAIN_ID', '') or '0'
    if not number.isdigit() or int(number) > HIGHEST_DOMAIN:
        return [Finding('domain', 'failed', f'ROS_DOMAIN_ID is {number!r}',
                        f'export ROS_DOMAIN_ID=0, or any number up to {LAST_SAFE_DOMAIN}')]
    text = (f'domain {number}, {environ.get("RMW_IMPLEMENTATION", "the default middleware")}, '
            f'{environ.get("ROS_DISTRO", "wheels" if wheels else "no ROS sourced")}')
    if int(number) > LAST_SAFE_DOMAIN:
        return [Finding('domain', 'warning', text, 'its ports reach those that Linux hands out; '
                        f'use 0 to {LAST_SAFE_DOMAIN}')]
    useless = [name for name in PROFILES if name in environ and name != profile_variable()]
    if useless:
        return [Finding('domain', 'warning', f'{text}; {useless[0]} is not read here',
                        f'set {profile_variable()} instead')]
    profile = environ.get(profile_variable(), '')
    if profile and not Path(profile).is_file():
        return [Finding('domain', 'warning', f'{text}; {profile_variable()} names {profile!r}, '
                        'which does not exist', f'unset {profile_variable()}, or take our '
                        'config/fastdds.xml: large images get lost without')]
    return [Finding('domain', 'ok', text)]


def topics() -> list[Finding]:
    """Look for camera, IMU and odometry in this shell's domain, and measure their rates."""
    wrong = [found for found in environment(os.environ) if found.state == 'failed']
    if wrong:
        return [Finding('topics', 'failed', f'not looked for: {wrong[0].text}', wrong[0].advice)]
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.signals import SignalHandlerOptions
    with tempfile.TemporaryDirectory() as logs:
        os.environ.setdefault('ROS_LOG_DIR', logs)
        context = rclpy.Context()
        rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
        node = rclpy.create_node('ltc_doctor', context=context, use_global_arguments=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            rates = _rates(node, executor)
            types = dict(node.get_topic_names_and_types())
        finally:
            executor.shutdown()
            node.destroy_node()
            rclpy.try_shutdown(context=context)
    return [judged(topic, rates.get(topic), types) for topic in WANTED]


def _rates(node: Any, executor: Any) -> dict[str, float]:
    """Return the rates [Hz] of the wanted topics that somebody publishes."""
    from rclpy.qos import qos_profile_sensor_data
    deadline, looks = time.monotonic() + DISCOVERY_S, 0
    # on a busy machine the time may be over before this process had a turn to look
    while ((time.monotonic() < deadline or looks < FEWEST_LOOKS)
           and not all(map(node.count_publishers, WANTED))):
        executor.spin_once(timeout_sec=0.1)
        looks += 1
    heard: Counter[str] = Counter()
    there = [topic for topic in WANTED if node.count_publishers(topic)]
    for topic in there:
        package, _, kind = WANTED[topic][0].split('/')
        node.create_subscription(getattr(import_module(f'{package}.msg'), kind), topic,
                                 lambda _, name=topic: heard.update([name]),
                                 qos_profile_sensor_data, raw=True)
    start = time.monotonic()
    while there and time.monotonic() - start < LISTEN_S:
        executor.spin_once(timeout_sec=0.05)
    took = time.monotonic() - start        # longer, where others have the machine
    return {topic: heard[topic] / took for topic in there}


def judged(topic: str, rate: float | None, types: Mapping[str, list[str]]) -> Finding:
    """Return what to say of one topic, given its rate (None: no publisher) and all types."""
    kind, least, argument = WANTED[topic]
    name = f'topics {topic}'
    if rate is None:
        others = sorted(other for other, kinds in types.items() if kind in kinds)
        file = 'drone_launch.py' if others and '/mavros/' in others[0] else 'vehicle_launch.py'
        advice = (f'name yours: ros2 launch ltc_control {file} {argument}:={others[0]}'
                  if others else 'start its driver, or `ltc drive --domain` for a simulated one; '
                                 'is ROS_DOMAIN_ID that of the vehicle?')
        return Finding(name, 'warning', 'nobody publishes it in this domain', advice)
    if kind not in types.get(topic, [kind]):
        return Finding(name, 'failed', f'it is {types[topic][0]}, not {kind}',
                       f'name the right one with {argument}:=')
    if rate < least:
        return Finding(name, 'warning', f'{rate:.0f} Hz', f'{least:.0f} Hz or more are wanted; '
                       'is the network slow, or shared memory small?')
    return Finding(name, 'ok', f'{rate:.0f} Hz')
