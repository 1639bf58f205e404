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
Weights of the ``ncps`` package into our cells and back.

An ncps LTC file holds w, cm and gleak either as they act (*explicit* mode, the default of
``LTCCell``) or before a softplus (*implicit* mode, the default of ``LTC``). The file does not say
which, so every caller must. Ours are always held before a softplus, with a small floor on cm and
gleak: an imported 0 becomes that floor.
"""

from __future__ import annotations

from collections.abc import Mapping

from ltc_control.core.errors import ModelError
from ltc_control.nets.cfc_cell import CfCCell, WiredCfC
from ltc_control.nets.lstm_cell import MixedMemory
from ltc_control.nets.ltc_cell import FLOORS, inverse_softplus, LTCCell
import torch
from torch import nn, Tensor
from torch.nn.functional import softplus

MASKS = {'sparsity_mask': 'adjacency', 'sensory_sparsity_mask': 'sensory_adjacency'}
OPTIONAL = {'input_w': 1.0, 'input_b': 0.0, 'output_w': 1.0, 'output_b': 0.0}


@torch.no_grad()
def load_ncps(core: nn.Module, tensors: Mapping[str, Tensor], *, implicit: bool,
              prefix: str = '') -> None:
    """
    Fill ``core`` (LTCCell, CfCCell, WiredCfC in dense recurrence, MixedMemory of an LTC cell).

    ``tensors`` is the ncps state dict, ``implicit`` the mode it was trained in (without meaning
    for CfC), ``prefix`` what stands before the names (``rnn_cell.`` in files of ``LTC``). Raises
    ``ModelError`` for a missing name, another shape or wiring, or a negative conductance.
    """
    if isinstance(core, LTCCell):
        _load_ltc(core, tensors, implicit, prefix)
    elif isinstance(core, WiredCfC):
        _require_dense(core)
        for number, layer in enumerate(core.layers):
            _copy_all(layer, tensors, f'{prefix}layer_{number}.')
    elif isinstance(core, CfCCell):
        _copy_all(core, tensors, prefix)
    elif isinstance(core, MixedMemory) and isinstance(core.cell, LTCCell):
        _copy_all(core.lstm, tensors, f'{prefix}lstm.')
        _load_ltc(core.cell, tensors, implicit, f'{prefix}rnn_cell.')
    else:
        raise ModelError(f'ncps has no counterpart of {type(core).__name__!r} here')


@torch.no_grad()
def to_ncps(core: nn.Module, *, implicit: bool, prefix: str = '') -> dict[str, Tensor]:
    """Return the ncps state dict of ``core``, for a cell of the given mode; see ``load_ncps``."""
    if isinstance(core, LTCCell):
        return _ltc_tensors(core, implicit, prefix)
    if isinstance(core, WiredCfC):
        _require_dense(core)
        return {name: value for number, layer in enumerate(core.layers)
                for name, value in _plain(layer, f'{prefix}layer_{number}.').items()}
    if isinstance(core, CfCCell):
        return _plain(core, prefix)
    if isinstance(core, MixedMemory) and isinstance(core.cell, LTCCell):
        return (_plain(core.lstm, f'{prefix}lstm.')
                | _ltc_tensors(core.cell, implicit, f'{prefix}rnn_cell.'))
    raise ModelError(f'ncps has no counterpart of {type(core).__name__!r} here')


def _load_ltc(cell: LTCCell, tensors: Mapping[str, Tensor], implicit: bool, prefix: str) -> None:
    for name, attribute in MASKS.items():
        ours = torch.tensor(getattr(cell.wiring, attribute)).abs()
        theirs = _get(tensors, prefix + name, ours.shape)
        if not torch.equal(ours, theirs.abs().to(ours.dtype)):
            raise ModelError(
                f'{prefix + name!r} has {int(theirs.count_nonzero())} synapses, the wiring '
                f'{int(ours.count_nonzero())} or others; build the wiring with the same seed')
    for name, parameter in cell.named_parameters():
        if name in OPTIONAL and prefix + name not in tensors:
            parameter.fill_(OPTIONAL[name])
            continue
        value = _get(tensors, prefix + name, parameter.shape).to(parameter.dtype)
        if name in FLOORS:
            acting = softplus(value) if implicit else value
            if (acting < 0.0).any():
                raise ModelError(
                    f'{prefix + name!r} has negative conductances, least {acting.min().item()!r}; '
                    'was it trained in implicit mode, or without apply_weight_constraints()?')
            value = inverse_softplus(acting - FLOORS[name])
        parameter.copy_(value)


def _ltc_tensors(cell: LTCCell, implicit: bool, prefix: str) -> dict[str, Tensor]:
    tensors = {}
    for name, parameter in cell.named_parameters():
        value = parameter.detach().clone()
        if name in FLOORS:
            acting = softplus(value) + FLOORS[name]
            value = inverse_softplus(acting) if implicit else acting
        tensors[prefix + name] = value
    for name, attribute in MASKS.items():
        mask = torch.tensor(getattr(cell.wiring, attribute)).abs()
        tensors[prefix + name] = mask.to(cell.w.dtype)
    return tensors


def _copy_all(module: nn.Module, tensors: Mapping[str, Tensor], prefix: str) -> None:
    for name, parameter in module.named_parameters():
        value = _get(tensors, prefix + name, parameter.shape)
        parameter.copy_(value)
    mask = getattr(module, 'mask', None)
    if mask is not None and not torch.equal(
            mask, _get(tensors, f'{prefix}sparsity_mask', mask.shape).to(mask.dtype)):
        raise ModelError(
            f'{prefix}sparsity_mask is of another wiring; build it with the same seed')


def _plain(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    tensors = {prefix + name: value.detach().clone() for name, value in module.named_parameters()}
    if getattr(module, 'mask', None) is not None:
        tensors[f'{prefix}sparsity_mask'] = module.mask.clone()
    return tensors


def _get(tensors: Mapping[str, Tensor], name: str, shape: torch.Size) -> Tensor:
    if name not in tensors:
        raise ModelError(f'ncps weights lack {name!r}, got {sorted(tensors)!r}; check the prefix')
    if tensors[name].shape != shape:
        raise ModelError(f'{name!r} has shape {tuple(tensors[name].shape)!r}, '
                         f'the cell needs {tuple(shape)!r}')
    return tensors[name]


def _require_dense(core: WiredCfC) -> None:
    if core.recurrence != 'dense':
        raise ModelError(f"ncps knows recurrence='dense' only, got {core.recurrence!r}")
