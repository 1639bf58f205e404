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
The attention graph against torch: maps by their definition, gradients by autograd, controls.

The judges share nothing with the graph: VisualBackProp is written with torch's transposed
convolution, gradients come from autograd through the training network.
"""

from __future__ import annotations

from dataclasses import replace

from ltc_control.core.errors import ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, load_spec, write_spec
from ltc_control.insight.attention import Attention
from ltc_control.insight.liquid import LiquidCore
from ltc_control.nets.conv_head import HeadConfig
from ltc_control.nets.export import attach_attention, export_policy
from ltc_control.nets.policy_net import build_policy
import numpy as np
import pytest
import torch
from torch.nn import functional

VALID = HeadConfig(30, 60, (8, 16, 8), (5, 5, 3), (2, 2, 1))
SAME = HeadConfig(31, 62, (8, 16, 8), (5, 4, 3), (2, 2, 1), padding='same')
POINTS = replace(VALID, readout='points')
FEATURES = ('gyro_x', 'gyro_y', 'gyro_z', 'accel_x', 'accel_y', 'accel_z')
COMMANDS = (CommandSpec('curvature', '1/m', -0.1, 0.1), CommandSpec('speed', 'm/s', 0.0, 12.0))


def made(folder, options, seed=11):
    """Return a network and the attention of the folder it was exported to."""
    torch.manual_seed(seed)
    net = build_policy({'head': VALID, 'imu_features': 6, 'cm_init': (0.5, 5.0), **options})
    if hasattr(net.core, 'input_w'):
        with torch.no_grad():                              # so that folding has work to do
            for name in ('input_w', 'input_b', 'output_w', 'output_b'):
                getattr(net.core, name).add_(0.3 * torch.randn_like(getattr(net.core, name)))
    return net, exported(net, folder)


def exported(net, folder):
    head, features = net.config.head_config, FEATURES[:net.config.imu_features]
    export_policy(net, folder, name='test', image=ImageSpec(head.height, head.width),
                  imu=ImuSpec(features=features, scales=(1.0,) * len(features)),
                  commands=COMMANDS, longest_step_s=1.0)
    return Attention(folder)


def sample(net, seed=0):
    rng = np.random.default_rng(seed)
    head = net.config.head_config
    image = rng.integers(0, 256, (head.height, head.width, 3), dtype=np.uint8)
    imu = rng.normal(size=net.config.imu_features).astype(np.float32)
    state = rng.uniform(-0.5, 0.5, net.state_size).astype(np.float32)
    return image, imu, state


def maps_of(net, image):
    """Return the maps after each layer's ReLU, float64, by torch alone."""
    x = torch.tensor(image).double().permute(2, 0, 1)[None]
    x = (x - x.mean()) / (x.var(unbiased=False) + 1.0).sqrt()
    found = []
    for conv, (top, left, bottom, right) in zip(net.head.convs, net.head.config.pads(),
                                                strict=True):
        x = functional.pad(x, (left, right, top, bottom))
        x = functional.conv2d(x, conv.weight.double(), conv.bias.double(), conv.stride).relu()
        found.append(x)
    return found


def to_image(net, last, maps):
    """Return S_0 of S_n by the definition: transposed convolutions of ones."""
    config, value = net.head.config, last
    for layer in range(len(maps), 0, -1):
        kernel, stride = config.kernels[layer - 1], config.strides[layer - 1]
        full = functional.conv_transpose2d(
            value, torch.ones(1, 1, kernel, kernel, dtype=value.dtype), stride=stride)
        rows, columns = (maps[layer - 2].shape[2:] if layer > 1
                         else (config.height, config.width))
        top, left = config.pads()[layer - 1][:2]
        full = functional.pad(full, (0, stride, 0, stride))    # where the kernel never came
        value = full[:, :, top:top + rows, left:left + columns]
        if layer > 1:
            value = value * maps[layer - 2].mean(1, keepdim=True)
    return value[0, 0].detach().numpy()


