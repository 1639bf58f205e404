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
Who is wired to whom: neural circuit policy wirings as immutable data.

A *recipe* (``NCP``, ``AutoNCP``, ``FullyConnected``) is a few numbers and a seed;
``build(inputs)`` draws the synapses and returns a ``Wiring``. Building twice gives the same
wiring, and a built one cannot grow. The draws follow Lechner et al. 2020 in the order of the
``ncps`` package, so that one seed gives one adjacency in both.

Neuron ids: motor 0..M-1, then command, then inter. Matrices are indexed [source, destination] and
hold the polarity -1 or +1, 0 where there is no synapse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ltc_control.core.errors import ConfigError
import numpy as np


@dataclass(frozen=True, eq=False)
class Wiring:
    """
    A drawn wiring of S inputs, N neurons and M outputs; the arrays are read-only.

    ``adjacency`` (N, N) and ``sensory_adjacency`` (S, N) hold polarities, ``roles`` (N,) the words
    ``motor``, ``command`` and ``inter``, ``recipe`` what it was drawn from.
    """

    adjacency: np.ndarray
    sensory_adjacency: np.ndarray
    roles: tuple[str, ...]
    recipe: dict[str, Any]

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what does not fit together."""
        for name in ('adjacency', 'sensory_adjacency'):
            matrix = np.array(getattr(self, name), dtype=np.int8)
            matrix.setflags(write=False)
            object.__setattr__(self, name, matrix)
        units = len(self.roles)
        square = self.adjacency.shape == (units, units)
        if not square or self.sensory_adjacency.shape[1:] != (units,):
            raise ConfigError(
                f'wiring of {units} roles needs adjacency ({units}, {units}) and sensory '
                f'adjacency (inputs, {units}), got {self.adjacency.shape!r} and '
                f'{self.sensory_adjacency.shape!r}')

    def __eq__(self, other: object) -> bool:
        """Return whether both have the same synapses, roles and recipe."""
        return isinstance(other, Wiring) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """Return a hash of the synapses."""
        return hash((self.adjacency.tobytes(), self.sensory_adjacency.tobytes(), self.roles))

    @property
    def inputs(self) -> int:
        """Return S, the number of inputs."""
        return int(self.sensory_adjacency.shape[0])

    @property
    def units(self) -> int:
        """Return N, the number of neurons."""
        return len(self.roles)

    @property
    def outputs(self) -> int:
        """Return M, the number of motor neurons."""
        return self.roles.count('motor')

    @property
    def synapses(self) -> int:
        """Return the number of synapses between neurons."""
        return int(np.count_nonzero(self.adjacency))

    @property
    def sensory_synapses(self) -> int:
        """Return the number of synapses from inputs to neurons."""
        return int(np.count_nonzero(self.sensory_adjacency))

    def ids(self, role: str) -> list[int]:
        """Return the ids of the neurons of one role, ascending."""
        return [i for i, name in enumerate(self.roles) if name == role]

    def role_counts(self) -> dict[str, int]:
        """Return the number of neurons by role."""
        return {role: self.roles.count(role) for role in ('inter', 'command', 'motor')}

    def parameter_counts(self) -> dict[str, int]:
        """
        Return the three counts in use for an LTC on this wiring; the papers differ.

        ``stored_dense`` is what a dense layout holds, ``effective`` what can influence the output,
        ``paper`` counts synapses and neurons without input and output maps.
        """
        s, n, m = self.inputs, self.units, self.outputs
        distinct = self.synapses + self.sensory_synapses
        maps = 2 * s + 2 * m
        return {'stored_dense': 4 * s * n + 4 * n * n + 3 * n + maps,
                'effective': 4 * distinct + 3 * n + maps,
                'paper': 4 * distinct + 3 * n}

    def to_dict(self) -> dict[str, Any]:
        """Return the wiring as plain lists and numbers, ready for JSON or YAML."""
        return {'recipe': dict(self.recipe), 'roles': list(self.roles),
                'adjacency': self.adjacency.tolist(),
                'sensory_adjacency': self.sensory_adjacency.tolist()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Wiring:
        """Return the wiring that ``to_dict`` described; nothing is drawn again."""
        try:
            return cls(np.array(data['adjacency']), np.array(data['sensory_adjacency']),
                       tuple(data['roles']), dict(data['recipe']))
        except KeyError as err:
            raise ConfigError(f'wiring lacks {err}, got keys {sorted(data)!r}') from err


@dataclass(frozen=True)
class NCP:
    """Neural circuit policy: sensory -> inter -> command (recurrent) -> motor."""

    inter: int
    command: int
    motor: int
    sensory_fanout: int
    inter_fanout: int
    recurrent_command_synapses: int
    motor_fanin: int
    seed: int = 22222

    def __post_init__(self) -> None:
        """Refuse fans larger than the layer they point at."""
        for name, fan, layer in (('sensory_fanout', self.sensory_fanout, self.inter),
                                 ('inter_fanout', self.inter_fanout, self.command),
                                 ('motor_fanin', self.motor_fanin, self.command)):
            if not 1 <= fan <= layer:
                raise ConfigError(f'{name} must be in 1..{layer} (neurons there), got {fan!r}')

    def build(self, inputs: int) -> Wiring:
        """Draw the synapses for ``inputs`` sensory neurons."""
        motor, command, inter = _layers(self.motor, self.command, self.inter)
        draw = _Draw(self.seed, inputs, self.motor + self.command + self.inter)
        draw.fan_out(draw.sensory, range(inputs), inter, self.sensory_fanout)
        draw.fan_out(draw.internal, inter, command, self.inter_fanout)
        draw.recurrent(command, self.recurrent_command_synapses)
        draw.fan_in(command, motor, self.motor_fanin)
        roles = ('motor',) * self.motor + ('command',) * self.command + ('inter',) * self.inter
        return Wiring(draw.internal, draw.sensory, roles, {'kind': 'ncp', **asdict(self)})


@dataclass(frozen=True)
class AutoNCP:
    """An NCP from the number of neurons and outputs alone."""

    units: int
    outputs: int
    sparsity: float = 0.5
    seed: int = 22222

    def __post_init__(self) -> None:
        """Refuse sizes without room for inter and command neurons."""
        if not 1 <= self.outputs < self.units - 2:
            raise ConfigError(
                f'outputs must be in 1..{self.units - 3} for {self.units} units, '
                f'got {self.outputs!r}')
        if not 0.1 <= self.sparsity <= 1.0:
            raise ConfigError(f'sparsity must be in 0.1..1.0, got {self.sparsity!r}')

    def expand(self) -> NCP:
        """Return the NCP that these few numbers stand for."""
        rest = self.units - self.outputs
        command = max(int(0.4 * rest), 1)
        inter = rest - command
        density = 1.0 - self.sparsity
        fan = max(int(command * density), 1)
        return NCP(inter, command, self.outputs, max(int(inter * density), 1), fan,
                   max(int(command * density * 2), 1), fan, self.seed)

    def build(self, inputs: int) -> Wiring:
        """Draw the synapses for ``inputs`` sensory neurons."""
        drawn = self.expand().build(inputs)
        return Wiring(drawn.adjacency, drawn.sensory_adjacency, drawn.roles,
                      {'kind': 'auto_ncp', **asdict(self)})


@dataclass(frozen=True)
class FullyConnected:
    """Every neuron on every neuron and every input on every neuron; +1 with p = 2/3."""

    units: int
    outputs: int
    self_connections: bool = True
    seed: int = 1111

    def build(self, inputs: int) -> Wiring:
        """Draw the polarities for ``inputs`` sensory neurons."""
        rng = np.random.default_rng(self.seed)
        internal = np.zeros((self.units, self.units), np.int8)
        for source in range(self.units):
            for target in range(self.units):
                if source != target or self.self_connections:
                    internal[source, target] = rng.choice([-1, 1, 1])
        sensory = np.zeros((inputs, self.units), np.int8)
        for source in range(inputs):
            for target in range(self.units):
                sensory[source, target] = rng.choice([-1, 1, 1])
        roles = ('motor',) * self.outputs + ('inter',) * (self.units - self.outputs)
        return Wiring(internal, sensory, roles, {'kind': 'fully_connected', **asdict(self)})


Recipe = NCP | AutoNCP | FullyConnected

# paper19: 12/6/1 of Lechner et al. 2020; seed 1 draws the paper's 253 synapses on 32 inputs
# (the default seed repeats recurrent draws and gives 250). drone34: Chahine et al. 2023.
PRESETS: dict[str, Recipe] = {
    'paper19': NCP(12, 6, 1, 6, 4, 7, 6, seed=1),
    'drive19': AutoNCP(19, 2),
    'fly19': AutoNCP(19, 4),                   # 9 inter, 6 command, 4 motor
    'drone34': NCP(18, 12, 4, 6, 4, 4, 6),
}

_KINDS: dict[str, type[Recipe]] = {
    'ncp': NCP, 'auto_ncp': AutoNCP, 'fully_connected': FullyConnected}


def build_wiring(recipe: str | dict[str, Any] | Recipe, inputs: int) -> Wiring:
    """
    Return the wiring of a preset's name, of a ``{'kind': ..., ...}`` mapping or of a recipe.

    Raises ``ConfigError`` for a name or kind that does not exist.
    """
    if isinstance(recipe, str):
        if recipe not in PRESETS:
            raise ConfigError(f'unknown wiring {recipe!r}, pass one of {sorted(PRESETS)!r}')
        return PRESETS[recipe].build(inputs)
    if isinstance(recipe, dict):
        options = dict(recipe)
        kind = options.pop('kind', None)
        if kind not in _KINDS:
            raise ConfigError(f'unknown wiring kind {kind!r}, pass one of {sorted(_KINDS)!r}')
        try:
            return _KINDS[kind](**options).build(inputs)
        except TypeError as err:
            raise ConfigError(f'wiring {kind!r} cannot be made from {options!r}: {err}') from err
    return recipe.build(inputs)


def _layers(*sizes: int) -> list[range]:
    starts = np.cumsum([0, *sizes])
    return [range(a, b) for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)]


class _Draw:
    """The generator and the two matrices while synapses are drawn, in the order of ``ncps``."""

    def __init__(self, seed: int, inputs: int, units: int) -> None:
        self.rng = np.random.RandomState(seed)
        self.internal = np.zeros((units, units), np.int8)
        self.sensory = np.zeros((inputs, units), np.int8)

    def fan_out(self, matrix: np.ndarray, sources: Sequence[int], targets: Sequence[int],
                fan: int) -> None:
        """Give each source ``fan`` targets, then each forgotten target its mean share."""
        forgotten = list(targets)
        for source in sources:
            for target in self.rng.choice(list(targets), size=fan, replace=False):
                if target in forgotten:
                    forgotten.remove(target)
                matrix[source, target] = self.rng.choice([-1, 1])
        share = int(np.clip(int(len(sources) * fan / len(targets)), 1, len(sources)))
        for target in forgotten:
            for source in self.rng.choice(list(sources), size=share, replace=False):
                matrix[source, target] = self.rng.choice([-1, 1])

    def recurrent(self, command: Sequence[int], count: int) -> None:
        """Draw with replacement: self-loops happen, a repeat overwrites the polarity."""
        for _ in range(count):
            source = self.rng.choice(list(command))
            target = self.rng.choice(list(command))
            self.internal[source, target] = self.rng.choice([-1, 1])

    def fan_in(self, sources: Sequence[int], targets: Sequence[int], fan: int) -> None:
        """Give each target ``fan`` sources, then each forgotten source its mean share."""
        forgotten = list(sources)
        for target in targets:
            for source in self.rng.choice(list(sources), size=fan, replace=False):
                if source in forgotten:
                    forgotten.remove(source)
                self.internal[source, target] = self.rng.choice([-1, 1])
        share = int(np.clip(int(len(targets) * fan / len(sources)), 1, len(targets)))
        for source in forgotten:
            for target in self.rng.choice(list(targets), size=share, replace=False):
                self.internal[source, target] = self.rng.choice([-1, 1])
