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
Which topics of a bag are the camera, the IMU and the command, and how a command is read.

A topic that is not named is found by its message type: our own name first, else the only one
there is; two candidates are a question for the person who recorded, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from typing import Any

from ltc_control.core.errors import BagError, ConfigError
from ltc_control.core.geometry import command_from_twist, curvature_from_steering
from ltc_control.data import messages

_OUR_NAMES = {
    'image': ('/camera/image_raw', '/camera/image_raw/compressed'),
    'imu': ('/imu/data',),
    'command': ('/expert/command', '/command'),
}
_TYPES = {
    'image': (messages.IMAGE, messages.COMPRESSED_IMAGE),
    'imu': (messages.IMU,),
    'command': (messages.TWIST_STAMPED, messages.ACKERMANN_STAMPED, messages.TWIST,
                messages.ACKERMANN),
}
# message type -> (what its turn value is, field of the turn, field of the speed)
_FIELDS = {
    messages.TWIST_STAMPED: ('yaw_rate', 'twist.angular.z', 'twist.linear.x'),
    messages.TWIST: ('yaw_rate', 'angular.z', 'linear.x'),
    messages.ACKERMANN_STAMPED: ('steering_angle', 'drive.steering_angle', 'drive.speed'),
    messages.ACKERMANN: ('steering_angle', 'steering_angle', 'speed'),
}
VEHICLES = ('car', 'drone')
TURN_KINDS = ('yaw_rate', 'steering_angle', 'curvature')    # [rad/s], [rad], [1/m]


