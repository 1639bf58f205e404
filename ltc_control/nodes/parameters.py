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
Parameters of the nodes: declared with description and range, read once, frozen.

Each dataclass is one node's table. A field's metadata holds what ``ros2 param describe`` shows;
its default's type is the parameter's type. A number outside its range is refused with its name,
what was got and what is allowed. A ``live`` one may change while the node runs, between two of
its ticks; to change another, start the node again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
import math
from typing import Any, TypeVar

from ltc_control.bringup import HUMAN_COMMAND
from ltc_control.core.errors import ConfigError, LtcError
from ltc_control.core.flight_limits import FlightLimits
from ltc_control.core.gate import GateConfig
from ltc_control.core.limits import Limits
from ltc_control.core.obstacle import ObstacleConfig
from ltc_control.core.take_over import JoystickMap
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

Table = TypeVar('Table')
_LIMITS = Limits()
_FLIGHT = FlightLimits()
_OBSTACLE = ObstacleConfig()
_GATE = GateConfig()
_JOYSTICK = JoystickMap()


def described(default: Any, text: str, *, low: float | None = None, high: float | None = None,
              choices: tuple[str, ...] = (), live: bool = False) -> Any:
    """Return a dataclass field that :func:`declare` turns into a parameter."""
    metadata = {'text': text, 'low': low, 'high': high, 'choices': choices, 'live': live}
    return field(default=default, metadata=metadata)


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
class SafetyParameters:
    """
    What the safety node can be told; numbers default to those of ``core``.

    Names that begin with ``obstacle_`` are fields of ``core.obstacle.ObstacleConfig``. An empty
    topic is no subscription; a sensor that has a topic must speak, or the car stands.
    """

    rate_hz: float = described(50.0, 'rate of the published command [Hz]', low=10.0, high=500.0)
    stale_s: float = described(
        _GATE.stale_s, 'a request older than this is not followed [s]', low=0.02, high=2.0,
        live=True)
    telemetry_s: float = described(
        _GATE.telemetry_s, 'odometry older than this stops the car [s]', low=0.02, high=5.0,
        live=True)
    max_speed: float = described(
        _LIMITS.max_speed, 'highest speed [m/s]', low=0.1, high=60.0, live=True)
    max_curvature: float = described(
        _LIMITS.max_curvature, 'tightest curve at any speed [1/m]', low=0.001, high=10.0,
        live=True)
    max_lateral_acceleration: float = described(
        _LIMITS.max_lateral_acceleration,
        'highest speed^2 * curvature [m/s^2]', low=0.1, high=30.0, live=True)
    max_lateral_jerk: float = described(
        _LIMITS.max_lateral_jerk,
        'fastest change of the lateral acceleration [m/s^3]', low=0.1, high=200.0, live=True)
    max_acceleration: float = described(
        _LIMITS.max_acceleration, 'hardest speeding up [m/s^2]', low=0.1, high=30.0, live=True)
    max_deceleration: float = described(
        _LIMITS.max_deceleration, 'hardest slowing down [m/s^2]', low=0.1, high=30.0, live=True)
    max_curvature_rate: float = described(
        _LIMITS.max_curvature_rate,
        'fastest turn of the wheel, as curvature [1/m/s]', low=0.001, high=100.0, live=True)
    output: str = described(
        'twist_stamped', 'type of the actuator topic: twist_stamped, twist or ackermann (stamped)',
        choices=('twist_stamped', 'twist', 'ackermann'))
    wheelbase_m: float = described(
        2.7, 'between the axles, for the steering angle of ackermann [m]', low=0.05, high=20.0)

    human_topic: str = described(
        HUMAN_COMMAND, 'TwistStamped of a person, followed before the policy; empty: none')
    human_stale_s: float = described(
        _GATE.human_stale_s, "a person's command older than this is not followed [s]",
        low=0.02, high=2.0, live=True)
    hand_back_s: float = described(
        _GATE.hand_back_s, 'the policy fades in for so long when a person lets go [s]',
        low=0.0, high=10.0, live=True)
    joy_topic: str = described('', 'sensor_msgs/Joy of a person, mostly /joy; empty: none')
    joy_dead_man_button: int = described(
        _JOYSTICK.dead_man_button, 'index of the button to hold while driving', low=0, high=63)
    joy_steering_axis: int = described(
        _JOYSTICK.steering_axis, 'index of the axis that steers, 1 is left', low=0, high=63)
    joy_speed_axis: int = described(
        _JOYSTICK.speed_axis, 'index of the axis of the speed, 1 is forward', low=0, high=63)
    joy_full_curvature: float = described(
        _JOYSTICK.full_curvature, 'curvature at full deflection [1/m]', low=-10.0, high=10.0)
    joy_full_speed: float = described(
        _JOYSTICK.full_speed, 'speed at full deflection [m/s]', low=-60.0, high=60.0)

    scan_topic: str = described('', 'LaserScan that watches the path, like /scan; empty: none')
    scan_x: float = described(0.0, 'scanner ahead of base_link [m]', low=-20.0, high=20.0)
    scan_y: float = described(0.0, 'scanner left of base_link [m]', low=-20.0, high=20.0)
    scan_yaw: float = described(0.0, 'scanner turned left [rad]', low=-3.15, high=3.15)
    range_topic: str = described('', 'Range (sonar) that watches the path; empty: none')
    range_x: float = described(0.0, 'sonar ahead of base_link [m]', low=-20.0, high=20.0)
    range_y: float = described(0.0, 'sonar left of base_link [m]', low=-20.0, high=20.0)
    range_yaw: float = described(0.0, 'sonar turned left [rad]', low=-3.15, high=3.15)
    depth_topic: str = described('', 'depth Image that watches the path; empty: none')
    depth_x: float = described(0.0, 'depth camera ahead of base_link [m]', low=-20.0, high=20.0)
    depth_y: float = described(0.0, 'depth camera left of base_link [m]', low=-20.0, high=20.0)
    depth_z: float = described(1.0, 'depth camera above the ground [m]', low=0.0, high=20.0)
    depth_yaw: float = described(0.0, 'depth camera turned left [rad]', low=-3.15, high=3.15)
    depth_pitch: float = described(
        0.0, 'depth camera turned down [rad]', low=-1.57, high=1.57)
    depth_fov: float = described(
        1.5, 'horizontal field of view of the depth camera [rad]', low=0.01, high=3.1)
    obstacle_low_m: float = described(
        0.25, 'what a depth camera sees below this height is road [m]', low=-1.0, high=5.0)
    obstacle_high_m: float = described(
        2.0, 'what it sees above this height is a bridge [m]', low=0.0, high=20.0)
    obstacle_least: int = described(
        2, 'points of a scan or depth image that make an obstacle', low=1, high=1000)
    obstacle_front_m: float = described(
        _OBSTACLE.front_m, 'bumper ahead of base_link [m]', low=0.0, high=20.0, live=True)
    obstacle_half_width_m: float = described(
        _OBSTACLE.half_width_m, 'half the width of the car [m]', low=0.05, high=5.0, live=True)
    obstacle_margin_m: float = described(
        _OBSTACLE.margin_m, 'kept free on either side of the car [m]', low=0.0, high=5.0,
        live=True)
    obstacle_stop_m: float = described(
        _OBSTACLE.stop_m, 'kept free ahead of the bumper [m]', low=0.0, high=50.0, live=True)
    obstacle_hysteresis_m: float = described(
        _OBSTACLE.hysteresis_m, 'more room than that to drive on after a stop [m]', low=0.0,
        high=50.0, live=True)
    obstacle_deceleration: float = described(
        _OBSTACLE.deceleration, 'of an approach to an obstacle [m/s^2]', low=0.1, high=10.0,
        live=True)
    obstacle_reaction_s: float = described(
        _OBSTACLE.reaction_s, 'of sensor, command and brakes together [s]', low=0.0, high=5.0,
        live=True)
    obstacle_swerve: float = described(
        _OBSTACLE.swerve, 'the curvature asked for may change by so much before the car stands '
        '[1/m]', low=0.0, high=0.2, live=True)
    obstacle_brakes: float = described(
        _OBSTACLE.brakes, 'of the brakes for what such a change brings into the path [m/s^2]',
        low=0.1, high=10.0, live=True)
    obstacle_crawl: float = described(
        _OBSTACLE.crawl, 'an approach slower than this is a stop [m/s]', low=0.0, high=2.0,
        live=True)
    obstacle_seen: int = described(
        _OBSTACLE.seen, 'an obstacle counts when so many ...', low=1, high=100)
    obstacle_of: int = described(
        _OBSTACLE.of, '... of the last so many measurements show it', low=1, high=100)
    obstacle_stale_s: float = described(
        _OBSTACLE.stale_s, 'a sensor silent for longer stops the car [s]', low=0.02, high=10.0,
        live=True)
    obstacle_for_human: bool = described(
        _OBSTACLE.for_human, 'obstacles stop a person at the joystick too', live=True)
    lockstep: bool = described(False, 'answer each request once, stamped through; for simulation')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class FlightSafetyParameters:
    """What the flight safety node can be told; limits default to those of ``flight_limits``."""

    rate_hz: float = described(30.0, 'rate of the published setpoint [Hz]', low=5.0, high=200.0)
    stale_s: float = described(
        0.3, 'a request older than this is not flown [s]', low=0.02, high=2.0)
    human_stale_s: float = described(
        0.3, "a person's command older than this is not flown [s]", low=0.02, high=2.0)
    telemetry_s: float = described(
        0.5, 'odometry older than this means hover [s]', low=0.02, high=5.0)
    hover_s: float = described(
        5.0, 'so long zero velocity is published, then nothing: the autopilot decides [s]',
        low=0.0, high=60.0)
    search_turns: float = described(
        2.5, 'turns on the spot after which a search is over and the drone hovers; 0: never',
        low=0.0, high=100.0, live=True)
    human_topic: str = described(
        '/human/command', 'TwistStamped of a person, which has priority; empty for none')
    output_frame: str = described(
        'base_link', 'axes of the published velocity: base_link, or map (east, north, up)',
        choices=('base_link', 'map'))
    floor: float = described(_FLIGHT.floor, 'lowest height [m]', low=0.1, high=100.0, live=True)
    ceiling: float = described(
        _FLIGHT.ceiling, 'greatest height [m]', low=0.6, high=500.0, live=True)
    fence_radius: float = described(
        _FLIGHT.fence_radius, 'greatest distance from the odom origin [m]', low=1.0, high=1e4,
        live=True)
    max_speed: float = described(
        _FLIGHT.max_speed, 'highest horizontal speed [m/s]', low=0.1, high=30.0, live=True)
    max_climb: float = described(
        _FLIGHT.max_climb, 'fastest climb and sink [m/s]', low=0.1, high=10.0, live=True)
    max_yaw_rate: float = described(
        _FLIGHT.max_yaw_rate, 'fastest turn [rad/s]', low=0.05, high=6.0, live=True)
    max_acceleration: float = described(
        _FLIGHT.max_acceleration, 'hardest change of velocity [m/s^2]', low=0.1, high=20.0,
        live=True)
    max_jerk: float = described(
        _FLIGHT.max_jerk, 'fastest change of acceleration, that is of tilt [m/s^3]', low=0.1,
        high=200.0, live=True)
    max_yaw_acceleration: float = described(
        _FLIGHT.max_yaw_acceleration, 'fastest change of the turn [rad/s^2]', low=0.1, high=50.0,
        live=True)
    lockstep: bool = described(False, 'answer each request once, stamped through; for simulation')
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


