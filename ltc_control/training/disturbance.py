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
Pushes on the wheel that an expert must recover from while it is recorded.

Recordings of clean driving only never show what to do off the centre; with disturbed ones the
label stays the expert's clean command while the car is elsewhere (Bojarski et al. 2016 shift the
camera for the same reason; Laskey et al. 2017, DART, inject noise into the supervisor as here).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ltc_control.core.contracts import Command
import numpy as np


@dataclass(frozen=True)
class DisturbanceConfig:
    """How hard the car is pushed; shifts are sideways distances [m] a burst would cause alone."""

    burst_interval_s: float = 3.0          # mean time between bursts, exponential
    burst_seconds: tuple[float, float] = (0.2, 1.0)
    burst_shift_m: float = 0.9             # largest sideways shift of one burst
    wander: float = 0.004                  # [1/m] standard deviation of slow curvature noise
    wander_seconds: float = 0.7            # its correlation time
    speed_factor: tuple[float, float] = (0.75, 1.2)   # of the expert's speed, per episode


class Disturbance:
    """A seeded stream of pushes; call :meth:`apply` once a frame."""

    def __init__(self, config: DisturbanceConfig, *, rng: np.random.Generator,
                 dt_s: float) -> None:
        self._config = config
        self._rng = rng
        self._dt_s = dt_s
        self._speed_factor = rng.uniform(*config.speed_factor)
        self._wander = 0.0
        self._burst = 0.0
        self._burst_left_s = 0.0
        self._pause_s = rng.exponential(config.burst_interval_s)

    def apply(self, command: Command) -> Command:
        """Return what the car is driven with: the command plus the push of this frame."""
        curvature = command.curvature + self._next_wander() + self._next_burst(command.speed)
        return replace(command, curvature=curvature, speed=command.speed * self._speed_factor)

    def _next_wander(self) -> float:
        keep = np.exp(-self._dt_s / self._config.wander_seconds)
        kick = self._config.wander * np.sqrt(1.0 - keep * keep)
        self._wander = keep * self._wander + kick * self._rng.standard_normal()
        return float(self._wander)

    def _next_burst(self, speed: float) -> float:
        if self._burst_left_s > 0.0:
            self._burst_left_s -= self._dt_s
            return self._burst
        self._pause_s -= self._dt_s
        if self._pause_s <= 0.0:
            self._start_burst(max(speed, 3.0))
        return 0.0

    def _start_burst(self, speed: float) -> None:
        shift = self._rng.uniform(-1.0, 1.0) * self._config.burst_shift_m
        self._burst_left_s = self._rng.uniform(*self._config.burst_seconds)
        # y = 1/2 kappa (v t)^2 for a short arc, solved for the curvature
        self._burst = float(2.0 * shift / (speed * self._burst_left_s) ** 2)
        self._burst = float(np.clip(self._burst, -0.06, 0.06))
        self._pause_s = self._rng.exponential(self._config.burst_interval_s)
