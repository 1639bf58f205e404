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
"""What the units of any policy do, frame by frame: states, or features where there are none."""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.contracts import Command, Frame, ImuWindow
from ltc_control.core.imaging import prepare
from ltc_control.core.model_file import load_spec
from ltc_control.core.policy import Policy
from ltc_control.insight.attention import Attention
import numpy as np

STATELESS = ('cnn',)
WITH_MEMORY_CELL = ('lstm', 'mixed_ltc', 'mixed_cfc')      # state [h, c]: h is the response


class ActivePolicy:
    """A policy that also says what its units did; ``layer`` names what is looked at."""

    def __init__(self, folder: Path | str) -> None:
        """Load; ModelError for a model without state and without attention graph."""
        self.spec = load_spec(folder, expect_vehicle='car')
        self._policy = Policy.load(folder)
        self._attention = Attention(self.spec) if self.spec.kind in STATELESS else None
        self.layer = 'features of the head: it has no state' if self._attention else 'states'

    def step(self, frame: Frame, imu: ImuWindow) -> tuple[Command, np.ndarray]:
        """Return the command and the response of each unit, (N,), of one frame."""
        decision = self._policy.step(frame, imu)
        if self._attention is not None:
            return decision.command, self._attention.features(
                prepare(frame.rgb, self.spec.image)).astype(float)
        state = decision.state.astype(float)
        if self.spec.kind in WITH_MEMORY_CELL:
            state = state[:len(state) // 2]
        return decision.command, state
