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
"""Exported folders: graph and torch agree over 1,000 steps of varying dt, the file says it all."""

from dataclasses import replace

from ltc_control.core.engine import Engine
from ltc_control.core.errors import ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, load_spec
from ltc_control.nets.conv_head import HeadConfig
from ltc_control.nets.export import export_policy
from ltc_control.nets.policy_net import build_policy, load_policy
from ltc_control.nets.wiring import Wiring
import numpy as np
import onnx
import pytest
import torch

SMALL = HeadConfig(30, 60, (8, 16, 8), (5, 5, 3), (2, 2, 1))
FEATURES = ('gyro_x', 'gyro_y', 'gyro_z', 'accel_x', 'accel_y', 'accel_z')
COMMANDS = (CommandSpec('curvature', '1/m', -0.1, 0.1), CommandSpec('speed', 'm/s', 0.0, 12.0))


def _export(folder, options, **overrides):
    torch.manual_seed(11)
    net = build_policy({'imu_features': 6, 'cm_init': (0.5, 50.0), **options})
    if hasattr(net.core, 'input_w'):
        with torch.no_grad():                              # so that folding has work to do
            for name in ('input_w', 'input_b', 'output_w', 'output_b'):
                getattr(net.core, name).add_(0.3 * torch.randn_like(getattr(net.core, name)))
    head = net.config.head_config
    features = FEATURES[:net.config.imu_features]
    arguments = {'name': 'test', 'image': ImageSpec(head.height, head.width),
                 'imu': ImuSpec(features=features, scales=(1.0,) * len(features)),
                 'commands': COMMANDS, 'longest_step_s': 1.0, **overrides}
    return net, export_policy(net, folder, **arguments)


def _drive(net, engine, steps):
    """Return the largest difference of command and state over a closed chain of steps."""
    rng = np.random.default_rng(0)
    head, features = net.config.head_config, net.config.imu_features
    ours, theirs = engine.zero_state(), net.initial_state(1)
    worst_command = worst_state = 0.0
    for step in range(steps):
        image = rng.integers(0, 256, (head.height, head.width, 3), dtype=np.uint8)
        if step % 7 == 0:
            image[:] = step % 256                          # a flat image, black among them
        imu = rng.normal(size=features).astype(np.float32)
        dt = float(np.exp(rng.uniform(np.log(1e-3), 0.0)))
        command, ours, _ = engine.step(image, imu, ours, dt)
        with torch.no_grad():
            expected, theirs, _ = net.step(
                torch.tensor(image)[None], torch.tensor(imu)[None] if features else None, theirs,
                torch.tensor([dt]))
        scaled = (command - expected[0].numpy()) / net.command_scale.numpy()
        worst_command = max(worst_command, float(np.abs(scaled).max()))
        worst_state = max(worst_state, float(np.abs(ours - theirs[0].numpy()).max()))
    return worst_command, worst_state


@pytest.mark.parametrize('options', [
    {'kind': 'ltc'}, {'kind': 'ltc', 'head': 'paper', 'imu_features': 0},
    {'kind': 'ltc', 'head': replace(SMALL, readout='points')}],
    ids=['hardware', 'paper', 'points'])
def test_graph_equals_torch_over_1000_steps(options, tmp_path):
    net, _ = _export(tmp_path, options)
    # the paper head has nine times the arithmetic: fewer steps, the recurrence is the same
    steps = 150 if options.get('head') == 'paper' else 1000
    command, state = _drive(net, Engine(tmp_path), steps)
    assert command <= 5e-6
    assert state <= 5e-6


def test_every_kind_exports(every_kind, tmp_path):
    net, spec = _export(tmp_path, {'head': SMALL, **every_kind})
    command, state = _drive(net, Engine(tmp_path), 150)
    assert max(command, state) <= 1e-5
    assert load_spec(tmp_path) == spec
    assert spec.neurons == net.state_size


def test_tau_and_dt_are_in_their_units(tmp_path):
    net, spec = _export(tmp_path, {'head': SMALL, 'dt_nominal_s': 0.05})
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (30, 60, 3), dtype=np.uint8)
    for dt in (1e-3, 0.05, 0.9):
        command, state, tau = Engine(spec).step(image, np.zeros(6, np.float32),
                                                np.zeros(19, np.float32), dt)
        expected = net.step(torch.tensor(image)[None], torch.zeros(1, 6),
                            net.initial_state(1), torch.tensor([dt]))
        np.testing.assert_allclose(command, expected[0][0].detach().numpy(), atol=2e-5)
        np.testing.assert_allclose(state, expected[1][0].detach().numpy(), atol=5e-6)
        np.testing.assert_allclose(tau, expected[2][0].detach().numpy() * 0.05, rtol=2e-5)


def test_the_liquid_step_stays_at_a_few_nodes(tmp_path):
    _export(tmp_path, {})
    nodes = onnx.load(tmp_path / 'policy.onnx').graph.node
    assert len(nodes) <= 90


def test_the_folder_says_what_a_robot_must_know(tmp_path):
    net, spec = _export(tmp_path, {'head': SMALL}, training={'seed': 3})
    assert spec.roles == {'inter': 11, 'command': 6, 'motor': 2}
    assert spec.parameters == net.parameter_counts()
    assert spec.synapses == net.synapses()
    assert spec.training == {'seed': 3}
    assert Wiring.from_dict(load_spec(tmp_path).wiring) == net.wiring
    assert set(spec.files) == {'policy.onnx', 'attention.onnx', 'weights.safetensors'}
    low, high = net.core.envelope()
    assert spec.envelope_low == tuple(low.tolist())
    assert spec.envelope_high == tuple(high.tolist())


def test_the_weights_train_on(tmp_path):
    net, _ = _export(tmp_path, {'head': SMALL})
    again = load_policy(tmp_path / 'weights.safetensors')
    for ours, theirs in zip(net.parameters(), again.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(('kind', 'options', 'bounded'), [
    ('ltc', {}, True), ('ltc', {'solver': 'euler'}, False), ('cfc', {}, True),
    ('cfc', {'mode': 'pure'}, False), ('mixed_ltc', {}, True), ('lstm', {}, False),
    ('cnn', {}, True)])
def test_envelope_where_there_is_one(kind, options, bounded, tmp_path):
    _, spec = _export(tmp_path, {'kind': kind, 'head': SMALL, **options})
    assert (spec.envelope_low is not None) == bounded
    if bounded:
        assert np.isfinite(spec.envelope_low + spec.envelope_high).all()


@pytest.mark.parametrize(('overrides', 'message'), [
    ({'image': ImageSpec(66, 200)}, 'image size'),
    ({'imu': ImuSpec(features=('gyro_z',), scales=(1.0,))}, 'IMU features'),
    ({'commands': COMMANDS[:1]}, 'number of commands')])
def test_a_specification_that_does_not_fit_is_refused(overrides, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        _export(tmp_path, {'head': SMALL}, **overrides)
