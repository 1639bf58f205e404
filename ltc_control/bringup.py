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
Which nodes make a system, as data: launch files and ``ltc drive`` both read it.

Imports nothing of the project and nothing of ROS, so that a launch file stays a thin list of
arguments and a test can look at a system without starting it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
import json
import os
from pathlib import Path
import sys

import yaml

PACKAGE = 'ltc_control'

CAMERA = '/camera/image_raw'
IMU = '/imu/data'
ODOMETRY = '/odom'
POLICY_COMMAND = '/policy/command'
NEURONS = '/policy/neurons'
COMMAND = '/cmd_vel'
VERDICT = '/safety/verdict'
TAKE_OVER = '/take_over'
E_STOP = '/e_stop'
RELEASE = '/safety/release'               # service: ends an emergency stop that was let go
IN_COMMAND = '/safety/in_command'         # policy, human or nobody
HUMAN_COMMAND = '/human/command'
JOY = '/joy'
SCAN = '/scan'
RANGE = '/range'
DEPTH = '/camera/depth'
SIMULATED_SCANNER_X = 2.2                 # [m] ahead of base_link, as in sim.scanner
ATTENTION_OVERLAY = '/attention/overlay'
OVERLAY = ATTENTION_OVERLAY + '/compressed'
ATTENTION_HEAT = '/attention/heat'        # 32FC1, 0 to 1
WHY = '/policy/why'                       # the active path of the policy's tree, in words
WHY_PATHS = '/policy/why/paths'           # that of every neuron, as a DiagnosticArray
LANE_TRUTH = '/ground_truth/lane'
DEPARTURE = '/ground_truth/departure'
TARGET_TRUTH = '/ground_truth/target'     # where a drone's target is
COLLISION = '/ground_truth/collision'
CLOCK = '/clock'
DIAGNOSTICS = '/diagnostics'
READY = '/system/ready'

# what a namespace moves
NAMES = (CAMERA, CAMERA + '/compressed', IMU, ODOMETRY, POLICY_COMMAND, NEURONS, COMMAND, VERDICT,
         TAKE_OVER, E_STOP, RELEASE, IN_COMMAND, HUMAN_COMMAND, JOY, SCAN, RANGE, DEPTH, OVERLAY,
         ATTENTION_OVERLAY, ATTENTION_HEAT, WHY, WHY_PATHS, LANE_TRUTH, DEPARTURE, TARGET_TRUTH,
         COLLISION, READY)
LIFECYCLE = ('policy_node',)               # nodes with states, for the manager
RECORDED = (CAMERA, IMU, ODOMETRY, POLICY_COMMAND, NEURONS, COMMAND, VERDICT, LANE_TRUTH,
            DEPARTURE, DIAGNOSTICS, TAKE_OVER, E_STOP, IN_COMMAND, HUMAN_COMMAND, SCAN)
FLIGHT_RECORDED = (*(topic for topic in RECORDED if topic not in (LANE_TRUTH, DEPARTURE, SCAN)),
                   TARGET_TRUTH, COLLISION)


@dataclass(frozen=True)
class NodeSpec:
    """
    One process: what runs, with which parameters, and which topics join it to the others.

    ``publishes`` and ``subscribes`` name the topics that must be matched before a drive starts.
    """

    name: str
    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    remaps: Mapping[str, str] = field(default_factory=dict)
    watches: bool = False                  # only looks on: low priority, and may end alone
    respawn: bool = False                  # whoever started it starts it again when it dies
    namespace: str = ''                    # as 'left' or '/left'; see ``namespaced``

    @property
    def full_name(self) -> str:
        """Return the node's name with its namespace, as parameter files want it."""
        return f'/{self.namespace.strip("/")}/{self.name}' if self.namespace else self.name

    @property
    def executable(self) -> str:
        """Return the console script, as ``ros2 run`` and launch files name it."""
        return self.name

    @property
    def module(self) -> str:
        """Return the Python module, which needs no installed script."""
        return f'{PACKAGE}.nodes.{self.name}'


