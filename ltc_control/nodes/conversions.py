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
Messages <-> the words of the domain: the only file that knows the fields of a message.

Stamps are the header's, in integer nanoseconds. Numpy views are taken where the message's memory
allows it; :class:`Rgb8Message` fills one reused ``array('B')``, the cheapest way into an Image.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TYPE_CHECKING

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PointStamped, TwistStamped, Vector3Stamped
from ltc_control.core import geometry
from ltc_control.core.commanding import AnyCommand
from ltc_control.core.contracts import Command, Decision, Frame, Odometry, Velocity, Verdict
from ltc_control.core.errors import ImageError
from ltc_control.core.imaging import decode_compressed, decode_image, encode_jpeg, encode_rgb8
from nav_msgs.msg import Odometry as OdometryMessage
import numpy as np
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image, Imu, JointState, LaserScan

if TYPE_CHECKING:
    from ltc_control.sim.observation import FlightTruth

NANOSECONDS = 1_000_000_000
NOT_ESTIMATED = -1.0                       # sensor_msgs/Imu: element 0 of a covariance
LEVELS = {
    Verdict.PASS: DiagnosticStatus.OK,
    Verdict.LIMITED: DiagnosticStatus.OK,
    Verdict.HUMAN: DiagnosticStatus.OK,
    Verdict.OBSTACLE_SLOW: DiagnosticStatus.WARN,
    Verdict.OBSTACLE_STOP: DiagnosticStatus.WARN,
    Verdict.NO_REQUEST: DiagnosticStatus.WARN,
    Verdict.TAKE_OVER: DiagnosticStatus.WARN,
}                                          # all others: ERROR


class ImuSample(NamedTuple):
    """One reading: stamp, angular velocity (3,) [rad/s], linear acceleration (3,) [m/s^2]."""

    stamp_ns: int
    angular_velocity: tuple[float, float, float]
    linear_acceleration: tuple[float, float, float]


class LaneTruth(NamedTuple):
    """Where the simulated car really is: distance driven, offset (left +) [m], heading [rad]."""

    stamp_ns: int
    distance_m: float
    offset_m: float
    heading_error: float


def stamp_ns(time: Time) -> int:
    """Return a header's time as integer nanoseconds."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def time_message(stamp_ns: int) -> Time:
    """Return integer nanoseconds as a header's time."""
    seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
    return Time(sec=seconds, nanosec=nanoseconds)


def clock_message(stamp_ns: int) -> Clock:
    """Return the message of ``/clock``."""
    return Clock(clock=time_message(stamp_ns))


def frame_from_image(message: Image) -> Frame:
    """Return the frame of a raw image, a view where the encoding allows; ImageError else."""
    rgb = decode_image(data=message.data, height=message.height, width=message.width,
                       encoding=message.encoding, step=message.step,
                       is_bigendian=bool(message.is_bigendian))
    return Frame(stamp_ns(message.header.stamp), rgb)


def frame_from_compressed(message: CompressedImage) -> Frame:
    """Return the frame of a JPEG or PNG image; ImageError where it cannot be decoded."""
    return Frame(stamp_ns(message.header.stamp), decode_compressed(message.data))


class Rgb8Message:
    """One Image and one buffer: filling it costs a single copy; publish before the next fill."""

    def __init__(self, height: int, width: int, *, frame_id: str = 'camera_optical_frame') -> None:
        self.message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
        self.message.header.frame_id = frame_id
        self.message.data = encode_rgb8(np.zeros((height, width, 3), np.uint8))
        self._view = np.frombuffer(self.message.data, np.uint8).reshape(height, width, 3)

    def fill(self, frame: Frame) -> Image:
        """Write ``frame`` into the message and return it."""
        self._view[...] = frame.rgb
        self.message.header.stamp = time_message(frame.stamp_ns)
        return self.message


