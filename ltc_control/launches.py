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
What ``ros2 launch ltc_control X_launch.py`` starts, as data: arguments and the nodes they make.

Imports nothing of ROS, so that a test looks at every launch without having it; the launch files
hand this to ``launch_ros``. Every value is text, as launch has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ltc_control import bringup
from ltc_control.bringup import NodeSpec

Told = Mapping[str, str]
BOOLEAN = ('true', 'false')


@dataclass(frozen=True)
class Argument:
    """One argument of a launch file, as ``--show-args`` lists it."""

    name: str
    default: str
    text: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """A process that is no node of ours: a ROS executable of ``package``, or a plain command."""

    command: tuple[str, ...]
    package: str = ''
    parameters: Mapping[str, object] | None = None
    ends_all: bool = False                 # when it ends, the launch ends


@dataclass(frozen=True)
class Launch:
    """One launch file: its arguments, and what they start; ``leader`` ends all when it ends."""

    text: str
    arguments: tuple[Argument, ...]
    nodes: Callable[[Told], tuple[NodeSpec, ...]]
    programs: Callable[[Told], tuple[Program, ...]] = lambda told: ()
    leader: str = ''

    def told(self, given: Told) -> dict[str, str]:
        """Return every argument's value: the given one, else its default."""
        return {item.name: given.get(item.name, item.default) for item in self.arguments}


COMMON = (
    Argument('namespace', '', 'namespace of the nodes and of all their topics, as left'),
    Argument('parameters', str(bringup.share('config/car.yaml')),
             'parameter file of the nodes; sections read /**/policy_node and so on'),
    Argument('log_level', 'info', 'how much the nodes say',
             ('debug', 'info', 'warn', 'error', 'fatal')),
    Argument('respawn', 'true', 'start a node again when it dies', BOOLEAN),
)
SIM_TIME = Argument('use_sim_time', 'false', 'take the time from /clock', BOOLEAN)
MANAGER = Argument('manager', 'true', 'a manager activates the nodes with states, watches over '
                   'them and presses the emergency stop when they do not come back', BOOLEAN)
MODEL = Argument('model', str(bringup.share('models/car_lane')), 'folder of the policy')
RECORD = Argument('record', '', 'folder of a bag to record, must not exist; empty: no bag')
TRANSPORT = Argument('image_transport', 'raw', 'raw: sensor_msgs/Image; compressed: '
                     'sensor_msgs/CompressedImage on CAMERA/compressed', ('raw', 'compressed'))
TOPICS = (
    Argument('camera', bringup.CAMERA, 'topic of sensor_msgs/Image, stamped at acquisition'),
    Argument('imu', bringup.IMU, 'topic of sensor_msgs/Imu, axes of base_link'),
    Argument('odom', bringup.ODOMETRY, 'topic of nav_msgs/Odometry, twist in base_link'),
    Argument('cmd_vel', bringup.COMMAND, 'topic of geometry_msgs/TwistStamped, to the vehicle'),
)
FLIGHT_MODEL = Argument('model', str(bringup.share('models/drone_target')),
                        'folder of the policy')
FLIGHT_TOPICS = (
    TOPICS[0],
    Argument('imu', bringup.MAVROS[bringup.IMU], 'topic of sensor_msgs/Imu, axes of base_link'),
    Argument('odom', bringup.MAVROS[bringup.ODOMETRY],
             'topic of nav_msgs/Odometry, pose in ENU, twist in base_link'),
    Argument('cmd_vel', bringup.MAVROS[bringup.COMMAND],
             'topic of geometry_msgs/TwistStamped, velocity setpoints'),
)
OUTPUT_FRAME = Argument('output_frame', 'base_link', 'axes of the setpoints: base_link with '
                        'mav_frame BODY_NED, map with LOCAL_NED', ('base_link', 'map'))
TRACK = Argument('track', '1001', 'seed of the road')
SEASON = Argument('season', 'summer', 'look of the world',
                  ('summer', 'autumn', 'winter', 'night', 'dusk', 'rain'))


def truth(text: str) -> bool:
    """Return whether a launch argument says true."""
    return text.strip().lower() in ('true', '1', 'yes')


def _dressed(nodes: tuple[NodeSpec, ...], told: Told, *, sim_time: bool | None = None,
             ) -> tuple[NodeSpec, ...]:
    """Return ``nodes`` as the common arguments want them: manager, clock, respawn, namespace."""
    if truth(told.get('manager', 'false')):
        nodes = (*nodes, bringup.manager(nodes))
    clock = truth(told['use_sim_time']) if sim_time is None else sim_time
    if clock:
        nodes = tuple(replace(node, parameters={**node.parameters, 'use_sim_time': True})
                      for node in nodes)
    if not truth(told['respawn']):
        nodes = tuple(replace(node, respawn=False) for node in nodes)
    return bringup.namespaced(nodes, told['namespace'])


def _remaps(told: Told) -> dict[str, str]:
    wanted = {bringup.CAMERA: told['camera'], bringup.IMU: told['imu'],
              bringup.ODOMETRY: told['odom'], bringup.COMMAND: told['cmd_vel'],
              bringup.CAMERA + '/compressed': told['camera'] + '/compressed'}
    return {old: new for old, new in wanted.items() if old != new}


def _vehicle(told: Told, *, sim_time: bool | None = None) -> tuple[NodeSpec, ...]:
    nodes = bringup.real_car(model=told['model'], remaps=_remaps(told), bag=told['record'])
    transport = told['image_transport']
    nodes = tuple(replace(node, parameters={**node.parameters, 'image_transport': transport})
                  if node.name == 'policy_node' else node for node in nodes)
    return _dressed(nodes, told, sim_time=sim_time)