def simulated_car(*, model: str, track: int, season: str = 'summer', seed: int = 0,
                  duration_s: float = 0.0, noise_var: float = 0.0, lockstep: bool = False,
                  bag: str = '', parameters: Mapping[str, object] | None = None,
                  obstacles: str = '', scan: bool = False, record_all: bool = False,
                  ) -> tuple[NodeSpec, ...]:
    """
    Return simulator, policy and safety, plus a recorder where ``bag`` names a folder.

    ``duration_s`` 0 drives until stopped; ``parameters`` are handed to the simulator.
    ``obstacles`` stand on the road, ``scan`` gives the car a laser scanner that safety watches.
    ``record_all`` records every topic that appears, not only those that a report needs.
    """
    common = {'lockstep': lockstep, 'use_sim_time': lockstep}
    simulator = NodeSpec(
        'simulator_node',
        publishes=(CAMERA, IMU, ODOMETRY, LANE_TRUTH, DEPARTURE, *((CLOCK,) if lockstep else ()),
                   *((SCAN,) if scan else ())),
        subscribes=(COMMAND,),
        parameters={'track': track, 'season': season, 'seed': seed, 'duration_s': duration_s,
                    'noise_var': noise_var, 'lockstep': lockstep, 'obstacles': obstacles,
                    'scan': scan, **(parameters or {})})
    policy = NodeSpec(
        'policy_node', publishes=(POLICY_COMMAND, NEURONS), subscribes=sensors(model),
        parameters={'model': model, **common}, respawn=not lockstep)
    safety = NodeSpec(
        'safety_node', publishes=(COMMAND, VERDICT, IN_COMMAND),
        subscribes=(POLICY_COMMAND, ODOMETRY, *((SCAN,) if scan else ())),
        parameters={**common, **({'scan_topic': SCAN, 'scan_x': SIMULATED_SCANNER_X}
                                 if scan else {})})
    nodes = [simulator, policy, safety]
    if bag:
        attributes = {'track': track, 'season': season, 'seed': seed, 'model': model,
                      'lockstep': lockstep, 'noise_var': noise_var}
        nodes.append(recorder(bag, attributes=attributes, lockstep=lockstep, beside=nodes,
                              patterns='*' if record_all else ''))
    return rendezvous(nodes, leader='simulator_node')


def simulated_drone(*, model: str, episode: int, task: str = 'reach', season: str = 'summer',
                    duration_s: float = 0.0, noise_var: float = 0.0, gusts: float = 0.0,
                    hidden_s: float = 0.0, lockstep: bool = False, bag: str = '',
                    ) -> tuple[NodeSpec, ...]:
    """Return simulator, policy and flight safety, plus a recorder where ``bag`` names a folder."""
    common = {'lockstep': lockstep, 'use_sim_time': lockstep}
    world = {'vehicle': 'drone', 'task': task, 'track': episode, 'season': season,
             'seed': episode, 'noise_var': noise_var, 'gusts': gusts,
             'hidden_s': hidden_s}
    nodes = [
        NodeSpec('simulator_node',
                 publishes=(CAMERA, IMU, ODOMETRY, TARGET_TRUTH, COLLISION,
                            *((CLOCK,) if lockstep else ())),
                 subscribes=(COMMAND,),
                 parameters={**world, 'duration_s': duration_s, 'lockstep': lockstep}),
        NodeSpec('policy_node', publishes=(POLICY_COMMAND, NEURONS), subscribes=sensors(model),
                 parameters={'model': model, 'vehicle': 'drone', **common},
                 respawn=not lockstep),
        NodeSpec('flight_safety_node', publishes=(COMMAND, VERDICT, IN_COMMAND),
                 subscribes=(POLICY_COMMAND, ODOMETRY), parameters=common)]
    if bag:
        attributes = {**world, 'model': model, 'lockstep': lockstep}
        nodes.append(recorder(bag, attributes=attributes, lockstep=lockstep,
                              topics=FLIGHT_RECORDED))
    return rendezvous(nodes, leader='simulator_node')


def sensors(model: str) -> tuple[str, ...]:
    """Return what the policy of a model folder listens to for its rendezvous: the IMU if asked."""
    try:
        features = yaml.safe_load((Path(model) / 'policy.yaml').read_text())['imu']['features']
    except (OSError, KeyError, TypeError, yaml.YAMLError):
        return (CAMERA,)                   # the node says what is wrong with its model
    return (CAMERA, IMU) if features else (CAMERA,)