def heat_message(stamp_ns: int, values: np.ndarray, *, frame_id: str) -> Image:
    """Return a map (H, W) as an Image of type 32FC1."""
    height, width = values.shape
    message = Image(height=height, width=width, encoding='32FC1', step=4 * width,
                    is_bigendian=0)
    message.header.stamp, message.header.frame_id = time_message(stamp_ns), frame_id
    message.data = array.array('B', np.ascontiguousarray(values, '<f4').tobytes())
    return message


def image_message(frame: Frame, *, frame_id: str) -> Image:
    """Return a frame as an Image of type rgb8."""
    height, width = frame.rgb.shape[:2]
    message = Image(height=height, width=width, encoding='rgb8', step=3 * width)
    message.header.stamp, message.header.frame_id = time_message(frame.stamp_ns), frame_id
    message.data = encode_rgb8(frame.rgb)
    return message


def jpeg_message(frame: Frame, *, frame_id: str, quality: int = 85) -> CompressedImage:
    """Return a frame as a JPEG."""
    message = CompressedImage(format='jpeg')
    message.header.stamp, message.header.frame_id = time_message(frame.stamp_ns), frame_id
    message.data = array.array('B', encode_jpeg(frame.rgb, quality=quality))
    return message


def imu_sample(message: Imu) -> ImuSample:
    """Return the sample; a quantity that the driver marks as not estimated becomes NaN."""
    return ImuSample(
        stamp_ns(message.header.stamp),
        _estimated(message.angular_velocity, message.angular_velocity_covariance),
        _estimated(message.linear_acceleration, message.linear_acceleration_covariance))


def _estimated(vector: object, covariance: np.ndarray) -> tuple[float, float, float]:
    if covariance[0] == NOT_ESTIMATED:
        return (float('nan'),) * 3
    return (vector.x, vector.y, vector.z)


def imu_message(sample: ImuSample, *, frame_id: str = 'base_link') -> Imu:
    """Return the message of a sample; orientation is marked as not estimated."""
    message = Imu()
    message.header.stamp = time_message(sample.stamp_ns)
    message.header.frame_id = frame_id
    message.orientation_covariance[0] = NOT_ESTIMATED
    _set_vector(message.angular_velocity, sample.angular_velocity)
    _set_vector(message.linear_acceleration, sample.linear_acceleration)
    return message


def _set_vector(vector: object, values: tuple[float, float, float]) -> None:
    vector.x, vector.y, vector.z = (float(value) for value in values)


def command_from_twist(message: TwistStamped) -> Command:
    """Return the command: curvature = yaw rate / speed; its stamp is the header's."""
    return geometry.command_from_twist(
        stamp_ns=stamp_ns(message.header.stamp), speed=message.twist.linear.x,
        yaw_rate=message.twist.angular.z)


def twist_from_command(command: Command, *, frame_id: str = 'base_link') -> TwistStamped:
    """Return the stamped twist in ``frame_id``: linear.x [m/s], angular.z [rad/s]."""
    message = TwistStamped()
    message.header.stamp = time_message(command.stamp_ns)
    message.header.frame_id = frame_id
    speed, yaw_rate = geometry.twist_from_command(command)
    message.twist.linear.x, message.twist.angular.z = float(speed), float(yaw_rate)
    return message


def velocity_from_twist(message: TwistStamped) -> Velocity:
    """Return the command of a drone; its stamp is the header's."""
    linear = message.twist.linear
    return Velocity(stamp_ns(message.header.stamp), linear.x, linear.y, linear.z,
                    message.twist.angular.z)


def twist_from_velocity(command: Velocity, *, frame_id: str = 'base_link') -> TwistStamped:
    """Return the message of a drone's command, in the axes of ``frame_id``."""
    message = TwistStamped()
    message.header.stamp = time_message(command.stamp_ns)
    message.header.frame_id = frame_id
    _set_vector(message.twist.linear, (command.forward, command.left, command.up))
    message.twist.angular.z = float(command.yaw_rate)
    return message


def twist_message(command: AnyCommand) -> TwistStamped:
    """Return the message of any vehicle's command."""
    made = twist_from_velocity if isinstance(command, Velocity) else twist_from_command
    return made(command)