def _drive(told: Told) -> tuple[NodeSpec, ...]:
    lockstep = truth(told['lockstep'])
    nodes = bringup.simulated_car(
        model=told['model'], track=int(told['track']), season=told['season'],
        seed=int(told['seed']), duration_s=float(told['seconds']), lockstep=lockstep,
        bag=told['record'])
    # in lockstep everything waits for everything: nothing can be started again
    return _dressed(nodes, {**told, 'respawn': 'false' if lockstep else told['respawn'],
                            'manager': 'false' if lockstep else told['manager']},
                    sim_time=lockstep)


def _drone(told: Told, *, sim_time: bool | None = None) -> tuple[NodeSpec, ...]:
    """Return a drone in the embedded simulator, or one behind MAVROS or a bridge."""
    if truth(told.get('simulate', 'false')):
        nodes = bringup.simulated_drone(
            model=told['model'], episode=int(told['episode']), task=told['task'],
            season=told['season'], duration_s=float(told['seconds']), bag=told['record'])
    else:
        nodes = bringup.real_drone(model=told['model'], remaps=_every_name(told),
                                   bag=told['record'], output_frame=told['output_frame'])
    return _dressed(nodes, told, sim_time=sim_time)


def _every_name(told: Told) -> dict[str, str]:
    """Return the topics as they were named; a drone's are those of MAVROS unless told."""
    return {bringup.CAMERA: told['camera'], bringup.IMU: told['imu'],
            bringup.ODOMETRY: told['odom'], bringup.COMMAND: told['cmd_vel']}


def _in_gazebo(told: Told) -> tuple[NodeSpec, ...]:
    if told['vehicle'] == 'car':
        return _vehicle(told, sim_time=True)
    model = told['model'] if told['model'] != MODEL.default else FLIGHT_MODEL.default
    return _drone({**told, 'model': model, 'output_frame': 'base_link'}, sim_time=True)


def _bridge(told: Told) -> str:
    """Return the bridge's configuration: the named one, or that of the vehicle."""
    name = 'gazebo_bridge.yaml' if told['vehicle'] == 'car' else 'gazebo_bridge_quadrotor.yaml'
    return told['bridge'] or str(bringup.share(f'config/{name}'))


def _record(told: Told) -> tuple[NodeSpec, ...]:
    topics = tuple(told['topics'].split(',')) if told['topics'] else bringup.RECORDED
    node = replace(bringup.recorder(told['bag'], attributes={}, topics=topics), subscribes=())
    return _dressed((node,), told)


def _gazebo(told: Told) -> tuple[Program, ...]:
    program = ('ign', 'gazebo') if told['gazebo'] == 'fortress' else ('gz', 'sim')
    words = [*program, '-r', *(['-s', '--headless-rendering']
                               if truth(told['headless']) else []), told['world']]
    bridge = Program(('parameter_bridge',), package='ros_gz_bridge',
                     parameters={'config_file': _bridge(told), 'use_sim_time': True})
    return Program(tuple(words), ends_all=True), bridge


LAUNCHES: Mapping[str, Launch] = {
    'vehicle': Launch(
        'A real vehicle: policy and safety on its topics.',
        (MODEL, *TOPICS, TRANSPORT, RECORD, *COMMON, SIM_TIME, MANAGER), _vehicle),
    'drive': Launch(
        'The embedded simulator with its driver, as ltc drive has it.',
        (MODEL, TRACK, SEASON, Argument('seed', '0', 'seed of the start and of the noise'),
         Argument('seconds', '0', 'length of the drive [s]; 0 drives until stopped'),
         Argument('lockstep', 'false', 'the world waits for each command, simulated clock',
                  BOOLEAN), RECORD, *COMMON, MANAGER), _drive, leader='simulator_node'),
    'drone': Launch(
        'A drone: policy and flight safety, behind MAVROS or in the embedded simulator.',
        (FLIGHT_MODEL, Argument('simulate', 'false', 'fly in the embedded simulator', BOOLEAN),
         Argument('task', 'reach', 'what is flown there', ('reach', 'follow')),
         Argument('episode', '2001', 'seed of the grove and of the target there'), SEASON,
         Argument('seconds', '0', 'length of a simulated flight [s]; 0 flies until stopped'),
         *FLIGHT_TOPICS, OUTPUT_FRAME, RECORD,
         COMMON[0], replace(COMMON[1], default=str(bringup.share('config/drone.yaml'))),
         *COMMON[2:], SIM_TIME, MANAGER), _drone, leader='simulator_node'),
    'gazebo': Launch(
        'A Gazebo world of ltc world, the bridge to it, policy and safety.',
        (Argument('world', '', 'world file; empty: one is written for track and season'),
         TRACK, SEASON, Argument('gazebo', 'harmonic', 'which Gazebo: harmonic and newer (gz sim) '
                                 'or fortress (ign gazebo)', ('harmonic', 'fortress')),
         Argument('headless', 'false', 'no window; off-screen OpenGL', BOOLEAN),
         Argument('vehicle', 'car', 'which vehicle of the world is driven', ('car', 'drone')),
         Argument('bridge', '', 'configuration of ros_gz_bridge; empty: that of the vehicle'),
         MODEL, *TOPICS, TRANSPORT, RECORD, *COMMON, MANAGER),
        _in_gazebo, _gazebo),
    'record': Launch(
        'A recorder alone: every topic as the bytes that come, safe against a kill.',
        (Argument('bag', 'bag', 'folder of the bag to write, must not exist'),
         Argument('topics', '', 'topics by commas; empty: all that this package knows'),
         *COMMON, SIM_TIME), _record),
}