# MAVROS: its odometry is ENU and FLU (REP-105), its camera and IMU topics as the driver has them;
# setpoint_velocity takes TwistStamped, in the axes that its parameter mav_frame names
MAVROS = {ODOMETRY: '/mavros/local_position/odom', IMU: '/mavros/imu/data',
          COMMAND: '/mavros/setpoint_velocity/cmd_vel'}


def real_drone(*, model: str, remaps: Mapping[str, str] | None = None, bag: str = '',
               output_frame: str = 'base_link') -> tuple[NodeSpec, ...]:
    """Return policy and flight safety for MAVROS, plus a recorder where ``bag`` names a folder."""
    remaps = {old: new for old, new in (MAVROS | dict(remaps or {})).items() if old != new}
    nodes = [NodeSpec('policy_node', parameters={'model': model, 'vehicle': 'drone'},
                      remaps=remaps, respawn=True),
             NodeSpec('flight_safety_node', parameters={'output_frame': output_frame},
                      remaps=remaps, respawn=True)]
    if bag:
        topics = tuple(remaps.get(topic, topic) for topic in FLIGHT_RECORDED)
        nodes.append(replace(recorder(bag, attributes={'model': model, 'vehicle': 'drone'},
                                      topics=topics), subscribes=()))
    return tuple(nodes)


def real_car(*, model: str, remaps: Mapping[str, str] | None = None, bag: str = '',
             ) -> tuple[NodeSpec, ...]:
    """Return policy and safety, plus a recorder where ``bag`` names a folder."""
    remaps = {old: new for old, new in (remaps or {}).items() if old != new}
    nodes = [NodeSpec('policy_node', parameters={'model': model}, remaps=remaps, respawn=True),
             NodeSpec('safety_node', remaps=remaps, respawn=True)]
    if bag:
        topics = tuple(remaps.get(topic, topic) for topic in RECORDED)
        nodes.append(replace(recorder(bag, attributes={'model': model}, topics=topics,
                                      beside=nodes), subscribes=()))
    return tuple(nodes)


def manager(nodes: Sequence[NodeSpec]) -> NodeSpec:
    """Return the node that activates the lifecycle nodes of ``nodes`` and watches over them."""
    managed = [node.name for node in nodes if node.name in LIFECYCLE]
    return NodeSpec('manager_node', parameters={'manage': ' '.join(managed)}, respawn=True)


def namespaced(nodes: Sequence[NodeSpec], namespace: str) -> tuple[NodeSpec, ...]:
    """
    Return ``nodes`` in a namespace, so that two vehicles run at once; '' changes nothing.

    Every topic and service of this file goes there too, except the clock and /diagnostics, which
    are one for all; what was remapped already stays where it was put.
    """
    name = namespace.strip('/')
    if not name:
        return tuple(nodes)
    own = {topic: f'/{name}{topic}' for topic in NAMES}
    return tuple(replace(node, namespace=name, remaps={**own, **node.remaps}) for node in nodes)


def live_page(nodes: Sequence[NodeSpec], *, model: str, port: int, host: str = '127.0.0.1',
              track: int = -1, season: str = '') -> NodeSpec:
    """
    Return the node that shows the drive of ``nodes`` in a browser; it may fail alone.

    It takes no part in their rendezvous: it waits until all of them are ready before it listens,
    so that no publisher counts it for a partner whom it has to wait for.
    """
    return NodeSpec('dashboard_node', watches=True, parameters={
        'model': model, 'port': port, 'host': host, 'track': track, 'season': season,
        'wait_for': ' '.join(node.name for node in nodes if not node.watches)})


def explainer(nodes: Sequence[NodeSpec], *, model: str) -> tuple[NodeSpec, ...]:
    """
    Return the node that says why the policy of ``nodes`` acts; none where no trees were grown.

    Like the live page it takes no part in the rendezvous and may fail alone.
    """
    if not (Path(model) / 'tree.json').is_file():
        return ()
    return (NodeSpec('explainer_node', watches=True, parameters={
        'model': model, 'wait_for': ' '.join(node.name for node in nodes if not node.watches)}),)