def ackermann_from_command(command: Command, *, wheelbase: float, message: Any,
                           frame_id: str = 'base_link') -> Any:
    """
    Fill an empty ``AckermannDriveStamped`` and return it: steering angle [rad], speed [m/s].

    The message is handed in because not every machine has its package. Rates are left at 0, which
    means as fast as the vehicle can.
    """
    message.header.stamp = time_message(command.stamp_ns)
    message.header.frame_id = frame_id
    message.drive.steering_angle = geometry.steering_from_curvature(
        float(command.curvature), wheelbase=wheelbase)
    message.drive.speed = float(command.speed)
    return message


def scan_message(ranges: np.ndarray, *, stamp_ns: int, angle_min: float, angle_max: float,
                 range_min: float, range_max: float, frame_id: str = 'laser') -> LaserScan:
    """Return a laser scan of ranges (N,) float32 [m] over equal angles, inf for no return."""
    message = LaserScan(
        angle_min=angle_min, angle_max=angle_max,
        angle_increment=(angle_max - angle_min) / (len(ranges) - 1),
        range_min=range_min, range_max=range_max,
        ranges=array.array('f', ranges.astype(np.float32).tobytes()))
    message.header.stamp = time_message(stamp_ns)
    message.header.frame_id = frame_id
    return message


def depth_from_image(message: Image) -> np.ndarray:
    """Return depth (H, W) [m] of a 32FC1 or 16UC1 (millimetres) image, REP-118; ImageError."""
    kinds = {'32FC1': ('f4', 1.0), '16UC1': ('u2', 0.001), 'mono16': ('u2', 0.001)}
    if message.encoding not in kinds:
        raise ImageError(f'a depth image is one of {sorted(kinds)!r}, got {message.encoding!r}')
    kind, scale = kinds[message.encoding]
    dtype = np.dtype(('>' if message.is_bigendian else '<') + kind)
    height, width, step = message.height, message.width, message.step
    if step < width * dtype.itemsize or len(message.data) < height * step:
        raise ImageError(f'{len(message.data)} bytes in rows of {step} do not hold '
                         f'{height}x{width} pixels of {message.encoding}')
    rows = np.ndarray((height, width), dtype, buffer=message.data, strides=(step, dtype.itemsize))
    return rows.astype(np.float32) * np.float32(scale)


def odometry_from_message(message: OdometryMessage) -> Odometry:
    """Return place, yaw and twist of a vehicle; a car's height and sideways speed are zero."""
    pose, twist = message.pose.pose, message.twist.twist
    q = pose.orientation
    return Odometry(stamp_ns=stamp_ns(message.header.stamp), x=pose.position.x, y=pose.position.y,
                    yaw=geometry.yaw_from_quaternion(q.x, q.y, q.z, q.w),
                    speed=twist.linear.x, yaw_rate=twist.angular.z, z=pose.position.z,
                    speed_left=twist.linear.y, speed_up=twist.linear.z)


def odometry_message(odometry: Odometry) -> OdometryMessage:
    """Return the message: pose in ``odom``, twist in ``base_link``."""
    message = OdometryMessage()
    message.header.stamp = time_message(odometry.stamp_ns)
    message.header.frame_id, message.child_frame_id = 'odom', 'base_link'
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y = float(odometry.x), float(odometry.y)
    pose.position.z = float(odometry.z)
    q = pose.orientation
    q.x, q.y, q.z, q.w = geometry.quaternion_from_yaw(float(odometry.yaw))
    twist.linear.x, twist.angular.z = float(odometry.speed), float(odometry.yaw_rate)
    twist.linear.y, twist.linear.z = float(odometry.speed_left), float(odometry.speed_up)
    return message


def shifted(odometry: Odometry, origin_ns: int) -> Odometry:
    """Return the odometry with its stamp counted from ``origin_ns``."""
    return replace(odometry, stamp_ns=odometry.stamp_ns + origin_ns)


