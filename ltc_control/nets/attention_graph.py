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
Where a policy looks, as an ONNX graph beside ``policy.onnx``: two maps and all that they need.

VisualBackProp (Bojarski et al. 2018, arXiv 1611.05418), from the maps A_l after each layer's ReLU:

    S_n = mean_c A_n,c ;   S_(l-1) = up_l(S_l) * mean_c A_(l-1),c ;   S_0 = up_1(S_1)

with up_l the transposed convolution of ones, of kernel, stride and border of layer l. It says what
the head passes on, whatever the neurons make of it.

The gradient-weighted map starts from what moved *this* value y (a command, a state or a tau)
through one step from *this* state, and goes on as above (R, gradient times activation, is exact
for a linear last layer; maps read as points have W = df/dA at this image):

    G_j = dy/du_j ;   R_c(p) = A_n,c(p) sum_j W_c,j(p) G_c,j ;   S_n = sum_c max(+-R_c, 0)

one plane for evidence that raises y and one for evidence that lowers it; their sum is sum |R|.
"""

from __future__ import annotations

import copy

from ltc_control.nets.conv_head import HeadConfig
from ltc_control.nets.onnx_cells import add_core, Readout
from ltc_control.nets.onnx_gradient import Backward
from ltc_control.nets.onnx_graph import Graph
from ltc_control.nets.onnx_head import add_head
from ltc_control.nets.onnx_points import points_pull
from ltc_control.nets.policy_net import PolicyNet
import numpy as np
import onnx
from onnx import numpy_helper
import torch


def attention_graph(net: PolicyNet) -> onnx.ModelProto:
    """
    Return the graph of both maps.

    Inputs are those of ``policy.onnx`` and ``select`` (M + 2N,), which names y: y = select ·
    [command, next_state, tau in nominal steps]. Outputs: ``features`` (F,) of the image,
    ``visual_backprop`` (H, W), ``gradient`` (S,) of y by the features (image, then IMU),
    ``evidence`` (2, H, W) that raises and that lowers y, and ``command`` (M,). Where ``select`` is
    zero the last three are empty and cost nothing.
    """
    net = copy.deepcopy(net).double().eval()
    config, head, size = net.config, net.config.head_config, net.state_size
    graph = Graph()
    image = graph.input('image', 'uint8', head.height, head.width, 3)
    if config.imu_features:
        graph.input('imu', 'float32', config.imu_features)
    state = graph.input('state', 'float32', size)
    dt = graph.input('dt', 'float32', 1)
    graph.input('select', 'float32', config.outputs + 2 * size)
    with torch.no_grad():
        features = add_head(graph, net.head, image)
        graph.output(features, 'features', head.features)
        means = _channel_means(graph, head)
        _to_image(graph, head, means[-1], means, name='visual_backprop')
        graph.outputs.append(_info('visual_backprop', (head.height, head.width)))
        first = len(graph.nodes)
        inputs = features
        if config.imu_features:
            imu = graph.reshape('imu', 1, config.imu_features)
            inputs = graph.op('Concat', features, imu, axis=1)
        step = (inputs, graph.reshape(state, 1, size), dt)
        command, gradient = _gradient(graph, net, step)
        evidence = _to_image(graph, head, _evidence(graph, net, gradient), means)
    values = {'gradient': (gradient, (config.inputs,)), 'command': (command, (config.outputs,)),
              'evidence': (evidence, (2, head.height, head.width))}
    _only_where_selected(graph, first, values)
    return graph.model('attention')


def _only_where_selected(graph: Graph, first: int,
                         values: dict[str, tuple[str, tuple[int, ...]]]) -> None:
    """Put the nodes from ``first`` on under an If of ``select``; it gives ``values`` by name."""
    inside = [(graph.reshape(value, *shape), shape) for value, shape in values.values()]
    graph.nodes, branch = graph.nodes[:first], graph.nodes[first:]
    wanted = onnx.helper.make_graph(branch, 'selected', [], [_info(*item) for item in inside])
    empty = {name: tuple(0 for _ in shape) for name, (_, shape) in values.items()}
    nothing = onnx.helper.make_graph(
        [onnx.helper.make_node('Constant', [], [f'no_{name}'], value=numpy_helper.from_array(
            np.zeros(shape, np.float32))) for name, shape in empty.items()],
        'nothing', [], [_info(f'no_{name}', shape) for name, shape in empty.items()])
    axes = graph.constant(np.array([0]), 'int64')
    size = graph.op('ReduceSum', graph.op('Abs', 'select', name='sizes'), axes, keepdims=0,
                    name='size')
    asked = graph.op('Greater', size, graph.constant(0.0), name='asked')
    graph.ops('If', asked, names=tuple(values), then_branch=wanted, else_branch=nothing)
    graph.outputs += [onnx.helper.make_tensor_value_info(
        name, onnx.TensorProto.FLOAT, [f'{name}_{axis}' for axis in range(len(shape))])
        for name, (_, shape) in values.items()]   # free: the branches differ in size


def _info(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, list(shape))


def _channel_means(graph: Graph, head: HeadConfig) -> list[str]:
    """Return m_1 ... m_n, each (h, w); a 1x1 convolution is the cheapest mean here."""
    return [graph.reshape(graph.op('Conv', f'map{layer}', graph.constant(
        np.full((1, width, 1, 1), 1 / width))), *size)
        for layer, (width, size) in enumerate(zip(head.widths, head.map_sizes(), strict=True), 1)]


def _to_image(graph: Graph, head: HeadConfig, last: str, means: list[str], *,
              name: str = '') -> str:
    """
    Return S_0 (B, H, W) of S_n (B, h, w), or without the B.

    A kernel of ones is separable: its transposed convolution is a product with a 0/1 matrix from
    either side, twice as fast here as the ConvTranspose node.
    """
    sizes = [(head.height, head.width), *head.map_sizes()]
    value = last
    for layer in range(len(head.widths) - 1, -1, -1):
        pads = head.pads()[layer]
        rows, columns = (
            _spread(sizes[layer][side], sizes[layer + 1][side], head.kernels[layer],
                    head.strides[layer], pads[side]) for side in (0, 1))
        # columns first: half the arithmetic on a wide image
        value = graph.op('MatMul', value, graph.constant(columns.T))
        value = graph.op('MatMul', graph.constant(rows), value, name='' if layer else name)
        if layer:
            value = graph.mul(value, means[layer - 1])
    return value


def _spread(big: int, small: int, kernel: int, stride: int, before: int) -> np.ndarray:
    """Return (big, small): 1 where the kernel at a small place covers a big one."""
    offset = np.arange(big)[:, None] - (stride * np.arange(small)[None] - before)
    return ((offset >= 0) & (offset < kernel)).astype(float)


def _gradient(graph: Graph, net: PolicyNet, step: tuple[str, str, str]) -> tuple[str, str]:
    """Return the command and dy/du, (1, S), of one step of (inputs, state, dt)."""
    readout = Readout(net.command_scale, net.command_offset)
    outputs = add_core(graph, net.core, *step, readout)
    m, n = net.config.outputs, net.state_size
    row = graph.reshape('select', 1, m + 2 * n)
    back = Backward(graph)
    seeds: dict[str, str] = {}
    for value, seed in zip(outputs, graph.split(row, m, n, n), strict=True):
        seeds[value] = graph.add(seeds[value], seed) if value in seeds else seed
    return outputs[0], back.gradient(seeds, step[0])


def _evidence(graph: Graph, net: PolicyNet, gradient: str) -> str:
    """Return S_n of the gradient-weighted map, (2, h, w): what raises y, what lowers it."""
    head = net.config.head_config
    maps, (rows, columns) = head.widths[-1], head.map_sizes()[-1]
    if net.config.imu_features:
        gradient = graph.split(gradient, head.features, net.config.imu_features)[0]
    if head.readout == 'points':
        pull = points_pull(graph, net.head.points, gradient)
    else:
        each = graph.reshape(gradient, maps, head.per_map, 1)
        pull = graph.op('MatMul', graph.constant(net.head.map_weight), each)
    final = graph.reshape(f'map{len(head.widths)}', maps, rows * columns)
    pull = graph.reshape(pull, maps, rows * columns)
    share = graph.reshape(graph.mul(final, pull), 1, maps, rows, columns)
    signed = graph.op('Concat', share, graph.op('Neg', share), axis=0)
    return graph.op('ReduceSum', graph.op('Relu', signed),
                    graph.constant(np.array([1]), 'int64'), keepdims=0)
