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
"""Wirings: the draws of ncps, the counts of the papers, and values that cannot change."""

import json

from ltc_control.core.errors import ConfigError
from ltc_control.nets.wiring import AutoNCP, build_wiring, FullyConnected, NCP, PRESETS, Wiring
import numpy as np
import pytest

ncps = pytest.importorskip('ncps.wirings')


def _same(ours, theirs):
    np.testing.assert_array_equal(ours.adjacency, theirs.adjacency_matrix)
    np.testing.assert_array_equal(ours.sensory_adjacency, theirs.sensory_adjacency_matrix)
    assert list(ours.roles)[:ours.outputs] == ['motor'] * theirs.output_dim


@pytest.mark.parametrize('seed', range(25))
@pytest.mark.parametrize(('numbers', 'inputs'), [
    ((12, 6, 1, 6, 4, 7, 6), 32), ((18, 12, 4, 6, 4, 4, 6), 12), ((9, 7, 2, 1, 1, 3, 2), 3)])
def test_ncp_draws_as_ncps(numbers, inputs, seed):
    theirs = ncps.NCP(*numbers, seed=seed)
    theirs.build(inputs)
    ours = NCP(*numbers, seed=seed).build(inputs)
    _same(ours, theirs)
    assert list(ours.roles) == [theirs.get_type_of_neuron(i) for i in range(ours.units)]


@pytest.mark.parametrize('seed', range(10))
@pytest.mark.parametrize(('units', 'outputs', 'sparsity'), [
    (19, 2, 0.5), (64, 8, 0.9), (7, 3, 0.2)])
def test_auto_ncp_draws_as_ncps(units, outputs, sparsity, seed):
    theirs = ncps.AutoNCP(units, outputs, sparsity, seed=seed)
    theirs.build(11)
    _same(AutoNCP(units, outputs, sparsity, seed).build(11), theirs)


@pytest.mark.parametrize('self_connections', [True, False])
def test_fully_connected_draws_as_ncps(self_connections):
    theirs = ncps.FullyConnected(8, 3, self_connections=self_connections)
    theirs.build(5)
    ours = FullyConnected(8, 3, self_connections).build(5)
    _same(ours, theirs)
    assert ours.synapses == (64 if self_connections else 56)


@pytest.mark.parametrize(('name', 'inputs', 'sensory', 'internal', 'stored', 'effective'), [
    ('paper19', 32, 192, 61, 3999, 1135),      # reference table: 253 synapses in all
    ('drive19', 32, 160, 46, 4001, 949),
    ('drive19', 38, 190, 47, 4469, 1085),
    ('drone34', 128, 768, 102, 22398, 3846),
])
def test_preset_counts(name, inputs, sensory, internal, stored, effective):
    wiring = build_wiring(name, inputs)
    assert (wiring.sensory_synapses, wiring.synapses) == (sensory, internal)
    counts = wiring.parameter_counts()
    assert (counts['stored_dense'], counts['effective']) == (stored, effective)
    assert counts['paper'] == 4 * (sensory + internal) + 3 * wiring.units


def test_preset_roles():
    assert build_wiring('paper19', 32).role_counts() == {'inter': 12, 'command': 6, 'motor': 1}
    assert build_wiring('drive19', 32).role_counts() == {'inter': 11, 'command': 6, 'motor': 2}


def test_each_neuron_is_reached_and_layers_do_not_skip():
    wiring = build_wiring('drive19', 38)
    inter, command, motor = (wiring.ids(r) for r in ('inter', 'command', 'motor'))
    reached = np.abs(wiring.sensory_adjacency).sum(0)
    assert (reached[inter] > 0).all()
    assert (reached[command + motor] == 0).all()
    assert not wiring.adjacency[np.ix_(inter, motor + inter)].any()
    assert not wiring.adjacency[motor].any()
    assert (np.abs(wiring.adjacency[np.ix_(command, motor)]).sum(1) > 0).all()


@pytest.mark.parametrize('name', sorted(PRESETS))
def test_building_twice_gives_the_same(name):
    recipe = PRESETS[name]
    assert recipe.build(40) == recipe.build(40)
    assert hash(recipe.build(40)) == hash(recipe.build(40))


def test_another_seed_gives_another_wiring():
    assert AutoNCP(19, 2, seed=1).build(32) != AutoNCP(19, 2, seed=2).build(32)


@pytest.mark.parametrize('recipe', [*PRESETS.values(), FullyConnected(5, 2)])
def test_json_round_trip(recipe):
    wiring = recipe.build(9)
    again = Wiring.from_dict(json.loads(json.dumps(wiring.to_dict())))
    assert again == wiring
    np.testing.assert_array_equal(again.adjacency, wiring.adjacency)
    assert build_wiring(again.recipe, 9) == wiring                      # the recipe redraws it


def test_arrays_are_read_only():
    wiring = build_wiring('drive19', 4)
    with pytest.raises(ValueError, match='read-only'):
        wiring.adjacency[0, 0] = 1


@pytest.mark.parametrize(('recipe', 'message'), [
    ('paper20', "unknown wiring 'paper20'"),
    ({'kind': 'star'}, "unknown wiring kind 'star'"),
    ({'kind': 'ncp', 'inter': 3}, 'cannot be made from'),
])
def test_unknown_recipes_are_refused(recipe, message):
    with pytest.raises(ConfigError, match=message):
        build_wiring(recipe, 3)


def test_impossible_sizes_are_refused():
    with pytest.raises(ConfigError, match=r'motor_fanin must be in 1\.\.6'):
        NCP(12, 6, 1, 6, 4, 7, 9)
    with pytest.raises(ConfigError, match='outputs must be in'):
        AutoNCP(5, 3)
    with pytest.raises(ConfigError, match='sparsity'):
        AutoNCP(19, 2, sparsity=0.0)
    with pytest.raises(ConfigError, match='needs adjacency'):
        Wiring(np.zeros((2, 2)), np.zeros((3, 4)), ('motor', 'inter'), {})
    with pytest.raises(ConfigError, match='lacks'):
        Wiring.from_dict({'roles': []})
