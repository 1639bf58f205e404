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
"""What every recurrent core of a policy offers, and the plain walk through a sequence."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Core(Protocol):
    """
    S inputs, M outputs, a state of N numbers that goes in and comes out.

    Called with inputs (B, S), state (B, N) and dt (B, 1) in nominal steps it returns output
    (B, M), the new state and tau (B, N), the time over which each state forgets, in nominal steps.
    """

    input_size: int
    state_size: int
    output_size: int

    def __call__(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by one step."""

    def sequence(self, inputs: Tensor, state: Tensor, dt: Tensor,
                 reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Advance through (T, B, S) with dt (T, B, 1); return (T, B, M) and (T, B, N)."""

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return the bounds (N,) that no state can leave, or None where there are none."""


def walk(core: Core, inputs: Tensor, state: Tensor, dt: Tensor,
         reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Advance ``core`` step by step; ``reset`` (T, B) zeroes a row's state before that step."""
    outputs, states = [], []
    for t in range(inputs.shape[0]):
        if reset is not None:
            state = state.masked_fill(reset[t].bool()[:, None], 0.0)
        output, state, _ = core(inputs[t], state, dt[t])
        outputs.append(output)
        states.append(state)
    return torch.stack(outputs), torch.stack(states)
