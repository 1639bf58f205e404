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
ROS 2 message types without ROS: their texts for a bag, their bytes (CDR), and builders.

Types come from the type store of ``rosbags`` (Humble: the oldest layout we support; the messages
used here are the same in Jazzy and Kilted), ``ackermann_msgs`` from the texts below, and anything
else from the ``share/<package>/msg/*.msg`` files of an installed ROS.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
import sys
from typing import Any

from ltc_control.core.contracts import Odometry
from ltc_control.core.errors import BagError
from ltc_control.core.geometry import quaternion_from_yaw
import numpy as np
from rosbags.typesys import get_types_from_msg, get_typestore, Stores
from rosbags.typesys.store import Typestore

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
IMU = 'sensor_msgs/msg/Imu'
ODOMETRY = 'nav_msgs/msg/Odometry'
TWIST = 'geometry_msgs/msg/Twist'
TWIST_STAMPED = 'geometry_msgs/msg/TwistStamped'
ACKERMANN = 'ackermann_msgs/msg/AckermannDrive'
ACKERMANN_STAMPED = 'ackermann_msgs/msg/AckermannDriveStamped'
STRING = 'std_msgs/msg/String'

# https://github.com/ros-drivers/ackermann_msgs/tree/ros2/msg, comments shortened
_ACKERMANN_TEXTS = {
    ACKERMANN: """
float32 steering_angle           # virtual front wheel, positive left [rad]
float32 steering_angle_velocity  # [rad/s], 0: as fast as possible
float32 speed                    # forward [m/s]
float32 acceleration             # [m/s^2]
float32 jerk                     # [m/s^3]
""",
    ACKERMANN_STAMPED: """
std_msgs/Header header
ackermann_msgs/AckermannDrive drive
""",
}
_NOT_ESTIMATED = np.array([-1.0] + [0.0] * 8)      # covariance element 0 = -1: no such quantity
_UNKNOWN_9 = np.zeros(9)
_UNKNOWN_36 = np.zeros(36)


@functools.cache
def typestore() -> Typestore:
    """Return the one type store of the process: Humble plus ``ackermann_msgs``."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    for name, text in _ACKERMANN_TEXTS.items():
        store.register(get_types_from_msg(text, name))
    return store


@functools.cache
def definition(type_name: str) -> str:
    """
    Return the ``ros2msg`` text of ``type_name`` (``package/msg/Name``) and all that it contains.

    Raises BagError when neither the type store nor an installed ROS knows the type.
    """
    store = typestore()
    if type_name not in store.fielddefs:
        _register_installed(store, type_name)
    return store.generate_msgdef(type_name, ros_version=2)[0]


def _register_installed(store: Typestore, type_name: str) -> None:
    """Register ``type_name`` and what it contains from the .msg files of an installed ROS."""
    waiting = [type_name]
    while waiting:
        name = waiting.pop()
        if name in store.fielddefs:
            continue
        found = get_types_from_msg(_installed_text(name), name)
        store.register(found)
        waiting += [inner for _, fields in found.values() for inner in _inner_names(fields)]


def _inner_names(fields: Any) -> list[str]:
    """Return the message names in rosbags field definitions, arrays and sequences looked into."""
    names = []
    for _, descriptor in fields:
        kind, payload = descriptor
        while kind.name in ('ARRAY', 'SEQUENCE'):
            kind, payload = payload[0]
        if kind.name == 'NAME':
            names.append(payload)
    return names


def _installed_text(type_name: str) -> str:
    package, _, rest = type_name.partition('/')
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        path = Path(prefix) / 'share' / package / f'{rest}.msg'
        if path.is_file():
            return path.read_text(encoding='utf-8')
    raise BagError(f'unknown message type {type_name!r}: no share/{package}/{rest}.msg under '
                   f'{prefixes!r}; source the ROS workspace that defines it')


def serialize(message: Any) -> bytes:
    """Return the CDR bytes (little endian) of a message made here."""
    return bytes(typestore().serialize_cdr(message, message.__msgtype__))


def image(stamp_ns: int, rgb: np.ndarray, frame_id: str) -> Any:
    """Return an ``rgb8`` Image of ``rgb`` (H, W, 3) uint8."""
    height, width = rgb.shape[:2]
    return _make(IMAGE, header=_header(stamp_ns, frame_id), height=height, width=width,
                 encoding='rgb8', is_bigendian=0, step=3 * width, data=rgb.reshape(-1))


def compressed_image(stamp_ns: int, data: bytes, frame_id: str, image_format: str) -> Any:
    """Return a CompressedImage around ``data``, bytes of a file of ``image_format``."""
    return _make(COMPRESSED_IMAGE, header=_header(stamp_ns, frame_id), format=image_format,
                 data=np.frombuffer(data, np.uint8))


def imu(stamp_ns: int, angular_velocity: np.ndarray, linear_acceleration: np.ndarray,
        frame_id: str) -> Any:
    """Return an Imu without orientation: [rad/s] and [m/s^2], each (3,)."""
    return _make(IMU, header=_header(stamp_ns, frame_id),
                 orientation=_make('geometry_msgs/msg/Quaternion', x=0.0, y=0.0, z=0.0, w=1.0),
                 orientation_covariance=_NOT_ESTIMATED,
                 angular_velocity=_vector(*map(float, angular_velocity)),
                 angular_velocity_covariance=_UNKNOWN_9,
                 linear_acceleration=_vector(*map(float, linear_acceleration)),
                 linear_acceleration_covariance=_UNKNOWN_9)


def twist_stamped(stamp_ns: int, speed: float, yaw_rate: float, frame_id: str, *,
                  left: float = 0.0, up: float = 0.0) -> Any:
    """Return a TwistStamped: ``linear`` [m/s], ``angular.z`` [rad/s]."""
    return _make(TWIST_STAMPED, header=_header(stamp_ns, frame_id),
                 twist=_twist(speed, yaw_rate, left, up))


def odometry(value: Odometry) -> Any:
    """Return an Odometry of ``base_link`` in ``odom``."""
    x, y, z, w = quaternion_from_yaw(value.yaw)
    pose = _make('geometry_msgs/msg/Pose',
                 position=_make('geometry_msgs/msg/Point', x=value.x, y=value.y, z=value.z),
                 orientation=_make('geometry_msgs/msg/Quaternion', x=x, y=y, z=z, w=w))
    return _make(ODOMETRY, header=_header(value.stamp_ns, 'odom'), child_frame_id='base_link',
                 pose=_make('geometry_msgs/msg/PoseWithCovariance', pose=pose,
                            covariance=_UNKNOWN_36),
                 twist=_make('geometry_msgs/msg/TwistWithCovariance',
                             twist=_twist(value.speed, value.yaw_rate, value.speed_left,
                                          value.speed_up), covariance=_UNKNOWN_36))


def ackermann_stamped(stamp_ns: int, speed: float, steering_angle: float, frame_id: str) -> Any:
    """Return an AckermannDriveStamped: [m/s] and [rad], positive left."""
    drive = _make(ACKERMANN, steering_angle=steering_angle, steering_angle_velocity=0.0,
                  speed=speed, acceleration=0.0, jerk=0.0)
    return _make(ACKERMANN_STAMPED, header=_header(stamp_ns, frame_id), drive=drive)


def string(text: str) -> Any:
    """Return a String."""
    return _make(STRING, data=text)


def _make(type_name: str, **fields: Any) -> Any:
    return typestore().types[type_name](**fields)


def _header(stamp_ns: int, frame_id: str) -> Any:
    seconds, nanoseconds = divmod(int(stamp_ns), 1_000_000_000)
    return _make('std_msgs/msg/Header', frame_id=frame_id,
                 stamp=_make('builtin_interfaces/msg/Time', sec=seconds, nanosec=nanoseconds))


def _vector(x: float, y: float, z: float) -> Any:
    return _make('geometry_msgs/msg/Vector3', x=x, y=y, z=z)


def _twist(speed: float, yaw_rate: float, left: float = 0.0, up: float = 0.0) -> Any:
    return _make(TWIST, linear=_vector(float(speed), float(left), float(up)),
                 angular=_vector(0.0, 0.0, float(yaw_rate)))
