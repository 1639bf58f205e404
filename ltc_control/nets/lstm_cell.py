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
An LSTM cell, and the mixed memory made of it: the LSTM remembers, the liquid cell acts.

    [i, ig, fg, og] = W u + b + R h;  c' = c s(fg + 1) + tanh(i) s(ig);  h' = tanh(c') s(og)

Mixed memory (Lechner & Hasani 2020): (h, c) <- LSTM(u, h, c), then h <- cell(u, h). The liquid
cell sees its own past only through the LSTM. States are packed as [h, c], 2N numbers.
"""

from __future__ import annotations

from ltc_control.nets.cfc_cell import CfCCell
from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.sequence import walk
import torch
from torch import nn, Tensor

FORGET_BIAS = 1.0


class LSTMCell(nn.Module):
    """Gate order candidate, input, forget, output, as in ``ncps``."""

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.input_map = nn.Linear(inputs, 4 * units)
        self.recurrent_map = nn.Linear(units, 4 * units, bias=False)
        nn.init.xavier_uniform_(self.input_map.weight)
        nn.init.uniform_(self.input_map.bias, -0.1, 0.1)
        nn.init.orthogonal_(self.recurrent_map.weight)

    def forward(self, inputs: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return new h and c and the forget gate, each (B, N)."""
        i, ig, fg, og = (self.input_map(inputs) + self.recurrent_map(h)).chunk(4, dim=1)
        forget = torch.sigmoid(fg + FORGET_BIAS)
        c = c * forget + torch.tanh(i) * torch.sigmoid(ig)
        return torch.tanh(c) * torch.sigmoid(og), c, forget


class MixedMemory(nn.Module):
    """An LTC or CfC cell behind an LSTM of as many units; state [h, c] (B, 2N)."""

    sequence = walk

    def __init__(self, cell: LTCCell | CfCCell, *, outputs: int | None = None) -> None:
        super().__init__()
        self.cell = cell
        liquid = isinstance(cell, LTCCell)
        self.units = cell.state_size if liquid else cell.units
        self.lstm = LSTMCell(cell.input_size, self.units)
        self.input_size, self.state_size = cell.input_size, 2 * self.units
        self.output_size = cell.output_size if liquid else (outputs or self.units)
        self.readout = None if liquid else nn.Linear(self.units, self.output_size)

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by one step: see ``sequence.Core``; tau of c is that of its forget gate."""
        h, c, forget = self.lstm(inputs, *state.chunk(2, dim=1))
        if self.readout is None:
            output, h, tau = self.cell(inputs, h, dt)
        else:
            h, tau = self.cell(inputs, h, dt)
            output = self.readout(h)
        return output, torch.cat([h, c], dim=1), torch.cat([tau, forget_tau(forget, dt)], dim=1)

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return the cell's bounds widened by the LSTM's -1 and +1; c has none (infinite)."""
        if not isinstance(self.cell, LTCCell):
            return None
        low, high = self.cell.envelope()
        endless = torch.full_like(low, float('inf'))
        return (torch.cat([low.clamp(max=-1.0), -endless]),
                torch.cat([high.clamp(min=1.0), endless]))


def forget_tau(forget: Tensor, dt: Tensor) -> Tensor:
    """Return the time constant of a state that keeps the share ``forget`` over ``dt``."""
    return dt / -torch.log(forget.clamp(1e-6, 1.0 - 1e-6))
