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
A whole policy in torch: images and IMU features in, commands in physical units out.

    image (H, W, 3) uint8 -> whitening -> head -> 32 features  \
                                          IMU features (F,)    -> core (LTC, CfC, ...) -> y (M,)
    command_m = offset_m + scale_m y_m            [1/m] and [m/s] for a car

dt is given in seconds and divided by ``dt_nominal_s`` before the core. State goes in and comes
out. Nothing is clamped here: the range of a command is the runtime's business.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
import json
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.nets.baselines import FrameNet, LSTMCore
from ltc_control.nets.cfc_cell import CfCCell, DenseCfC, WiredCfC
from ltc_control.nets.conv_head import CHUNK, ConvHead, HeadConfig, HEADS
from ltc_control.nets.lstm_cell import MixedMemory
from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.wiring import build_wiring, Wiring
from safetensors import safe_open, SafetensorError
from safetensors.torch import load_file, save_file
import torch
from torch import nn, Tensor

KINDS = ('ltc', 'cfc', 'wired_cfc', 'mixed_ltc', 'mixed_cfc', 'cnn', 'lstm')
LIQUID = ('ltc', 'mixed_ltc')
WIRED = ('ltc', 'mixed_ltc', 'wired_cfc')


@dataclass(frozen=True)
class PolicyConfig:
    """
    What a policy is made of; saved beside its weights.

    You will change ``kind``, ``head`` and ``cm_init``. ``wiring`` is a preset's name or a recipe
    (``{'kind': 'auto_ncp', ...}``). ``units`` sizes cores without a wiring (None: cnn 114, lstm
    and cfc 19, about as many numbers as drive19 holds).
    """

    kind: str = 'ltc'
    head: str | HeadConfig = 'hardware'
    imu_features: int = 0
    wiring: str | dict[str, Any] = 'drive19'
    units: int | None = None
    solver: str = 'fused'
    unfolds: int = 6
    cm_init: tuple[float, float] = (0.4, 0.6)
    mode: str = 'default'                                  # of a CfC
    recurrence: str = 'wired'                              # of a wired CfC
    command_scale: tuple[float, ...] = (0.05, 4.0)         # curvature [1/m], speed [m/s] per y
    command_offset: tuple[float, ...] = (0.0, 8.0)
    dt_nominal_s: float = 1.0 / 30.0
    chunk: int = field(default=CHUNK)                      # frames a convolution at once

    def __post_init__(self) -> None:
        """Take plain mappings and lists, refuse what contradicts itself."""
        if self.kind not in KINDS:
            raise ConfigError(f'unknown policy kind {self.kind!r}, pass one of {KINDS!r}')
        for name in ('cm_init', 'command_scale', 'command_offset'):
            object.__setattr__(self, name, tuple(float(v) for v in getattr(self, name)))
        if len(self.command_scale) != len(self.command_offset):
            raise ConfigError(
                'command_scale and command_offset need one entry a command, got '
                f'{self.command_scale!r} and {self.command_offset!r}')
        if not self.dt_nominal_s > 0.0:
            raise ConfigError(f'dt_nominal_s must be above 0, got {self.dt_nominal_s!r}')
        if isinstance(self.head, dict):
            object.__setattr__(self, 'head', HeadConfig(**self.head))
        if isinstance(self.head, str) and self.head not in HEADS:
            raise ConfigError(f'unknown head {self.head!r}, pass one of {sorted(HEADS)!r}')

    @property
    def head_config(self) -> HeadConfig:
        """Return the head's layers."""
        return HEADS[self.head] if isinstance(self.head, str) else self.head

    @property
    def inputs(self) -> int:
        """Return S: image features and IMU features."""
        return self.head_config.features + self.imu_features

    @property
    def outputs(self) -> int:
        """Return M, the number of commands."""
        return len(self.command_scale)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        data = {key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(self).items()}
        return data | {'head': self.head_config.to_dict()}


