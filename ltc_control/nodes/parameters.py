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
"""Tables of parameters: one of each node that does not speak to the actuators."""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.nodes.declared import described


@dataclass(frozen=True)
class PolicyParameters:
    """What the policy node can be told."""

    model: str = described('', 'folder of the policy: policy.onnx, policy.yaml')
    vehicle: str = described('car', 'what the policy must be made for: car or drone',
                             choices=('car', 'drone'))
    image_transport: str = described(
        'raw', 'raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage',
        choices=('raw', 'compressed'))
    imu_wait_s: float = described(
        0.02, 'longest wait for the IMU to reach the stamp of a frame [s]', low=0.0, high=1.0,
        live=True)
    speed_scale: float = described(
        1.0, 'share of the asked speed that is passed on', low=0.0, high=1.0, live=True)
    frozen_s: float = described(
        1.0, 'equal pictures for so long while odometry says that it moves: ask for standstill '
        '[s]; 0: never', low=0.0, high=60.0, live=True)
    autostart: bool = described(True, 'go to active without a manager')
    threads: int = described(1, 'threads of the engine', low=1, high=64)
    lockstep: bool = described(False, 'reliable sensors, nothing dropped; for simulation')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class SimulatorParameters:
    """What the simulator node can be told."""

    vehicle: str = described('car', 'what moves: car or drone', choices=('car', 'drone'))
    task: str = described('reach', 'of a drone: reach a target, or follow one that moves',
                          choices=('reach', 'follow'))
    gusts: float = described(0.0, 'peak of the wind in gusts, for a drone [m/s]', low=0.0,
                             high=30.0)
    hidden_s: float = described(
        0.0, 'longest time that the target of a drone is out of sight now and then [s]; .inf: it '
        'never appears', low=0.0, high=math.inf)
    track: int = described(1001, 'seed of the road or of the grove', low=0, high=2**31 - 1)
    season: str = described('summer', 'look of the world: summer, autumn, winter, night, ...')
    seed: int = described(0, 'seed of the start and of the noise', low=0, high=2**31 - 1)
    duration_s: float = described(
        0.0, 'length of the drive [s]; 0 drives until stopped', low=0.0, high=1e6)
    rate_hz: float = described(30.0, 'camera frames a second [Hz]', low=1.0, high=240.0)
    width: int = described(200, 'width of the image [pixels]', low=16, high=1920)
    height: int = described(66, 'height of the image [pixels]', low=16, high=1080)
    noise_var: float = described(
        0.0, 'variance of the image noise, images scaled to 0..1', low=0.0, high=1.0)
    exposure: float = described(1.0, 'brightness of the camera', low=0.01, high=8.0)
    delay_frames: int = described(0, 'delay of the camera [frames]', low=0, high=30)
    speed: float = described(6.0, 'speed at the start [m/s]', low=0.0, high=12.0)
    obstacles: str = described(
        '', 'what stands on the road, as 60, car:60 or box:60:0:20 (metres along, offset to the '
        'left, gone after seconds), by spaces; live: move some or take the last away', live=True)
    scan: bool = described(False, 'publish a laser scan with each frame')
    command_timeout_s: float = described(
        0.5, 'the car brakes when no command came for so long [s]', low=0.02, high=10.0)
    lockstep: bool = described(
        False, 'wait for the command to each frame before the next; simulated clock')
    lockstep_timeout_s: float = described(
        10.0, 'give up when a command does not come for so long [s]', low=0.1, high=600.0)
    start_timeout_s: float = described(
        60.0, 'give up when the others are not matched after this [s]', low=0.1, high=600.0)
    wait_for: str = described('', 'names of the nodes to wait for, by spaces')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class RecorderParameters:
    """What the recorder node can be told."""

    bag: str = described('', 'folder of the bag to write; must not exist')
    topics: str = described('', 'topics to record, by commas')
    patterns: str = described(
        '', 'record every topic that matches, also later ones: globs or re:EXPRESSION, by spaces')
    exclude: str = described('', 'patterns that patterns shall not match, by spaces')
    attributes: str = described('', 'what the bag says about itself, as key=value, by commas')
    model: str = described('', 'model folder whose digest the bag shall name')
    system: str = described('', 'parameters of all nodes as JSON, kept in the bag')
    autostart: bool = described(True, 'configure and activate without a lifecycle manager')
    record: bool = described(True, 'record as soon as active; else ~/start begins')
    split_mb: float = described(
        2000.0, 'a file of the bag ends at this size [MB]; 0: never', low=0.0, high=1e6)
    split_s: float = described(
        0.0, 'a file of the bag ends after this time [s]; 0: never', low=0.0, high=1e6)
    ring_s: float = described(
        10.0, 'the last seconds, for snapshots [s]; 0: none', low=0.0, high=600.0)
    ring_mb: float = described(
        256.0, 'most memory of the last seconds [MB]', low=0.0, high=16384.0)
    triggers: str = described(
        '/take_over,/e_stop,/safety/in_command=human,/safety/verdict=e_stop',
        'topics that save the last seconds, by commas: a Bool when it becomes true, any other '
        'type when a text in it becomes what stands after the =, or at each message without one')
    floor_mb: float = described(
        500.0, 'free disk space below which nothing is recorded [MB]', low=0.0, high=1e7)
    poll_s: float = described(
        0.02, 'longest stay of a message before it is written [s]', low=0.001, high=0.5)
    lockstep: bool = described(False, 'keep a deep queue, so that nothing is lost')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class AttentionParameters:
    """What the attention node can be told."""

    model: str = described('', 'folder of the policy, with its attention.onnx')
    method: str = described(
        'visual_backprop', 'visual_backprop: what the head passes on; gradient: what moved target',
        choices=('visual_backprop', 'gradient'))
    target: str = described(
        '', 'of the gradient: a command, a neuron or tau:neuron; empty is the first command')
    rate_hz: float = described(10.0, 'most maps a second [Hz]', low=0.1, high=60.0)
    image_transport: str = described(
        'raw', 'raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage',
        choices=('raw', 'compressed'))
    wait_for: str = described('', 'names of nodes that shall be ready before it listens')


