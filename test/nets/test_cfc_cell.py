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
"""Closed-form cells: bounds, wired recurrence, dt; their values are judged by ncps elsewhere."""

from ltc_control.core.errors import ConfigError
from ltc_control.nets.cfc_cell import CfCCell, DenseCfC, WiredCfC
from ltc_control.nets.lstm_cell import MixedMemory
from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.wiring import AutoNCP, build_wiring, FullyConnected
import numpy as np
import pytest
import torch


def _influence(core, inputs, state):
    """Return |d new state / d old state| as (old, new)."""
    dt = torch.ones(1, 1)
    jacobian = torch.autograd.functional.jacobian(lambda h: core(inputs, h, dt)[1][0], state)
    return jacobian[:, 0].abs().T


def test_wired_recurrence_follows_the_wiring():
    wiring = build_wiring('paper19', 5)
    core = WiredCfC(wiring)
    influence = _influence(core, torch.randn(1, 5), torch.randn(1, 19))
    command = wiring.ids('command')
    among = influence[np.ix_(command, command)].numpy() > 0
    expected = (wiring.adjacency[np.ix_(command, command)] != 0) | np.eye(6, dtype=bool)
    np.testing.assert_array_equal(among, expected)
    assert expected.sum() > 6                              # some true recurrence is there
    inter = wiring.ids('inter')
    np.testing.assert_array_equal(influence[np.ix_(inter, inter)].numpy() > 0,
                                  np.eye(12, dtype=bool))


def test_dense_recurrence_ignores_recurrent_synapses():
    core = WiredCfC(build_wiring('paper19', 5), recurrence='dense')
    influence = _influence(core, torch.randn(1, 5), torch.randn(1, 19))
    command = core.wiring.ids('command')
    assert (influence[np.ix_(command, command)] > 0).all()


def test_wired_inputs_reach_only_their_targets():
    wiring = build_wiring('paper19', 5)
    core = WiredCfC(wiring)
    state, dt = torch.randn(1, 19), torch.ones(1, 1)
    jacobian = torch.autograd.functional.jacobian(
        lambda u: core(u, state, dt)[1][0], torch.randn(1, 5))[:, 0]
    inter = wiring.ids('inter')
    np.testing.assert_array_equal(jacobian[inter].T.numpy() != 0,
                                  wiring.sensory_adjacency[:, inter] != 0)


@pytest.mark.parametrize(('mode', 'bound'), [('default', 1.0), ('no_gate', 2.0)])
@pytest.mark.parametrize('kind', ['dense', 'wired'])
def test_states_stay_in_the_envelope(kind, mode, bound):
    core = (DenseCfC(4, 19, 2, mode=mode) if kind == 'dense'
            else WiredCfC(AutoNCP(19, 2).build(4), mode=mode))
    low, high = core.envelope()
    assert (low == -bound).all()
    assert (high == bound).all()
    state = torch.zeros(8, 19)
    for _ in range(50):
        _, state, _ = core(100.0 * torch.randn(8, 4), state, torch.rand(8, 1) * 10)
        assert (state.abs() <= bound).all()


def test_pure_has_no_envelope():
    assert DenseCfC(4, 5, 2, mode='pure').envelope() is None


@pytest.mark.parametrize('mode', ['default', 'no_gate', 'pure'])
@pytest.mark.parametrize('batch', [3, 19])
def test_each_row_has_its_own_dt(mode, batch):
    cell = CfCCell(4, 19, mode=mode)
    inputs, h, dt = torch.randn(batch, 4), torch.randn(batch, 19), torch.rand(batch, 1) * 3
    together = cell(inputs, h, dt)[0]
    alone = [cell(inputs[i:i + 1], h[i:i + 1], dt[i:i + 1])[0] for i in range(batch)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-6, rtol=1e-5)
    assert not torch.allclose(together, cell(inputs, h, dt + 1.0)[0])


def test_mixed_memory_hides_the_past_of_the_liquid_cell():
    """The liquid cell sees its own past only through the LSTM; c keeps its own."""
    mixed = MixedMemory(LTCCell(build_wiring('drive19', 4), cm_init=(5.0, 50.0)))
    inputs, state, dt = torch.randn(2, 4), torch.randn(2, 38), torch.ones(2, 1)
    _, new, tau = mixed(inputs, state, dt)
    h, c, _ = mixed.lstm(inputs, state[:, :19], state[:, 19:])
    torch.testing.assert_close(new[:, :19], mixed.cell(inputs, h, dt)[1])
    torch.testing.assert_close(new[:, 19:], c)
    forget = torch.exp(-dt / tau[:, 19:])                  # tau of c is its forget gate's
    fresh = mixed.lstm(inputs, state[:, :19], state[:, 19:] + 1.0)[1]
    torch.testing.assert_close(fresh - c, forget, atol=1e-5, rtol=1e-5)


def test_mixed_envelope_holds_for_h():
    mixed = MixedMemory(LTCCell(build_wiring('drive19', 4)))
    low, high = mixed.envelope()
    state = torch.zeros(4, 38)
    for _ in range(50):
        _, state, _ = mixed(20.0 * torch.randn(4, 4), state, torch.rand(4, 1))
        assert (state >= low).all()
        assert (state <= high).all()


def test_wrong_options_are_refused():
    with pytest.raises(ConfigError, match='unknown CfC mode'):
        CfCCell(3, 4, mode='closed')
    with pytest.raises(ConfigError, match='no backbone'):
        CfCCell(3, 4, mask=np.ones((4, 7)))
    with pytest.raises(ConfigError, match='recurrence must be'):
        WiredCfC(build_wiring('drive19', 3), recurrence='some')
    with pytest.raises(ConfigError, match='needs inter, command and motor'):
        WiredCfC(FullyConnected(4, 2).build(3))
