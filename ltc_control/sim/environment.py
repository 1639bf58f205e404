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
The world as a loop: command in, observation out, one camera period a step.

Everything random comes from the seed of ``reset``: equal seeds and commands give equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from ltc_control.core.contracts import Command, Frame
from ltc_control.core.errors import SimulationError
from ltc_control.sim.camera import CameraSpec
from ltc_control.sim.car import Car, CarSpec
from ltc_control.sim.expert import Expert
from ltc_control.sim.looks import find_look, SEASONS
from ltc_control.sim.observation import Observation, Truth
from ltc_control.sim.obstacles import drawn_obstacles, Obstacle, Obstacles
from ltc_control.sim.scanner import put_obstacles, Scanner, ScannerSpec
from ltc_control.sim.scene import road_scene, Scene
from ltc_control.sim.sensors import measure_odometry, SensorNoise
from ltc_control.sim.track import Frenet, LANE_WIDTH_M, make_track
from ltc_control.sim.world import World
import numpy as np

__all__ = ['SEASONS', 'CameraSpec', 'Environment', 'EnvironmentSpec', 'Observation', 'Truth']
END_M = 25.0                               # before the end of an open road


@dataclass(frozen=True)
class EnvironmentSpec:
    """One world: which road, in which season, seen how; ``render=False`` gives black frames."""

    track: int
    season: str = 'summer'
    closed: bool = True
    camera: CameraSpec = field(default_factory=CameraSpec)
    rate_hz: float = 30.0
    render: bool = True
    car: CarSpec = field(default_factory=CarSpec)
    noise: SensorNoise = field(default_factory=SensorNoise)
    obstacles: tuple[Obstacle, ...] = ()
    scanner: ScannerSpec | None = None
    scenery_seed: int | None = None        # of what stands beside the road; None: the track's own


class Environment(World):
    """A car on a road."""

    def __init__(self, spec: EnvironmentSpec) -> None:
        self.spec = spec
        self.track = make_track(spec.track, closed=spec.closed)
        self.car = Car(spec.car)
        self.expert = Expert(self.track, spec.car)
        self.obstacles = Obstacles(spec.obstacles, self.track)
        self._scanner = (None if spec.scanner is None else
                         Scanner(spec.scanner, self.track, self.obstacles))
        super().__init__(self.car, season=spec.season, camera=spec.camera, noise=spec.noise,
                         rate_hz=spec.rate_hz, render=spec.render)

    def _build(self) -> Scene:
        kinds = self.obstacles.kinds
        return road_scene(self.track, find_look(self.season), mount=self.spec.camera.mount,
                          others=drawn_obstacles(kinds) if kinds else None,
                          scenery_seed=self.spec.scenery_seed)

    def reset(self, *, seed: int, arc_m: float | None = None, offset_m: float = 0.0,
              heading_error: float = 0.0, speed: float | None = None) -> Observation:
        """
        Start a drive at stamp 0 and return its first observation.

        ``arc_m`` None is the start of the road, ``speed`` None the one that suits the place.
        """
        self._lap = self._arc = 0.0
        self.place(arc_m=0.0 if arc_m is None else arc_m, offset_m=offset_m,
                   heading_error=heading_error, speed=speed)
        if self._scanner is not None:
            self._scanner.reset(np.random.default_rng([seed, 4]))
        self._start(seed)
        return self._observe()

    def place(self, *, arc_m: float | None = None, offset_m: float = 0.0,
              heading_error: float = 0.0, speed: float | None = None) -> None:
        """Put the car elsewhere and let the clock run on; ``arc_m`` None is where it is now."""
        arc = self.track.wrap(self._arc if arc_m is None else arc_m)
        speed = self.expert.speed_at(arc) if speed is None else speed
        bend = float(self.track.curvature_at(arc))
        slip = self.car.slip_angle(curvature=bend, speed=speed)
        x, y, yaw = self.track.place(arc, offset=offset_m, heading_error=heading_error - slip)
        self.car.reset(x=x, y=y, yaw=yaw, speed=speed, curvature=bend)
        self._arc = arc
        self._hit = False
        self._stuck: tuple[float, float, float] | None = None

    def step(self, command: Command) -> Observation:
        """Drive one camera period under ``command`` and return what is seen at its end."""
        if not (math.isfinite(command.curvature) and math.isfinite(command.speed)):
            raise SimulationError(f'a command must be finite, got {command!r}')
        self.car.command(curvature=command.curvature, speed=command.speed)
        self._hit = False
        self._clock.advance(self._stand_if_hit if self.obstacles.kinds else None)
        return self._observe()

    def _stand_if_hit(self, now_s: float) -> None:
        """Let a car that runs into an obstacle stand there for as long as that does."""
        pose = self._stuck or self.car.pose
        self._stuck = pose if self.obstacles.hit(*pose, now_s=now_s) else None
        if self._stuck is not None:
            self.car.reset(x=pose[0], y=pose[1], yaw=pose[2])
            self._hit = True

    def road_mask(self) -> np.ndarray:
        """Return where the camera sees road now, (H, W) bool: both lanes, nothing in front."""
        return self._eye().road_mask(self.car)

    def _observe(self) -> Observation:
        stamp = self.stamp_ns
        imu = self._clock.take_imu()
        odometry = measure_odometry(stamp, pose=self.car.pose, velocity=self.car.velocity,
                                    noise=self.spec.noise, rng=self._rng)
        return Observation(Frame(stamp, self._picture(stamp / 1e9)), imu, odometry,
                           self._truth(stamp), self._scan(stamp / 1e9))

    def _picture(self, now_s: float) -> np.ndarray:
        if self._camera is None:
            return self._black
        if self.obstacles.kinds:
            scene = self._camera.scene
            put_obstacles(scene.model, scene.data, self.obstacles, now_s=now_s)
        return self._camera.capture(self.car)

    def _scan(self, now_s: float) -> np.ndarray | None:
        return (None if self._scanner is None else
                self._scanner.measure(self.car.pose, now_s=now_s))

    def _truth(self, stamp_ns: int) -> Truth:
        place = self.track.frenet(*self.car.pose, near=self._arc)
        moved = place.arc - self._arc
        if self.track.closed:              # across the seam of the loop
            half = 0.5 * self.track.length
            moved = (moved + half) % self.track.length - half
        self._lap += moved
        self._arc = place.arc
        bend = float(self.track.curvature_at(place.arc))
        ahead, _, rate = self.car.velocity
        at_end = not self.track.closed and place.arc > self.track.length - END_M
        return Truth(stamp_ns, place.arc, self._lap, place.offset, place.heading_error, bend,
                     _departed(place, bend, self.spec.car), ahead * rate, at_end, self._hit)


def _departed(place: Frenet, curvature: float, car: CarSpec) -> bool:
    """Say whether the outer edge of any tyre is beyond the edge of the lane."""
    cos, sin = math.cos(place.heading_error), math.sin(place.heading_error)
    for ahead in (0.5 * car.wheelbase, -0.5 * car.wheelbase):
        for side in (0.5 * car.width, -0.5 * car.width):
            along = ahead * cos - side * sin
            across = place.offset + ahead * sin + side * cos
            if abs(across - 0.5 * curvature * along * along) > 0.5 * LANE_WIDTH_M:
                return True
    return False
