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
"""The fast sequence: equal to single steps, with the gradients of autograd."""

from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.wiring import build_wiring
import pytest
import torch

T, S = 5, 7


def _problem(batch, *, solver='fused', cm_init=(0.5, 5.0)):
    cell = LTCCell(build_wiring('drive19', S), solver=solver, cm_init=cm_init).double()
    inputs = torch.randn(T, batch, S).double().requires_grad_()
    state = torch.randn(batch, 19).double().requires_grad_()
    dt = (torch.rand(T, batch, 1).double() + 0.1).requires_grad_()
    return cell, inputs, state, dt


def _steps(cell, inputs, state, dt, reset=None):
    outputs, states = [], []
    for t in range(len(inputs)):
        if reset is not None:
            state = torch.where(reset[t, :, None], 0.0, state)
        output, state, _ = cell(inputs[t], state, dt[t])
        outputs.append(output)
        states.append(state)
    return torch.stack(outputs), torch.stack(states)


@pytest.mark.parametrize('batch', [1, 4, 19])
@pytest.mark.parametrize('with_reset', [False, True])
@pytest.mark.parametrize('solver', ['fused', 'exponential_midpoint'])
def test_sequence_equals_steps_forward_and_backward(batch, with_reset, solver):
    cell, inputs, state, dt = _problem(batch, solver=solver)
    reset = torch.rand(T, batch) > 0.5 if with_reset else None
    variables = [inputs, state, dt, *cell.parameters()]
    gradients, results = [], []
    weight = torch.randn(T, batch, cell.output_size).double()
    also = torch.randn(T, batch, 19).double()
    for outputs, states in (cell.sequence(inputs, state, dt, reset),
                            _steps(cell, inputs, state, dt, reset)):
        loss = (outputs * weight).sum() + (states * also).sum()
        gradients.append(torch.autograd.grad(loss, variables))
        results.append((outputs, states))
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain, rtol=0.0, atol=1e-13)
    for fast, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-10, atol=1e-12)
    assert all(g.abs().max() > 0 for g in gradients[0])


def test_gradcheck():
    cell, inputs, state, dt = _problem(2)
    reset = torch.tensor([[0, 0], [0, 1], [1, 0]], dtype=torch.bool)
    names = ('cm', 'gleak', 'vleak', 'sigma', 'erev', 'sensory_mu', 'input_w')

    def run(inputs, state, dt, *values):
        replaced = dict(zip(names, values, strict=True))
        return torch.func.functional_call(_Sequence(cell), {
            f'cell.{k}': v for k, v in replaced.items()}, (inputs, state, dt, reset))

    values = tuple(getattr(cell, name).detach().clone().requires_grad_() for name in names)
    small = (inputs[:3, :, :].detach().requires_grad_(), state, dt[:3].detach().requires_grad_())
    assert torch.autograd.gradcheck(run, (*small, *values), fast_mode=True)


class _Sequence(torch.nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, *args):
        return self.cell.sequence(*args)


def test_reset_equals_separate_sequences():
    """A row reset before step 3 is a drive of 3 steps and another of 2, started at zero."""
    cell, inputs, state, dt = _problem(2)
    reset = torch.zeros(T, 2, dtype=torch.bool)
    reset[3, 1] = True
    outputs, states = cell.sequence(inputs, state, dt, reset)
    whole, _ = cell.sequence(inputs[:, :1], state[:1], dt[:, :1])
    first, _ = cell.sequence(inputs[:3, 1:], state[1:], dt[:3, 1:])
    second, last = cell.sequence(inputs[3:, 1:], torch.zeros(1, 19).double(), dt[3:, 1:])
    torch.testing.assert_close(outputs[:, :1], whole, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(outputs[:3, 1:], first, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(outputs[3:, 1:], second, rtol=0.0, atol=1e-14)
    torch.testing.assert_close(states[-1, 1:], last[-1], rtol=0.0, atol=1e-14)
    grad, = torch.autograd.grad(outputs[3:, 1].sum(), state)
    assert grad.abs().max() == 0.0                         # nothing flows back through a reset


def test_carried_state_equals_one_long_sequence():
    cell, inputs, state, dt = _problem(3)
    whole, _ = cell.sequence(inputs, state, dt)
    first, states = cell.sequence(inputs[:2], state, dt[:2])
    second, _ = cell.sequence(inputs[2:], states[-1], dt[2:])
    torch.testing.assert_close(torch.cat([first, second]), whole, rtol=0.0, atol=1e-14)


def test_returned_states_do_not_share_memory_with_what_backward_needs():
    cell, inputs, state, dt = _problem(2)
    _, states = cell.sequence(inputs, state, dt)
    clean = torch.autograd.grad(states.sum(), cell.cm, retain_graph=True)[0]
    states.detach().fill_(9.0)
    torch.testing.assert_close(torch.autograd.grad(states.sum(), cell.cm)[0], clean)
