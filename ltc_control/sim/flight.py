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
The grove as a loop: velocity in, observation out, one camera period a step.

Everything random comes from the seed of the episode: the place, the start, the way of the target,
wind and noise. Equal seeds and commands give equal bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import math

from ltc_control.core.contracts import Frame, Odometry, Velocity
from ltc_control.core.errors import SimulationError
from ltc_control.core.flight_tasks import TASKS
from ltc_control.sim.camera import CameraSpec
from ltc_control.sim.flight_scene import FlightScene, FORWARD
from ltc_control.sim.grove import make_place, TARGET_RADIUS_M
from ltc_control.sim.looks import find_look
from ltc_control.sim.observation import FlightTruth, Observation
from ltc_control.sim.pilot import Pilot
from ltc_control.sim.quadrotor import Quadrotor, QuadrotorSpec
from ltc_control.sim.sensors import SensorNoise
from ltc_control.sim.target import still, wander
from ltc_control.sim.vanishing import FAR_BELOW_M, Vanishing
from ltc_control.sim.wind import Wind
from ltc_control.sim.world import World
import numpy as np

LONGEST_WALK_S = 180.0


def drone_camera(**changes: float) -> CameraSpec:
    """Return the drone's camera, 192x108 with 79 degrees across."""
    return CameraSpec(width=192, height=108, mount=FORWARD, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class FlightSpec:
    """One episode; ``render=False`` gives black frames."""

    episode: int
    task: str = 'reach'
    season: str = 'summer'
    camera: CameraSpec = field(default_factory=drone_camera)
    rate_hz: float = 30.0
    render: bool = True
    gusts: float = 0.0                     # peak of the wind's gusts [m/s]
    hidden_s: float = 0.0                  # longest absence of the target; inf: never there
    drone: QuadrotorSpec = field(default_factory=QuadrotorSpec)
    noise: SensorNoise = field(default_factory=SensorNoise)

    def __post_init__(self) -> None:
        """Refuse a task that nobody flies."""
        if self.task not in TASKS:
            raise SimulationError(f'unknown task {self.task!r}; use {" or ".join(TASKS)}')


class FlightEnvironment(World):
    """A drone in a grove."""

    def __init__(self, spec: FlightSpec) -> None:
        self.spec = spec
        camera = spec.camera
        half_up = math.radians(0.5 * camera.mount.fovy)
        self._half = (math.tan(half_up) * camera.width / camera.height, math.tan(half_up))
        self.half_view = half_view = math.atan(self._half[0])   # across [rad]
        if spec.task == 'reach':
            self.place = make_place(spec.episode, half_view=half_view)
            self.walk = still(self.place)
        else:                              # a lighter grove, with room to walk in
            self.place = make_place(spec.episode, half_view=half_view, trees=60, surprise=0.0,
                                    walks=True)
            self.walk = wander(self.place, seconds=LONGEST_WALK_S)
        self.drone = Quadrotor(spec.drone)
        self.expert = Pilot(spec.task, self.place.thicket)
        super().__init__(self.drone, season=spec.season, camera=spec.camera, noise=spec.noise,
                         rate_hz=spec.rate_hz, render=spec.render)

    def _build(self) -> FlightScene:
        self._scene = FlightScene(self.place, find_look(self.season),
                                  mount=self.spec.camera.mount)
        return self._scene

    def reset(self, *, seed: int | None = None) -> Observation:
        """Start the episode at stamp 0; ``seed`` (of noise and wind) None is the episode's own."""
        seed = self.spec.episode if seed is None else seed
        x, y, z = self.place.start
        self.drone.reset(x=x, y=y, z=z, yaw=self.place.yaw)
        self._wind = Wind(self.spec.gusts, np.random.default_rng([seed, 5]))
        self._vanishing = Vanishing(self.spec.hidden_s, np.random.default_rng([seed, 6]))
        self._unseen_s = math.inf
        self._start(seed)
        return self._observe()

    def step(self, command: Velocity) -> Observation:
        """Fly one camera period under ``command`` and return what is seen at its end."""
        asked = (command.forward, command.left, command.up, command.yaw_rate)
        if not all(map(math.isfinite, asked)):
            raise SimulationError(f'a command must be finite, got {command!r}')
        self.drone.command(forward=command.forward, left=command.left, up=command.up,
                           yaw_rate=command.yaw_rate)
        self._clock.advance(self._blow)
        self._unseen_s += 1.0 / self.spec.rate_hz
        return self._observe()

    def target_mask(self) -> np.ndarray:
        """Return where the camera sees the target now, (H, W) bool."""
        return self._eye().mask(self.drone, self._scene.target_geoms)

    def _blow(self, seconds: float) -> None:
        self.drone.wind = self._wind.at(seconds)

    def _observe(self) -> Observation:
        stamp = self.stamp_ns
        seconds = stamp / 1e9
        target = self.walk.at(seconds)
        odometry = self._odometry(stamp)
        gone = self._vanishing.gone(seconds)
        truth = self._truth(stamp, target, self.walk.velocity(seconds), gone=gone)
        rgb = self._black
        if self._camera is not None:
            self._scene.hang_target((*target[:2], FAR_BELOW_M) if gone else target)
            rgb = self._camera.capture(self.drone)
        return Observation(Frame(stamp, rgb), self._clock.take_imu(), odometry, truth)

    def _odometry(self, stamp_ns: int) -> Odometry:
        x, y, z = self.drone.position
        forward, left, up, turning = self.drone.velocity
        noise = self.spec.noise
        drawn = self._rng.standard_normal(4)
        return Odometry(stamp_ns, x, y, self.drone.attitude[0],
                        forward + noise.speed_noise * float(drawn[0]),
                        turning + noise.yaw_rate_noise * float(drawn[1]), z,
                        left + noise.speed_noise * float(drawn[2]),
                        up + noise.speed_noise * float(drawn[3]))

    def _truth(self, stamp_ns: int, target: tuple[float, float, float],
               moving: tuple[float, float], *, gone: bool) -> FlightTruth:
        x, y, z = self.drone.position
        yaw = self.drone.attitude[0]
        cos, sin = math.cos(yaw), math.sin(yaw)
        dx, dy, dz = target[0] - x, target[1] - y, target[2] - z
        ahead, left = dx * cos + dy * sin, dy * cos - dx * sin
        in_view = not gone and self._in_picture(dx, dy, dz) and not (
            self.place.thicket.hides((x, y, z), target))
        if in_view:
            self._unseen_s = 0.0
        return FlightTruth(
            stamp_ns, x, y, z, yaw, ahead, left, dz, moving[0] * cos + moving[1] * sin,
            moving[1] * cos - moving[0] * sin, in_view, self._unseen_s,
            self._touches(x, y, z, math.sqrt(dx * dx + dy * dy + dz * dz)))

    def _in_picture(self, dx: float, dy: float, dz: float) -> bool:
        """Say whether a point (from the drone, world axes) lies inside the camera's picture."""
        ahead, left, up = self.drone.to_body(dx, dy, dz)
        ahead -= self.spec.camera.mount.ahead
        return (ahead > 0.0 and abs(left) < self._half[0] * ahead
                and abs(up) < self._half[1] * ahead)

    def _touches(self, x: float, y: float, z: float, distance: float) -> bool:
        reach = self.spec.drone.radius
        return (z < 0.5 * reach or distance < reach + TARGET_RADIUS_M
                or self.place.thicket.touches(x, y, z, reach=reach))
