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
Where a policy looks: the maps of ``attention.onnx``, by onnxruntime alone.

Two maps answer two questions. ``visual_backprop`` (Bojarski et al. 2018) says what the head passes
on: it depends on the image and the convolutions only, two policies with one head have equal maps.
``gradient`` says which pixels moved *this* command, neuron or time constant, through one step from
*this* state; where saturated gates let nothing through it says so instead of stretching noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ltc_control.core.engine import open_session, SHORTEST_STEP_S
from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.neurons import neuron_names
import numpy as np

ATTENTION_FILE = 'attention.onnx'
VISUAL_BACKPROP, GRADIENT = 'visual_backprop', 'gradient'
METHODS = (VISUAL_BACKPROP, GRADIENT)
VARIANTS = {VISUAL_BACKPROP: 'bojarski2018', GRADIENT: 'gradient x activation'}
NO_SALIENCY = 'no saliency: the head passes nothing on'
NO_SENSITIVITY = 'no sensitivity: the gates are saturated, the image moves nothing now'
LEAST_SENSITIVITY = 1e-4               # sum |G_j u_j| by the span of y, below which none is seen


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """
    One map: ``values`` (H, W) float32 >= 0 in units of its own; ``note`` says if it is empty.

    A gradient map also has its two ``planes`` (2, H, W): evidence that raises its target and
    evidence that lowers it; ``values`` is their sum.
    """

    values: np.ndarray
    method: str
    variant: str
    target: str = ''                           # '' for visual_backprop
    planes: np.ndarray | None = None
    gradient: np.ndarray | None = None         # (S,) dy/du of a gradient map
    note: str = ''

    def scaled(self) -> np.ndarray:
        """Return (values - min) / (max - min), (H, W) float32; zeros for an empty map."""
        if self.note:
            return np.zeros_like(self.values)
        low, high = self.values.min(), self.values.max()
        return (self.values - low) / max(high - low, np.finfo(np.float32).tiny)


class Attention:
    """
    The attention graph of one model folder; its methods are pure functions of their arguments.

    ``source`` is a model folder, or the spec that ``load_spec`` returned for one. ModelError where
    the folder has no attention graph, and how to add one.
    """

    def __init__(self, source: str | Path | ModelSpec, *, threads: int = 1) -> None:
        spec = source if isinstance(source, ModelSpec) else load_spec(source)
        if spec.folder is None:
            raise ModelError(f'model {spec.name!r} has no folder; load it with load_spec(folder)')
        path = spec.folder / ATTENTION_FILE
        if not path.is_file() or ATTENTION_FILE not in spec.files:
            raise ModelError(f'model {str(spec.folder)!r} has no attention graph; add it with '
                             f'`ltc explain attach {spec.folder}`')
        self.spec, self.names = spec, neuron_names(spec.roles, spec.neurons)
        self._session = open_session(path, threads)
        self._features = len(spec.imu.features)
        self._idle = {'state': np.zeros(spec.neurons, np.float32), 'dt': np.ones(1, np.float32),
                      'select': np.zeros(len(spec.commands) + 2 * spec.neurons, np.float32)}
        if self._features:
            self._idle['imu'] = np.zeros(self._features, np.float32)
        self._check_graph(path)

    @property
    def targets(self) -> tuple[str, ...]:
        """Return what a gradient map can be taken of: commands, neurons, and their tau."""
        return (*(command.name for command in self.spec.commands), *self.names,
                *(f'tau:{name}' for name in self.names))

    def features(self, image: np.ndarray) -> np.ndarray:
        """Return what the head makes, (F,), of a prepared image (H, W, 3) uint8."""
        return self.look(image)[0]

    def visual_backprop(self, image: np.ndarray) -> AttentionMap:
        """Return what the head passes on of a prepared image (H, W, 3) uint8."""
        return self.look(image)[1]

    def look(self, image: np.ndarray) -> tuple[np.ndarray, AttentionMap]:
        """Return features (F,) and the VisualBackProp map of a prepared image in one run."""
        features, values = self._run(('features', VISUAL_BACKPROP), image, self._idle)
        empty = not values.sum() > 0.0         # one pass over it; NaN compares false
        return features, AttentionMap(values, VISUAL_BACKPROP, VARIANTS[VISUAL_BACKPROP],
                                      note=NO_SALIENCY if empty else '')

    def gradient(self, image: np.ndarray, state: np.ndarray, dt: float, *, target: str,
                 imu: np.ndarray | None = None) -> AttentionMap:
        """
        Return which pixels moved ``target`` in the step from ``state`` (N,), of ``dt`` [s].

        ``imu`` (K,) are the scaled IMU features, zeros where left out. ``target`` is one of
        ``targets``; ConfigError for another.
        """
        dt = min(max(dt, SHORTEST_STEP_S), self.spec.longest_step_s)
        feed = {**self._idle, 'state': np.asarray(state, np.float32),
                'dt': np.array([dt / self.spec.dt_nominal_s], np.float32),
                'select': self._select(target)}
        if self._features and imu is not None:
            feed['imu'] = np.asarray(imu, np.float32)
        gradient, planes, features = self._run(('gradient', 'evidence', 'features'), image, feed)
        inputs = np.concatenate([features, feed.get('imu', features[:0])])
        moved = float(np.abs(gradient * inputs).sum()) / self._span(target)
        empty = not moved > LEAST_SENSITIVITY or planes.max() <= 0.0
        return AttentionMap(planes.sum(0), GRADIENT, VARIANTS[GRADIENT], target, planes, gradient,
                            note=NO_SENSITIVITY if empty else '')

    def _run(self, names: tuple[str, ...], image: np.ndarray,
             feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        shape = (self.spec.image.height, self.spec.image.width, 3)
        if image.shape != shape or image.dtype != np.uint8:
            raise ModelError(f'image is {image.dtype} {image.shape!r}, model {self.spec.name!r} '
                             f'takes uint8 {shape!r}; prepare it by the spec of this model')
        state = feed['state']
        if state.shape != (self.spec.neurons,):
            raise ModelError(f'state has shape {state.shape!r}, model {self.spec.name!r} has '
                             f'{self.spec.neurons} neurons; is the bag of another model?')
        found: list[np.ndarray] = self._session.run(list(names), {'image': image, **feed})
        return found

    def _select(self, target: str) -> np.ndarray:
        if target not in self.targets:
            raise ConfigError(f'no target {target!r} in model {self.spec.name!r}; choose one of '
                              f'{", ".join(self.targets)}')
        row = np.zeros_like(self._idle['select'])
        row[self.targets.index(target)] = 1.0
        return row

    def _span(self, target: str) -> float:
        """Return the range of a target: what a clearly visible change is measured by."""
        index = self.targets.index(target)
        if index < len(self.spec.commands):
            command = self.spec.commands[index]
            return command.high - command.low
        low, high = self.spec.envelope_low, self.spec.envelope_high
        neuron = index - len(self.spec.commands)
        if low is None or high is None or neuron >= self.spec.neurons:
            return 1.0                         # of order 1, or nominal steps of a tau
        return min(high[neuron] - low[neuron], 2.0) or 1.0

    def _check_graph(self, path: Path) -> None:
        found = {item.name: tuple(item.shape) for item in self._session.get_inputs()}
        image = (self.spec.image.height, self.spec.image.width, 3)
        expected = {'image': image, **{k: v.shape for k, v in self._idle.items()}}
        if found != expected:
            raise ModelError(f'{path} has inputs {found!r}, but policy.yaml asks for '
                             f'{expected!r}; make it anew with `ltc explain attach '
                             f'{self.spec.folder}`')
