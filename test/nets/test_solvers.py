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
"""Solvers: measured order of convergence against an adaptive solver of scipy."""

from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.solvers import SOLVERS
from ltc_control.nets.wiring import build_wiring
import numpy as np
import pytest
from scipy.integrate import solve_ivp
import torch

ORDERS = {'fused': 1, 'euler': 1, 'rk4': 4, 'exponential_midpoint': 2}


@pytest.fixture(scope='module')
def problem(oracle, effective):
    """Return weights, one input, a start and the true state after dt = 0.2, to 1e-12."""
    torch.manual_seed(3)
    cell = LTCCell(build_wiring('drive19', 5)).double()
    inputs, start = torch.randn(1, 5).double(), torch.rand(1, 19).double()
    values, wiring = effective(cell), cell.wiring

    def flow(_, x):
        return oracle.derivative(
            values, wiring.adjacency, wiring.sensory_adjacency, inputs[0].numpy(), x)

    truth = solve_ivp(flow, (0.0, 0.2), start[0].numpy(), 'DOP853', rtol=1e-12, atol=1e-13)
    return cell.state_dict(), inputs, start, truth.y[:, -1]


def _error(problem, solver, steps):
    weights, inputs, start, truth = problem
    cell = LTCCell(build_wiring('drive19', 5), solver=solver, unfolds=steps).double()
    cell.load_state_dict(weights)
    _, state, _ = cell(inputs, start, torch.full((1, 1), 0.2, dtype=torch.float64))
    return np.abs(state[0].detach().numpy() - truth).max()


@pytest.mark.parametrize('solver', sorted(SOLVERS))
def test_order_of_convergence(problem, solver):
    coarse, fine = (16, 32) if solver == 'rk4' else (128, 256)
    order = np.log2(_error(problem, solver, coarse) / _error(problem, solver, fine))
    assert abs(order - ORDERS[solver]) < 0.15


def test_exponential_midpoint_beats_fused_at_equal_evaluations(problem):
    assert _error(problem, 'exponential_midpoint', 3) < 0.2 * _error(problem, 'fused', 6)


@pytest.mark.parametrize('solver', sorted(SOLVERS))
def test_tau_is_capacitance_over_conductance_for_a_short_step(problem, oracle, effective, solver):
    weights, inputs, start, _ = problem
    cell = LTCCell(build_wiring('drive19', 5), solver=solver).double()
    cell.load_state_dict(weights)
    _, _, tau = cell(inputs, start, torch.full((1, 1), 1e-9, dtype=torch.float64))
    _, _, truth = oracle.fused_step(effective(cell), cell.wiring.adjacency,
                                    cell.wiring.sensory_adjacency, inputs[0].numpy(),
                                    start[0].numpy(), 1e-9, unfolds=1)
    np.testing.assert_allclose(tau[0].detach().numpy(), truth, rtol=1e-6)
