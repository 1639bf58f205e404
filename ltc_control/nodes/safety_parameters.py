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
"""Tables of the nodes that speak to the actuators: limits, ages, people, obstacles."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.bringup import HUMAN_COMMAND
from ltc_control.core.flight_limits import FlightLimits
from ltc_control.core.gate import GateConfig
from ltc_control.core.limits import Limits
from ltc_control.core.obstacle import ObstacleConfig
from ltc_control.core.take_over import JoystickMap
from ltc_control.nodes.declared import described

_LIMITS = Limits()
_FLIGHT = FlightLimits()
_OBSTACLE = ObstacleConfig()
_GATE = GateConfig()
_JOYSTICK = JoystickMap()


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
