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
Closed-form continuous-time cells: a gate in time instead of a solver (Hasani et al. 2022).

    z = backbone([u, h]);  f1 = F1 z;  f2 = F2 z;  q = s((Ta z) dt + Tb z)
    default   h' = tanh(f1) (1 - q) + tanh(f2) q               |h'| < 1
    no_gate   h' = tanh(f1) + q tanh(f2)                       |h'| < 2
    pure      h' = A - A exp(-dt (|w_tau| + |f1|)) f1

``DenseCfC`` is one cell with a linear read-out. ``WiredCfC`` is three cells without backbone in
series, inter -> command -> motor, each reading the *new* state of the one before. Its state is
kept in the order of the wiring's neuron ids: motor, command, inter.
"""

from __future__ import annotations

from ltc_control.core.errors import ConfigError
from ltc_control.nets.sequence import walk
from ltc_control.nets.wiring import Wiring
import numpy as np
import torch
from torch import nn, Tensor
from torch.nn.functional import linear

MODES = ('default', 'no_gate', 'pure')
BOUNDS = {'default': 1.0, 'no_gate': 2.0}
RATE_FLOOR = 1e-6                  # keeps the reported tau finite


class LeCunTanh(nn.Module):
    """1.7159 tanh(0.666 x), the backbone's activation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the activation of ``x``."""
        return 1.7159 * torch.tanh(0.666 * x)


class CfCCell(nn.Module):
    """
    One closed-form layer: (B, S) and (B, H) -> (B, H).

    ``mask`` (H, S + H) of 0 and 1 holds for f1 and f2, and with ``mask_gates`` for the time gates
    too (``ncps`` leaves those dense); masked cells have no backbone.
    """

    mask: Tensor | None

    def __init__(self, inputs: int, units: int, *, mode: str = 'default',
                 backbone_units: int = 128, backbone_layers: int = 1,
                 mask: np.ndarray | None = None, mask_gates: bool = False) -> None:
        super().__init__()
        if mode not in MODES:
            raise ConfigError(f'unknown CfC mode {mode!r}, pass one of {MODES!r}')
        if mask is not None and backbone_layers:
            raise ConfigError(f'a masked CfC has no backbone, got {backbone_layers!r} layers')
        self.input_size, self.units, self.mode, self.mask_gates = inputs, units, mode, mask_gates
        tensor = None if mask is None else torch.tensor(mask, dtype=torch.get_default_dtype())
        self.register_buffer('mask', tensor, persistent=False)
        layers: list[nn.Module] = []
        width = inputs + units
        for _ in range(backbone_layers):
            layers += [nn.Linear(width, backbone_units), LeCunTanh()]
            width = backbone_units
        self.backbone = nn.Sequential(*layers)
        self.ff1 = nn.Linear(width, units)
        if mode == 'pure':
            self.w_tau = nn.Parameter(torch.zeros(1, units))
            self.A = nn.Parameter(torch.ones(1, units))
        else:
            self.ff2 = nn.Linear(width, units)
            self.time_a = nn.Linear(width, units)
            self.time_b = nn.Linear(width, units)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)

    def weight(self, name: str) -> Tensor:
        """Return the weight of one linear map as it acts, mask applied."""
        weight: Tensor = getattr(self, name).weight
        masked = self.mask is not None and (self.mask_gates or name in ('ff1', 'ff2'))
        return weight * self.mask if masked else weight

    def _map(self, name: str, z: Tensor) -> Tensor:
        return linear(z, self.weight(name), getattr(self, name).bias)

    def forward(self, inputs: Tensor, h: Tensor, dt: Tensor) -> tuple[Tensor, Tensor]:
        """
        Return the new h and tau, both (B, H); dt (B, 1).

        tau is the inverse of the rate in front of dt: how long the gate takes to move by one.
        """
        z = self.backbone(torch.cat([inputs, h], dim=1))
        f1 = self._map('ff1', z)
        if self.mode == 'pure':
            rate = self.w_tau.abs() + f1.abs()
            return self.A - self.A * torch.exp(-dt * rate) * f1, 1.0 / (rate + RATE_FLOOR)
        f1, f2 = torch.tanh(f1), torch.tanh(self._map('ff2', z))
        slope = self._map('time_a', z)
        q = torch.sigmoid(slope * dt + self._map('time_b', z))
        h = f1 + q * f2 if self.mode == 'no_gate' else f1 * (1.0 - q) + q * f2
        return h, 1.0 / (slope.abs() + RATE_FLOOR)


