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
"""One drive in the simulated world, without middleware: length, departures, figures."""

from __future__ import annotations

from geometry_msgs.msg import PointStamped, TwistStamped, Vector3Stamped
from ltc_control import bringup
from ltc_control.core.contracts import Command, Odometry
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.parameters import SimulatorParameters
from ltc_control.sim.environment import CameraSpec, Environment, EnvironmentSpec, Observation
from ltc_control.sim.obstacles import parse_obstacles
from ltc_control.sim.scanner import ScannerSpec
from rclpy.node import Node


class SimulatedDrive:
    """
    The loop body of ``ltc eval`` for a node: after a departure the car is put back on the lane.

    ``done`` after ``duration_s`` (0: never); ``slips`` counts how often the wall clock ran away.
    """

    def __init__(self, told: SimulatorParameters) -> None:
        self._told = told
        self.scanner = ScannerSpec() if told.scan else None
        self._environment = Environment(EnvironmentSpec(
            track=told.track, season=told.season, rate_hz=told.rate_hz,
            obstacles=parse_obstacles(told.obstacles), scanner=self.scanner,
            camera=CameraSpec(width=told.width, height=told.height, noise_var=told.noise_var,
                              exposure=told.exposure, delay_frames=told.delay_frames)))
        self._length = round(told.duration_s * told.rate_hz)
        self.frames = 0
        self.departures = 0
        self.just_departed = False
        self.collisions = 0
        self.slips = 0
        self._touching = False
        self._off_lane = False
        self._distance_m = 0.0

    @property
    def picture(self) -> tuple[int, int]:
        """Return height and width of the camera's picture."""
        return self._told.height, self._told.width

    @staticmethod
    def read(message: TwistStamped) -> Command:
        """Return the command of a message."""
        return convert.command_from_twist(message)

    @staticmethod
    def stop() -> Command:
        """Return what is driven without a command: the brakes."""
        return Command.stop(0)

    @property
    def done(self) -> bool:
        """Say whether all periods of the drive have been driven."""
        return bool(self._length) and self.frames > self._length

    def start(self) -> Observation:
        """Place the car at the start and return what it sees."""
        self.frames = 1
        return self._environment.reset(seed=self._told.seed, speed=self._told.speed)

    def step(self, command: Command) -> Observation:
        """Drive one camera period and return what is seen at its end."""
        observation = self._environment.step(command)
        self.frames += 1
        departed = observation.truth.departed
        self.just_departed = departed and not self._off_lane
        self.collisions += observation.truth.hit and not self._touching
        self._touching = observation.truth.hit
        self._off_lane = departed
        self._distance_m = observation.truth.lap_m
        if self.just_departed:
            self.departures += 1
            self._environment.place(offset_m=0.0, heading_error=0.0)
        return observation

    def place_obstacles(self, text: str) -> None:
        """Set what stands on the road from now on; SimulationError where that cannot be."""
        self._environment.obstacles.replace(parse_obstacles(text))

    def figures(self) -> dict[str, object]:
        """Return the numbers so far."""
        return {'frames': self.frames, 'departures': self.departures,
                'collisions': self.collisions,
                'distance_m': round(self._distance_m, 2), 'clock_slips': self.slips}

    def close(self) -> None:
        """Free the renderer."""
        self._environment.close()


class LaneTruthOutput:
    """Publishes where the car is on its lane, and its departures, for reports."""

    def __init__(self, node: Node) -> None:
        self._log = node.get_logger()
        self._truth_out = node.create_publisher(
            Vector3Stamped, bringup.LANE_TRUTH, qos.sensor(10, lockstep=True))
        self._departure_out = node.create_publisher(PointStamped, bringup.DEPARTURE, qos.EVENT)

    def send(self, observation: Observation, odometry: Odometry, drive: SimulatedDrive) -> None:
        """Publish the truth of one frame."""
        truth = observation.truth
        self._truth_out.publish(convert.lane_message(convert.LaneTruth(
            odometry.stamp_ns, truth.lap_m, truth.offset_m, truth.heading_error)))
        if drive.just_departed:
            self._departure_out.publish(convert.point_message(odometry))
            self._log.warning(f'departure {drive.departures}: put back on the lane')
