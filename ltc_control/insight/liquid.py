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
The liquid step of a model folder in numpy, float64, and where each new state came from.

Read from ``weights.safetensors`` and ``policy.yaml`` without torch. One sub-step of the fused
solver (Hasani et al. 2021, algorithm 1; d = dt / L) is a weighted mean,

    x_i <- (C_i/d x_i + g_i v_i + sum_j a_ji E_ji + sum_k b_ki E'_ki) / Den_i,   a = w s, b = w' s'
    Den_i = C_i/d + g_i + sum_j a_ji + sum_k b_ki + 1e-8

so after L sub-steps a state is exactly a sum of weight times potential over its memory, its leak
and each of its synapses: the flow. It tells which synapse *carried* a value, not which one would
change it; for that, cut the synapse and step again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, NamedTuple

from ltc_control.core.engine import SHORTEST_STEP_S
from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.neurons import neuron_names
from ltc_control.insight.flow import Flow
import numpy as np
from safetensors import safe_open, SafetensorError

WEIGHTS_FILE = 'weights.safetensors'
EPSILON = 1e-8                                 # of ncps: keeps the denominator off zero
CM_FLOOR = GLEAK_FLOOR = 1e-8                  # below which no training can push C and g


class Synapses(NamedTuple):
    """E synapses in one order: ends, conductance, sigmoid centre and slope, reversal potential."""

    source: np.ndarray
    target: np.ndarray
    w: np.ndarray
    mu: np.ndarray
    sigma: np.ndarray
    erev: np.ndarray

    def conductance(self, values: np.ndarray) -> np.ndarray:
        """Return w s(sigma (value - mu)) of each synapse, (E,), for source values (S,)."""
        z = self.sigma * (values[self.source] - self.mu)
        return self.w * (0.5 * np.tanh(0.5 * z) + 0.5)

    def gather(self, neurons: int) -> np.ndarray:
        """Return (E, 2N): conductances times it are [pull, total] of every neuron."""
        mix = np.zeros((len(self.w), 2 * neurons))
        each = np.arange(len(self.w))
        mix[each, self.target], mix[each, self.target + neurons] = self.erev, 1.0
        return mix


@dataclass(frozen=True, eq=False)
class LiquidCore:
    """
    N liquid neurons with effective parameters; ``step`` and ``flow`` are pure functions.

    ``features`` (S,) of a step are the image features followed by the scaled IMU features, all
    as the policy's graph sees them; states are (N,), dt is in seconds and clamped as the engine
    does.
    """

    spec: ModelSpec
    names: tuple[str, ...]                     # (N,) motor_0 ... command_0 ... inter_10
    cm: np.ndarray                             # (N,) capacitance, in nominal steps
    gleak: np.ndarray                          # (N,)
    vleak: np.ndarray                          # (N,)
    inner: Synapses                            # between neurons
    outer: Synapses                            # from features
    input_map: tuple[np.ndarray, np.ndarray]   # a, b of u = a f + b, (S,) each
    output_map: tuple[np.ndarray, np.ndarray]  # o, c of y = o x + c, in physical units, (M,) each
    unfolds: int

    @classmethod
    def load(cls, source: str | Path | ModelSpec) -> LiquidCore:
        """Read a model folder; ModelError where it is not a fused LTC or lacks its weights."""
        spec = source if isinstance(source, ModelSpec) else load_spec(source)
        config, tensors = _read_weights(spec)
        return cls(**_parameters(spec, config, tensors))

    @property
    def features(self) -> int:
        """Return S, the number of features of a step."""
        return len(self.input_map[0])

    def index(self, name: str) -> int:
        """Return the place of a neuron in the state; ConfigError for an unknown name."""
        if name not in self.names:
            raise ConfigError(f'model {self.spec.name!r} has no neuron {name!r}; its neurons are '
                              f'{", ".join(self.names)}')
        return self.names.index(name)

    def zero_state(self) -> np.ndarray:
        """Return the state at the start of a drive, (N,)."""
        return np.zeros(len(self.names))

    def step(self, features: np.ndarray, state: np.ndarray, dt: float,
             cut: Sequence[str] = ()) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return command (M,), new state (N,) and tau (N,) [s].

        ``cut`` names neurons whose outgoing synapses are removed for this step. The command is
        in physical units and not clamped.
        """
        return self.stepper(cut)(features, state, dt)

    def stepper(self, cut: Sequence[str] = ()) -> Stepper:
        """Return ``step`` with a fixed lesion, its matrices made once."""
        return Stepper(self, cut)

    def flow(self, features: np.ndarray, state: np.ndarray, dt: float,
             cut: Sequence[str] = ()) -> Flow:
        """Return where each new state came from: additive to 1e-12."""
        inner, rate = self.without(cut), self._rate(dt)
        held = self.gleak + EPSILON + rate
        b = self.outer.conductance(self._mapped(features))
        n, x = len(self.names), np.array(state, float)
        inner_mix, sensory = inner.gather(n), b @ self.outer.gather(n)
        keeps, parts = [], []
        for _ in range(self.unfolds):
            a = inner.conductance(x)
            pull, total = np.split(a @ inner_mix + sensory, 2)
            den = held + total
            keeps.append(rate / den)
            parts.append((self.gleak / den, a / den[inner.target], b / den[self.outer.target]))
            x = (rate * x + self.gleak * self.vleak + pull) / den
        after = np.ones(n)                     # share of a sub-step's parts that is still there
        leak, inside, outside = np.zeros(n), np.zeros(len(a)), np.zeros(len(b))
        for keep, part in zip(reversed(keeps), reversed(parts), strict=True):
            leak += after * part[0]
            inside += after[inner.target] * part[1]
            outside += after[self.outer.target] * part[2]
            after = after * keep
        return Flow(
            names=self.names, before=np.array(state, float), state=x, vleak=self.vleak,
            memory_weight=after, leak_weight=leak,
            sources=(inner.source, self.outer.source), targets=(inner.target, self.outer.target),
            weights=(inside, outside), potentials=(inner.erev, self.outer.erev),
            output_map=self.output_map, commands=tuple(c.name for c in self.spec.commands))

    def without(self, cut: Sequence[str]) -> Synapses:
        """Return the inner synapses without those that leave the neurons named in ``cut``."""
        gone = [self.index(name) for name in cut]
        keep = ~np.isin(self.inner.source, gone)
        return Synapses(*(values[keep] for values in self.inner))

    def _mapped(self, features: np.ndarray) -> np.ndarray:
        if np.shape(features) != (self.features,):
            raise ModelError(f'model {self.spec.name!r} takes ({self.features},) features, got '
                             f'{np.shape(features)!r}; image features first, then those of the '
                             'IMU')
        return self.input_map[0] * features + self.input_map[1]

    def _rate(self, dt: float) -> np.ndarray:
        dt = dt if dt > SHORTEST_STEP_S else SHORTEST_STEP_S       # NaN compares false
        units = min(dt, self.spec.longest_step_s) / self.spec.dt_nominal_s
        return self.cm * self.unfolds / units


class Stepper:
    """One step under one lesion: (features, state, dt) -> (command, state, tau)."""

    def __init__(self, core: LiquidCore, cut: Sequence[str] = ()) -> None:
        self._core, self._inner = core, core.without(cut)
        n = len(core.names)
        self._mix, self._sensory_mix = self._inner.gather(n), core.outer.gather(n)
        self._leak = np.concatenate([core.gleak * core.vleak, core.gleak])

    def __call__(self, features: np.ndarray, state: np.ndarray,
                 dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance by one step; see ``LiquidCore.step``."""
        core, n = self._core, len(self._core.names)
        rate = core._rate(dt)
        b = core.outer.conductance(core._mapped(features))
        fixed = b @ self._sensory_mix + self._leak
        x, sums = np.asarray(state, float), fixed
        for _ in range(core.unfolds):
            sums = self._inner.conductance(x) @ self._mix + fixed
            x = (rate * x + sums[:n]) / (rate + sums[n:] + EPSILON)
        gain, offset = core.output_map
        tau = core.cm / sums[n:] * core.spec.dt_nominal_s
        return gain * x[:len(gain)] + offset, x, tau


def _read_weights(spec: ModelSpec) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if spec.folder is None:
        raise ModelError(f'model {spec.name!r} has no folder; load it with load_spec(folder)')
    path = spec.folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f'{path} is missing; looking into neurons needs it, copy the whole '
                         'folder again')
    try:
        with safe_open(path, 'np') as file:
            config = json.loads((file.metadata() or {})['config'])
            names = [name for name in file.keys() if not name.startswith('head.')]  # noqa: SIM118
            tensors = {name: file.get_tensor(name).astype(float) for name in names}
    except (OSError, KeyError, ValueError, SafetensorError) as err:
        raise ModelError(f'cannot read {path}: {err}; export the model anew') from err
    return config, tensors


