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
An ONNX graph as it grows: nodes, constants that are stored once, inputs and outputs.

Written node by node instead of traced, because the fused step is fast by its few nodes: the
engine spends about 0.3 us on each, and 19 neurons need less than that for their arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import torch

OPSET = 20
IR_VERSION = 10


class Graph:
    """Nodes and constants in the order they are added; values are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: str, *shape: int) -> str:  # noqa: A003
        """Declare an input of type ``uint8`` or ``float32`` and return its name."""
        self.inputs.append(_value(name, kind, shape))
        return name

    def output(self, value: str, name: str, *shape: int) -> None:
        """Declare ``value``, reshaped, as a float32 output called ``name``."""
        self.reshape(value, *shape, name=name)
        self.outputs.append(_value(name, 'float32', shape))

    def constant(self, value: torch.Tensor | np.ndarray | float, kind: str = 'float32') -> str:
        """Store a constant once and return its name."""
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        array = np.ascontiguousarray(value, dtype=kind)
        tensor = numpy_helper.from_array(array)
        for name, known in self.constants.items():
            if known.dims == tensor.dims and known.data_type == tensor.data_type and (
                    known.raw_data == tensor.raw_data):
                return name
        name = f'c{len(self.constants)}'
        tensor.name = name
        self.constants[name] = tensor
        return name

    def op(self, kind: str, *inputs: str, name: str = '', **attributes: Any) -> str:
        """Add a node of one output and return the output's name."""
        return self.ops(kind, *inputs, names=(name or f'v{len(self.nodes)}',), **attributes)[0]

    def ops(self, kind: str, *inputs: str, names: tuple[str, ...], **attributes: Any) -> list[str]:
        """Add a node with named outputs and return their names."""
        self.nodes.append(helper.make_node(kind, list(inputs), list(names), **attributes))
        return list(names)

    def add(self, a: str, b: str) -> str:
        """Return a + b."""
        return self.op('Add', a, b)

    def sub(self, a: str, b: str) -> str:
        """Return a - b."""
        return self.op('Sub', a, b)

    def mul(self, a: str, b: str) -> str:
        """Return a b, elementwise."""
        return self.op('Mul', a, b)

    def div(self, a: str, b: str) -> str:
        """Return a / b, elementwise."""
        return self.op('Div', a, b)

    def sum(self, x: str, axis: int) -> str:  # noqa: A003
        """Return the sum along one axis, which stays with size 1."""
        return self.op('ReduceSum', x, self.constant(np.array([axis]), 'int64'))

    def gemm(self, x: str, weight: torch.Tensor, bias: torch.Tensor | str) -> str:
        """Return x W + b for x (1, K) and W (K, J)."""
        start = bias if isinstance(bias, str) else self.constant(bias)
        return self.op('Gemm', x, self.constant(weight), start)

    def linear(self, x: str, layer: torch.nn.Linear) -> str:
        """Return a torch linear layer of x (1, K)."""
        return self.gemm(x, layer.weight.t(), layer.bias)

    def split(self, x: str, *sizes: int) -> list[str]:
        """Return the parts of x (1, K) along its columns."""
        names = tuple(f'v{len(self.nodes)}_{i}' for i in range(len(sizes)))
        return self.ops('Split', x, self.constant(np.array(sizes), 'int64'), names=names, axis=1)

    def reshape(self, x: str, *shape: int, name: str = '') -> str:
        """Return x in another shape."""
        return self.op('Reshape', x, self.constant(np.array(shape), 'int64'), name=name)

    def model(self, name: str) -> onnx.ModelProto:
        """Return the checked model."""
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs,
                                  list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', OPSET)],
                                  ir_version=IR_VERSION, producer_name='ltc_control')
        onnx.checker.check_model(model, full_check=True)
        return model


def _value(name: str, kind: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    types = {'uint8': TensorProto.UINT8, 'float32': TensorProto.FLOAT}
    return helper.make_tensor_value_info(name, types[kind], list(shape))
