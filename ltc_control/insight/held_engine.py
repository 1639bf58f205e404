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
An engine whose neurons can be held at a value, inside every sub-step: freeze and clamp.

Unlike a cut, a held neuron still conducts: the conductance of its synapses stays what that value
makes it. At 0 that is w s(-sigma mu), which is not silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ltc_control.core.engine import SHORTEST_STEP_S
from ltc_control.core.model_file import ModelSpec
from ltc_control.insight.attention import Attention
from ltc_control.insight.liquid import EPSILON, LiquidCore
import numpy as np


class HeldEngine:
    """The step of a fused LTC folder with the neurons of ``held`` (name -> state) kept there."""

    def __init__(self, source: str | Path | ModelSpec, *, held: Mapping[str, float],
                 threads: int = 1) -> None:
        """Load; ModelError for a folder without attention graph or of another kind."""
        self._attention = Attention(source, threads=threads)
        self.spec = self._attention.spec
        self.core = core = LiquidCore.load(self.spec)
        self._places = np.array([core.index(name) for name in held], int)
        self._values = np.array(list(held.values()), float)
        n = len(core.names)
        self._mix, self._sensory_mix = core.inner.gather(n), core.outer.gather(n)
        self._leak = np.concatenate([core.gleak * core.vleak, core.gleak])

    def zero_state(self) -> np.ndarray:
        """Return the state at the start of a drive, (N,) float32; held neurons at their value."""
        state = np.zeros(self.spec.neurons, np.float32)
        state[self._places] = self._values
        return state

    def step(self, image: np.ndarray, imu: np.ndarray, state: np.ndarray,
             dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return command (M,), state (N,) and tau (N,) [s], float32; see ``Engine.step``."""
        core, n = self.core, self.spec.neurons
        a, b = core.input_map
        features = a * np.concatenate([self._attention.features(image), imu]) + b
        fixed = core.outer.conductance(features) @ self._sensory_mix + self._leak
        units = min(max(dt, SHORTEST_STEP_S), self.spec.longest_step_s) / self.spec.dt_nominal_s
        rate = core.cm * core.unfolds / units
        x, sums = np.array(state, float), fixed
        x[self._places] = self._values
        for _ in range(core.unfolds):
            sums = core.inner.conductance(x) @ self._mix + fixed
            x = (rate * x + sums[:n]) / (rate + sums[n:] + EPSILON)
            x[self._places] = self._values
        gain, offset = core.output_map
        tau = core.cm / sums[n:] * self.spec.dt_nominal_s
        command = gain * x[:len(gain)] + offset
        return command.astype(np.float32), x.astype(np.float32), tau.astype(np.float32)
