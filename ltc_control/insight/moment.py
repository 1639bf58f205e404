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
One moment of a drive, explained: what it saw, what it felt, and what carried the command.

The step is made again from the recorded state, in float64 and exactly additive (``flow``). The two
kinds of map answer different questions and are shown beside each other, with their correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_control.core.engine import Engine
from ltc_control.core.errors import LtcError, ModelError
from ltc_control.core.imaging import prepare
from ltc_control.core.imu import checked_features
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.insight.attention import Attention, AttentionMap
from ltc_control.insight.flow import Flow, Part
from ltc_control.insight.liquid import LiquidCore
from ltc_control.insight.moment_source import read_step, Step
from ltc_control.insight.tree_file import read_explanation, TREE_FILE
import numpy as np

FOREIGN = 1e-3                                 # of a state: no rounding is so large
LARGEST = 5                                    # synapses told a command


@dataclass(frozen=True, eq=False)
class Moment:
    """
    All that one picture of a moment shows.

    ``state`` and ``tau`` [s] (N,) are after the step, ``command`` (M,) before limits and clamping.
    ``flow`` is None where a step does not split exactly; ``notes`` say what is missing.
    """

    bag: str
    spec: ModelSpec
    step: Step
    names: tuple[str, ...]
    image: np.ndarray                          # (h, w, 3) as the policy sees it
    visual_backprop: AttentionMap
    gradients: tuple[AttentionMap, ...]        # one a command
    command: np.ndarray
    state: np.ndarray
    tau: np.ndarray
    flow: Flow | None
    why: str
    paths: tuple[str, ...]                     # of each neuron, in words; () without trees
    notes: tuple[str, ...]

    @property
    def motors(self) -> tuple[str, ...]:
        """Return the motor neuron of each command; () without a flow."""
        return () if self.flow is None else self.names[:len(self.command)]

    def correlation(self, gradient: AttentionMap) -> float | None:
        """Return how alike a gradient map and VisualBackProp are, -1 to 1; None for empty ones."""
        if gradient.note or self.visual_backprop.note:
            return None
        pair = self.visual_backprop.values.ravel(), gradient.values.ravel()
        return float(np.corrcoef(*pair)[0, 1])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; pixels stay in the picture."""
        low, high = self.spec.envelope_low, self.spec.envelope_high
        names = [command.name for command in self.spec.commands]
        neurons = [
            {'name': name, 'state': float(self.state[i]), 'tau_s': _finite(self.tau[i]),
             'before': float(self.step.before[i]),
             'envelope': None if low is None or high is None else [low[i], high[i]],
             **({'path': self.paths[i]} if self.paths else {})}
            for i, name in enumerate(self.names)]
        return {
            'bag': self.bag, 'model': self.spec.name, 'digest': self.spec.digest,
            'seconds': self.step.seconds, 'stamp_ns': self.step.frame.stamp_ns,
            'case': self.step.case, 'dt_s': self.step.dt, 'state_from': self.step.origin,
            'command': {n: float(v) for n, v in zip(names, self.command, strict=True)},
            'why': self.why, 'neurons': neurons,
            'maps': {'visual_backprop': {'variant': self.visual_backprop.variant,
                                         'note': self.visual_backprop.note},
                     **{f'gradient:{g.target}': {
                         'variant': g.variant, 'note': g.note,
                         'correlation_with_visual_backprop': self.correlation(g)}
                        for g in self.gradients}},
            'flow': {n: self._flow_of(m) for n, m in zip(names, self.motors, strict=False)},
            'notes': list(self.notes)}

    def _flow_of(self, neuron: str) -> dict[str, Any]:
        assert self.flow is not None
        memory, leak, *synapses = self.flow.parts(neuron)
        return {
            'neuron': neuron, 'state': float(self.flow.state[self.names.index(neuron)]),
            'memory_share': memory.weight, 'leak_share': leak.weight,
            'synapse_share': sum(part.weight for part in synapses),
            'memory': memory.value, 'leak': leak.value,
            'synapses': sum(part.value for part in synapses),
            'largest': [part._asdict() for part in synapses[:LARGEST]],
            'upstream': [part._asdict() for part in self.flow.upstream(neuron)]}


def explain_moment(bag: Path | str, model: Path | str, *, at_s: float | None = None) -> Moment:
    """
    Explain the frame nearest to ``at_s`` [s] after the first; None is half-way.

    Raises BagError for a time outside the bag, a bag without images or of other neurons, and
    ModelError for a model without attention graph.
    """
    attention = Attention(load_spec(model))
    spec = attention.spec
    step = read_step(bag, spec, at_s=at_s)
    image = prepare(step.frame.rgb, spec.image)
    imu, _ = checked_features(step.imu, spec.imu)
    features, backprop = attention.look(image)
    gradients = tuple(attention.gradient(image, step.before, step.dt, target=one.name, imu=imu)
                      for one in spec.commands)
    command, state, tau, flow, notes = _stepped(
        spec, step, image=image, features=features, imu=imu)
    why, paths, note = _words(spec, state)
    return Moment(str(bag), spec, step, attention.names, image, backprop, gradients, command,
                  state, tau, flow, why, paths, tuple(n for n in (*notes, note) if n))


def _stepped(spec: ModelSpec, step: Step, *, image: np.ndarray, features: np.ndarray,
             imu: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, Flow | None, list[str]]:
    notes = []
    try:
        core = LiquidCore.load(spec)
    except ModelError as error:
        flow = None
        notes.append(f'no exact flow: {error}')
        command, state, tau = Engine(spec).step(
            image, imu, np.asarray(step.before, np.float32), step.dt)
    else:
        inputs = np.concatenate([features, imu]).astype(float)
        flow = core.flow(inputs, step.before, step.dt)
        command, state, tau = core.step(inputs, step.before, step.dt)
    if step.after is not None and (off := float(np.abs(step.after - state).max())) > FOREIGN:
        notes.append(f'the recorded neurons differ by up to {off:.2g} from this step: another '
                     'model drove, or this frame was not its input')
    return command, state, tau, flow, notes


def _words(spec: ModelSpec, state: np.ndarray) -> tuple[str, tuple[str, ...], str]:
    """Return the sentence, the path of each neuron, and what to say where there are no trees."""
    assert spec.folder is not None
    if not (spec.folder / TREE_FILE).is_file():
        return '', (), 'no words: no trees were grown for this model (`ltc explain tree`)'
    try:
        trees = read_explanation(spec.folder, spec=spec)
    except LtcError as error:
        return '', (), f'no words: {error}'
    paths = tuple(trees.path_words(i, float(value)) for i, value in enumerate(state))
    return trees.why(state), paths, ''


def part_words(part: Part) -> str:
    """Return one share in words: who carried what."""
    return f'{part.source} → {part.target}: {part.value:+.3f} ({100 * part.weight:.0f} %)'


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