def attention(nodes: Sequence[NodeSpec], *, model: str, method: str = 'visual_backprop',
              target: str = '', rate_hz: float = 10.0) -> tuple[NodeSpec, ...]:
    """
    Return the node that shows where the policy of ``nodes`` looks; none without its graph.

    Like the live page it takes no part in the rendezvous and may fail alone.
    """
    if not (Path(model) / 'attention.onnx').is_file():
        return ()
    return (NodeSpec('attention_node', watches=True, parameters={
        'model': model, 'method': method, 'target': target, 'rate_hz': rate_hz,
        'wait_for': ' '.join(node.name for node in nodes if not node.watches)}),)


def recorder(bag: str, *, attributes: Mapping[str, object], lockstep: bool = False,
             topics: Sequence[str] = RECORDED, patterns: str = '',
             beside: Sequence[NodeSpec] = ()) -> NodeSpec:
    """
    Return the node that writes ``topics``, and what matches ``patterns``, into the folder ``bag``.

    The bag names the model in ``attributes`` by its digest, and the parameters of ``beside``.
    """
    text = ','.join(f'{key}={value}' for key, value in attributes.items())
    system = json.dumps({node.name: dict(node.parameters) for node in beside}, sort_keys=True)
    return NodeSpec('recorder_node',
                    subscribes=tuple(topic for topic in topics if topic != DIAGNOSTICS),
                    parameters={'bag': bag, 'attributes': text, 'lockstep': lockstep,
                                'topics': ','.join(topics), 'patterns': patterns,
                                'model': str(attributes.get('model', '')), 'system': system})


def rendezvous(nodes: Sequence[NodeSpec], *, leader: str) -> tuple[NodeSpec, ...]:
    """
    Tell every node how many partners each of its topics must have, and the leader whom to await.

    The leader starts the drive once all have said that they are matched: nobody ever sleeps.
    """
    others = ' '.join(node.name for node in nodes if node.name != leader)
    told = []
    for node in nodes:
        parameters = {**node.parameters, 'expect': expectations(nodes, node)}
        if node.name == leader:
            parameters['wait_for'] = others
        told.append(replace(node, parameters=parameters))
    return tuple(told)


def expectations(nodes: Sequence[NodeSpec], node: NodeSpec) -> str:
    """Return words like ``publisher:/odom:2``, one for each topic of ``node`` with partners."""
    words = []
    for topic in node.publishes:
        count = sum(topic in other.subscribes for other in nodes)
        words += [f'publisher:{topic}:{count}'] if count else []
    for topic in node.subscribes:
        count = sum(topic in other.publishes for other in nodes)
        words += [f'subscription:{topic}:{count}'] if count else []
    return ' '.join(words)


def ros_arguments(node: NodeSpec) -> list[str]:
    """Return ``--ros-args ...`` for the remaps of ``node``; parameters go through a file."""
    arguments = ['--ros-args']
    if node.namespace:
        arguments += ['--remap', f'__ns:=/{node.namespace.strip("/")}']
    for old, new in node.remaps.items():
        arguments += ['--remap', f'{old}:={new}']
    return arguments


def process(node: NodeSpec, *, parameter_file: Path) -> list[str]:
    """Return the command line that runs ``node`` with this interpreter."""
    return [sys.executable, '-m', node.module, *ros_arguments(node),
            '--params-file', str(parameter_file)]


def parameter_sections(nodes: Sequence[NodeSpec]) -> dict[str, object]:
    """Return the content of the parameter file of a system, one section a node."""
    return {node.full_name: {'ros__parameters': dict(node.parameters)} for node in nodes}


def share(name: str) -> Path:
    """
    Return a file or folder of the package: of the source tree, or of ``share/ltc_control``.

    Where neither has it the path in the source tree is returned, for a message to name.
    """
    source = Path(__file__).resolve().parents[1] / name
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    installed = [Path(prefix) / 'share' / PACKAGE / name for prefix in prefixes if prefix]
    return next((path for path in (source, *installed) if path.exists()), source)
