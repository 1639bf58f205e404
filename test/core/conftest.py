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
"""A tiny policy folder whose arithmetic anyone can do by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, ModelSpec, write_spec
import numpy as np
import pytest

H, W, N = 4, 6, 3
DT = 0.04


def tiny_spec(**changes: Any) -> ModelSpec:
    """Return a spec for the graph that ``tiny_graph`` writes."""
    values: dict[str, Any] = {
        'name': 'tiny', 'kind': 'ltc', 'image': ImageSpec(H, W),
        'imu': ImuSpec(('gyro_z', 'valid'), (2.0, 1.0)),
        'commands': (CommandSpec('curvature', '1/m', -0.1, 0.1),
                     CommandSpec('speed', 'm/s', 0.0, 12.0)),
        'dt_nominal_s': DT, 'longest_step_s': 0.5, 'neurons': N,
        'roles': {'inter': 1, 'command': 0, 'motor': 2},
        'wiring': {'kind': 'dense', 'seed': 3, 'adjacency': np.eye(N, dtype=int)},
        'envelope_low': (-1.0,) * N, 'envelope_high': (1.5,) * N,
        'parameters': {'head': 5, 'recurrent_effective': 7, 'recurrent_stored': 9, 'total': 14},
        'synapses': {'internal': 3, 'sensory': 6}, 'training': {'seed': 1, 'loss': 1e-5},
    }
    return ModelSpec(**{**values, **changes})


def reference_step(image, imu, state, dt):
    """
    Return (command, state, tau [s]) of the tiny graph in plain numpy.

    m = mean of the image / 255; x' = x / 2 + m dt + 0.1 sum(imu); curvature = 0.05 x'_0,
    speed = 10 m; tau = (2 + x') nominal steps. dt here in nominal steps.
    """
    m = image.astype(float).mean() / 255
    after = 0.5 * state.astype(float) + m * dt + 0.1 * imu.astype(float).sum()
    return np.array([0.05 * after[0], 10 * m]), after, (2 + after) * DT


def tiny_graph(path: Path, spec: ModelSpec, *, broken: str = '') -> None:
    """Write the graph; ``broken`` = 'log' makes a black image give minus infinity."""
    onnx = pytest.importorskip('onnx')
    helper, F, U8 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8
    size, features = (spec.image.height, spec.image.width, 3), len(spec.imu.features)

    def constant(name: str, values: list[float], shape: list[int]) -> Any:
        return helper.make_tensor(name, F, shape, values)

    nodes = [
        helper.make_node('Cast', ['image'], ['pixels'], to=F),
        helper.make_node('ReduceMean', ['pixels'], ['grey'], keepdims=0),
        helper.make_node('Div', ['grey', 'white'], ['m']),
        helper.make_node('Mul', ['m', 'dt'], ['push']),
        helper.make_node('Mul', ['state', 'half'], ['kept']),
        helper.make_node('Add', ['kept', 'push'], ['pushed']),
        helper.make_node('Log' if broken == 'log' else 'Identity', ['m'], ['light']),
        helper.make_node('Reshape', ['light', 'one'], ['light1']),
        helper.make_node('Mul', ['light1', 'ten'], ['speed']),
        helper.make_node('Slice', ['next_state', 'zero', 'one'], ['x0']),
        helper.make_node('Mul', ['x0', 'gain'], ['curvature']),
        helper.make_node('Concat', ['curvature', 'speed'], ['command'], axis=0),
        helper.make_node('Add', ['next_state', 'two'], ['tau']),
    ]
    inputs = [helper.make_tensor_value_info('image', U8, size),
              helper.make_tensor_value_info('state', F, [spec.neurons]),
              helper.make_tensor_value_info('dt', F, [1])]
    if features:
        inputs.insert(1, helper.make_tensor_value_info('imu', F, [features]))
        nodes[6:6] = [helper.make_node('ReduceSum', ['imu'], ['sum'], keepdims=0),
                      helper.make_node('Mul', ['sum', 'tenth'], ['turn']),
                      helper.make_node('Add', ['pushed', 'turn'], ['next_state'])]
    else:
        nodes.insert(6, helper.make_node('Identity', ['pushed'], ['next_state']))
    outputs = [helper.make_tensor_value_info(name, F, [n]) for name, n in (
        ('command', 2), ('next_state', spec.neurons), ('tau', spec.neurons))]
    graph = helper.make_graph(nodes, 'tiny', inputs, outputs, [
        constant('white', [255.0], []), constant('half', [0.5], []), constant('tenth', [0.1], []),
        constant('ten', [10.0], [1]), constant('gain', [0.05], [1]), constant('two', [2.0], [1]),
        helper.make_tensor('zero', onnx.TensorProto.INT64, [1], [0]),
        helper.make_tensor('one', onnx.TensorProto.INT64, [1], [1]),
    ])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


@pytest.fixture
def tiny_model(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a tiny model folder: changes to the spec are keywords."""
    def write(*, broken: str = '', graph_of: ModelSpec | None = None, **changes: Any) -> Path:
        folder = tmp_path / 'tiny'
        folder.mkdir(exist_ok=True)
        spec = tiny_spec(**changes)
        tiny_graph(folder / 'policy.onnx', graph_of or spec, broken=broken)
        (folder / 'card.md').write_text('# tiny\n')
        write_spec(folder, spec)
        return folder
    write.spec = tiny_spec            # type: ignore[attr-defined]
    write.reference = reference_step  # type: ignore[attr-defined]
    return write
