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
"""Weights to and from ncps 1.0.1, both modes; the recipe that keeps clear of its defects.

A fresh wiring a cell (building twice grows it), the cell itself instead of the sequence class,
and elapsed times of shape (batch, 1).
"""

from ltc_control.core.errors import ModelError
from ltc_control.nets.cfc_cell import CfCCell, DenseCfC, WiredCfC
from ltc_control.nets.lstm_cell import MixedMemory
from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.ncps_weights import load_ncps, to_ncps
from ltc_control.nets.wiring import AutoNCP
import pytest
import torch

wirings = pytest.importorskip('ncps.wirings')
ncps = pytest.importorskip('ncps.torch')

S = 6


def _theirs(implicit, seed=5):
    cell = ncps.LTCCell(wirings.AutoNCP(19, 2, seed=seed), S, implicit_param_constraints=implicit)
    with torch.no_grad():
        for name, parameter in cell.named_parameters():
            if parameter.requires_grad:
                parameter.add_(0.2 * torch.randn_like(parameter))
                if not implicit and name in ('w', 'cm', 'gleak', 'sensory_w'):
                    parameter.abs_()
    return cell


def _ours(seed=5):
    return LTCCell(AutoNCP(19, 2, seed=seed).build(S))


def _compare(ours, theirs, batch, dtype, tolerance):
    ours, theirs = ours.to(dtype), theirs.to(dtype)
    state = torch.zeros(batch, 19, dtype=dtype)
    mirror = state.clone()
    for _ in range(30):
        inputs = torch.randn(batch, S, dtype=dtype)
        dt = torch.exp(torch.empty(batch, 1, dtype=dtype).uniform_(-4.0, 1.0))
        output, state, _ = ours(inputs, state, dt)
        expected, mirror = theirs(inputs, mirror, dt)
        torch.testing.assert_close(output, expected, rtol=0.0, atol=tolerance)
        torch.testing.assert_close(state, mirror, rtol=0.0, atol=tolerance)
        if dtype == torch.float32:
            state = mirror                     # fed back, either rounds by 1.3e-6 from float64


@pytest.mark.parametrize('batch', [4, 19])
@pytest.mark.parametrize('implicit', [True, False])
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_theirs_load_into_ours(implicit, batch, dtype, tolerance):
    theirs = _theirs(implicit).to(dtype)
    ours = _ours().to(dtype)
    load_ncps(ours, theirs.state_dict(), implicit=implicit)
    _compare(ours, theirs, batch, dtype, tolerance)


@pytest.mark.parametrize('batch', [4, 19])
@pytest.mark.parametrize('implicit', [True, False])
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_ours_load_into_theirs(implicit, batch, dtype, tolerance):
    ours, theirs = _ours().to(dtype), _theirs(implicit).to(dtype)
    theirs.load_state_dict(to_ncps(ours, implicit=implicit))
    _compare(ours, theirs, batch, dtype, tolerance)


def test_dead_conductances_become_the_floor():
    """The published drone net has neurons with C = 0 and g = 0 (after clipping)."""
    theirs, ours = _theirs(False), _ours()
    with torch.no_grad():
        for parameter in (theirs.cm, theirs.gleak, theirs.w):
            parameter.view(-1)[:2] = 0.0
    load_ncps(ours, theirs.state_dict(), implicit=False)
    _compare(ours, theirs, 3, torch.float64, 5e-6)
    assert (ours.values().cm > 0).all()


def test_prefix_and_missing_maps():
    theirs, ours = _theirs(True), _ours()
    tensors = {f'rnn_cell.{k}': v for k, v in theirs.state_dict().items()
               if not k.startswith(('input_', 'output_'))}
    load_ncps(ours, tensors, implicit=True, prefix='rnn_cell.')
    assert (ours.input_w == 1).all()
    assert (ours.output_b == 0).all()
    torch.testing.assert_close(ours.mu, theirs.mu)


