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
The wiring of a policy as a picture can draw it, and what flows in it at one moment.

The current of a synapse between neurons is w s(sigma (x_j - mu)) (E - x_i), in the units of the
state, exact for the published state. What comes in from the image is known per neuron only: its
time constant tells the sum of all conductances into it, D_i = C_i / tau_i, so the sensory share is
D_i less leak and inner synapses; it is spread over the sensory synapses by their greatest
conductance, because features are not published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltc_control.core.errors import LtcError
from ltc_control.core.model_file import ModelSpec
from ltc_control.core.neurons import neuron_names
from ltc_control.insight.liquid import LiquidCore
import numpy as np


@dataclass(frozen=True, eq=False)
class Circuit:
    """
    Neurons by name and role, their E inner and P sensory synapses as (source, target, polarity).

    ``core`` is None where the folder holds no weights to compute currents from; ``note`` says so.
    """

    names: tuple[str, ...]
    roles: tuple[str, ...]
    inner: np.ndarray                      # (E, 3)
    sensory: np.ndarray                    # (P, 3)
    low: np.ndarray                        # (N,) range of the state
    high: np.ndarray
    dt_nominal_s: float
    inputs: int
    core: LiquidCore | None
    note: str

    @classmethod
    def of(cls, spec: ModelSpec) -> Circuit:
        """Return the circuit of a model; without a wiring it has neurons and no synapses."""
        names = neuron_names(spec.roles, spec.neurons)
        inner, sensory = (_synapses(spec.wiring.get(key)) for key in
                          ('adjacency', 'sensory_adjacency'))
        core, note = _core(spec, wired=len(inner) > 0)
        bounds = (spec.envelope_low, spec.envelope_high)
        low, high = (np.full(spec.neurons, flat) if bound is None else np.array(bound)
                     for flat, bound in zip((-1.0, 1.0), bounds, strict=True))
        return cls(names, tuple(name.rsplit('_', 1)[0] for name in names), inner, sensory,
                   low, high, spec.dt_nominal_s, len(spec.wiring.get('sensory_adjacency') or ()),
                   core, note)

    def currents(self, state: np.ndarray) -> np.ndarray | None:
        """Return the current of each inner synapse (E,) at states (N,); None without weights."""
        if self.core is None or len(state) != len(self.names):
            return None
        ends = self.core.inner
        return ends.conductance(state) * (ends.erev - state[ends.target])

    def sensory_currents(self, state: np.ndarray, tau: np.ndarray) -> np.ndarray | None:
        """Return the estimated current of each sensory synapse (P,), tau (N,) in seconds."""
        if self.core is None or len(state) != len(self.names):
            return None
        core, ends = self.core, self.core.outer
        inner = np.bincount(core.inner.target, core.inner.conductance(state), len(state))
        with np.errstate(divide='ignore', invalid='ignore'):
            total = core.cm * self.dt_nominal_s / tau
        open_ = np.nan_to_num(np.maximum(total - core.gleak - inner, 0.0), posinf=0.0)
        most = np.bincount(ends.target, ends.w, len(state))
        share = np.divide(open_, most, out=np.zeros_like(most), where=most > 0)
        return share[ends.target] * ends.w * (ends.erev - state[ends.target])

    def document(self) -> dict[str, Any]:
        """Return what a page needs to draw it, JSON-ready."""
        return {'names': list(self.names), 'roles': list(self.roles), 'inputs': self.inputs,
                'inner': self.inner.tolist(), 'sensory': self.sensory.tolist(),
                'low': self.low.tolist(), 'high': self.high.tolist(), 'note': self.note}


def _synapses(matrix: Any) -> np.ndarray:
    if matrix is None or not len(matrix):
        return np.empty((0, 3), np.int64)
    matrix = np.array(matrix)
    source, target = np.nonzero(matrix)    # the order of LiquidCore's synapses
    return np.stack([source, target, np.sign(matrix[source, target])], axis=1)


def _core(spec: ModelSpec, *, wired: bool) -> tuple[LiquidCore | None, str]:
    if not wired:
        return None, 'this model has no wiring between neurons'
    try:
        return LiquidCore.load(spec), ''
    except LtcError as error:
        return None, f'lines show the wiring, not its currents: {error}'
