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
"""Trees are judged by scikit-learn, by a walk a child could do, and by their own boxes."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import ModelError
from ltc_control.insight.tree_growing import grow, grow_pruned, learn_paths, single_leaf
from ltc_control.insight.trees import Interval, LEAF, PathClassifier, Tree
import numpy as np
import pytest


def data(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    # float32, as the library that grows trees sees numbers
    samples = rng.normal(size=(count, 3)).astype(np.float32).astype(float)
    return samples, np.where(samples[:, 0] > 0.3, samples[:, 1], -2.0) + 0.1 * rng.normal(
        size=count)


def walk(tree: Tree, row: np.ndarray) -> int:
    """Return the node where one sample ends, question by question."""
    node = 0
    while tree.variable[node] != LEAF:
        node = int(tree.left[node] if row[tree.variable[node]] <= tree.threshold[node]
                   else tree.right[node])
    return node


@given(seed=st.integers(0, 200), depth=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_a_tree_answers_like_the_library_and_like_a_walk(seed: int, depth: int) -> None:
    from sklearn.tree import DecisionTreeRegressor
    samples, response = data(seed)
    tree = grow(samples, response, depth=depth)
    judge = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=4, random_state=0)
    judge.fit(samples, response)
    np.testing.assert_allclose(tree.predict(samples), judge.predict(samples))
    ends = [walk(tree, row) for row in samples]
    assert tree.leaf_nodes[tree.paths(samples)].tolist() == ends
    assert tree.depth <= depth


@given(seed=st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_a_sample_lies_in_the_box_of_its_path_and_in_no_other(seed: int) -> None:
    samples, response = data(seed)
    tree = grow(samples, response, depth=4)
    paths = tree.paths(samples)
    for path, box in enumerate(tree.boxes):
        inside = np.ones(len(samples), bool)
        for variable, interval in box.items():
            inside &= interval.holds(samples[:, variable])
        np.testing.assert_array_equal(inside, paths == path)


def test_conditions_on_one_variable_become_one_interval() -> None:
    tree = Tree(variable=np.array([0, 0, LEAF, LEAF, LEAF]), threshold=np.array([2., 1., 0, 0, 0]),
                left=np.array([1, 2, LEAF, LEAF, LEAF]), right=np.array([4, 3, LEAF, LEAF, LEAF]),
                value=np.arange(5.0), count=np.ones(5, int))
    inf = float('inf')
    assert tree.boxes == [{0: Interval(-inf, 1.0)}, {0: Interval(1.0, 2.0)},
                          {0: Interval(2.0, inf)}]
    assert tree.predict(np.array([[0.5], [1.0], [1.5], [2.0], [9.0]])).tolist() == [2, 2, 3, 3, 4]
    assert tree.boxes[0][0].disjoint(tree.boxes[1][0])
    assert not Interval(0.0, 2.0).disjoint(Interval(1.0, 3.0))


def test_noise_is_cut_back_to_the_mean() -> None:
    rng = np.random.default_rng(1)
    samples, noise = rng.normal(size=(600, 3)), rng.normal(size=600)
    tree = grow_pruned(samples[:300], noise[:300], held_samples=samples[300:],
                       held_response=noise[300:])
    assert len(tree.leaf_nodes) == 1
    assert tree.predict(samples)[0] == pytest.approx(noise[:300].mean())


def test_pruning_keeps_what_is_there() -> None:
    samples, response = data(3, 600)
    tree = grow_pruned(samples[:300], response[:300], held_samples=samples[300:],
                       held_response=response[300:])
    left = response[300:] - tree.predict(samples[300:])
    assert left.var() < 0.1 * response[300:].var()
    assert 3 <= len(tree.leaf_nodes) < len(grow(samples[:300], response[:300]).leaf_nodes)


def test_a_path_is_told_by_the_response_alone() -> None:
    samples, response = data(4)
    tree = grow(samples, response, depth=2)
    classify = learn_paths(tree.predict(samples), tree.paths(samples))
    np.testing.assert_array_equal(classify(tree.predict(samples)), tree.paths(samples))


def test_files_give_back_the_same_answers() -> None:
    samples, response = data(5)
    tree = grow(samples, response)
    again = Tree.from_dict(json.loads(json.dumps(tree.to_dict())))
    np.testing.assert_array_equal(again.predict(samples), tree.predict(samples))
    classify = learn_paths(response, tree.paths(samples))
    same = PathClassifier.from_dict(json.loads(json.dumps(classify.to_dict())))
    np.testing.assert_array_equal(same(response), classify(response))


@pytest.mark.parametrize('change', [
    {'variable': []}, {'left': [0, -1, -1]}, {'right': [5, -1, -1]}, {'value': [0.0]},
    {'threshold': [float('nan'), 0.0, 0.0]}, {'variable': 'x'}])
def test_a_damaged_tree_is_refused(change: dict[str, object]) -> None:
    whole = {'variable': [0, -1, -1], 'threshold': [0.5, 0.0, 0.0], 'left': [1, -1, -1],
             'right': [2, -1, -1], 'value': [0.0, 1.0, 2.0], 'count': [2, 1, 1]}
    assert Tree.from_dict(whole).predict(np.array([[0.0], [1.0]])).tolist() == [1.0, 2.0]
    with pytest.raises(ModelError, match='grow it again'):
        Tree.from_dict({**whole, **change})


def test_a_damaged_classifier_is_refused() -> None:
    for values in ({'cuts': [1.0, 0.0], 'paths': [0, 1, 2]}, {'cuts': [1.0], 'paths': [0]}, {}):
        with pytest.raises(ModelError, match='grow it again'):
            PathClassifier.from_dict(values)


def test_a_single_leaf_is_a_tree() -> None:
    tree = single_leaf(np.array([1.0, 3.0]))
    assert tree.depth == 0
    assert tree.boxes == [{}]
    assert tree.predict(np.zeros((2, 3))).tolist() == [2.0, 2.0]
