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
The car as an SDF model for Gazebo, from the same sizes as the embedded one.

``base_link`` is the middle of the wheelbase on the ground. The front wheels hang on knuckles that
the AckermannSteering system turns, the rear wheels are driven. Gazebo steers by a yaw rate, as our
Twist does. Its wheels grip as hard rubber on a plane, where the embedded car slips a little; the
gain of the steering is the inverse of the embedded lag.
"""

from __future__ import annotations

from ltc_control.sim.car import CarSpec
from ltc_control.sim.export_sensors import camera_sensor, imu_sensor, plugin, Rates
from ltc_control.sim.looks import Light
from ltc_control.sim.scene import Mount
from ltc_control.sim.sensors import SensorNoise

NAME = 'car'
WHEEL_RADIUS_M, WHEEL_WIDTH_M, WHEEL_KG, KNUCKLE_KG = 0.34, 0.22, 20.0, 10.0
MASS_HEIGHT_M, IMU_HEIGHT_M = 0.5, 0.35
HARDEST_MS2 = 4.0                          # Gazebo limits yaw acceleration by the same number

BODY = """
    <link name="base_link">
      <inertial>
        <pose>0 0 {height} 0 0 0</pose>
        <mass>{mass}</mass>
        <inertia><ixx>560</ixx><iyy>{turn}</iyy><izz>{turn}</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
      <collision name="body_collision">
        <pose>0.1 0 0.7 0 0 0</pose>
        <geometry><box><size>4.2 1.7 0.6</size></box></geometry>
      </collision>
      <visual name="body">
        <pose>0.1 0 0.6 0 0 0</pose>
        <geometry><box><size>4.2 1.7 0.5</size></box></geometry>
        <material><ambient>0.8 0.16 0.1 1</ambient><diffuse>0.8 0.16 0.1 1</diffuse></material>
      </visual>
      <visual name="cabin">
        <pose>-0.85 0 1.1 0 0 0</pose>
        <geometry><box><size>1.7 1.5 0.5</size></box></geometry>
        <material><ambient>0.1 0.14 0.18 1</ambient><diffuse>0.1 0.14 0.18 1</diffuse></material>
      </visual>{sensors}{lamp}
    </link>"""
WHEEL = """
    <link name="{name}_wheel">
      <pose>{x} {y} {radius} 0 0 0</pose>
      <inertial>
        <mass>{mass}</mass>
        <inertia><ixx>{tilt:.4f}</ixx><iyy>{roll:.4f}</iyy><izz>{tilt:.4f}</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
      <collision name="tyre_collision">
        <pose>0 0 0 -1.570796 0 0</pose>
        <geometry><cylinder><radius>{radius}</radius><length>{width}</length></cylinder></geometry>
        <surface><friction><ode><mu>{grip}</mu><mu2>{grip}</mu2></ode></friction></surface>
      </collision>
      <visual name="tyre">
        <pose>0 0 0 -1.570796 0 0</pose>
        <geometry><cylinder><radius>{radius}</radius><length>{width}</length></cylinder></geometry>
        <material><ambient>0.06 0.06 0.07 1</ambient><diffuse>0.06 0.06 0.07 1</diffuse></material>
      </visual>
    </link>
    <joint name="{name}_wheel_joint" type="revolute">
      <parent>{parent}</parent>
      <child>{name}_wheel</child>
      <axis><xyz>0 1 0</xyz><limit><lower>-1e16</lower><upper>1e16</upper></limit></axis>
    </joint>"""
KNUCKLE = """
    <link name="{name}_knuckle">
      <pose>{x} {y} {radius} 0 0 0</pose>
      <inertial>
        <mass>{mass}</mass>
        <inertia><ixx>0.3</ixx><iyy>0.3</iyy><izz>0.3</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
    </link>
    <joint name="{name}_steering_joint" type="revolute">
      <parent>base_link</parent>
      <child>{name}_knuckle</child>
      <axis>
        <xyz>0 0 1</xyz>
        <limit><lower>-{limit:.4f}</lower><upper>{limit:.4f}</upper></limit>
      </axis>
    </joint>"""
LAMP = """
      <light name="lamp" type="spot">
        <pose>2.3 0 0.8 0 -1.4808 0</pose>
        <cast_shadows>false</cast_shadows>
        <diffuse>1 0.95 0.85 1</diffuse>
        <specular>0 0 0 1</specular>
        <intensity>{power}</intensity>
        <attenuation><range>90</range><constant>1</constant><linear>0.02</linear><quadratic>0.0016</quadratic></attenuation>
        <direction>0 0 -1</direction>
        <spot><inner_angle>0.5</inner_angle><outer_angle>1.6</outer_angle><falloff>1</falloff></spot>
      </light>"""


def car_model(*, pose: str = '0 0 0 0 0 0', light: Light | None = None, mount: Mount | None = None,
              spec: CarSpec | None = None, rates: Rates | None = None) -> str:
    """Return the ``<model>`` of the car at ``pose`` (x y z roll pitch yaw), lit as ``light``."""
    spec, mount, rates = spec or CarSpec(), mount or Mount(), rates or Rates()
    lamp = LAMP.format(power=light.lamp) if light is not None and light.lamp > 0.0 else ''
    sensors = camera_sensor(NAME, mount, rates) + imu_sensor(
        NAME, SensorNoise(), rates, height=IMU_HEIGHT_M)
    body = BODY.format(height=MASS_HEIGHT_M, turn=_body_inertia(spec), sensors=sensors, lamp=lamp,
                       mass=spec.mass - 4.0 * WHEEL_KG - 2.0 * KNUCKLE_KG)
    return (f'<model name="{NAME}">\n    <pose>{pose}</pose>{body}{_wheels(spec)}'
            f'{_systems(spec, rates)}\n  </model>')


def _track_width(spec: CarSpec) -> float:
    """Return the distance of the wheels' middles; ``spec.width`` is over their outer edges."""
    return spec.width - WHEEL_WIDTH_M


