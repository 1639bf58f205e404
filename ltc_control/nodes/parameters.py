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
what was got and what is allowed. All are read-only: to change one, start the node again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from ltc_control.core.errors import ConfigError
from ltc_control.core.limits import Limits

Table = TypeVar('Table')
_LIMITS = Limits()


def described(default: Any, text: str, *, low: float | None = None, high: float | None = None,
              choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field that :func:`declare` turns into a parameter."""
    metadata = {'text': text, 'low': low, 'high': high, 'choices': choices}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class PolicyParameters:
    """What the policy node can be told."""

    model: str = described('', 'folder of the policy: policy.onnx, policy.yaml')
    image_transport: str = described(
        'raw', 'raw: sensor_msgs/Image; compressed: sensor_msgs/CompressedImage',
        choices=('raw', 'compressed'))
    imu_wait_s: float = described(
        0.02, 'longest wait for the IMU to reach the stamp of a frame [s]', low=0.0, high=1.0)
    threads: int = described(1, 'threads of the engine', low=1, high=64)
    lockstep: bool = described(False, 'reliable sensors, nothing dropped; for simulation')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class SafetyParameters:
    """What the safety node can be told; limits default to those of ``core.limits``."""

    rate_hz: float = described(50.0, 'rate of the published command [Hz]', low=10.0, high=500.0)
    stale_s: float = described(
        0.2, 'a request older than this is not followed [s]', low=0.02, high=2.0)
    telemetry_s: float = described(
        0.5, 'odometry older than this stops the car [s]', low=0.02, high=5.0)
    max_speed: float = described(_LIMITS.max_speed, 'highest speed [m/s]', low=0.1, high=60.0)
    max_curvature: float = described(
        _LIMITS.max_curvature, 'tightest curve at any speed [1/m]', low=0.001, high=10.0)
    max_lateral_acceleration: float = described(
        _LIMITS.max_lateral_acceleration,
        'highest speed^2 * curvature [m/s^2]', low=0.1, high=30.0)
    max_lateral_jerk: float = described(
        _LIMITS.max_lateral_jerk,
        'fastest change of the lateral acceleration [m/s^3]', low=0.1, high=200.0)
    max_acceleration: float = described(
        _LIMITS.max_acceleration, 'hardest speeding up [m/s^2]', low=0.1, high=30.0)
    max_deceleration: float = described(
        _LIMITS.max_deceleration, 'hardest slowing down [m/s^2]', low=0.1, high=30.0)
    max_curvature_rate: float = described(
        _LIMITS.max_curvature_rate,
        'fastest turn of the wheel, as curvature [1/m/s]', low=0.001, high=100.0)
    lockstep: bool = described(False, 'answer each request once, stamped through; for simulation')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


@dataclass(frozen=True)
class SimulatorParameters:
    """What the simulator node can be told."""

    track: int = described(1001, 'seed of the road', low=0, high=2**31 - 1)
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
    attributes: str = described('', 'what the bag says about itself, as key=value, by commas')
    lockstep: bool = described(False, 'keep a deep queue, so that nothing is lost')
    expect: str = described('', 'endpoint counts to reach, as publisher:/topic:2, by spaces')


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


def _descriptor(item: Any) -> ParameterDescriptor:
    # dynamic typing lets an integer stand for a float; checked() above then says what is wrong,
    # in the same words on every distribution
    descriptor = ParameterDescriptor(
        name=item.name, description=item.metadata['text'], read_only=True, dynamic_typing=True)
    low, high = item.metadata['low'], item.metadata['high']
    if low is None:
        return descriptor
    if type(item.default) is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high))]
    else:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