@dataclass(frozen=True)
class TopicMap:
    """
    How to read a bag. Everything may stay as it is for bags of this package and for most others.

    ``turn_*`` and ``speed_field`` are needed only for a command type that is not Twist,
    TwistStamped, AckermannDrive or AckermannDriveStamped, or to read those otherwise.
    """

    image: str | None = None               # topic; None: found by type
    imu: str | None = None                 # None: found by type, or the bag has none
    command: str | None = None
    use_imu: bool = True                   # False: as if the bag had none
    vehicle: str = 'car'                   # or drone: four values of a Twist
    turn_kind: str | None = None           # one of TURN_KINDS
    turn_field: str | None = None          # e.g. drive.steering_angle
    speed_field: str | None = None         # e.g. drive.speed
    turn_scale: float = 1.0                # -1 where right is positive; pi/180 for degrees
    speed_scale: float = 1.0
    wheelbase_m: float | None = None       # for steering angles; None: as the bag's attributes say
    command_lag_s: float = 0.0             # the label of t is the command at t + lag
    longest_command_age_s: float = 0.2     # an older command is no label
    interpolate: bool = False              # between the commands around t, else the last one

    def __post_init__(self) -> None:
        if self.vehicle not in VEHICLES:
            raise ConfigError(f'unknown vehicle {self.vehicle!r}; one of {VEHICLES!r}')
        if self.turn_kind not in (None, *TURN_KINDS):
            raise ConfigError(f'unknown turn_kind {self.turn_kind!r}; one of {TURN_KINDS!r}')
        if not self.longest_command_age_s > 0:
            raise ConfigError(f'longest_command_age_s is {self.longest_command_age_s!r}; '
                              'give seconds above 0')

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a YAML file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TopicMap:
        """Return the map of ``values``; raises ConfigError for names that do not exist."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(f'unknown topic settings {unknown!r}; known are {sorted(known)!r}')
        return cls(**values)


def find_topics(topics: TopicMap, types: Mapping[str, str], *,
                bag: str) -> tuple[str, str | None, str]:
    """
    Return the (image, imu or None, command) topics of a bag that holds ``types``.

    Raises BagError naming what is there when a topic is unknown, missing or ambiguous.
    """
    image = _find('image', topics.image, types, bag)
    command = _find('command', topics.command, types, bag, anything=bool(topics.turn_field))
    imu = None
    if topics.use_imu and (topics.imu or _candidates('imu', types)):
        imu = _find('imu', topics.imu, types, bag)
    return image, imu, command


def command_reader(type_name: str, topics: TopicMap, *,
                   wheelbase_m: float | None) -> Callable[[Any], tuple[float, ...]]:
    """
    Return the function message -> values of a command, for messages of ``type_name``.

    A car's are curvature [1/m] and speed [m/s]; a drone's are velocity forward, left, up [m/s] and
    yaw rate [rad/s].

    Raises BagError when the type needs a mapping or a wheelbase that is not given.
    """
    if topics.vehicle == 'drone':
        return _velocity_reader(type_name)
    kind, turn_field, speed_field = _FIELDS.get(type_name, (None, None, None))
    kind, turn_field = topics.turn_kind or kind, topics.turn_field or turn_field
    speed_field = topics.speed_field or speed_field
    if kind is None or turn_field is None or speed_field is None:
        raise BagError(f'no rule for commands of type {type_name!r}; name turn_kind, turn_field '
                       'and speed_field in the topic map')
    turn_of, speed_of = attrgetter(turn_field), attrgetter(speed_field)
    curvature_of = _curvature(kind, type_name, wheelbase_m)

    def read(message: Any) -> tuple[float, float]:
        try:
            turn = float(turn_of(message)) * topics.turn_scale
            speed = float(speed_of(message)) * topics.speed_scale
        except AttributeError as error:
            raise BagError(f'{type_name!r} has no such field: {error}; fields are '
                           f'{[field.name for field in fields(message)]!r}') from error
        return curvature_of(turn, speed), speed

    return read


def _velocity_reader(type_name: str) -> Callable[[Any], tuple[float, ...]]:
    prefixes = {messages.TWIST_STAMPED: 'twist.', messages.TWIST: ''}
    if type_name not in prefixes:
        raise BagError(f'a drone is commanded by a Twist or TwistStamped, got {type_name!r}; name '
                       'such a topic')
    of = attrgetter(*(prefixes[type_name] + field for field in (
        'linear.x', 'linear.y', 'linear.z', 'angular.z')))
    return lambda message: tuple(map(float, of(message)))


def _curvature(kind: str, type_name: str,
               wheelbase_m: float | None) -> Callable[[float, float], float]:
    if kind == 'curvature':
        return lambda turn, speed: turn
    if kind == 'yaw_rate':
        return lambda turn, speed: command_from_twist(
            stamp_ns=0, speed=speed, yaw_rate=turn).curvature
    if wheelbase_m is None or not wheelbase_m > 0:
        raise BagError(f'{type_name!r} commands a steering angle; the curvature needs '
                       f'wheelbase_m > 0 in the topic map, got {wheelbase_m!r}')
    return lambda turn, speed: curvature_from_steering(turn, wheelbase=wheelbase_m)


def _candidates(role: str, types: Mapping[str, str]) -> list[str]:
    return [topic for topic, name in types.items() if name in _TYPES[role]]


def _find(role: str, named: str | None, types: Mapping[str, str], bag: str, *,
          anything: bool = False) -> str:
    present = ', '.join(f'{topic} [{name}]' for topic, name in sorted(types.items()))
    if named is not None:
        if named not in types:
            raise BagError(f'no topic {named!r} for the {role} in {bag!r}; it holds {present}')
        if types[named] not in _TYPES[role] and not anything:
            raise BagError(f'topic {named!r} in {bag!r} is {types[named]!r}; the {role} is read '
                           f'from one of {_TYPES[role]!r}'
                           + (' or by turn_kind, turn_field and speed_field'
                              if role == 'command' else ''))
        return named
    found = _candidates(role, types)
    for name in _OUR_NAMES[role]:
        if name in found:
            return name
    if len(found) == 1:
        return found[0]
    what = 'no topic' if not found else f'{len(found)} topics'
    raise BagError(f'{what} for the {role} in {bag!r}; it holds {present}; name one with '
                   f'`{role}: TOPIC` in the topic map')