def _parameters(spec: ModelSpec, config: dict[str, Any],
                tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    kind = (config.get('kind'), config.get('solver'))
    if kind != ('ltc', 'fused'):
        raise ModelError(
            f'model {spec.name!r} is of kind {kind[0]!r} with solver {kind[1]!r}; only the fused '
            "step of kind 'ltc' splits exactly into its synapses, use gradients for the others")
    inner, outer = (np.array(spec.wiring[key]) for key in ('adjacency', 'sensory_adjacency'))
    p = {name.removeprefix('core.'): value for name, value in tensors.items()}
    scale, offset = p['command_scale'], p['command_offset']
    return {
        'spec': spec, 'names': neuron_names(spec.roles, spec.neurons), 'vleak': p['vleak'],
        'cm': _softplus(p['cm']) + CM_FLOOR, 'gleak': _softplus(p['gleak']) + GLEAK_FLOOR,
        'inner': _synapses(p, inner, ''), 'outer': _synapses(p, outer, 'sensory_'),
        'input_map': (p['input_w'], p['input_b']),
        'output_map': (scale * p['output_w'], scale * p['output_b'] + offset),
        'unfolds': int(config['unfolds'])}


def _synapses(p: dict[str, np.ndarray], adjacency: np.ndarray, prefix: str) -> Synapses:
    source, target = np.nonzero(adjacency)
    w, mu, sigma, erev = (p[prefix + name][source, target]
                          for name in ('w', 'mu', 'sigma', 'erev'))
    return Synapses(source, target, _softplus(w), mu, sigma, erev)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)