def declare(node: Node, table: type[Table]) -> Table:
    """Declare every field of ``table`` on ``node``; return it filled; ConfigError if refused."""
    values = {}
    for item in fields(table):  # type: ignore[arg-type]
        try:
            parameter = node.declare_parameter(item.name, item.default, _descriptor(item))
        except ParameterException as error:            # out of the range of the descriptor
            raise ConfigError(f'parameter {item.name!r} of {node.get_name()}: {error}') from error
        values[item.name] = checked(item, parameter.value)
    return table(**values)


def checked(item: Any, value: Any) -> Any:
    """Return ``value`` in the type of the field ``item``, or raise ConfigError."""
    wanted = type(item.default)
    if wanted is float and type(value) is int:
        value = float(value)               # -p stale_s:=1 is meant as 1.0
    if type(value) is not wanted:
        raise ConfigError(f'parameter {item.name!r} must be {wanted.__name__}, got {value!r}')
    low, high, choices = (item.metadata[key] for key in ('low', 'high', 'choices'))
    if low is not None and not low <= value <= high:
        raise ConfigError(f'parameter {item.name!r} must be in {low:g} .. {high:g}, got {value!r}')
    if choices and value not in choices:
        raise ConfigError(f'parameter {item.name!r} must be one of {choices}, got {value!r}')
    return value


