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
"""From samples to an explanation: a tree a neuron, who speaks for the wheel, how good it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ltc_control.insight.disentangle import measure, Metrics, NeuronTree
from ltc_control.insight.tree_file import Speaker
from ltc_control.insight.tree_growing import grow_pruned, learn_paths
from ltc_control.insight.tree_samples import GROW, JUDGE, PRUNE, Samples
from ltc_control.insight.whole_policy_tree import r_squared
import numpy as np


def grow_neurons(samples: Samples, use: np.ndarray, *,
                 advance: Callable[..., None] = lambda *_: None) -> tuple[NeuronTree, ...]:
    """Return the tree of every neuron; ``use`` (T,) says what each frame is for."""
    growing, pruning = samples.at(use == GROW), samples.at(use == PRUNE)
    known = samples.at((use == GROW) | (use == PRUNE))
    neurons = []
    for i, name in enumerate(samples.names):
        tree = grow_pruned(growing.states, growing.neurons[:, i], held_samples=pruning.states,
                           held_response=pruning.neurons[:, i])
        classify = learn_paths(known.neurons[:, i], tree.paths(known.states))
        neurons.append(NeuronTree(name, tree, classify))
        advance(f'{name}: {len(tree.leaf_nodes)} paths')
    return tuple(neurons)


def find_speaker(samples: Samples, use: np.ndarray) -> Speaker:
    """Return the neuron that follows the steering command best in a straight line."""
    part = samples.at((use == GROW) | (use == PRUNE))
    asked = part.commands[:, 0]
    best = Speaker(0, 0.0, float(asked.mean()), 0.0)
    for i, z in enumerate(part.neurons.T):
        if np.ptp(z) > 0.0 and np.ptp(asked) > 0.0:
            gain, offset = np.polyfit(z, asked, 1)
            r2 = r_squared(gain * z + offset, asked) or 0.0
            if r2 > best.r2:
                best = Speaker(i, float(gain), float(offset), r2)
    return best


def judge_neurons(neurons: tuple[NeuronTree, ...], samples: Samples, use: np.ndarray,
                  ) -> dict[str, Any]:
    """Return metrics on held-out frames, by neuron, and of shuffled responses."""
    part = samples.at(use == JUDGE)
    return {'metrics': measure(neurons, part.states, part.neurons).to_dict(),
            'shuffled_in_time': _shuffled(neurons, samples, use).to_dict(),
            'frames': {'grown_on': int((use == GROW).sum()),
                       'pruned_on': int((use == PRUNE).sum()), 'judged_on': len(part)},
            'neurons': [_facts(one, part, i) for i, one in enumerate(neurons)]}


def _shuffled(neurons: tuple[NeuronTree, ...], samples: Samples, use: np.ndarray) -> Metrics:
    """Return the metrics where each frame has the responses of some other frame: chance."""
    rng = np.random.default_rng(0)
    known, part = samples.at((use == GROW) | (use == PRUNE)), samples.at(use == JUDGE)
    known_z, z = (one.neurons[rng.permutation(len(one))] for one in (known, part))
    relearnt = [NeuronTree(one.name, one.tree, learn_paths(known_z[:, i],
                                                           one.tree.paths(known.states)))
                for i, one in enumerate(neurons)]
    return measure(relearnt, part.states, z)


def compare(samples: Samples, use: np.ndarray, *, units: int, seed: int = 0) -> Metrics:
    """
    Return the metrics of another network on the same frames, trees grown for it alone.

    Of a larger one ``units`` of its units are taken by chance.
    """
    count = samples.neurons.shape[1]
    if count > units:
        chosen = np.sort(np.random.default_rng(seed).choice(count, units, replace=False))
        samples = samples.with_neurons(tuple(samples.names[i] for i in chosen),
                                       samples.neurons[:, chosen])
    part = samples.at(use == JUDGE)
    return measure(grow_neurons(samples, use), part.states, part.neurons)


def _facts(one: NeuronTree, part: Samples, column: int) -> dict[str, Any]:
    z = part.neurons[:, column]
    paths = one.tree.paths(part.states)
    return {'name': one.name, 'paths': len(one.tree.leaf_nodes), 'depth': one.tree.depth,
            'r2': r_squared(one.tree.predict(part.states), z),
            'path_accuracy': float((one.classify(z) == paths).mean()),
            'majority_accuracy': float(np.bincount(paths).max() / len(paths))}
