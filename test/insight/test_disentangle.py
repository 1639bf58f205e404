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
"""The five metrics against their formulas written out, and against what chance gives."""

from __future__ import annotations

import math

from ltc_control.insight.disentangle import (
    entropy,
    informations,
    logic_conflict,
    measure,
    mutual_information,
    NeuronTree,
    quantile_bins,
)
from ltc_control.insight.tree_growing import grow, learn_paths
from ltc_control.insight.trees import LEAF, PathClassifier, Tree
import numpy as np
import pytest


def stump(variable: int, threshold: float) -> Tree:
    return Tree(np.array([variable, LEAF, LEAF]), np.array([threshold, 0.0, 0.0]),
                np.array([1, LEAF, LEAF]), np.array([2, LEAF, LEAF]), np.array([0.0, -1.0, 1.0]),
                np.array([2, 1, 1]))


def grown(states: np.ndarray, z: np.ndarray) -> list[NeuronTree]:
    neurons = []
    for i in range(z.shape[1]):
        tree = grow(states, z[:, i], depth=2)
        neurons.append(NeuronTree(f'n{i}', tree, learn_paths(z[:, i], tree.paths(states))))
    return neurons


@pytest.fixture(scope='module')
def apart() -> tuple[list[NeuronTree], np.ndarray, np.ndarray]:
    """Return neurons that each answer one variable of their own."""
    states = np.random.default_rng(0).normal(size=(1500, 3))
    z = np.tanh(3.0 * states) + 0.05 * np.random.default_rng(1).normal(size=(1500, 3))
    return grown(states, z), states, z


def test_information_of_what_is_known() -> None:
    a = np.tile([0, 1, 2, 3], 50)
    assert mutual_information(a, a) == pytest.approx(math.log(4))
    assert mutual_information(a, a // 2) == pytest.approx(math.log(2))
    assert mutual_information(a, np.zeros(200, int)) == pytest.approx(0.0)
    assert entropy(a) == pytest.approx(math.log(4))
    rng = np.random.default_rng(2)
    b = rng.integers(0, 3, 200)
    plain = 0.0
    for x in range(4):
        for y in range(3):
            p = np.mean((a == x) & (b == y))
            plain += p * math.log(p / (np.mean(a == x) * np.mean(b == y))) if p else 0.0
    assert mutual_information(a, b) == pytest.approx(plain)


def test_bins_hold_equal_shares() -> None:
    counts = np.bincount(quantile_bins(np.random.default_rng(3).normal(size=2000)))
    assert len(counts) == 20
    assert counts.min() >= 99


def test_neurons_of_their_own_variables_are_disentangled(apart: tuple) -> None:
    found = measure(*apart)
    assert found.explained == 3
    assert found.response_variance < 0.1
    assert found.mi_gap > 0.5
    assert found.modularity > 0.95
    assert found.path_accuracy > 0.9 > found.majority_accuracy
    assert found.logic_conflict == 0.0       # boxes of different variables cannot clash


def test_formulas_written_out(apart: tuple) -> None:
    neurons, states, z = apart
    found = measure(neurons, states, z)
    paths = np.stack([one.tree.paths(states) for one in neurons], axis=1)
    spread, right = [], []
    for i in range(3):
        inside = [np.mean(paths[:, i] == k) * z[paths[:, i] == k, i].var() for k in range(4)
                  if (paths[:, i] == k).any()]
        spread.append(sum(inside) / z[:, i].var())
        right.append(np.mean([neurons[i].classify(z[t, i]) == paths[t, i] for t in range(1500)]))
    assert found.response_variance == pytest.approx(np.mean(spread))
    assert found.path_accuracy == pytest.approx(np.mean(right))
    told = informations(z, paths)
    gaps, modular = [], []
    for i in range(3):
        others = [told[j, i] for j in range(3) if j != i]
        gaps.append((told[i, i] - max(others)) / entropy(paths[:, i]))
        best = max(told[i])
        rest = sum(value**2 for value in told[i]) - best**2
        modular.append(1.0 - rest / (2 * best**2))
    assert found.mi_gap == pytest.approx(np.mean(gaps))
    assert found.modularity == pytest.approx(np.mean(modular))


def test_copies_have_no_gap(apart: tuple) -> None:
    _, states, z = apart
    twins = np.repeat(z[:, :1], 2, axis=1)
    found = measure(grown(states, twins), states, twins)
    assert found.mi_gap == pytest.approx(0.0, abs=1e-9)
    assert found.modularity == pytest.approx(0.0, abs=1e-9)


def test_shuffled_in_time_nothing_is_left(apart: tuple) -> None:
    neurons, states, z = apart
    mixed = z[np.random.default_rng(5).permutation(len(z))]
    relearnt = [NeuronTree(one.name, one.tree, learn_paths(mixed[:, i], one.tree.paths(states)))
                for i, one in enumerate(neurons)]
    again = z[np.random.default_rng(6).permutation(len(z))]
    found = measure(relearnt, states, again)
    assert abs(found.mi_gap) < 0.03
    assert found.modularity < 0.05
    assert found.path_accuracy < found.majority_accuracy + 0.05
    assert found.response_variance > 0.95


def test_conflict_is_counted_by_hand() -> None:
    trees = [stump(0, 0.0), stump(0, 1.0), stump(1, 0.0)]
    # the first says x <= 0, the second x > 1: they clash; the third speaks of y
    told = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]])
    assert logic_conflict(trees, told) == pytest.approx(2 / (3 * 3 * 2))
    assert logic_conflict(trees[:1], told[:, :1]) is None


def test_what_never_changes_is_left_out(apart: tuple) -> None:
    neurons, states, z = apart
    still = NeuronTree('still', stump(0, 99.0), PathClassifier(np.empty(0), np.zeros(1, int)))
    constant = NeuronTree('constant', stump(0, 0.0), PathClassifier(np.empty(0), np.zeros(1, int)))
    responses = np.concatenate([z, z[:, :1], np.ones((len(z), 1))], axis=1)
    found = measure([*neurons, still, constant], states, responses)
    assert found.unexplained == ('still', 'constant')
    assert found == measure(neurons, states, z).__class__(
        **{**measure(neurons, states, z).to_dict(), 'unexplained': ('still', 'constant')})
    nothing = measure([still], states, z[:, :1])
    assert nothing.explained == 0
    assert nothing.mi_gap is None
