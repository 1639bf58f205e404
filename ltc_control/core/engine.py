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
The ONNX step: (image, imu, state, dt) -> (command, state, tau), without memory of its own.

One thread and sequential execution: on a small graph a second thread gains nothing and its
barrier waits for whoever shares the processor. Fixed shapes let onnxruntime plan its memory once
and reuse it.
"""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import GRAPH_FILE, load_spec, ModelSpec
import numpy as np
import onnxruntime as ort

SHORTEST_STEP_S = 1e-6                         # a shorter or non-finite dt is taken as this
_TYPES = {'tensor(uint8)': 'uint8', 'tensor(float)': 'float32'}
Signature = dict[str, tuple[str, tuple[int, ...]]]


class Engine:
    """
    A loaded policy graph; ``step`` is a pure function of its arguments.

    ``source`` is a model folder, or the spec that ``load_spec`` returned for one.
    """

    def __init__(self, source: str | Path | ModelSpec, *, threads: int = 1) -> None:
        """Load, compare the graph with ``policy.yaml`` and run it once, so step one is quick."""
        self.spec = source if isinstance(source, ModelSpec) else load_spec(source)
        if self.spec.folder is None:
            raise ModelError(
                f'model {self.spec.name!r} has no folder; load it with load_spec(folder)')
        path = self.spec.folder / GRAPH_FILE
        self._session = open_session(path, threads)
        _compare(path, 'input', _signature(self._session.get_inputs()), expected_inputs(self.spec))
        _compare(path, 'output', _signature(self._session.get_outputs()),
                 expected_outputs(self.spec))
        self._image_shape = (self.spec.image.height, self.spec.image.width, 3)
        self._imu_shape = (len(self.spec.imu.features),)
        self._state_shape = (self.spec.neurons,)
        self.step(np.zeros(self._image_shape, np.uint8), np.zeros(self._imu_shape, np.float32),
                  self.zero_state(), self.spec.dt_nominal_s)

    def zero_state(self) -> np.ndarray:
        """Return the state at the start of a drive, (N,) float32."""
        return np.zeros(self.spec.neurons, np.float32)

    def step(
        self, image: np.ndarray, imu: np.ndarray, state: np.ndarray, dt: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return command (M,), state (N,) and tau (N,) [s], each float32 and new.

        ``image`` (h, w, 3) uint8 contiguous, ``imu`` (F,) float32, ``state`` (N,) float32, ``dt``
        [s], clamped to [1e-6, longest_step_s]. Raises ModelError for another shape or type.
        """
        self._check(image, imu, state)
        dt = dt if dt > SHORTEST_STEP_S else SHORTEST_STEP_S       # NaN compares false
        units = min(dt, self.spec.longest_step_s) / self.spec.dt_nominal_s
        feed = {'image': image, 'state': state, 'dt': np.array((units,), np.float32)}
        if imu.size:
            feed['imu'] = imu
        command, after, tau = self._session.run(None, feed)
        return command, after, tau * np.float32(self.spec.dt_nominal_s)

    def _check(self, image: np.ndarray, imu: np.ndarray, state: np.ndarray) -> None:
        for name, value, kind, shape in (
            ('image', image, np.uint8, self._image_shape),
            ('imu', imu, np.float32, self._imu_shape),
            ('state', state, np.float32, self._state_shape),
        ):
            if value.shape != shape or value.dtype != kind:
                raise ModelError(
                    f'{name} is {value.dtype} {value.shape!r}, model {self.spec.name!r} takes '
                    f'{kind.__name__} {shape!r}; prepare it by the spec of this model')


def expected_inputs(spec: ModelSpec) -> Signature:
    """Return type and shape by name of what the graph of ``spec`` takes."""
    features = len(spec.imu.features)
    return {
        'image': ('uint8', (spec.image.height, spec.image.width, 3)),
        **({'imu': ('float32', (features,))} if features else {}),
        'state': ('float32', (spec.neurons,)),
        'dt': ('float32', (1,)),
    }


def expected_outputs(spec: ModelSpec) -> Signature:
    """Return type and shape by name, in order, of what the graph of ``spec`` gives."""
    return {
        'command': ('float32', (len(spec.commands),)),
        'state': ('float32', (spec.neurons,)),
        'tau': ('float32', (spec.neurons,)),
    }


def open_session(path: Path, threads: int = 1) -> ort.InferenceSession:
    """Return the loaded graph, made to share the processor; ModelError where it cannot load."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3                                 # errors only
    # A waiting thread sleeps: other nodes need the core more than we need its microsecond.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    try:
        return ort.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
    except Exception as err:                   # onnxruntime has no public base of its errors
        raise ModelError(f'{path} does not load ({err}); export the model anew') from err


def _signature(values: list[ort.NodeArg]) -> Signature:
    found: Signature = {}
    for value in values:
        # ONNX allows no two values of one name, so the state that comes out is called
        # something like next_state; its place among the outputs says what it is.
        name = 'state' if 'state' in value.name else value.name
        found[name] = (_TYPES.get(value.type, value.type), tuple(value.shape))
    return found


def _compare(path: Path, side: str, found: Signature, expected: Signature) -> None:
    ordered = side == 'output'
    same = list(found.items()) == list(expected.items()) if ordered else found == expected
    if not same:
        raise ModelError(
            f'{path} has {side}s {found!r}, but policy.yaml asks for {expected!r}; '
            'graph and specification are of different models, export them together')