def lane_message(truth: LaneTruth) -> Vector3Stamped:
    """Return ground truth: x distance driven [m], y offset [m], z heading error [rad]."""
    message = Vector3Stamped()
    message.header.stamp = time_message(truth.stamp_ns)
    message.header.frame_id = 'lane'
    _set_vector(message.vector, truth[1:])
    return message


def lane_truth(message: Vector3Stamped) -> LaneTruth:
    """Return ground truth from its message."""
    vector = message.vector
    return LaneTruth(stamp_ns(message.header.stamp), vector.x, vector.y, vector.z)


def target_message(truth: FlightTruth, stamp_ns: int) -> PointStamped:
    """Return where the middle of the target is, in ``odom`` [m]."""
    message = PointStamped()
    message.header.stamp, message.header.frame_id = time_message(stamp_ns), 'odom'
    east, north, up = geometry.world_from_level(
        (truth.target_ahead, truth.target_left, truth.target_up), yaw=truth.yaw)
    _set_vector(message.point, (truth.x + east, truth.y + north, truth.z + up))
    return message


def point_message(odometry: Odometry) -> PointStamped:
    """Return the place of the car as a point in ``odom``."""
    message = PointStamped()
    message.header.stamp = time_message(odometry.stamp_ns)
    message.header.frame_id = 'odom'
    _set_vector(message.point, (odometry.x, odometry.y, 0.0))
    return message


class NeuronsMessage:
    """Neuron states and time constants as a JointState, which every plotting tool reads."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._message = JointState(name=list(names))

    def fill(self, decision: Decision) -> JointState:
        """Return the message: position is the state, effort is tau [s], stamp of the frame."""
        message = self._message
        message.header.stamp = time_message(decision.command.stamp_ns)
        message.position = array.array('d', decision.state.astype(np.float64).tobytes())
        message.effort = array.array('d', decision.tau.astype(np.float64).tobytes())
        return message


def verdict_message(verdict: Verdict, *, stamp_ns: int,
                    values: Mapping[str, object] | None = None) -> DiagnosticArray:
    """Return why the gate published what it published, with the stamp of that command."""
    level = LEVELS.get(verdict, DiagnosticStatus.ERROR)
    pairs = [KeyValue(key=key, value=str(value)) for key, value in (values or {}).items()]
    return _diagnostic_array(stamp_ns, DiagnosticStatus(
        level=level, name='safety_node: verdict', message=verdict.value, values=pairs))


def verdict_of(message: DiagnosticArray) -> Verdict:
    """Return the verdict of its message."""
    return Verdict(message.status[0].message)


def verdict_word(message: DiagnosticArray) -> str:
    """Return the word of a verdict, of a kind that is not known here too; '' for none."""
    return message.status[0].message if message.status else ''


def neuron_values(message: JointState) -> tuple[np.ndarray, np.ndarray]:
    """Return states (N,) and time constants (N,) [s]."""
    return np.array(message.position), np.array(message.effort)


def health_message(name: str, values: Mapping[str, object], *, stamp_ns: int,
                   warning: str = '') -> DiagnosticArray:
    """Return the 1 Hz report of a node; ``warning`` sets level WARN."""
    level = DiagnosticStatus.WARN if warning else DiagnosticStatus.OK
    pairs = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
    return _diagnostic_array(stamp_ns, DiagnosticStatus(
        level=level, name=name, message=warning or 'ok', values=pairs))


def health_values(message: DiagnosticArray, *, sender: str = '') -> dict[str, str]:
    """Return the values of a report as text by name; with ``sender`` those of that node alone."""
    return {pair.key: pair.value for status in message.status
            if not sender or status.name.partition(':')[0] == sender for pair in status.values}


def _diagnostic_array(stamp_ns: int, status: DiagnosticStatus) -> DiagnosticArray:
    message = DiagnosticArray(status=[status])
    message.header.stamp = time_message(stamp_ns)
    return message
