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
"""Small real model folders for tests of nodes: an ONNX graph that anyone can work out by hand."""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, ModelSpec, write_spec
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto

HEIGHT, WIDTH = 66, 200
DT_NOMINAL_S = 1 / 30


def counting_model(folder: Path, *, curvature: float = 0.01, speed: float = 5.0,
                   imu: bool = True) -> Path:
    """
    Write a model whose command is constant and whose state counts nominal steps.

    ``state`` (2,): [sum of dt in nominal steps, last gyro_z]. ``tau`` is one nominal step.
    """
    folder.mkdir(parents=True)
    onnx.save(_graph(curvature, speed, imu=imu), folder / 'policy.onnx')
    features = (('gyro_z', 'valid'), (1.0, 1.0)) if imu else ((), ())
    write_spec(folder, ModelSpec(
        name='counting', kind='ltc', image=ImageSpec(HEIGHT, WIDTH), imu=ImuSpec(*features),
        commands=(CommandSpec('curvature', '1/m', -0.1, 0.1), CommandSpec('speed', 'm/s', 0, 12)),
        dt_nominal_s=DT_NOMINAL_S, longest_step_s=0.5, neurons=2, roles={'inter': 1, 'motor': 1}))
    return folder


def drone_model(folder: Path) -> Path:
    """Write an untrained drone of 19 neurons: four commands, a picture of 48x96."""
    from ltc_control.nets.conv_head import HeadConfig
    from ltc_control.nets.export import export_policy
    from ltc_control.nets.policy_net import build_policy
    import torch

    torch.manual_seed(4)
    net = build_policy({
        'head': HeadConfig(48, 96, (8, 16, 8), (5, 5, 3), (2, 2, 1)),
        'wiring': {'kind': 'auto_ncp', 'units': 19, 'outputs': 4, 'sparsity': 0.5, 'seed': 22222},
        'command_scale': (2.0, 1.0, 1.0, 0.5), 'command_offset': (0.0,) * 4})
    export_policy(net, folder, name='small_drone', vehicle='drone', image=ImageSpec(48, 96),
                  imu=ImuSpec((), ()), longest_step_s=0.5, commands=(
                      CommandSpec('forward', 'm/s', -2.0, 4.5), CommandSpec('left', 'm/s', -3, 3),
                      CommandSpec('up', 'm/s', -1.2, 1.2),
                      CommandSpec('yaw_rate', 'rad/s', -1.2, 1.2)))
    return folder


def _graph(curvature: float, speed: float, *, imu: bool) -> onnx.ModelProto:
    floats = {'command_value': [curvature, speed], 'pick': [1.0, 0.0], 'one': [1.0, 1.0],
              'zeros': [0.0, 0.0], 'nothing': [0.0]}
    constants = [numpy_helper.from_array(np.array(value, np.float32), name)
                 for name, value in floats.items()]
    value = helper.make_tensor_value_info
    inputs = [value('image', TensorProto.UINT8, [HEIGHT, WIDTH, 3]),
              *([value('imu', TensorProto.FLOAT, [2])] if imu else []),
              value('state', TensorProto.FLOAT, [2]), value('dt', TensorProto.FLOAT, [1])]
    outputs = [value('command', TensorProto.FLOAT, [2]),
               value('next_state', TensorProto.FLOAT, [2]), value('tau', TensorProto.FLOAT, [2])]
    node = helper.make_node
    # the image takes part with weight zero, as a graph that ignores an input loses it
    nodes = [
        node('Cast', ['image'], ['pixels'], to=TensorProto.FLOAT),
        node('ReduceMean', ['pixels'], ['mean'], keepdims=0),
        node('Mul', ['mean', 'zeros'], ['no_image']),
        node('Add', ['command_value', 'no_image'], ['command']),
        node('Mul', ['dt', 'pick'], ['elapsed']),
        node('Mul', ['state', 'pick'], ['counted']),
        node('Add', ['counted', 'elapsed'], ['sum']),
        *([node('Slice', ['imu', 'from', 'to'], ['gyro']),
           node('Concat', ['nothing', 'gyro'], ['second'], axis=0)] if imu else
          [node('Identity', ['zeros'], ['second'])]),
        node('Add', ['sum', 'second'], ['next_state']),
        node('Identity', ['one'], ['tau']),
    ]
    if imu:
        constants += [numpy_helper.from_array(np.array([index], np.int64), name)
                      for name, index in (('from', 0), ('to', 1))]
    graph = helper.make_graph(nodes, 'counting', inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