def watch(node: Node, told: Table, apply: Callable[[Table], None]) -> None:
    """
    Let the live parameters of ``told`` change: ``apply`` gets the table as it will be.

    A change is refused, and nothing of it happens, where a value is out of its range or ``apply``
    raises an LtcError. Callbacks of one executor never overlap, so it falls between two ticks.
    """
    items = {item.name: item for item in fields(told)}  # type: ignore[arg-type]
    now = told

    def change(parameters: Sequence[Parameter]) -> SetParametersResult:
        nonlocal now
        try:
            wanted = replace(now, **{  # type: ignore[type-var]
                item.name: checked(items[item.name], item.value)
                for item in parameters if item.name in items})
            apply(wanted)
        except LtcError as error:
            return SetParametersResult(successful=False, reason=str(error))
        now = wanted
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(change)


def _descriptor(item: Any) -> ParameterDescriptor:
    # dynamic typing lets an integer stand for a float; checked() above then says what is wrong,
    # in the same words on every distribution
    descriptor = ParameterDescriptor(
        name=item.name, description=item.metadata['text'], read_only=not item.metadata['live'],
        dynamic_typing=True)
    low, high = item.metadata['low'], item.metadata['high']
    if low is None:
        return descriptor
    if type(item.default) is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high))]
    else:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
