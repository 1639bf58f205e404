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
An engine whose neurons can be silenced: the step of ``core.engine.Engine`` with a lesion.

Features come from ``attention.onnx``, the neurons step in numpy, so synapses can be taken out
without touching a weight file. ``Policy(LiquidEngine(folder, cut=['inter_3']))`` drives with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ltc_control.core.model_file import ModelSpec
from ltc_control.insight.attention import Attention
from ltc_control.insight.liquid import LiquidCore
import numpy as np


class LiquidEngine:
    """The step of a fused LTC folder, without the outgoing synapses of the neurons in ``cut``."""

    def __init__(self, source: str | Path | ModelSpec, *, cut: Sequence[str] = (),
                 threads: int = 1) -> None:
        """Load; ModelError for a folder without attention graph or of another kind."""
        self._attention = Attention(source, threads=threads)
        self.spec, self.cut = self._attention.spec, tuple(cut)
        self.core = LiquidCore.load(self.spec)
        self._step = self.core.stepper(self.cut)

    def zero_state(self) -> np.ndarray:
        """Return the state at the start of a drive, (N,) float32."""
        return np.zeros(self.spec.neurons, np.float32)

    def step(self, image: np.ndarray, imu: np.ndarray, state: np.ndarray,
             dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return command (M,), state (N,) and tau (N,) [s], float32; see ``Engine.step``."""
        features = np.concatenate([self._attention.features(image), imu])
        command, after, tau = self._step(features, state, dt)
        return command.astype(np.float32), after.astype(np.float32), tau.astype(np.float32)