class DenseCfC(nn.Module):
    """A fully connected CfC of N units with a linear read-out to M outputs."""

    sequence = walk

    def __init__(self, inputs: int, units: int, outputs: int, *, mode: str = 'default',
                 backbone_units: int = 128, backbone_layers: int = 1) -> None:
        super().__init__()
        self.input_size, self.state_size, self.output_size = inputs, units, outputs
        self.cell = CfCCell(inputs, units, mode=mode, backbone_units=backbone_units,
                            backbone_layers=backbone_layers)
        self.readout = nn.Linear(units, outputs)

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by one step: see ``sequence.Core``."""
        state, tau = self.cell(inputs, state, dt)
        return self.readout(state), state, tau

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return the mode's bounds; ``pure`` has none that holds for every dt."""
        return _bounds(self.cell.mode, self.state_size)


class WiredCfC(nn.Module):
    """
    CfC layers along a wiring's inter, command and motor neurons.

    ``recurrence='wired'`` gives each neuron its own past, and command neurons those of the
    wiring's recurrent command synapses; the mask holds for the time gates too. ``'dense'`` is the
    form of ``ncps``: dense recurrence inside a layer, recurrent command synapses ignored, gates
    unmasked. Polarities are not used.
    """

    sequence = walk

    def __init__(self, wiring: Wiring, *, mode: str = 'default',
                 recurrence: str = 'wired') -> None:
        super().__init__()
        if recurrence not in ('wired', 'dense'):
            raise ConfigError(f"recurrence must be 'wired' or 'dense', got {recurrence!r}")
        if not all(wiring.role_counts().values()):
            raise ConfigError(
                'a wired CfC needs inter, command and motor neurons, '
                f'got {wiring.role_counts()!r}')
        self.wiring, self.mode, self.recurrence = wiring, mode, recurrence
        self.input_size, self.state_size = wiring.inputs, wiring.units
        self.output_size = wiring.outputs
        self.layer_ids = [wiring.ids(role) for role in ('inter', 'command', 'motor')]
        feeds = [wiring.sensory_adjacency[:, self.layer_ids[0]]]
        for before, here in zip(self.layer_ids[:-1], self.layer_ids[1:], strict=True):
            feeds.append(wiring.adjacency[np.ix_(before, here)])
        self.layers = nn.ModuleList(
            CfCCell(feed.shape[0], len(ids), mode=mode, backbone_layers=0,
                    mask=self._mask(feed, ids), mask_gates=recurrence == 'wired')
            for feed, ids in zip(feeds, self.layer_ids, strict=True))
        self.output_w = nn.Parameter(torch.ones(wiring.outputs))
        self.output_b = nn.Parameter(torch.zeros(wiring.outputs))

    def _mask(self, feed: np.ndarray, ids: list[int]) -> np.ndarray:
        own = np.ones((len(ids), len(ids)))
        if self.recurrence == 'wired':
            own = np.minimum(np.abs(self.wiring.adjacency[np.ix_(ids, ids)]) + np.eye(len(ids)), 1)
        return np.concatenate([np.abs(feed), own]).T

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Advance by one step: see ``sequence.Core``."""
        new, taus = [], []
        for layer, ids in zip(self.layers, self.layer_ids, strict=True):
            inputs, tau = layer(inputs, state[:, ids[0]:ids[-1] + 1], dt)
            new.append(inputs)
            taus.append(tau)
        output = inputs * self.output_w + self.output_b
        return output, torch.cat(new[::-1], dim=1), torch.cat(taus[::-1], dim=1)

    def envelope(self) -> tuple[Tensor, Tensor] | None:
        """Return the mode's bounds; ``pure`` has none that holds for every dt."""
        return _bounds(self.mode, self.state_size)


def _bounds(mode: str, units: int) -> tuple[Tensor, Tensor] | None:
    if mode not in BOUNDS:
        return None
    return torch.full((units,), -BOUNDS[mode]), torch.full((units,), BOUNDS[mode])
