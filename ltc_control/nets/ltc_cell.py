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
The liquid time-constant neuron: conductances that depend on state and input.

    C_i dx_i/dt = g_i (v_i - x_i) + sum_j w_ji  s(sigma_ji  (x_j - mu_ji))  (E_ji  - x_i)
                                  + sum_k w'_ki s(sigma'_ki (u_k - mu'_ki)) (E'_ki - x_i)
    tau_i = C_i / (g_i + sum_j w_ji s(.) + sum_k w'_ki s(.))
    u = a u_raw + b,    y_m = o_m x_m + c_m

Source: Lechner et al. 2020, Hasani et al. 2021; parameter names and initial ranges of ``ncps``.

======  =========  ==================================  ===========================
letter  name       meaning                             held as
======  =========  ==================================  ===========================
C       cm         capacitance, conductance x time     softplus + CM_FLOOR
g       gleak      leak conductance                    softplus + GLEAK_FLOOR
v       vleak      leak potential, state               itself
w       w          maximal conductance                 softplus
mu      mu         centre of the synapse's sigmoid     itself
sigma   sigma      slope of the synapse's sigmoid      itself
E       erev       reversal potential, state           itself, starts at -1 or +1
======  =========  ==================================  ===========================

Time is counted in units of the policy's nominal step, so C and tau are too. The parameters are
valid whatever an optimiser does to them: C, g > 0 and w >= 0 by construction.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ltc_control.core.errors import ConfigError
from ltc_control.nets import ltc_fast
from ltc_control.nets.ltc_fast import Folded
from ltc_control.nets.solvers import SOLVERS
from ltc_control.nets.wiring import Wiring
import torch
from torch import nn, Tensor
from torch.nn.functional import softplus

CM_FLOOR = 1e-8                    # the published drone net has C = 0: tau 0, C/g infinite
GLEAK_FLOOR = 1e-8
RANGES = {'gleak': (0.001, 1.0), 'vleak': (-0.2, 0.2), 'w': (0.001, 1.0),
          'mu': (0.3, 0.8), 'sigma': (3.0, 8.0)}      # of ncps
FLOORS = {'cm': CM_FLOOR, 'gleak': GLEAK_FLOOR, 'w': 0.0, 'sensory_w': 0.0}


class LTCValues(NamedTuple):
    """Effective values, constraints applied: (N,), (E,) internal and (P,) sensory synapses."""

    cm: Tensor
    gleak: Tensor
    vleak: Tensor
    w: Tensor
    mu: Tensor
    sigma: Tensor
    erev: Tensor
    sensory_w: Tensor
    sensory_mu: Tensor
    sensory_sigma: Tensor
    sensory_erev: Tensor


class LTCCell(nn.Module):
    """
    One liquid cell on a wiring of S inputs, N neurons, M motor neurons.

    ``unfolds`` is the number of solver sub-steps a call. ``cm_init`` (low, high) is the range of
    C at the start, drawn log-uniformly: tau lies between C/(g + sum w) and C/g, so (0.4, 0.6), the
    range of ncps, forgets within a step of 1, and (0.5, 50) spreads memories over many steps.
    """

    def __init__(self, wiring: Wiring, *, solver: str = 'fused', unfolds: int = 6,
                 cm_init: tuple[float, float] = (0.4, 0.6)) -> None:
        super().__init__()
        if solver not in SOLVERS:
            raise ConfigError(f'unknown solver {solver!r}, pass one of {sorted(SOLVERS)!r}')
        if unfolds < 1:
            raise ConfigError(f'unfolds must be at least 1, got {unfolds!r}')
        if not CM_FLOOR < cm_init[0] <= cm_init[1]:
            raise ConfigError(f'cm_init must be 0 < low <= high, got {cm_init!r}')
        self.wiring, self.solver, self.unfolds = wiring, solver, unfolds
        self._register_synapses()
        self._create_parameters(cm_init)

    input_size = property(lambda self: self.wiring.inputs)
    state_size = property(lambda self: self.wiring.units)
    output_size = property(lambda self: self.wiring.outputs)

    def _register_synapses(self) -> None:
        for name, matrix in (('', self.wiring.adjacency),
                             ('sensory_', self.wiring.sensory_adjacency)):
            source, target = torch.tensor(matrix).nonzero(as_tuple=True)
            self.register_buffer(f'{name}source', source, persistent=False)
            self.register_buffer(f'{name}target', target, persistent=False)

    def _create_parameters(self, cm_init: tuple[float, float]) -> None:
        s, n, m = self.wiring.inputs, self.wiring.units, self.wiring.outputs
        low, high = math.log(cm_init[0]), math.log(cm_init[1])
        start = {'cm': torch.exp(low + (high - low) * torch.rand(n)),
                 'gleak': _uniform('gleak', n), 'vleak': _uniform('vleak', n)}
        for prefix, rows, matrix in (('', n, self.wiring.adjacency),
                                     ('sensory_', s, self.wiring.sensory_adjacency)):
            for name in ('w', 'mu', 'sigma'):
                start[prefix + name] = _uniform(name, rows, n)
            start[prefix + 'erev'] = torch.tensor(matrix).to(torch.get_default_dtype())
        start |= {'input_w': torch.ones(s), 'input_b': torch.zeros(s),
                  'output_w': torch.ones(m), 'output_b': torch.zeros(m)}
        for name, value in start.items():
            floor = FLOORS.get(name)
            raw = value if floor is None else inverse_softplus(value - floor)
            self.register_parameter(name, nn.Parameter(raw))

    def values(self) -> LTCValues:
        """Return the effective values of the neurons and of the existing synapses."""
        inner, outer = (self.source, self.target), (self.sensory_source, self.sensory_target)
        return LTCValues(
            softplus(self.cm) + CM_FLOOR, softplus(self.gleak) + GLEAK_FLOOR, self.vleak,
            softplus(self.w[inner]), self.mu[inner], self.sigma[inner], self.erev[inner],
            softplus(self.sensory_w[outer]), self.sensory_mu[outer], self.sensory_sigma[outer],
            self.sensory_erev[outer])

    def fold(self) -> Folded:
        """Return the constants of one step as matrices, differentiable."""
        return ltc_fast.fold(self)

    def map_inputs(self, inputs: Tensor) -> Tensor:
        """Return u = a u_raw + b."""
        return inputs * self.input_w + self.input_b

    def map_outputs(self, states: Tensor) -> Tensor:
        """Return y = o x + c of the motor neurons, not clamped: (..., N) -> (..., M)."""
        return states[..., :self.output_size] * self.output_w + self.output_b

    def forward(self, inputs: Tensor, state: Tensor, dt: Tensor,
                folded: Folded | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """
        Advance by one step.

        inputs (B, S), state (B, N), dt (B, 1) > 0 in nominal steps -> output (B, M), new state
        (B, N) and tau (B, N) in nominal steps, as the last sub-step had it.
        """
        if dt.shape != (inputs.shape[0], 1):
            raise ConfigError(
                f'dt must have shape ({inputs.shape[0]}, 1), one a row, got {tuple(dt.shape)!r}')
        folded = self.fold() if folded is None else folded
        sensory = folded.sensory_sums(self.map_inputs(inputs))

        def terms(x: Tensor) -> tuple[Tensor, Tensor]:
            pull, total = (folded.internal_sums(x) + sensory).chunk(2, dim=-1)
            return pull, total

        state, total = SOLVERS[self.solver](terms, state, folded.cm, dt, self.unfolds)
        return self.map_outputs(state), state, folded.cm / total

    def sequence(self, inputs: Tensor, state: Tensor, dt: Tensor,
                 reset: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """
        Advance through a sequence; the fused solver takes the fast form.

        inputs (T, B, S), state (B, N), dt (T, B, 1), reset (T, B) true where the state is zeroed
        before that step -> outputs (T, B, M) and states (T, B, N).
        """
        folded = self.fold()
        if self.solver == 'fused':
            states = ltc_fast.sequence_states(
                folded, self.map_inputs(inputs), state, dt, reset, self.unfolds)
            return self.map_outputs(states), states
        states = []
        for t in range(inputs.shape[0]):
            if reset is not None:
                state = state.masked_fill(reset[t, :, None], 0.0)
            _, state, _ = self(inputs[t], state, dt[t], folded)
            states.append(state)
        stacked = torch.stack(states)
        return self.map_outputs(stacked), stacked

    @torch.no_grad()
    def envelope(self) -> tuple[Tensor, Tensor]:
        """
        Return the interval [low, high], each (N,), that no state can leave.

        Each fused or exponential step is a weighted mean of the old state (0 at the start), the
        leak potential, the reversal potentials into the neuron and 0 (which the 1e-8 in the
        denominator carries). Explicit steps do not keep it.
        """
        values = self.values()
        low, high = values.vleak.clamp(max=0.0), values.vleak.clamp(min=0.0)
        for target, erev in ((self.target, values.erev),
                             (self.sensory_target, values.sensory_erev)):
            low = low.scatter_reduce(0, target, erev, 'amin')
            high = high.scatter_reduce(0, target, erev, 'amax')
        return low, high

    @torch.no_grad()
    def tau_bounds(self) -> tuple[Tensor, Tensor]:
        """Return the shortest and longest possible tau, each (N,), in nominal steps."""
        values = self.values()
        most = values.gleak.index_add(0, self.target, values.w)
        most = most.index_add(0, self.sensory_target, values.sensory_w)
        return values.cm / most, values.cm / values.gleak


def inverse_softplus(value: Tensor) -> Tensor:
    """Return x with softplus(x) = value; a value of 0 becomes a very small one."""
    value = value.clamp(min=torch.finfo(value.dtype).tiny)
    return value + torch.log(-torch.expm1(-value))


def _uniform(name: str, *shape: int) -> Tensor:
    low, high = RANGES[name]
    return low + (high - low) * torch.rand(*shape)
