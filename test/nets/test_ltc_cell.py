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
"""The liquid cell against a plain numpy step, its bounds, and parameters that stay valid."""

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.nets.ltc_cell import inverse_softplus, LTCCell
from ltc_control.nets.wiring import AutoNCP, build_wiring, FullyConnected
import numpy as np
import pytest
import torch


def _cell(name='drive19', inputs=7, **options):
    return LTCCell(build_wiring(name, inputs), **options).double()


def _shake(cell):
    """Move every parameter, so that no input map is one and no polarity is +-1."""
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


@pytest.mark.parametrize('batch', [3, 19])
@pytest.mark.parametrize('recipe', ['paper19', 'drive19', {'kind': 'fully_connected',
                                                           'units': 19, 'outputs': 4}])
def test_step_equals_numpy(oracle, effective, recipe, batch):
    cell = _shake(LTCCell(build_wiring(recipe, 7)).double())
    inputs, state = torch.randn(batch, 7).double(), torch.randn(batch, 19).double()
    dt = torch.exp(torch.empty(batch, 1).uniform_(-6.0, 2.0)).double()
    output, new, tau = cell(inputs, state, dt)
    assert output.shape == (batch, cell.output_size)
    for row in range(batch):
        expected = oracle.fused_step(
            effective(cell), cell.wiring.adjacency, cell.wiring.sensory_adjacency,
            inputs[row].numpy(), state[row].numpy(), dt[row].item())
        for ours, truth in zip((output, new, tau), expected, strict=True):
            np.testing.assert_allclose(ours[row].detach().numpy(), truth, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize('batch', [5, 19])
def test_rows_do_not_mix(batch):
    cell = _cell()
    inputs, state = torch.randn(batch, 7).double(), torch.randn(batch, 19).double()
    dt = torch.rand(batch, 1).double() + 0.01
    _, together, _ = cell(inputs, state, dt)
    alone = [cell(inputs[i:i + 1], state[i:i + 1], dt[i:i + 1])[1] for i in range(batch)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0.0, atol=1e-14)


@pytest.mark.parametrize('shape', [(3,), (1, 1), (3, 19), (1, 3)])
def test_dt_of_another_shape_is_refused(shape):
    with pytest.raises(ConfigError, match=r'dt must have shape \(3, 1\)'):
        _cell()(torch.zeros(3, 7).double(), torch.zeros(3, 19).double(), torch.ones(*shape))


def test_initial_ranges_are_those_of_ncps(effective):
    values = effective(_cell(inputs=40))
    for name, low, high in (('cm', 0.4, 0.6), ('gleak', 0.001, 1.0), ('vleak', -0.2, 0.2),
                            ('w', 0.001, 1.0), ('mu', 0.3, 0.8), ('sigma', 3.0, 8.0),
                            ('sensory_w', 0.001, 1.0), ('sensory_sigma', 3.0, 8.0)):
        assert low - 1e-6 <= values[name].min() < values[name].max() <= high + 1e-6, name
    wiring = build_wiring('drive19', 40)
    np.testing.assert_array_equal(values['erev'], wiring.adjacency)
    np.testing.assert_array_equal(values['sensory_erev'], wiring.sensory_adjacency)


def test_cm_init_spreads_memory_log_uniformly(effective):
    wiring = AutoNCP(400, 2, 0.9).build(3)
    cm = effective(LTCCell(wiring, cm_init=(0.5, 50.0)))['cm']
    assert 0.5 <= cm.min() < 0.6
    assert 45.0 < cm.max() <= 50.01
    assert abs(np.median(cm) - 5.0) < 1.0                  # the geometric middle


def test_tau_stays_in_its_bounds():
    cell = _shake(_cell(cm_init=(0.5, 50.0)))
    low, high = cell.tau_bounds()
    for scale in (1.0, 1e3):
        _, _, tau = cell(scale * torch.randn(200, 7).double(), torch.randn(200, 19).double(),
                         torch.ones(200, 1).double())
        assert (tau >= low * (1 - 1e-12)).all()
        assert (tau <= high * (1 + 1e-12)).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2 ** 31), size=st.floats(0.0, 1e6), log_dt=st.floats(-12.0, 6.0),
       shift=st.floats(0.0, 3.0), solver=st.sampled_from(['fused', 'exponential_midpoint']))
