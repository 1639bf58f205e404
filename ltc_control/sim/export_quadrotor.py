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
The quadrotor as an SDF model for Gazebo, from the sizes and rotors of the embedded one.

MulticopterVelocityControl takes the Twist that the embedded quadrotor takes: velocity of the
body and a yaw rate. It divides its gains by mass and inertia (``LeeVelocityController.cc``), so
they are given multiplied; it has no integral, so drag leaves a steady error: close the loop
outside.
"""

from __future__ import annotations

from ltc_control.sim.export_sensors import camera_sensor, imu_sensor, plugin, Rates
from ltc_control.sim.quadrotor import GRAVITY, QuadrotorSpec
from ltc_control.sim.scene import Mount
from ltc_control.sim.sensors import SensorNoise

NAME = 'quadrotor'
ROTOR_KG, ROTOR_RADIUS_M, LEG_M = 0.005, 0.13, 0.12
MOTOR_CONSTANT = 8.54858e-06               # thrust [N] over the square of the speed [rad/s]
SLOWDOWN = 10                              # a rotor is drawn and integrated so much slower
TILT_STIFFNESS, TILT_DAMPING = 70.0, 14.0  # [1/s^2], [1/s]: well damped at a rotor lag of 40 ms
YAW_STIFFNESS, YAW_DAMPING = 1.5, 4.0
MOUNT = Mount(ahead=0.12, high=0.0, pitch=0.0, fovy=50.0)
RATES = Rates(width=192, height=108)
# name, side of x, side of y, sense of turning: as the embedded mixer has it
ROTORS = (('front_left', 1, 1, 1), ('rear_left', -1, 1, -1), ('rear_right', -1, -1, 1),
          ('front_right', 1, -1, -1))

BODY = """
    <link name="base_link">
      <inertial>
        <mass>{mass}</mass>
        <inertia><ixx>{roll}</ixx><iyy>{roll}</iyy><izz>{yaw}</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
      <collision name="frame">
        <geometry><box><size>0.4 0.4 {tall}</size></box></geometry>
      </collision>
      <visual name="hull">
        <geometry><box><size>0.24 0.14 0.08</size></box></geometry>
        <material><ambient>0.95 0.45 0.1 1</ambient><diffuse>0.95 0.45 0.1 1</diffuse></material>
      </visual>
      <visual name="arm_left">
        <pose>0 0 0 0 0 0.785398</pose>
        <geometry><box><size>{span} 0.02 0.02</size></box></geometry>
        <material><ambient>0.1 0.1 0.1 1</ambient><diffuse>0.1 0.1 0.1 1</diffuse></material>
      </visual>
      <visual name="arm_right">
        <pose>0 0 0 0 0 -0.785398</pose>
        <geometry><box><size>{span} 0.02 0.02</size></box></geometry>
        <material><ambient>0.1 0.1 0.1 1</ambient><diffuse>0.1 0.1 0.1 1</diffuse></material>
      </visual>{sensors}
    </link>"""
ROTOR = """
    <link name="{name}_rotor">
      <pose>{x} {y} 0.03 0 0 0</pose>
      <inertial>
        <mass>{mass}</mass>
        <inertia><ixx>1e-06</ixx><iyy>4.2e-05</iyy><izz>4.3e-05</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia>
      </inertial>
      <visual name="blade">
        <geometry><box><size>{long} 0.02 0.004</size></box></geometry>
        <material><ambient>0.2 0.2 0.2 1</ambient><diffuse>0.2 0.2 0.2 1</diffuse></material>
      </visual>
    </link>
    <joint name="{name}_rotor_joint" type="revolute">
      <parent>base_link</parent>
      <child>{name}_rotor</child>
      <axis><xyz>0 0 1</xyz><limit><lower>-1e16</lower><upper>1e16</upper></limit></axis>
    </joint>"""


def quadrotor_model(*, pose: str = '0 0 0.1 0 0 0', mount: Mount = MOUNT,
                    spec: QuadrotorSpec | None = None, rates: Rates | None = None) -> str:
    """Return the ``<model>`` of the quadrotor at ``pose`` (x y z roll pitch yaw)."""
    spec, rates = spec or QuadrotorSpec(), rates or RATES
    sensors = camera_sensor(NAME, mount, rates) + imu_sensor(NAME, SensorNoise(), rates,
                                                             height=0.0)
    body = BODY.format(mass=round(spec.mass - 4.0 * ROTOR_KG, 4), roll=spec.inertia_roll,
                       yaw=spec.inertia_yaw, span=round(2.0 * 2.0**0.5 * spec.arm, 3),
                       tall=LEG_M, sensors=sensors)
    rotors = ''.join(ROTOR.format(name=name, x=x * spec.arm, y=y * spec.arm, mass=ROTOR_KG,
                                  long=2.0 * ROTOR_RADIUS_M) for name, x, y, _ in ROTORS)
    return (f'<model name="{NAME}">\n    <pose>{pose}</pose>{body}{rotors}'
            f'{_motors(spec)}{_control(spec, rates)}\n  </model>')


def _motors(spec: QuadrotorSpec) -> str:
    hover = (0.25 * spec.mass * GRAVITY / MOTOR_CONSTANT) ** 0.5
    return ''.join(plugin('multicopter-motor-model', 'MulticopterMotorModel', {
        'robotNamespace': NAME, 'jointName': f'{name}_rotor_joint', 'linkName': f'{name}_rotor',
        'turningDirection': 'ccw' if sense > 0 else 'cw', 'timeConstantUp': spec.rotor_lag,
        'timeConstantDown': spec.rotor_lag,
        'maxRotVelocity': round((spec.strongest / MOTOR_CONSTANT) ** 0.5, 1),
        'motorConstant': MOTOR_CONSTANT, 'momentConstant': spec.torque_per_thrust,
        'commandSubTopic': 'command/motor_speed',
        # Fortress asks for the first of these, Harmonic prefers the second
        'motorNumber': number, 'actuator_number': number,
        'rotorDragCoefficient': f'{0.25 * spec.drag / hover:.3e}',
        'rollingMomentCoefficient': 1e-06, 'motorSpeedPubTopic': f'motor_speed/{number}',
        'rotorVelocitySlowdownSim': SLOWDOWN, 'motorType': 'velocity'})
        for number, (name, _, _, sense) in enumerate(ROTORS))


def _control(spec: QuadrotorSpec, rates: Rates) -> str:
    rows = ''.join(
        f'\n        <rotor>\n          <jointName>{name}_rotor_joint</jointName>\n'
        f'          <forceConstant>{MOTOR_CONSTANT}</forceConstant>\n'
        f'          <momentConstant>{spec.torque_per_thrust}</momentConstant>\n'
        f'          <direction>{sense}</direction>\n        </rotor>'
        for name, _, _, sense in ROTORS)
    gain = round(spec.velocity_gain * spec.mass, 4)
    control = plugin('multicopter-control', 'MulticopterVelocityControl', {
        'robotNamespace': NAME, 'commandSubTopic': 'cmd_vel', 'enableSubTopic': 'enable',
        'comLinkName': 'base_link', 'velocityGain': f'{gain} {gain} {round(1.6 * gain, 4)}',
        'attitudeGain': _gain(spec, TILT_STIFFNESS, YAW_STIFFNESS),
        'angularRateGain': _gain(spec, TILT_DAMPING, YAW_DAMPING),
        'maximumLinearAcceleration': f'{spec.max_acceleration} {spec.max_acceleration} 5',
        'maximumLinearVelocity': f'{spec.max_speed} {spec.max_speed} {spec.max_climb}',
        'maximumAngularVelocity': f'0 0 {spec.max_yaw_rate}',
    }, rows=f'\n      <rotorConfiguration>{rows}\n      </rotorConfiguration>')
    truth = plugin('odometry-publisher', 'OdometryPublisher', {
        'odom_frame': 'odom', 'robot_base_frame': 'base_link', 'odom_topic': f'/{NAME}/odom',
        'tf_topic': f'/{NAME}/tf', 'odom_publish_frequency': rates.odometry_hz, 'dimensions': 3})
    return control + truth


def _gain(spec: QuadrotorSpec, tilt: float, yaw: float) -> str:
    roll = round(spec.inertia_roll * tilt, 5)
    return f'{roll} {roll} {round(spec.inertia_yaw * yaw, 5)}'
