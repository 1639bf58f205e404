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
How well decision paths explain neurons: five metrics (Wang et al., arXiv 2210.06650).

Names and aims are those of the paper; the formulas are reconstructed, so compare them with each
other and not with its table. All are taken on frames that grew no tree.

    response variance   mean_i sum_k p(P_k) Var(z_i | P_k) / Var(z_i)                lower better
    MI gap              mean_i [ I(z_i; P_i) - max_j I(z_j; P_i) ] / H(P_i)                  higher
    modularity          mean_i [ 1 - sum_k I(z_i; P_k)^2 / ((N-1) max_k I(z_i; P_k)^2) ]     higher
    path accuracy       mean_i,t [ q_i(z_i(t)) = P_i(t) ]                                    higher
    logic conflict      mean over pairs and t [ box_i(t), box_j(t) exclude each other ]       lower

I is counted in 20 quantile bins less its mean over 20 shuffles; what does not stand out of the
shuffles is 0, else noise would divide noise. A neuron that hears of no path has modularity 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ltc_control.insight.trees import Interval, PathClassifier, Tree
import numpy as np

BINS = 20
SHUFFLES = 20
STANDS_OUT = 5.0                           # deviations of the shuffles; 361 pairs are looked at


@dataclass(frozen=True)
class Metrics:
    """The five metrics over ``explained`` neurons, and beside them what chance would give."""

    response_variance: float | None
    mi_gap: float | None
    modularity: float | None
    path_accuracy: float | None
    majority_accuracy: float | None        # of always naming the most frequent path
    condition_accuracy: float | None       # share of the told intervals that are true
    logic_conflict: float | None
    explained: int
    unexplained: tuple[str, ...]
    leaves_mean: float | None
    depth_mean: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class NeuronTree:
    """One neuron: its tree s -> z, and q from its response to the path."""

    name: str
    tree: Tree
    classify: PathClassifier


def measure(neurons: Sequence[NeuronTree], states: np.ndarray, responses: np.ndarray,
            *, seed: int = 0) -> Metrics:
    """
    Return the metrics of ``neurons`` (N) on held-out ``states`` (T, V) and ``responses`` (T, N).

    A neuron whose response or whose path never changes there is unexplained and left out.
    """
    paths = np.stack([one.tree.paths(states) for one in neurons], axis=1)      # (T, N)
    kept = [i for i in range(len(neurons))
            if np.ptp(responses[:, i]) > 0 and len(np.unique(paths[:, i])) > 1]
    unexplained = tuple(one.name for i, one in enumerate(neurons) if i not in kept)
    if not kept:
        return Metrics(*[None] * 7, explained=0, unexplained=unexplained, leaves_mean=None,
                       depth_mean=None)
    chosen = [neurons[i] for i in kept]
    z, paths = responses[:, kept], paths[:, kept]
    told = np.stack([one.classify(z[:, i]) for i, one in enumerate(chosen)], axis=1)
    information = informations(z, paths, seed=seed)
    return Metrics(
        response_variance=_mean(_response_variance(z, paths)),
        mi_gap=_mean(_mi_gap(information, paths)),
        modularity=_mean(_modularity(information)) if len(kept) > 1 else None,
        path_accuracy=float((told == paths).mean()),
        majority_accuracy=_mean([np.bincount(p).max() / len(p) for p in paths.T]),
        condition_accuracy=_condition_accuracy(chosen, told, states),
        logic_conflict=logic_conflict([one.tree for one in chosen], told),
        explained=len(kept), unexplained=unexplained,
        leaves_mean=_mean([len(one.tree.leaf_nodes) for one in chosen]),
        depth_mean=_mean([one.tree.depth for one in chosen]))


def informations(z: np.ndarray, paths: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return I(z_i; P_k) in nats, (N, N), of responses (T, N) and paths (T, N)."""
    rng = np.random.default_rng(seed)
    binned = np.stack([quantile_bins(column) for column in z.T], axis=1)
    orders = [rng.permutation(len(z)) for _ in range(SHUFFLES)]
    count = z.shape[1]
    found = np.zeros((count, count))
    for i in range(count):
        for k in range(count):
            raw = mutual_information(binned[:, i], paths[:, k])
            chance = np.array([mutual_information(binned[order, i], paths[:, k])
                               for order in orders])
            if raw > chance.mean() + STANDS_OUT * chance.std():
                found[i, k] = raw - chance.mean()
    return found


def quantile_bins(values: np.ndarray) -> np.ndarray:
    """Return the quantile bin of each value, (T,) int from 0."""
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side='right')


def mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """Return the plug-in estimate of I(a; b) [nats] of two arrays (T,) of small integers."""
    width = int(b.max()) + 1
    joint = np.bincount(a * width + b, minlength=(int(a.max()) + 1) * width)
    share = joint.reshape(-1, width) / len(a)
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    held = share > 0
    return float((share[held] * np.log(share[held] / expected[held])).sum())


def entropy(labels: np.ndarray) -> float:
    """Return the plug-in entropy [nats] of small integers (T,)."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def logic_conflict(trees: Sequence[Tree], told: np.ndarray) -> float | None:
    """Return how often the boxes of two neurons exclude each other; ``told`` (T, N) are paths."""
    if len(trees) < 2:
        return None
    total = 0.0
    for i in range(len(trees)):
        for j in range(i):
            clash = np.array([[_clash(a, b) for b in trees[j].boxes] for a in trees[i].boxes])
            total += clash[told[:, i], told[:, j]].mean()
    return float(2.0 * total / (len(trees) * (len(trees) - 1)))


def _clash(one: dict[int, Interval], other: dict[int, Interval]) -> bool:
    return any(one[variable].disjoint(other[variable]) for variable in one.keys() & other.keys())


def _response_variance(z: np.ndarray, paths: np.ndarray) -> list[float]:
    found = []
    for response, path in zip(z.T, paths.T, strict=True):
        inside = sum((path == k).mean() * response[path == k].var() for k in np.unique(path))
        found.append(float(inside / response.var()))
    return found


def _mi_gap(information: np.ndarray, paths: np.ndarray) -> list[float]:
    gaps = []
    for i in range(len(information)):
        others = np.delete(information[:, i], i)
        rival = float(others.max()) if len(others) else 0.0
        gaps.append((float(information[i, i]) - rival) / entropy(paths[:, i]))
    return gaps


def _modularity(information: np.ndarray) -> list[float]:
    found = []
    for row in information:
        best = int(np.argmax(row))
        if row[best] <= 0.0:
            found.append(0.0)
            continue
        rest = float((np.delete(row, best) ** 2).sum())
        found.append(1.0 - rest / ((len(row) - 1) * float(row[best]) ** 2))
    return found


def _condition_accuracy(neurons: Sequence[NeuronTree], told: np.ndarray,
                        states: np.ndarray) -> float | None:
    """Return the share of the intervals of the told paths that hold in the true states."""
    right = asked = 0
    for i, one in enumerate(neurons):
        for path in np.unique(told[:, i]):
            inside = states[told[:, i] == path]
            for variable, interval in one.tree.box(int(path)).items():
                right += int(interval.holds(inside[:, variable]).sum())
                asked += len(inside)
    return right / asked if asked else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
