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
Time of a simulated world: physics steps of 1/240 s, camera periods, IMU samples between frames.

A stamp is ``round(step * 1e9 / 240)``, so that it never drifts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ltc_control.core.contracts import ImuWindow
from ltc_control.core.errors import SimulationError
from ltc_control.sim.car import PHYSICS_HZ
from ltc_control.sim.sensors import Imu, IMU_HZ
import numpy as np


class Moving(Protocol):
    """A vehicle that advances by physics steps and carries an IMU."""

    def step(self) -> None:
        """Advance 1/240 s."""

    def inertial(self) -> tuple[np.ndarray, np.ndarray]:
        """Return angular velocity [rad/s] and specific force [m/s^2], (3,) each."""


def steps_per_frame(rate_hz: float) -> int:
    """Return the physics steps in a camera period; SimulationError if IMU samples miss frames."""
    steps = PHYSICS_HZ / rate_hz if rate_hz > 0 else 0.5
    grain = PHYSICS_HZ // IMU_HZ
    if abs(steps - round(steps)) > 1e-9 or round(steps) % grain:
        raise SimulationError(f'camera rate {rate_hz!r} Hz does not divide the IMU rate of '
                              f'{IMU_HZ} Hz; use 30, 60, 24, 20, 15, 12 or 10')
    return round(steps)


class Clockwork:
    """Moves one vehicle from frame to frame and samples its IMU on the way."""

    def __init__(self, vehicle: Moving, *, rate_hz: float) -> None:
        self._vehicle, self._steps = vehicle, steps_per_frame(rate_hz)
        self._step = 0
        self._imu: Imu | None = None

    def start(self, imu: Imu) -> None:
        """Begin at stamp 0 with a first IMU sample."""
        self._step, self._imu = 0, imu
        imu.sample(self.stamp_ns, *self._vehicle.inertial())

    def advance(self, before_each: Callable[[float], None] | None = None) -> None:
        """Run one camera period; ``before_each`` is told the time [s] before every step."""
        if self._imu is None:
            raise SimulationError('the environment has not been reset; call reset(seed=...)')
        for _ in range(self._steps):
            if before_each is not None:
                before_each(self._step / PHYSICS_HZ)
            self._vehicle.step()
            self._step += 1
            if self._step % (PHYSICS_HZ // IMU_HZ) == 0:
                self._imu.sample(self.stamp_ns, *self._vehicle.inertial())

    def take_imu(self) -> ImuWindow:
        """Return the IMU samples since the last call."""
        assert self._imu is not None
        return self._imu.take()

    @property
    def stamp_ns(self) -> int:
        """Return the simulated time [ns]."""
        return round(self._step * 1_000_000_000 / PHYSICS_HZ)
