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
From a trained policy to the folder that a robot loads: graph, weights and specification.

``policy.onnx`` takes ``image`` uint8 (H, W, 3), ``imu`` float32 (F,) where F > 0, ``state``
float32 (N,) and ``dt`` float32 (1,) in nominal steps, and gives ``command`` (M,) in physical
units, ``next_state`` (N,) and ``tau`` (N,) in nominal steps. Constants are folded in float64.
``attention.onnx`` stands beside it and is never in the way of a command: see ``attention_graph``.
"""

from __future__ import annotations

from collections.abc import Mapping
import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, GRAPH_FILE, load_spec, ModelSpec, write_spec
from ltc_control.nets.attention_graph import attention_graph
from ltc_control.nets.onnx_cells import add_core, Readout
from ltc_control.nets.onnx_graph import Graph
from ltc_control.nets.onnx_head import add_head
from ltc_control.nets.policy_net import load_policy, PolicyNet, save_policy
import numpy as np
import onnx
import torch

WEIGHTS_FILE = 'weights.safetensors'
ATTENTION_FILE = 'attention.onnx'
ENDLESS = float(np.finfo(np.float32).max)      # a bound that says: none (files hold no infinity)


def export_policy(
    net: PolicyNet, folder: Path | str, *, name: str, image: ImageSpec, imu: ImuSpec,
    commands: tuple[CommandSpec, ...], longest_step_s: float, vehicle: str = 'car',
    training: Mapping[str, Any] | None = None,
) -> ModelSpec:
    """
    Write the graphs, ``weights.safetensors`` and ``policy.yaml`` and return the spec.

    Raises ``ModelError`` when image, IMU features or commands do not fit the network. Call it
    again after adding files such as a card: hashes are taken of what lies in the folder.
    """
    _check(net, image, imu, commands)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(policy_graph(net), folder / GRAPH_FILE)
    onnx.save(attention_graph(net), folder / ATTENTION_FILE)
    save_policy(net, folder / WEIGHTS_FILE)
    spec = ModelSpec(
        name=name, kind=net.config.kind, image=image, imu=imu, commands=tuple(commands),
        dt_nominal_s=net.config.dt_nominal_s, longest_step_s=longest_step_s,
        neurons=net.state_size, vehicle=vehicle, roles=net.roles(), **_envelope(net),
        wiring=net.wiring.to_dict() if net.wiring is not None else {},
        parameters=net.parameter_counts(), synapses=net.synapses(), training=training or {})
    return write_spec(folder, spec)


def attach_attention(folder: Path | str) -> ModelSpec:
    """
    Add ``attention.onnx`` to a model folder and return its new spec; the rest stays as it is.

    Made from ``weights.safetensors``, which must be there; raises ``ModelError``.
    """
    folder = Path(folder)
    spec = load_spec(folder)
    net = load_policy(folder / WEIGHTS_FILE)
    _check(net, spec.image, spec.imu, spec.commands)
    part = folder / f'{ATTENTION_FILE}.part'   # a reader never sees half a file
    onnx.save(attention_graph(net), part)
    part.replace(folder / ATTENTION_FILE)
    return write_spec(folder, replace(spec, files={}))


def policy_graph(net: PolicyNet) -> onnx.ModelProto:
    """Return one step of the policy as an ONNX model with its constants folded."""
    net = copy.deepcopy(net).double().eval()
    config, state_size = net.config, net.state_size
    size = (config.head_config.height, config.head_config.width, 3)
    graph = Graph()
    image = graph.input('image', 'uint8', *size)
    if config.imu_features:
        graph.input('imu', 'float32', config.imu_features)
    state = graph.input('state', 'float32', state_size)
    dt = graph.input('dt', 'float32', 1)
    with torch.no_grad():
        inputs = add_head(graph, net.head, image)
        if config.imu_features:
            imu = graph.reshape('imu', 1, config.imu_features)
            inputs = graph.op('Concat', inputs, imu, axis=1)
        readout = Readout(net.command_scale, net.command_offset)
        command, new, tau = add_core(
            graph, net.core, inputs, graph.reshape(state, 1, state_size), dt, readout)
    graph.output(command, 'command', config.outputs)
    graph.output(new, 'next_state', state_size)
    graph.output(tau, 'tau', state_size)
    return graph.model('policy')


def core_graph(net: PolicyNet) -> onnx.ModelProto:
    """Return one step of the core alone: ``inputs`` (1, S), ``state`` (1, N) and ``dt`` (1,)."""
    net = copy.deepcopy(net).double().eval()
    size = net.state_size
    graph = Graph()
    inputs = graph.input('inputs', 'float32', 1, net.core.input_size)
    state = graph.input('state', 'float32', 1, size)
    with torch.no_grad():
        readout = Readout(net.command_scale, net.command_offset)
        command, new, tau = add_core(
            graph, net.core, inputs, state, graph.input('dt', 'float32', 1), readout)
    graph.output(command, 'command', 1, net.config.outputs)
    graph.output(new, 'next_state', 1, size)
    graph.output(tau, 'tau', 1, size)
    return graph.model('core')


def _check(net: PolicyNet, image: ImageSpec, imu: ImuSpec,
           commands: tuple[CommandSpec, ...]) -> None:
    head = net.config.head_config
    for what, asked, has in (
            ('image size', (image.height, image.width), (head.height, head.width)),
            ('number of IMU features', len(imu.features), net.config.imu_features),
            ('number of commands', len(commands), net.config.outputs)):
        if asked != has:
            raise ModelError(f'{what} of the specification is {asked!r}, the network has {has!r}; '
                             'export with the specification it was trained with')


def _envelope(net: PolicyNet) -> dict[str, tuple[float, ...] | None]:
    """Return the bounds of each state; explicit solvers keep none."""
    explicit = net.config.kind in ('ltc', 'mixed_ltc') and net.config.solver in ('euler', 'rk4')
    bounds = None if explicit else net.core.envelope()
    if bounds is None:
        return {'envelope_low': None, 'envelope_high': None}
    low, high = (torch.nan_to_num(b.double(), posinf=ENDLESS, neginf=-ENDLESS).tolist()
                 for b in bounds)
    return {'envelope_low': tuple(low), 'envelope_high': tuple(high)}
