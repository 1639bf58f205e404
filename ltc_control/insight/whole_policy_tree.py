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
One tree of the whole policy: true state -> command, one tree a command, for depths 1 to 8.

It explains behaviour and not perception: it is shown the true state, the network only pixels. So
it is no controller for the world outside the simulator. A tree that repeats the commands well and
still drives badly is a result too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ltc_control.core.contracts import Command
from ltc_control.insight.tree_growing import grow
from ltc_control.insight.trees import Tree
import numpy as np

DEPTHS = tuple(range(1, 9))
COMMANDS = ('curvature', 'speed')
UNITS = ('1/m', 'm/s')


@dataclass(frozen=True, eq=False)
class PolicyTree:
    """The trees of the two commands, both of ``depth`` at most."""

    depth: int
    curvature: Tree
    speed: Tree

    def command(self, state: np.ndarray, *, stamp_ns: int) -> Command:
        """Return the command for one true state (V,)."""
        row = state[None]
        return Command(stamp_ns, float(self.curvature.predict(row)[0]),
                       float(self.speed.predict(row)[0]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return {'depth': self.depth, 'curvature': self.curvature.to_dict(),
                'speed': self.speed.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PolicyTree:
        """Read what ``to_dict`` wrote."""
        return cls(int(values['depth']), Tree.from_dict(values['curvature']),
                   Tree.from_dict(values['speed']))


@dataclass(frozen=True)
class Fidelity:
    """How a tree of one depth repeats the commands of frames that did not grow it."""

    depth: int
    leaves_curvature: int
    leaves_speed: int
    r2_curvature: float | None             # None where the command does not vary
    r2_speed: float | None
    mae_curvature: float                   # [1/m]
    mae_speed: float                       # [m/s]


def grow_policy_trees(states: np.ndarray, commands: np.ndarray, *,
                      depths: Sequence[int] = DEPTHS) -> dict[int, PolicyTree]:
    """Return a tree of each depth, of ``states`` (T, V) to ``commands`` (T, 2)."""
    return {depth: PolicyTree(depth, *(grow(states, commands[:, m], depth=depth)
                                       for m in range(len(COMMANDS)))) for depth in depths}


def fidelity(tree: PolicyTree, states: np.ndarray, commands: np.ndarray) -> Fidelity:
    """Judge ``tree`` on held-out ``states`` (T, V) and ``commands`` (T, 2)."""
    guesses = [one.predict(states) for one in (tree.curvature, tree.speed)]
    r2 = [r_squared(guess, commands[:, m]) for m, guess in enumerate(guesses)]
    mae = [float(np.abs(guess - commands[:, m]).mean()) for m, guess in enumerate(guesses)]
    return Fidelity(tree.depth, len(tree.curvature.leaf_nodes), len(tree.speed.leaf_nodes),
                    *r2, *mae)


def r_squared(guess: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the explained share of the variance of ``truth`` (T,); None where it has none."""
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((guess - truth) ** 2).sum()) / spread if spread > 0.0 else None