def _body_inertia(spec: CarSpec) -> float:
    """Return what the body adds to the wheels at its corners to make the yaw inertia."""
    arm = (0.5 * spec.wheelbase) ** 2 + (0.5 * _track_width(spec)) ** 2
    return round(spec.yaw_inertia - (4.0 * WHEEL_KG + 2.0 * KNUCKLE_KG) * arm, 1)


def _wheels(spec: CarSpec) -> str:
    """Return wheels, knuckles and their joints; left is +y."""
    x, y = 0.5 * spec.wheelbase, round(0.5 * _track_width(spec), 4)
    rest = {'radius': WHEEL_RADIUS_M, 'width': WHEEL_WIDTH_M, 'mass': WHEEL_KG,
            'grip': spec.friction, 'roll': 0.5 * WHEEL_KG * WHEEL_RADIUS_M**2,
            'tilt': WHEEL_KG * (3.0 * WHEEL_RADIUS_M**2 + WHEEL_WIDTH_M**2) / 12.0}
    text = ''
    for side, at in (('left', y), ('right', -y)):
        text += KNUCKLE.format(name=f'front_{side}', x=x, y=at, radius=WHEEL_RADIUS_M,
                               mass=KNUCKLE_KG, limit=spec.steering_limit + 0.2)
        text += WHEEL.format(name=f'front_{side}', x=x, y=at, parent=f'front_{side}_knuckle',
                             **rest)
        text += WHEEL.format(name=f'rear_{side}', x=-x, y=at, parent='base_link', **rest)
    return text


def _systems(spec: CarSpec, rates: Rates) -> str:
    width = round(_track_width(spec), 4)
    steering = plugin('ackermann-steering', 'AckermannSteering', {
        'left_joint': 'rear_left_wheel_joint', 'right_joint': 'rear_right_wheel_joint',
        'left_steering_joint': 'front_left_steering_joint',
        'right_steering_joint': 'front_right_steering_joint',
        'wheel_base': spec.wheelbase, 'wheel_separation': width, 'kingpin_width': width,
        'wheel_radius': WHEEL_RADIUS_M, 'steering_limit': spec.steering_limit,
        'steer_p_gain': 1.0 / spec.steering_lag,
        'min_velocity': -14.0, 'max_velocity': 14.0,
        'min_acceleration': -HARDEST_MS2, 'max_acceleration': HARDEST_MS2,
        'topic': f'/{NAME}/cmd_vel', 'odom_topic': f'/{NAME}/wheel_odometry',
        'tf_topic': f'/{NAME}/wheel_tf', 'frame_id': 'wheel_odom', 'child_frame_id': 'base_link'})
    truth = plugin('odometry-publisher', 'OdometryPublisher', {
        'odom_frame': 'odom', 'robot_base_frame': 'base_link', 'odom_topic': f'/{NAME}/odom',
        'tf_topic': f'/{NAME}/tf', 'odom_publish_frequency': rates.odometry_hz, 'dimensions': 3})
    return steering + truth
