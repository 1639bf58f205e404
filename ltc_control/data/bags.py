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
Write an episode as a rosbag2 that any ROS 2 tool plays: images, IMU, odometry and commands.

Header stamps are the times of acquisition. Receive times are kept where a source knows them; else
the same stamp is stored, so a recording of a simulator is a function of its seed alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control.core.contracts import Command, Odometry, Velocity
from ltc_control.core.errors import BagError
from ltc_control.core.geometry import twist_from_command
from ltc_control.data import messages
from ltc_control.data.rosbag2 import BagWriter, find_bags, read_attributes
import numpy as np

__all__ = ['CMD_VEL_TOPIC', 'EXPERT_TOPIC', 'EpisodeWriter', 'HUMAN_TOPIC', 'IMAGE_TOPIC',
           'IMU_TOPIC', 'IN_COMMAND_TOPIC', 'ODOMETRY_TOPIC', 'POLICY_TOPIC', 'find_bags',
           'read_attributes']

IMAGE_TOPIC = '/camera/image_raw'          # Image, rgb8
IMU_TOPIC = '/imu/data'                    # Imu in base_link
ODOMETRY_TOPIC = '/odom'                   # Odometry
CMD_VEL_TOPIC = '/cmd_vel'                 # TwistStamped: what moved the car
EXPERT_TOPIC = '/expert/command'           # TwistStamped: the label
POLICY_TOPIC = '/policy/command'           # TwistStamped: what the policy asks for
HUMAN_TOPIC = '/human/command'             # TwistStamped: what the human asks for, in command
IN_COMMAND_TOPIC = '/safety/in_command'    # String at each change: policy, human or nobody

CAMERA_FRAME = 'camera_optical'
BODY_FRAME = 'base_link'


class EpisodeWriter:
    """
    Writes one episode into a new bag folder ``path``; ``attributes`` say what it is.

    Raises BagError when ``path`` exists. Used as a context manager it discards the bag when the
    block ends by an exception; a process that dies leaves only ``path`` + ``.partial``.
    """

    def __init__(self, path: Path | str, *, attributes: dict[str, str] | None = None) -> None:
        self._bag = BagWriter(path, attributes=attributes)

    @property
    def attributes(self) -> dict[str, str]:
        """Return what is known of the episode; may be added to until it is closed."""
        return self._bag.attributes

    def image(self, topic: str, stamp_ns: int, rgb: np.ndarray,
              frame_id: str = CAMERA_FRAME) -> None:
        """Write ``rgb`` (H, W, 3) uint8 as an rgb8 Image."""
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise BagError(f'an image is (H, W, 3) uint8, got {rgb.shape!r} {rgb.dtype!r}')
        self._write(topic, stamp_ns, messages.image(stamp_ns, rgb, frame_id))

    def compressed_image(self, topic: str, stamp_ns: int, data: bytes, *,
                         image_format: str = 'jpeg', frame_id: str = CAMERA_FRAME,
                         received_ns: int | None = None) -> None:
        """Write the bytes of an image file as they are."""
        self._write(topic, stamp_ns if received_ns is None else received_ns,
                    messages.compressed_image(stamp_ns, data, frame_id, image_format))

    def imu(self, topic: str, stamp_ns: int, gyro: np.ndarray, accel: np.ndarray,
            frame_id: str = BODY_FRAME) -> None:
        """Write ``gyro`` (3,) [rad/s] and ``accel`` (3,) [m/s^2] in the body frame."""
        self._write(topic, stamp_ns, messages.imu(stamp_ns, gyro, accel, frame_id))

    def twist(self, topic: str, stamp_ns: int,
              command: Command | Velocity | tuple[float, float], *,
              received_ns: int | None = None) -> None:
        """Write a command, or (speed [m/s], yaw rate [rad/s]), as a TwistStamped."""
        left = up = 0.0
        if isinstance(command, Velocity):
            speed, yaw_rate, left, up = (command.forward, command.yaw_rate, command.left,
                                         command.up)
        else:
            speed, yaw_rate = (twist_from_command(command) if isinstance(command, Command)
                               else command)
        self._write(topic, stamp_ns if received_ns is None else received_ns,
                    messages.twist_stamped(stamp_ns, speed, yaw_rate, BODY_FRAME, left=left,
                                           up=up))

    def ackermann(self, topic: str, stamp_ns: int, *, speed: float, steering_angle: float,
                  received_ns: int | None = None) -> None:
        """Write an AckermannDriveStamped: [m/s], [rad] positive left."""
        self._write(topic, stamp_ns if received_ns is None else received_ns,
                    messages.ackermann_stamped(stamp_ns, speed, steering_angle, BODY_FRAME))

    def text(self, topic: str, received_ns: int, text: str) -> None:
        """Write a String, which knows only when it was received."""
        self._write(topic, received_ns, messages.string(text))

    def odometry(self, topic: str, value: Odometry) -> None:
        """Write an Odometry at its own stamp."""
        self._write(topic, value.stamp_ns, messages.odometry(value))

    def close(self) -> None:
        """Finish the bag; only now does its folder appear."""
        self._bag.close()

    def _write(self, topic: str, received_ns: int, message: Any) -> None:
        self._bag.write(topic, message.__msgtype__, messages.serialize(message),
                        log_ns=received_ns)

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bag.__exit__(*exception)
