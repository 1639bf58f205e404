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
"""A simulated flight for a node: what ``SimulatedDrive`` is to a car."""

from __future__ import annotations

from geometry_msgs.msg import PointStamped, TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Odometry, Velocity
from ltc_control.core.errors import SimulationError
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.parameters import SimulatorParameters
from ltc_control.sim.flight import drone_camera, FlightEnvironment, FlightSpec
from ltc_control.sim.observation import FlightTruth, Observation
from rclpy.node import Node


class SimulatedFlight:
    """
    One episode of a drone; ``done`` after ``duration_s`` (0: never).

    A collision is counted once and flown on: the simulated drone is not broken by it.
    """

    scanner = None                         # a drone of this simulator has none

    def __init__(self, told: SimulatorParameters) -> None:
        self._told = told
        if told.obstacles or told.scan:
            raise SimulationError('obstacles and scan belong to roads; a grove has its trees')
        self._environment = FlightEnvironment(FlightSpec(
            told.track, task=told.task, season=told.season, rate_hz=told.rate_hz,
            gusts=told.gusts, hidden_s=told.hidden_s, camera=drone_camera(
                noise_var=told.noise_var, exposure=told.exposure,
                delay_frames=told.delay_frames)))
        self._length = round(told.duration_s * told.rate_hz)
        self.frames = 0
        self.collisions = 0
        self.just_collided = False
        self.slips = 0
        self._touching = False
        self._truth: FlightTruth | None = None

    @property
    def picture(self) -> tuple[int, int]:
        """Return height and width of the camera's picture."""
        camera = self._environment.spec.camera
        return camera.height, camera.width

    @property
    def done(self) -> bool:
        """Say whether all periods of the flight have been flown."""
        return bool(self._length) and self.frames > self._length

    def start(self) -> Observation:
        """Hover at the start and return what is seen."""
        self.frames = 1
        return self._note(self._environment.reset(seed=self._told.seed))

    def step(self, command: Velocity) -> Observation:
        """Fly one camera period and return what is seen at its end."""
        self.frames += 1
        return self._note(self._environment.step(command))

    def _note(self, seen: Observation) -> Observation:
        truth = seen.truth
        assert isinstance(truth, FlightTruth)
        self.just_collided = truth.collided and not self._touching
        self.collisions += self.just_collided
        self._touching, self._truth = truth.collided, truth
        return seen

    def place_obstacles(self, text: str) -> None:
        """Refuse: nothing can be put into a grove."""
        if text:
            raise SimulationError('obstacles belong to roads; a grove has its trees')

    def figures(self) -> dict[str, object]:
        """Return the numbers so far."""
        distance = self._truth.distance if self._truth is not None else float('nan')
        return {'frames': self.frames, 'collisions': self.collisions,
                'target_m': round(distance, 2), 'clock_slips': self.slips}

    def close(self) -> None:
        """Free the renderer."""
        self._environment.close()

    @staticmethod
    def read(message: TwistStamped) -> Velocity:
        """Return the command of a message."""
        return convert.velocity_from_twist(message)

    @staticmethod
    def stop() -> Velocity:
        """Return what is flown without a command: hover."""
        return Velocity.stop(0)


class FlightTruthOutput:
    """Publishes where the target is and where the drone touched something, for reports."""

    def __init__(self, node: Node) -> None:
        self._log = node.get_logger()
        self._target_out = node.create_publisher(
            PointStamped, bringup.TARGET_TRUTH, qos.sensor(10, lockstep=True))
        self._collision_out = node.create_publisher(
            PointStamped, bringup.COLLISION, qos.EVENT)

    def send(self, observation: Observation, odometry: Odometry, drive: SimulatedFlight) -> None:
        """Publish the truth of one frame."""
        self._target_out.publish(convert.target_message(observation.truth, odometry.stamp_ns))
        if drive.just_collided:
            self._collision_out.publish(convert.point_message(odometry))
            self._log.warning(f'collision {drive.collisions}')