@pytest.mark.parametrize('mode', ['default', 'no_gate', 'pure'])
@pytest.mark.parametrize('batch', [4, 19])
def test_cfc_both_ways(mode, batch):
    theirs = ncps.CfCCell(S, 19, mode=mode)
    ours = CfCCell(S, 19, mode=mode)
    load_ncps(ours, theirs.state_dict(), implicit=False)
    inputs, h, dt = torch.randn(batch, S), torch.randn(batch, 19), torch.rand(batch, 1) + 0.1
    torch.testing.assert_close(ours(inputs, h, dt)[0], theirs(inputs, h, dt)[0])
    fresh = ncps.CfCCell(S, 19, mode=mode)
    fresh.load_state_dict(to_ncps(ours, implicit=False))
    torch.testing.assert_close(fresh(inputs, h, dt)[0], theirs(inputs, h, dt)[0])


@pytest.mark.parametrize('mode', ['default', 'no_gate', 'pure'])
@pytest.mark.parametrize('batch', [4, 19])
def test_wired_cfc_both_ways(mode, batch):
    theirs = ncps.WiredCfCCell(S, wirings.AutoNCP(19, 2, seed=5), mode=mode)
    ours = WiredCfC(AutoNCP(19, 2, seed=5).build(S), mode=mode, recurrence='dense')
    load_ncps(ours, theirs.state_dict(), implicit=False)
    inputs, h, dt = torch.randn(batch, S), torch.randn(batch, 19), torch.rand(batch, 1) + 0.1
    output, state, _ = ours(inputs, h, dt)
    inter, command, motor = 11, 6, 2                       # theirs: inter, command, motor
    swapped = torch.cat([h[:, motor + command:], h[:, motor:motor + command], h[:, :motor]], 1)
    expected, theirs_state = theirs(inputs, swapped, dt)
    torch.testing.assert_close(output, expected)
    back = theirs_state.split([inter, command, motor], dim=1)
    torch.testing.assert_close(state, torch.cat(back[::-1], 1))
    fresh = ncps.WiredCfCCell(S, wirings.AutoNCP(19, 2, seed=5), mode=mode)
    fresh.load_state_dict(to_ncps(ours, implicit=False))
    torch.testing.assert_close(fresh(inputs, swapped, dt)[0], expected)


@pytest.mark.parametrize('implicit', [True, False])
def test_mixed_memory_both_ways(implicit):
    def fresh():
        return ncps.LTC(S, wirings.AutoNCP(19, 2, seed=5), mixed_memory=True,
                        implicit_param_constraints=implicit)

    theirs, ours = fresh(), MixedMemory(_ours())
    load_ncps(ours, theirs.state_dict(), implicit=implicit)
    mirror = fresh()
    mirror.load_state_dict(to_ncps(ours, implicit=implicit))
    inputs = torch.randn(3, 8, S)                          # (B, T, S); no timespans: ts = 1
    outputs, _ = ours.sequence(inputs.transpose(0, 1), torch.zeros(3, 38), torch.ones(8, 3, 1))
    for cell in (theirs, mirror):
        torch.testing.assert_close(outputs.transpose(0, 1), cell(inputs)[0], rtol=0.0, atol=1e-6)


def test_wrong_files_are_refused():
    tensors = _theirs(False).state_dict()
    with pytest.raises(ModelError, match='same seed'):
        load_ncps(_ours(seed=6), tensors, implicit=False)
    with pytest.raises(ModelError, match='check the prefix'):
        load_ncps(_ours(), tensors, implicit=False, prefix='rnn_cell.')
    with pytest.raises(ModelError, match='negative conductances'):
        load_ncps(_ours(), tensors | {'w': -tensors['w']}, implicit=False)
    with pytest.raises(ModelError, match='has shape'):
        load_ncps(_ours(), tensors | {'mu': tensors['mu'][:3]}, implicit=False)
    with pytest.raises(ModelError, match='no counterpart'):
        load_ncps(DenseCfC(3, 4, 2), {}, implicit=False)
    with pytest.raises(ModelError, match="'dense' only"):
        to_ncps(WiredCfC(AutoNCP(19, 2).build(S)), implicit=False)
