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
"""Pushes on a drone that the pilot must make good while it is recorded (see ``disturbance``)."""

from __future__ import annotations

from ltc_control.core.contracts import Velocity
import numpy as np

WANDER = np.array([0.35, 0.35, 0.2, 0.25])  # standard deviations: [m/s] x 3, [rad/s]
WANDER_S = 1.0                             # correlation time
BURST = np.array([1.5, 1.5, 0.8, 1.0])     # strongest
BURST_EVERY_S, BURST_S = 4.0, (0.3, 1.0)


class Pushes:
    """A seeded stream of pushes; call :meth:`apply` once a frame."""

    def __init__(self, rng: np.random.Generator, *, dt_s: float) -> None:
        self._rng, self._dt_s = rng, dt_s
        self._wander, self._burst = np.zeros(4), np.zeros(4)
        self._left_s = 0.0
        self._pause_s = rng.exponential(BURST_EVERY_S)
        self._pace = rng.uniform(0.7, 1.15)

    def apply(self, command: Velocity) -> Velocity:
        """Return what the drone is flown with: the command and the push of this frame."""
        keep = np.exp(-self._dt_s / WANDER_S)
        kick = WANDER * np.sqrt(1.0 - keep * keep)
        self._wander = keep * self._wander + kick * self._rng.standard_normal(4)
        push = self._wander + self._next_burst()
        forward, left, up, turn = push.tolist()
        return Velocity(command.stamp_ns, command.forward * self._pace + forward,
                        command.left * self._pace + left, command.up + up,
                        command.yaw_rate + turn)

    def _next_burst(self) -> np.ndarray:
        if self._left_s > 0.0:
            self._left_s -= self._dt_s
            return self._burst
        self._pause_s -= self._dt_s
        if self._pause_s <= 0.0:
            self._burst = BURST * self._rng.uniform(-1.0, 1.0, 4)
            self._left_s = self._rng.uniform(*BURST_S)
            self._pause_s = self._rng.exponential(BURST_EVERY_S)
        return np.zeros(4)
