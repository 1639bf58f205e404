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
Camera and IMU of the embedded vehicles as SDF sensors: the same picture, place, rate and noise.

An SDF camera looks along +x of its pose and has a horizontal angle of view; ours is given by its
vertical one. Gazebo cuts a period to whole milliseconds, so 30 Hz comes as 33 ms and 120 Hz as 8
ms: nodes go by the stamps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import math

from ltc_control.sim.scene import Mount
from ltc_control.sim.sensors import IMU_HZ, SensorNoise

CAMERA = """
      <sensor name="camera" type="camera">
        <pose>{ahead} 0 {high} 0 {pitch:.6f} 0</pose>
        <always_on>1</always_on>
        <update_rate>{rate}</update_rate>
        <topic>/{vehicle}/camera/image_raw</topic>
        <camera name="camera">
          <horizontal_fov>{across:.6f}</horizontal_fov>
          <image><width>{width}</width><height>{height}</height><format>R8G8B8</format></image>
          <clip><near>0.15</near><far>1500</far></clip>
          <camera_info_topic>/{vehicle}/camera/camera_info</camera_info_topic>
          <optical_frame_id>camera_optical_frame</optical_frame_id>
        </camera>
      </sensor>"""
IMU = """
      <sensor name="imu" type="imu">
        <pose>0 0 {height} 0 0 0</pose>
        <always_on>1</always_on>
        <update_rate>{rate}</update_rate>
        <topic>/{vehicle}/imu/data</topic>
        <imu>
          <angular_velocity>{gyro}</angular_velocity>
          <linear_acceleration>{accel}</linear_acceleration>
        </imu>
      </sensor>"""
NOISE = """
            <{axis}><noise type="gaussian"><mean>0</mean><stddev>{noise}</stddev>\
<bias_mean>0</bias_mean><bias_stddev>{bias}</bias_stddev></noise></{axis}>"""


@dataclass(frozen=True)
class Rates:
    """Sizes and rates of the sensors: pixels and Hz."""

    width: int = 200
    height: int = 66
    camera_hz: float = 30.0
    imu_hz: float = float(IMU_HZ)
    odometry_hz: float = 50.0


def horizontal_angle(fovy_degrees: float, *, width: int, height: int) -> float:
    """Return the horizontal angle of view [rad] of square pixels with this vertical one."""
    return 2.0 * math.atan(math.tan(math.radians(fovy_degrees) / 2.0) * width / height)


def camera_sensor(vehicle: str, mount: Mount, rates: Rates) -> str:
    """Return the ``<sensor>`` that sees what the embedded camera at ``mount`` sees."""
    across = horizontal_angle(mount.fovy, width=rates.width, height=rates.height)
    return CAMERA.format(vehicle=vehicle, ahead=mount.ahead, high=mount.high, pitch=mount.pitch,
                         rate=rates.camera_hz, across=across, width=rates.width,
                         height=rates.height)


def imu_sensor(vehicle: str, noise: SensorNoise, rates: Rates, *, height: float) -> str:
    """Return the ``<sensor>`` of the IMU, ``height`` [m] above the link's origin."""
    gyro = ''.join(NOISE.format(axis=axis, noise=noise.gyro_noise, bias=noise.gyro_bias)
                   for axis in 'xyz')
    accel = ''.join(NOISE.format(axis=axis, noise=noise.accel_noise, bias=noise.accel_bias)
                    for axis in 'xyz')
    return IMU.format(vehicle=vehicle, height=height, rate=rates.imu_hz, gyro=gyro, accel=accel)


def for_fortress(text: str) -> str:
    """
    Return SDF with the plugin names that every Fortress knows, also those before 6.16.

    Harmonic and Ionic read these too, with a warning for each; later ones do not.
    """
    return text.replace('filename="gz-sim-', 'filename="ignition-gazebo-').replace(
        'name="gz::sim::systems::', 'name="ignition::gazebo::systems::')


def plugin(file: str, name: str, settings: Mapping[str, object] | None = None, *,
           rows: str = '') -> str:
    """Return a ``<plugin>`` of gz-sim by the names that Garden and newer use."""
    text = ''.join(f'\n      <{key}>{value}</{key}>' for key, value in (settings or {}).items())
    end = '\n    ' if text or rows else ''
    return (f'\n    <plugin filename="gz-sim-{file}-system" name="gz::sim::systems::{name}">'
            f'{text}{rows}{end}</plugin>')