@dataclass(frozen=True)
class ExplainerParameters:
    """What the explainer node can be told."""

    model: str = described('', 'folder of the policy, with the tree.json of `ltc explain tree`')
    rate_hz: float = described(5.0, 'how often it says why [Hz]', low=0.1, high=60.0)
    wait_for: str = described('', 'names of nodes that shall be ready before it listens')


@dataclass(frozen=True)
class DashboardParameters:
    """What the dashboard node can be told."""

    host: str = described(
        '127.0.0.1', 'address to serve on; another than loopback lets others look')
    port: int = described(8080, 'port of the page; 0 takes a free one', low=0, high=65535)
    rate_hz: float = described(12.0, 'how often the page is refreshed [Hz]', low=1.0, high=60.0)
    model: str = described('', 'folder of the policy, for its wiring; empty shows none')
    track: int = described(-1, 'seed of the simulated road for the map; -1 knows none', low=-1,
                           high=2**31 - 1)
    season: str = described('', 'look of the simulated world, for the title')
    wait_for: str = described('', 'names of nodes that shall be ready before it listens')


@dataclass(frozen=True)
class ManagerParameters:
    """What the manager node can be told."""

    manage: str = described('policy_node', 'names of the nodes with states, by spaces')
    check_s: float = described(0.2, 'their states are asked for so often [s]', low=0.02, high=5.0)
    answer_s: float = described(
        1.0, 'a node that gives no answer for so long is away [s]', low=0.1, high=30.0)
    patience_s: float = described(
        15.0, 'away or not active for longer: emergency stop [s]', low=0.5, high=600.0)
    most_deaths: int = described(
        5, 'a node that dies more often within window_s: emergency stop', low=0, high=1000)
    window_s: float = described(60.0, 'deaths are forgotten after so long [s]', low=1.0,
                                high=3600.0)