class PolicyNet(nn.Module):
    """Head, core and the map to physical units; see the module's text."""

    command_scale: Tensor
    command_offset: Tensor

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        self.head = ConvHead(config.head_config)
        self.core = _build_core(config)
        self.register_buffer('command_scale', torch.tensor(config.command_scale))
        self.register_buffer('command_offset', torch.tensor(config.command_offset))

    @property
    def state_size(self) -> int:
        """Return N, the numbers of state a row carries."""
        return int(self.core.state_size)

    @property
    def wiring(self) -> Wiring | None:
        """Return the wiring, or None for a core without one."""
        cell = getattr(self.core, 'cell', self.core)
        return getattr(cell, 'wiring', None)

    def initial_state(self, batch: int) -> Tensor:
        """Return zero states (B, N)."""
        return self.command_scale.new_zeros(batch, self.state_size)

    def encode(self, images: Tensor) -> Tensor:
        """
        Return features (..., 32) of images (..., H, W, 3) or (..., 3, H, W).

        uint8, or float in 0..255 (augmented); whitened here, a few frames at a time.
        """
        return self.head.encode(images, self.config.chunk)

    def forward_features(self, features: Tensor, imu: Tensor | None, state: Tensor, dt: Tensor,
                         reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """
        Return commands (T, B, M) and all states (T, B, N) from features of images.

        features (T, B, 32), imu (T, B, F) or None where F is 0, state (B, N), dt (T, B) in
        **seconds**, reset (T, B) true where the state is zeroed before that step.
        """
        inputs = features if imu is None else torch.cat([features, imu], dim=-1)
        units = dt[..., None] / self.config.dt_nominal_s
        outputs, states = self.core.sequence(inputs, state, units, reset)
        return outputs * self.command_scale + self.command_offset, states

    def forward(self, images: Tensor, imu: Tensor | None, state: Tensor, dt: Tensor,
                reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return commands (T, B, M) and the last state (B, N) from images (T, B, H, W, 3)."""
        commands, states = self.forward_features(self.encode(images), imu, state, dt, reset)
        return commands, states[-1]

    def step(self, images: Tensor, imu: Tensor | None, state: Tensor,
             dt: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Advance by one frame: images (B, H, W, 3), imu (B, F), state (B, N), dt (B,) in seconds.

        Returns commands (B, M), the new state (B, N) and tau (B, N) in nominal steps.
        """
        features = self.encode(images)
        inputs = features if imu is None else torch.cat([features, imu], dim=-1)
        units = dt[:, None] / self.config.dt_nominal_s
        outputs, state, tau = self.core(inputs, state, units)
        return outputs * self.command_scale + self.command_offset, state, tau

    def parameter_counts(self) -> dict[str, int]:
        """Return head, recurrent_effective, recurrent_stored and total (head and stored)."""
        head = sum(p.numel() for p in self.head.parameters())
        stored = sum(p.numel() for p in self.core.parameters())
        return {'head': head, 'recurrent_effective': _effective(self.core),
                'recurrent_stored': stored, 'total': head + stored}

    def synapses(self) -> dict[str, int]:
        """Return the number of synapses between neurons and from inputs; none without wiring."""
        if self.wiring is None:
            return {'internal': 0, 'sensory': 0}
        return {'internal': self.wiring.synapses, 'sensory': self.wiring.sensory_synapses}

    def roles(self) -> dict[str, int]:
        """Return the number of neurons by role; cores without a wiring are all inter."""
        if self.wiring is not None:
            return self.wiring.role_counts()
        units = {'cnn': 0, 'lstm': self.state_size // 2, 'mixed_cfc': self.state_size // 2}
        return {'inter': units.get(self.config.kind, self.state_size), 'command': 0, 'motor': 0}


def build_policy(config: PolicyConfig | dict[str, Any]) -> PolicyNet:
    """Return a fresh policy; raises ``ConfigError`` for options that do not fit."""
    if isinstance(config, dict):
        try:
            config = PolicyConfig(**config)
        except TypeError as err:
            raise ConfigError(f'policy options {config!r} do not fit: {err}') from err
    return PolicyNet(config)


def save_policy(net: PolicyNet, path: Path | str) -> None:
    """Write weights and configuration as one safetensors file."""
    tensors = {name: value.detach().contiguous() for name, value in net.state_dict().items()}
    save_file(tensors, path, metadata={'config': json.dumps(net.config.to_dict())})


def load_policy(path: Path | str) -> PolicyNet:
    """Return the policy that ``save_policy`` wrote; raises ``ModelError``."""
    try:
        with safe_open(path, 'pt') as file:
            config = json.loads((file.metadata() or {})['config'])
        net = build_policy(config)
        net.load_state_dict(load_file(path))
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as err:
        raise ModelError(f'cannot load a policy from {str(path)!r}: {err}; '
                         'pass a file written by save_policy') from err
    return net


def _build_core(config: PolicyConfig) -> nn.Module:
    inputs, outputs = config.inputs, config.outputs
    if config.kind in WIRED:
        wiring = build_wiring(config.wiring, inputs)
        if wiring.outputs != outputs:
            raise ConfigError(f'wiring {config.wiring!r} has {wiring.outputs} motor neurons for '
                              f'{outputs} commands, choose one that fits')
        if config.kind == 'wired_cfc':
            return WiredCfC(wiring, mode=config.mode, recurrence=config.recurrence)
        cell = LTCCell(wiring, solver=config.solver, unfolds=config.unfolds,
                       cm_init=config.cm_init)
        return cell if config.kind == 'ltc' else MixedMemory(cell)
    if config.kind == 'cnn':
        return FrameNet(inputs, outputs, units=config.units or 114)
    units = config.units or 19
    if config.kind == 'lstm':
        return LSTMCore(inputs, outputs, units=units)
    if config.kind == 'mixed_cfc':
        return MixedMemory(CfCCell(inputs, units, mode=config.mode), outputs=outputs)
    return DenseCfC(inputs, units, outputs, mode=config.mode)


def _effective(core: nn.Module) -> int:
    """Count the parameters that can influence the output."""
    idle = 0
    for module in core.modules():
        if isinstance(module, LTCCell):
            counts = module.wiring.parameter_counts()
            idle += counts['stored_dense'] - counts['effective']
        elif isinstance(module, CfCCell) and module.mask is not None:
            maps = 1 if module.mode == 'pure' else (4 if module.mask_gates else 2)
            idle += maps * int((module.mask == 0).sum())
    return sum(p.numel() for p in core.parameters()) - idle
