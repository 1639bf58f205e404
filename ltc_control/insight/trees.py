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
Decision trees as plain numbers: read, followed and told without the library that grew them.

A tree is kept as arrays, so that a robot needs numpy alone and a file holds no pickle. Nodes are
numbered from the root, 0; ``x <= threshold`` goes left; a leaf has variable -1. Leaves are
numbered from the left: that number is the *decision path* of a sample (Wang et al., arXiv
2210.06650, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
import math
from typing import Any, NamedTuple

from ltc_control.core.errors import ModelError
import numpy as np

LEAF = -1


class Interval(NamedTuple):
    """``low < value <= high``; either end may be infinite."""

    low: float
    high: float

    def holds(self, value: np.ndarray | float) -> np.ndarray | bool:
        """Say whether a value, or each of an array, lies inside."""
        return (value > self.low) & (value <= self.high)

    def disjoint(self, other: Interval) -> bool:
        """Say whether no value can lie in both."""
        return self.high <= other.low or other.high <= self.low


Box = dict[int, Interval]                      # variable -> interval; what is not named is free


@dataclass(frozen=True, eq=False)
class Tree:
    """
    One grown tree over V variables, with Q nodes.

    ``variable``, ``left`` and ``right`` (Q,) int, ``threshold`` (Q,), ``value`` (Q,) the mean of
    the response at the node, ``count`` (Q,) the samples that it was grown from.
    """

    variable: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    count: np.ndarray

    @cached_property
    def leaf_nodes(self) -> np.ndarray:
        """Return the nodes that are leaves, (K,), from the left."""
        order, waiting = [], [0]
        while waiting:
            node = waiting.pop()
            if self.variable[node] == LEAF:
                order.append(node)
            else:
                waiting += [int(self.right[node]), int(self.left[node])]
        return np.array(order)

    @cached_property
    def depth(self) -> int:
        """Return the most questions that a sample is asked; 0 for a tree of one leaf."""
        return max(len(self._way(leaf)) for leaf in range(len(self.leaf_nodes)))

    @property
    def leaf_values(self) -> np.ndarray:
        """Return the mean response of each path, (K,)."""
        return self.value[self.leaf_nodes]

    def paths(self, samples: np.ndarray) -> np.ndarray:
        """Return the path of each of ``samples`` (T, V), (T,) int."""
        node = np.zeros(len(samples), int)
        for _ in range(len(self.variable)):
            inner = np.flatnonzero(self.variable[node] != LEAF)
            if not len(inner):
                break
            here = node[inner]
            less = samples[inner, self.variable[here]] <= self.threshold[here]
            node[inner] = np.where(less, self.left[here], self.right[here])
        number = np.full(len(self.variable), -1)
        number[self.leaf_nodes] = np.arange(len(self.leaf_nodes))
        return number[node]

    def predict(self, samples: np.ndarray) -> np.ndarray:
        """Return the mean response of the path of each of ``samples`` (T, V), (T,)."""
        return self.leaf_values[self.paths(samples)]

    def box(self, path: int) -> Box:
        """
        Return the intervals of a path, in the order in which the tree asks.

        This is the parser r of the paper: x > a and x > b become x > max(a, b).
        """
        found: Box = {}
        for node, is_left in self._way(path):
            variable, threshold = int(self.variable[node]), float(self.threshold[node])
            low, high = found.get(variable, Interval(-math.inf, math.inf))
            found[variable] = (Interval(low, min(high, threshold)) if is_left
                               else Interval(max(low, threshold), high))
        return found

    @cached_property
    def boxes(self) -> list[Box]:
        """Return the intervals of every path, (K,)."""
        return [self.box(path) for path in range(len(self.leaf_nodes))]

    def _way(self, path: int) -> list[tuple[int, bool]]:
        """Return the nodes from the root to a leaf, each with whether it is left to the left."""
        parent = {}
        for node in np.flatnonzero(self.variable != LEAF):
            parent[int(self.left[node])] = (int(node), True)
            parent[int(self.right[node])] = (int(node), False)
        way, node = [], int(self.leaf_nodes[path])
        while node in parent:
            way.append(parent[node])
            node = way[-1][0]
        return way[::-1]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return plain lists for a JSON file."""
        return {'variable': self.variable.tolist(), 'threshold': self.threshold.tolist(),
                'left': self.left.tolist(), 'right': self.right.tolist(),
                'value': self.value.tolist(), 'count': self.count.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Tree:
        """Read what ``to_dict`` wrote; ModelError where it is no tree."""
        try:
            tree = cls(*(np.array(values[name], kind) for name, kind in (
                ('variable', int), ('threshold', float), ('left', int), ('right', int),
                ('value', float), ('count', int))))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f'this is no tree ({error}); grow it again') from error
        tree._check()
        return tree

    def _check(self) -> None:
        count = len(self.variable)
        inner = self.variable != LEAF
        children = np.concatenate([self.left[inner], self.right[inner]])
        arrays = (self.threshold, self.left, self.right, self.value, self.count)
        whole = (count > 0 and all(len(a) == count for a in arrays)
                 and sorted(children.tolist()) == list(range(1, count))
                 and (self.left[inner] > np.flatnonzero(inner)).all()
                 and (self.right[inner] > np.flatnonzero(inner)).all()
                 and np.isfinite(self.threshold[inner]).all() and np.isfinite(self.value).all())
        if not whole:
            raise ModelError(f'a tree of {count} nodes does not hang together; grow it again')


@dataclass(frozen=True, eq=False)
class PathClassifier:
    """
    From the scalar response of one neuron to its path: steps between cuts.

    The true state is not known on a robot, its neurons are. ``cuts`` (S-1,) ascending,
    ``paths`` (S,): the path between two cuts.
    """

    cuts: np.ndarray
    paths: np.ndarray

    def __call__(self, response: np.ndarray | float) -> np.ndarray:
        """Return the path of each response, of its shape, int."""
        return self.paths[np.searchsorted(self.cuts, response, side='left')]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return plain lists for a JSON file."""
        return {'cuts': self.cuts.tolist(), 'paths': self.paths.tolist()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PathClassifier:
        """Read what ``to_dict`` wrote; ModelError where it is none."""
        try:
            cuts, paths = np.array(values['cuts'], float), np.array(values['paths'], int)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f'this is no path classifier ({error}); grow it again') from error
        if len(paths) != len(cuts) + 1 or (np.diff(cuts) < 0).any() or paths.min() < 0:
            raise ModelError('a path classifier has cuts out of order; grow it again')
        return cls(cuts, paths)
