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
What the worlds of all vehicles have: a clock, seeded sensors, a season, and a camera or none.

A world of its own kind adds what stands around and what is true of it: road or grove.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from ltc_control.core.errors import SimulationError
from ltc_control.sim.camera import Camera, CameraSpec, Drawn
from ltc_control.sim.clockwork import Clockwork, Moving
from ltc_control.sim.looks import find_look
from ltc_control.sim.scene import Scene
from ltc_control.sim.sensors import Imu, SensorNoise
import numpy as np

Some = TypeVar('Some', bound='World')


class Vehicle(Drawn, Moving, Protocol):
    """Moves by physics, carries an IMU and can be drawn."""


class World:
    """One vehicle in its surroundings; use as a context manager, or call ``close``."""

    def __init__(self, vehicle: Vehicle, *, season: str, camera: CameraSpec, rate_hz: float,
                 noise: SensorNoise, render: bool) -> None:
        self._season = find_look(season).name
        self._vehicle, self._noise = vehicle, noise
        self._clock = Clockwork(vehicle, rate_hz=rate_hz)
        self._camera = Camera(camera, self._build()) if render else None
        self._black = np.zeros((camera.height, camera.width, 3), np.uint8)

    def _build(self) -> Scene:
        """
        Return what the camera is to look at; called only where there is one.

        That is in ``__init__``: what stands around is made before it is called.
        """
        raise NotImplementedError

    def _start(self, seed: int) -> None:
        """Begin at stamp 0 with noise from ``seed``; the vehicle stands where it begins."""
        self._rng = np.random.default_rng([seed, 1])
        if self._camera is not None:
            self._camera.reset(np.random.default_rng([seed, 3]))
        self._clock.start(Imu(self._noise, np.random.default_rng([seed, 2])))

    @property
    def stamp_ns(self) -> int:
        """Return the simulated time [ns]."""
        return self._clock.stamp_ns

    @property
    def season(self) -> str:
        """Return the look of the world."""
        return self._season

    def set_season(self, name: str) -> None:
        """Change the look from the next frame on; SimulationError for an unknown season."""
        self._season = find_look(name).name
        if self._camera is not None:
            self._camera.set_season(self._season)

    def view(self, *, width: int = 640, height: int = 360) -> np.ndarray:
        """Return a picture from behind the vehicle, (height, width, 3) uint8, for people."""
        return self._eye().chase(self._vehicle, width=width, height=height)

    def _eye(self) -> Camera:
        if self._camera is None:
            raise SimulationError('render=False: there is no camera to take a picture with')
        return self._camera

    def close(self) -> None:
        """Free the renderer; the world cannot draw afterwards."""
        if self._camera is not None:
            self._camera.close()

    def __enter__(self: Some) -> Some:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
