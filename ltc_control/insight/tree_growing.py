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
Grow trees on drives: scikit-learn does it, plain arrays come out.

A tree is grown on some segments of a drive and cut back on others that it has not seen
(cost-complexity pruning, Breiman et al. 1984), never on random frames: neighbours in time are
nearly the same frame, and a tree that knows one knows the other.
"""

from __future__ import annotations

from itertools import pairwise

from ltc_control.insight.trees import LEAF, PathClassifier, Tree
import numpy as np

LEAST_LEAF = 0.01                              # share of the frames that a path must hold
MOST_DEPTH = 5
SLACK = 0.01                                   # of the variance: a shorter word is worth it
MOST_ALPHAS = 24                               # strengths of pruning that are tried


def grow(samples: np.ndarray, response: np.ndarray, *, depth: int = MOST_DEPTH,
         alpha: float = 0.0) -> Tree:
    """Return the regression tree of ``samples`` (T, V) to ``response`` (T,), deterministic."""
    from sklearn.tree import DecisionTreeRegressor

    least = max(1, round(LEAST_LEAF * len(samples)))
    model = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=least, ccp_alpha=alpha,
                                  random_state=0)
    return _plain(model.fit(samples, response).tree_)


def single_leaf(response: np.ndarray) -> Tree:
    """Return the tree that asks nothing and answers with the mean."""
    none = np.array([LEAF])
    return Tree(variable=none, threshold=np.zeros(1), left=none, right=none,
                value=np.array([float(np.mean(response))]), count=np.array([len(response)]))


def grow_pruned(samples: np.ndarray, response: np.ndarray, *, held_samples: np.ndarray,
                held_response: np.ndarray, depth: int = MOST_DEPTH) -> Tree:
    """
    Return the smallest tree that is as good as the best on the held frames, to SLACK of variance.

    A tree that does not beat the plain mean there is cut back to one leaf: it explains nothing.
    """
    spread = float(np.mean((held_response - float(np.mean(response))) ** 2))
    tried = [(spread, single_leaf(response))]
    for alpha in _alphas(samples, response, depth):
        tree = grow(samples, response, depth=depth, alpha=alpha)
        tried.append((float(np.mean((held_response - tree.predict(held_samples)) ** 2)), tree))
    enough = min(error for error, _ in tried) + SLACK * spread
    return min((tree for error, tree in tried if error <= enough),
               key=lambda tree: len(tree.leaf_nodes))


def learn_paths(response: np.ndarray, paths: np.ndarray) -> PathClassifier:
    """Return the classifier q of ``paths`` (T,) from the scalar ``response`` (T,)."""
    from sklearn.tree import DecisionTreeClassifier

    count = len(np.unique(paths))
    least = max(1, round(LEAST_LEAF * len(response)))
    model = DecisionTreeClassifier(max_leaf_nodes=max(2, 2 * count), min_samples_leaf=least,
                                   random_state=0)
    model.fit(response[:, None], paths)
    tree = model.tree_
    cuts = np.sort(tree.threshold[tree.feature >= 0])
    edges = np.r_[-np.inf, cuts, np.inf]
    middles = np.array([_between(a, b) for a, b in pairwise(edges)])
    return PathClassifier(cuts, model.predict(middles[:, None]).astype(int))


def _between(low: float, high: float) -> float:
    """Return a number in (low, high]; an infinite end is left by one."""
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (low + high)
    if np.isfinite(low):
        return low + 1.0
    return high if np.isfinite(high) else 0.0


def _alphas(samples: np.ndarray, response: np.ndarray, depth: int) -> list[float]:
    """Return strengths of pruning from none to all but all, ascending."""
    from sklearn.tree import DecisionTreeRegressor

    least = max(1, round(LEAST_LEAF * len(samples)))
    path = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=least, random_state=0
                                 ).cost_complexity_pruning_path(samples, response)
    alphas = np.unique(np.maximum(path.ccp_alphas, 0.0))
    # between two strengths the tree stays the same: the middle is safe from rounding
    middles = np.unique(np.r_[0.0, 0.5 * (alphas[1:] + alphas[:-1])])
    if len(middles) > MOST_ALPHAS:
        middles = middles[np.linspace(0, len(middles) - 1, MOST_ALPHAS).round().astype(int)]
    return [float(alpha) for alpha in middles]


def _plain(tree: object) -> Tree:
    """Return the arrays of a tree of scikit-learn; its thresholds are kept as they are."""
    leaf = tree.children_left < 0
    return Tree(variable=np.where(leaf, LEAF, tree.feature).astype(int),
                threshold=np.where(leaf, 0.0, tree.threshold),
                left=np.where(leaf, LEAF, tree.children_left).astype(int),
                right=np.where(leaf, LEAF, tree.children_right).astype(int),
                value=tree.value[:, 0, 0].astype(float).copy(),
                count=tree.n_node_samples.astype(int).copy())
