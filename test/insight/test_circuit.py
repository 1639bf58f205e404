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
"""Currents against the step of the liquid core, whose features are known here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ltc_control.core.model_file import load_spec
from ltc_control.insight.circuit import Circuit
from ltc_control.insight.liquid import LiquidCore
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'


@pytest.fixture(scope='module')
def circuit() -> Circuit:
    return Circuit.of(load_spec(MODEL))


@pytest.fixture(scope='module')
def moment(circuit: Circuit) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, a state that no longer moves under them, and its time constants [s]."""
    core, rng = circuit.core, np.random.default_rng(5)
    features, state, tau = rng.uniform(0.0, 2.0, core.features), core.zero_state(), None
    for _ in range(400):
        _, state, tau = core.step(features, state, circuit.dt_nominal_s)
    return features, state, tau


def test_synapses_stand_in_the_order_of_the_core(circuit: Circuit) -> None:
    for mine, theirs in ((circuit.inner, circuit.core.inner),
                         (circuit.sensory, circuit.core.outer)):
        np.testing.assert_array_equal(mine[:, 0], theirs.source)
        np.testing.assert_array_equal(mine[:, 1], theirs.target)
    assert (len(circuit.inner), len(circuit.sensory), circuit.inputs) == (46, 160, 32)
    assert circuit.names[:3] == ('motor_0', 'motor_1', 'command_0')


def test_currents_are_those_of_each_synapse(circuit: Circuit, moment: tuple) -> None:
    _, state, _ = moment
    ends = circuit.core.inner
    for e, current in enumerate(circuit.currents(state)):
        j, i = ends.source[e], ends.target[e]
        gate = 1 / (1 + np.exp(-ends.sigma[e] * (state[j] - ends.mu[e])))
        assert current == pytest.approx(ends.w[e] * gate * (ends.erev[e] - state[i]), abs=1e-12)


def test_the_sensory_conductance_of_each_neuron_is_exact_at_rest(circuit: Circuit,
                                                                 moment: tuple) -> None:
    """What tau tells, summed over a neuron's synapses, is what the features really open."""
    features, state, tau = moment
    core = circuit.core
    gain, offset = core.input_map
    true = np.bincount(core.outer.target, core.outer.conductance(gain * features + offset),
                       len(state))
    told = circuit.sensory_currents(state, tau)
    pulls = core.outer.erev - state[core.outer.target]
    found = np.bincount(core.outer.target, told / pulls, len(state))
    np.testing.assert_allclose(found, true, rtol=1e-6, atol=1e-9)


def test_without_weights_the_wiring_alone_is_drawn(tmp_path: Path) -> None:
    spec = replace(load_spec(MODEL), folder=tmp_path)
    circuit = Circuit.of(spec)
    assert circuit.core is None
    assert 'weights.safetensors is missing' in circuit.note
    assert len(circuit.inner) == 46
    assert circuit.currents(np.zeros(19)) is None
    assert circuit.sensory_currents(np.zeros(19), np.ones(19)) is None


def test_a_model_without_wiring_has_neurons_only() -> None:
    spec = replace(load_spec(MODEL), wiring={}, roles={}, kind='lstm')
    circuit = Circuit.of(spec)
    told = circuit.document()
    assert told['inner'] == told['sensory'] == []
    assert told['names'] == [f'unit_{i}' for i in range(19)]
    assert 'no wiring' in told['note']


def test_states_of_another_model_give_no_currents(circuit: Circuit) -> None:
    assert isinstance(circuit.core, LiquidCore)
    assert circuit.currents(np.zeros(7)) is None
    assert circuit.sensory_currents(np.zeros(7), np.ones(7)) is None
