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
Where a new state came from: weight times potential, summed without remainder.

The weights of one neuron sum to 1 (the 1e-8 of the solver apart): the share of its memory, of its
leak and of each synapse. A weight times the potential that it pulls towards (old state, leak
potential, reversal potential) is a *part*, and the parts sum to the new state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]           # of synapses between neurons, and from features


class Part(NamedTuple):
    """
    One share of a neuron's new state: value = weight x potential.

    ``source`` is a neuron or ``feature_12``; ``memory`` and ``leak`` stand for themselves.
    """

    source: str
    target: str
    weight: float
    potential: float
    value: float


@dataclass(frozen=True, eq=False)
class Flow:
    """The parts of all N new states of one step; made by ``LiquidCore.flow``."""

    names: tuple[str, ...]
    before: np.ndarray                         # (N,) state before the step
    state: np.ndarray                          # (N,) after it
    vleak: np.ndarray                          # (N,)
    memory_weight: np.ndarray                  # (N,)
    leak_weight: np.ndarray                    # (N,)
    sources: Pair
    targets: Pair
    weights: Pair                              # (E,) and (P,)
    potentials: Pair
    output_map: Pair                           # command = gain x + offset, (M,) each
    commands: tuple[str, ...]

    @property
    def command(self) -> np.ndarray:
        """Return the commands (M,) in physical units, not clamped."""
        gain, offset = self.output_map
        return gain * self.state[:len(gain)] + offset

    def parts(self, neuron: str) -> list[Part]:
        """Return all parts of a neuron: memory, leak, then synapses by falling size of value."""
        i = self.names.index(neuron)
        own = [_part('memory', neuron, self.memory_weight[i], self.before[i]),
               _part('leak', neuron, self.leak_weight[i], self.vleak[i])]
        return own + sorted(self._synapses(i), key=lambda part: -abs(part.value))

    def _synapses(self, i: int) -> list[Part]:
        found = []
        for inner in (True, False):
            side = 0 if inner else 1
            for e in np.flatnonzero(self.targets[side] == i):
                source = int(self.sources[side][e])
                found.append(_part(self.names[source] if inner else f'feature_{source}',
                                   self.names[i], self.weights[side][e], self.potentials[side][e]))
        return found

    def largest(self, neuron: str, count: int = 5) -> list[Part]:
        """Return the synapses into a neuron that carried most, largest first."""
        return self.parts(neuron)[2:2 + count]

    def upstream(self, neuron: str) -> list[Part]:
        """
        Follow the largest synapse from a neuron back to a feature of the image.

        Ends early where a neuron comes round again or has no synapse into it.
        """
        chain: list[Part] = []
        seen = {neuron}
        while neuron in self.names:
            fresh = [part for part in self.parts(neuron)[2:] if part.source not in seen]
            if not fresh:
                break
            chain.append(fresh[0])
            neuron = fresh[0].source
            seen.add(neuron)
        return chain

    def sums(self) -> np.ndarray:
        """Return memory + leak + synapses, (N,): the new state, to rounding."""
        total = self.memory_weight * self.before + self.leak_weight * self.vleak
        for target, weight, potential in zip(self.targets, self.weights, self.potentials,
                                             strict=True):
            np.add.at(total, target, weight * potential)
        return total


def _part(source: str, target: str, weight: float, potential: float) -> Part:
    return Part(source, target, float(weight), float(potential), float(weight * potential))
