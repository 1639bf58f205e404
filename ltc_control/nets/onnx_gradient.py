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
Reverse-mode differentiation of a graph of ours: the nodes that give dy/dx of a scalar y.

Walks the nodes backwards from y and adds, for each that depends on x, the nodes of its rule. Only
the kinds of node that ``onnx_cells`` writes are known; others are refused by name. All values on
the way are rows (1, K) that were not broadcast, so that no rule has to sum over an axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ltc_control.core.errors import ConfigError
from ltc_control.nets.onnx_graph import Graph, IR_VERSION, OPSET
import numpy as np
import onnx
from onnx import helper, NodeProto, TensorProto

Grads = dict[str, str]                         # value -> its gradient
Rule = Callable[['Backward', NodeProto, str], Grads]


class Backward:
    """The nodes of a graph, and what is known of its values' shapes, at the time of the call."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.nodes = graph, list(graph.nodes)
        self._shapes: Mapping[str, tuple[int, ...]] = _shapes(graph)

    def gradient(self, seeds: Grads, wanted: str) -> str:
        """Return the gradient of ``wanted``, where ``seeds`` holds those of the outputs."""
        reached = self._depends_on(wanted)
        grads = {value: seed for value, seed in seeds.items() if value in reached}
        for node in reversed(self.nodes):
            known = [name for name in node.output if name in grads]
            if node.output[0] in reached and known:
                for value, grad in self._pull_back(node, grads).items():
                    if value in reached:
                        grads[value] = (self.graph.add(grads[value], grad)
                                        if value in grads else grad)
        if wanted not in grads:
            raise ConfigError(f'no output depends on {wanted!r}; there is no gradient to take')
        return grads[wanted]

    def columns(self, value: str) -> int:
        """Return K of a row (1, K)."""
        return self._shapes[value][-1]

    def shape(self, value: str) -> tuple[int, ...]:
        """Return the shape of a value."""
        return self._shapes[value]

    def _depends_on(self, wanted: str) -> set[str]:
        reached = {wanted}
        for node in self.nodes:
            if reached & set(node.input):
                reached |= set(node.output)
        return reached

    def _pull_back(self, node: NodeProto, grads: Grads) -> Grads:
        if node.op_type == 'Split':
            return _split(self, node, grads)
        rule = _RULES.get(node.op_type)
        if rule is None:
            raise ConfigError(f'no gradient is known for {node.op_type!r} nodes; add its rule')
        return rule(self, node, grads[node.output[0]])


def _shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    proto = helper.make_graph(graph.nodes, 'so_far', graph.inputs, graph.outputs,
                              list(graph.constants.values()))
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid('', OPSET)],
                              ir_version=IR_VERSION)
    proto = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = [*proto.value_info, *proto.input, *proto.output]
    return {value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
            for value in values}


def _gemm(back: Backward, node: NodeProto, grad: str) -> Grads:
    x, weight, *bias = node.input
    found = {x: back.graph.op('Gemm', grad, weight, transB=1)}
    return found | ({bias[0]: grad} if bias else {})


def _mul(back: Backward, node: NodeProto, grad: str) -> Grads:
    a, b = node.input
    return {a: back.graph.mul(grad, b), b: back.graph.mul(grad, a)} if a != b else {
        a: back.graph.mul(grad, back.graph.add(a, a))}


def _div(back: Backward, node: NodeProto, grad: str) -> Grads:
    a, b = node.input
    over = back.graph.div(grad, b)
    return {a: over, b: back.graph.op('Neg', back.graph.mul(over, node.output[0]))}


def _add(_: Backward, node: NodeProto, grad: str) -> Grads:
    return dict.fromkeys(node.input, grad)


def _sub(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: grad, node.input[1]: back.graph.op('Neg', grad)}


def _sigmoid(back: Backward, node: NodeProto, grad: str) -> Grads:
    y = node.output[0]
    rise = back.graph.mul(y, back.graph.sub(back.graph.constant(1.0), y))
    return {node.input[0]: back.graph.mul(grad, rise)}


def _tanh(back: Backward, node: NodeProto, grad: str) -> Grads:
    y = node.output[0]
    rise = back.graph.sub(back.graph.constant(1.0), back.graph.mul(y, y))
    return {node.input[0]: back.graph.mul(grad, rise)}


def _exp(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: back.graph.mul(grad, node.output[0])}


def _log(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: back.graph.div(grad, node.input[0])}


def _neg(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: back.graph.op('Neg', grad)}


def _abs(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: back.graph.mul(grad, back.graph.op('Sign', node.input[0]))}


def _reciprocal(back: Backward, node: NodeProto, grad: str) -> Grads:
    y = node.output[0]
    return {node.input[0]: back.graph.op('Neg', back.graph.mul(grad, back.graph.mul(y, y)))}


def _clip(back: Backward, node: NodeProto, grad: str) -> Grads:
    same = back.graph.op('Equal', node.input[0], node.output[0])
    inside = back.graph.op('Cast', same, to=TensorProto.FLOAT)
    return {node.input[0]: back.graph.mul(grad, inside)}


def _concat(back: Backward, node: NodeProto, grad: str) -> Grads:
    parts = back.graph.split(grad, *(back.columns(name) for name in node.input))
    found: Grads = {}
    for name, part in zip(node.input, parts, strict=True):      # one value may come in twice
        found[name] = back.graph.add(found[name], part) if name in found else part
    return found


def _split(back: Backward, node: NodeProto, grads: Grads) -> Grads:
    parts = [grads[name] if name in grads else back.graph.constant(
        np.zeros((1, back.columns(name)))) for name in node.output]
    return {node.input[0]: back.graph.op('Concat', *parts, axis=1)}


def _reshape(back: Backward, node: NodeProto, grad: str) -> Grads:
    return {node.input[0]: back.graph.reshape(grad, *back.shape(node.input[0]))}


_RULES: dict[str, Rule] = {
    'Gemm': _gemm, 'Mul': _mul, 'Div': _div, 'Add': _add, 'Sub': _sub, 'Sigmoid': _sigmoid,
    'Tanh': _tanh, 'Exp': _exp, 'Log': _log, 'Neg': _neg, 'Abs': _abs, 'Reciprocal': _reciprocal,
    'Clip': _clip, 'Concat': _concat, 'Reshape': _reshape,
}