@pytest.mark.parametrize('head', [VALID, SAME, 'hardware', 'paper'],
                         ids=['valid', 'same', 'hardware', 'paper'])
def test_visual_backprop_is_that_of_the_paper(head, tmp_path):
    net, attention = made(tmp_path, {'head': head, 'imu_features': 0})
    image, *_ = sample(net)
    maps = maps_of(net, image)
    expected = to_image(net, maps[-1].mean(1, keepdim=True), maps)
    found = attention.visual_backprop(image).values
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())
    with torch.no_grad():
        features = net.encode(torch.tensor(image)[None])[0]
    np.testing.assert_allclose(attention.features(image), features, atol=2e-5)


def autograd(net, image, imu, state, *, target, dt):
    """Return dy/du through one step, u the features of image and IMU, float64."""
    net = net.double()
    image_part = net.encode(torch.tensor(image)[None])[0].detach()
    u = torch.cat([image_part, torch.tensor(imu).double()])[None].requires_grad_()
    units = torch.tensor([[dt / net.config.dt_nominal_s]], dtype=torch.float64)
    output, after, tau = net.core(u, torch.tensor(state).double()[None], units)
    row = torch.cat([output * net.command_scale + net.command_offset, after, tau], dim=1)[0]
    grad = torch.zeros_like(u)
    if row[target].requires_grad:
        grad = torch.autograd.grad(row[target], u, allow_unused=True)[0]
    return np.zeros(u.shape[1]) if grad is None else grad[0].detach().numpy()


def test_the_gradient_is_that_of_autograd_for_every_kind(every_kind, tmp_path):
    net, attention = made(tmp_path, every_kind)
    image, imu, state = sample(net)
    names = attention.targets
    for target in (0, 1, 2, 1 + net.state_size, 2 + net.state_size):
        found = attention.gradient(image, state, 0.05, target=names[target], imu=imu).gradient
        expected = autograd(net, image, imu, state, target=target, dt=0.05)
        np.testing.assert_allclose(found, expected, rtol=2e-3,
                                   atol=2e-5 * max(np.abs(expected).max(), 1e-3))


def test_the_gradient_is_that_of_finite_differences(tmp_path):
    net, attention = made(tmp_path, {'kind': 'ltc'})
    image, imu, state = sample(net)
    core = LiquidCore.load(tmp_path)
    u, small = np.concatenate([attention.features(image), imu]).astype(float), 1e-5
    found = attention.gradient(image, state, 1 / 30, target='speed', imu=imu).gradient
    each = np.eye(len(u)) * small
    slopes = [(core.step(u + e, state, 1 / 30)[0][1] - core.step(u - e, state, 1 / 30)[0][1])
              / (2 * small) for e in each]
    np.testing.assert_allclose(found, slopes, rtol=2e-3, atol=1e-6)


def test_evidence_is_gradient_times_activation(tmp_path):
    net, attention = made(tmp_path, {'kind': 'ltc'})
    image, imu, state = sample(net)
    found = attention.gradient(image, state, 1 / 30, target='curvature', imu=imu)
    maps = maps_of(net, image)
    weight = net.head.map_weight.detach().double().numpy()
    last, grad = maps[-1][0].detach().numpy(), found.gradient[:32].reshape(8, 4)
    share = np.zeros_like(last)
    for c in range(8):                                         # the definition, place by place
        for p in range(last[c].size):
            place = np.unravel_index(p, last[c].shape)
            share[(c, *place)] = last[(c, *place)] * float(weight[c, p] @ grad[c])
    for sign, plane in zip((1, -1), found.planes, strict=True):
        start = torch.tensor(np.maximum(sign * share, 0.0).sum(0))[None, None]
        expected = to_image(net, start, maps)
        np.testing.assert_allclose(plane, expected, rtol=2e-3, atol=2e-4 * expected.max())
    np.testing.assert_allclose(found.values, found.planes.sum(0))