def test_no_state_leaves_its_envelope(seed, size, log_dt, shift, solver):
    torch.manual_seed(seed)
    cell = _cell(solver=solver, unfolds=3)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(shift * torch.randn_like(parameter))
    low, high = cell.envelope()
    state = torch.zeros(4, 19).double()
    for _ in range(20):
        dt = 10.0 ** torch.full((4, 1), log_dt).double()
        _, state, _ = cell(size * torch.randn(4, 7).double(), state, dt)
        assert (state >= low - 1e-9).all()
        assert (state <= high + 1e-9).all()


def test_envelope_is_the_interval_of_all_potentials(effective):
    cell = _shake(_cell())
    values, (low, high) = effective(cell), cell.envelope()
    for i in range(19):
        own = [0.0, values['vleak'][i],
               *values['erev'][cell.wiring.adjacency[:, i] != 0, i],
               *values['sensory_erev'][cell.wiring.sensory_adjacency[:, i] != 0, i]]
        assert (low[i].item(), high[i].item()) == (min(own), max(own))


def test_explicit_euler_leaves_the_envelope():
    """The bound is a property of the fused and exponential steps, not of any step."""
    cell = _cell(solver='euler')
    _, high = cell.envelope()
    state = torch.zeros(1, 19).double()
    for _ in range(20):
        _, state, _ = cell(torch.randn(1, 7).double(), state, torch.full((1, 1), 9.0).double())
    assert (state.abs() > 10.0 * high.max()).any()


@pytest.mark.parametrize('push', [-1e3, -30.0, 30.0, 1e3])
def test_parameters_are_valid_whatever_an_optimiser_does(push):
    cell = _cell().float()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(push)
    values = cell.values()
    assert (values.cm > 0).all()
    assert (values.gleak > 0).all()
    assert (values.w >= 0).all()
    assert (values.sensory_w >= 0).all()
    state = torch.zeros(2, 19)
    for _ in range(50):
        _, state, tau = cell(torch.randn(2, 7), state, torch.full((2, 1), 1e-3))
    assert torch.isfinite(state).all()
    assert (tau > 0).all()


def test_numbers_off_the_wiring_have_no_influence():
    cell = _cell()
    args = torch.randn(2, 7).double(), torch.randn(2, 19).double(), torch.ones(2, 1).double()
    before = cell(*args)
    with torch.no_grad():
        for prefix, matrix in (('', cell.wiring.adjacency),
                               ('sensory_', cell.wiring.sensory_adjacency)):
            off = torch.tensor(matrix == 0)
            for name in ('w', 'mu', 'sigma', 'erev'):
                getattr(cell, prefix + name)[off] = 1e3
    for a, b in zip(before, cell(*args), strict=True):
        assert torch.equal(a, b)


def test_parameters_number_as_the_dense_count():
    for name, inputs in (('paper19', 32), ('drive19', 38)):
        cell = LTCCell(build_wiring(name, inputs))
        assert sum(p.numel() for p in cell.parameters()) == (
            cell.wiring.parameter_counts()['stored_dense'])


def test_inverse_softplus_is_the_inverse():
    value = torch.tensor([1e-12, 1e-3, 0.5, 3.0, 80.0], dtype=torch.float64)
    back = torch.nn.functional.softplus(inverse_softplus(value))
    torch.testing.assert_close(back, value, rtol=1e-9, atol=0.0)
    zero = torch.nn.functional.softplus(inverse_softplus(torch.zeros(1)))
    assert 0.0 <= zero.item() < 1e-30


@pytest.mark.parametrize(('options', 'message'), [
    ({'solver': 'magic'}, 'unknown solver'), ({'unfolds': 0}, 'unfolds'),
    ({'cm_init': (0.0, 1.0)}, 'cm_init'), ({'cm_init': (2.0, 1.0)}, 'cm_init')])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        LTCCell(FullyConnected(3, 1).build(2), **options)
