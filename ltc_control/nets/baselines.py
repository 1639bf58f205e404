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
What a liquid policy is compared with: the same eye, another or no memory.

``FrameNet`` looks at one frame at a time (its state is one zero). ``LSTMCore`` remembers, but
takes every step for equally long. Both are sized to the numbers an LTC of 19 neurons holds.
"""

from __future__ import annotations

from ltc_control.nets.lstm_cell import forget_tau, LSTMCell
from ltc_control.nets.sequence import walk
import torch
from torch import nn, Tensor


class FrameNet(nn.Module):
    """A small perceptron on the features of one frame; the state is a dummy of one zero."""

    state_size = 1

    def __init__(self, inputs: int, outputs: int, *, units: int = 114) -> None:
        super().__init__()
        self.input_size, self.output_size, self.units = inputs, outputs, units
        self.hidden = nn.Linear(inputs, units)
        self.readout = nn.Linear(units, outputs)

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the output (B, M) of this frame alone; state and tau (B, 1) stay zero."""
        nothing = torch.zeros_like(dt)
        return self.readout(torch.tanh(self.hidden(inputs))), nothing, nothing

    def sequence(self, inputs: Tensor, state: Tensor, dt: Tensor,
                 reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return outputs (T, B, M) and zero states (T, B, 1)."""
        return self.readout(torch.tanh(self.hidden(inputs))), torch.zeros_like(dt)

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return zero bounds: there is no state."""
        return torch.zeros(1), torch.zeros(1)


class LSTMCore(nn.Module):
    """An LSTM with a linear read-out; state [h, c] (B, 2N). dt is not used."""

    sequence = walk

    def __init__(self, inputs: int, outputs: int, *, units: int = 19) -> None:
        super().__init__()
        self.input_size, self.state_size, self.output_size = inputs, 2 * units, outputs
        self.cell = LSTMCell(inputs, units)
        self.readout = nn.Linear(units, outputs)

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by one step: see ``sequence.Core``; tau is that of the forget gate."""
        h, c, forget = self.cell(inputs, *state.chunk(2, dim=1))
        tau = forget_tau(forget, dt)
        return self.readout(h), torch.cat([h, c], dim=1), torch.cat([tau, tau], dim=1)

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return None: c is not bounded."""
        return None