def test_evidence_of_points_is_gradient_times_activation(tmp_path):
    net, attention = made(tmp_path, {'kind': 'ltc', 'head': POINTS})
    image, imu, state = sample(net)
    found = attention.gradient(image, state, 1 / 30, target='curvature', imu=imu)
    maps = maps_of(net, image)
    last = maps[-1].detach().requires_grad_()
    net.head.points.double()(last).backward(torch.tensor(found.gradient[:32]).double()[None])
    share = (last.grad * last).detach()[0]
    for sign, plane in zip((1, -1), found.planes, strict=True):
        expected = to_image(net, (sign * share).relu().sum(0)[None, None], maps)
        np.testing.assert_allclose(plane, expected, rtol=2e-3, atol=2e-4 * expected.max())


def shape_of(found):
    """Return a map by its maximum, whatever its note says: an untrained net moves little."""
    return found.values / found.values.max()


def test_control_recurrent_weights_move_the_gradient_map_alone(tmp_path):
    net, attention = made(tmp_path / 'a', {'kind': 'ltc'})
    image, imu, state = sample(net)
    with torch.no_grad():
        for parameter in net.core.parameters():
            parameter.copy_(parameter[torch.randperm(len(parameter))])
    other = exported(net, tmp_path / 'b')
    np.testing.assert_array_equal(other.visual_backprop(image).values,
                                  attention.visual_backprop(image).values)
    ours, theirs = (shape_of(a.gradient(image, state, 1 / 30, target='curvature', imu=imu))
                    for a in (attention, other))
    assert np.abs(ours - theirs).max() > 0.05


def test_control_conv_weights_move_both_maps(tmp_path):
    net, attention = made(tmp_path / 'a', {'kind': 'ltc'})
    image, imu, state = sample(net)
    with torch.no_grad():
        for conv in net.head.convs:
            conv.weight.copy_(torch.randn_like(conv.weight) * conv.weight.std())
    other = exported(net, tmp_path / 'b')
    for make in (lambda a: a.visual_backprop(image),
                 lambda a: a.gradient(image, state, 1 / 30, target='curvature', imu=imu)):
        assert np.abs(shape_of(make(attention)) - shape_of(make(other))).max() > 0.05


def test_dead_layers_and_saturated_gates_are_said_not_stretched(tmp_path):
    net, _ = made(tmp_path / 'a', {'kind': 'ltc'})
    image, imu, state = sample(net)
    with torch.no_grad():
        net.core.sensory_mu.fill_(1e4)                         # every sensory gate shut
    shut = exported(net, tmp_path / 'b').gradient(image, state, 1 / 30, target='curvature',
                                                  imu=imu)
    assert 'no sensitivity' in shut.note
    assert not shut.scaled().any()
    with torch.no_grad():
        net.head.convs[-1].bias.fill_(-1e6)                    # the last layer is dead
    dead = exported(net, tmp_path / 'c').visual_backprop(image)
    assert 'no saliency' in dead.note
    assert not dead.scaled().any()


def test_attaching_touches_nothing_else(tmp_path):
    _, before = made(tmp_path, {'kind': 'ltc'})
    kept = {n: (tmp_path / n).read_bytes() for n in ('policy.onnx', 'weights.safetensors')}
    graph = (tmp_path / 'attention.onnx').read_bytes()
    (tmp_path / 'attention.onnx').unlink()
    write_spec(tmp_path, before.spec)
    with pytest.raises(ModelError, match='ltc explain attach'):
        Attention(tmp_path)
    assert replace(attach_attention(tmp_path), training={}) == replace(before.spec, training={})
    assert (tmp_path / 'attention.onnx').read_bytes() == graph
    assert {n: (tmp_path / n).read_bytes() for n in kept} == kept
    assert load_spec(tmp_path).digest == before.spec.digest
