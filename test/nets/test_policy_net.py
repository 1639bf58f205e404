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
"""Whole policies of every kind: online equals offline, resets, units of time, files."""

import json

from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.nets.conv_head import HeadConfig
from ltc_control.nets.policy_net import build_policy, KINDS, load_policy, PolicyConfig, save_policy
import pytest
import torch

SMALL = HeadConfig(30, 60, (8, 16, 8), (5, 5, 3), (2, 2, 1))
T, B, F = 4, 3, 6


def _policy(kind, **options):
    return build_policy(PolicyConfig(kind=kind, head=SMALL, imu_features=F, **options))


def _data():
    images = torch.randint(0, 256, (T, B, 30, 60, 3), dtype=torch.uint8)
    return images, torch.randn(T, B, F), torch.rand(T, B) * 0.1 + 0.005


@pytest.mark.parametrize('kind', KINDS)
def test_online_equals_offline(kind):
    net = _policy(kind, cm_init=(0.5, 50.0))
    images, imu, dt = _data()
    reset = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=torch.bool)
    state = torch.rand(B, net.state_size)
    if kind == 'cnn':
        state = net.initial_state(B)
    commands, last = net(images, imu, state, dt, reset)
    assert commands.shape == (T, B, 2)
    for t in range(T):
        state = torch.where(reset[t, :, None], 0.0, state)
        command, state, tau = net.step(images[t], imu[t], state, dt[t])
        torch.testing.assert_close(commands[t], command, atol=2e-6, rtol=1e-5)
        assert tau.shape == state.shape
        assert (tau >= 0).all()
    torch.testing.assert_close(last, state, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize('kind', KINDS)
def test_every_effective_parameter_learns(kind):
    net = _policy(kind, wiring='drive19')
    images, imu, dt = _data()
    commands, _ = net(images, imu, net.initial_state(B), dt)
    (commands * torch.randn_like(commands)).sum().backward()
    silent = [name for name, p in net.named_parameters()
              if p.grad is None or p.grad.abs().max() == 0]
    assert silent == []


def test_dt_is_in_seconds():
    net = _policy('ltc', dt_nominal_s=0.05)
    images, imu, _ = _data()
    state = torch.rand(B, 19)
    features = torch.cat([net.encode(images[0]), imu[0]], dim=-1)
    _, direct, _ = net.core(features, state, torch.full((B, 1), 2.0))
    _, stepped, _ = net.step(images[0], imu[0], state, torch.full((B,), 0.1))
    torch.testing.assert_close(stepped, direct)


def test_commands_are_in_physical_units():
    net = _policy('cnn', command_scale=(0.05, 4.0), command_offset=(0.0, 8.0))
    with torch.no_grad():
        net.core.readout.weight.zero_()
        net.core.readout.bias.copy_(torch.tensor([2.0, -0.5]))
    images, imu, dt = _data()
    commands, _ = net(images, imu, net.initial_state(B), dt)
    torch.testing.assert_close(commands, torch.tensor([0.1, 6.0]).expand(T, B, 2))


def test_features_may_be_cached_and_images_augmented():
    net = _policy('ltc')
    images, imu, dt = _data()
    commands, last = net(images, imu, net.initial_state(B), dt)
    again, states = net.forward_features(net.encode(images.float()), imu, net.initial_state(B), dt)
    torch.testing.assert_close(again, commands)
    torch.testing.assert_close(states[-1], last)
    planar = images.permute(0, 1, 4, 2, 3).float()
    torch.testing.assert_close(net.encode(planar), net.encode(images))


def test_a_policy_without_imu():
    net = build_policy({'head': SMALL.to_dict()})
    images, _, dt = _data()
    commands, _ = net(images, None, net.initial_state(B), dt)
    assert commands.shape == (T, B, 2)


@pytest.mark.parametrize('kind', KINDS)
def test_file_round_trip(kind, tmp_path):
    net = _policy(kind, cm_init=(0.5, 50.0))
    path = tmp_path / 'weights.safetensors'
    save_policy(net, path)
    again = load_policy(path)
    assert again.config.to_dict() == net.config.to_dict()
    images, imu, dt = _data()
    first, _ = net(images, imu, net.initial_state(B), dt)
    second, _ = again(images, imu, net.initial_state(B), dt)
    assert torch.equal(first, second)


def test_config_is_plain_json():
    config = PolicyConfig(kind='wired_cfc', head='paper', wiring={'kind': 'auto_ncp', 'units': 9,
                                                                  'outputs': 2})
    again = PolicyConfig(**json.loads(json.dumps(config.to_dict())))
    assert again.to_dict() == config.to_dict()
    assert again.head_config == config.head_config


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / 'weights.safetensors'
    with pytest.raises(ModelError, match='cannot load a policy'):
        load_policy(path)
    path.write_bytes(b'not a file of tensors')
    with pytest.raises(ModelError, match='cannot load a policy'):
        load_policy(path)


@pytest.mark.parametrize('kind', KINDS)
def test_counts_add_up(kind):
    net = _policy(kind)
    counts = net.parameter_counts()
    assert counts['head'] == sum(p.numel() for p in net.head.parameters())
    assert counts['total'] == sum(p.numel() for p in net.parameters())
    assert counts['recurrent_effective'] <= counts['recurrent_stored']
    assert sum(net.roles().values()) in (0, 19)


def test_counts_of_the_presets():
    counts = build_policy({'kind': 'ltc', 'imu_features': 6}).parameter_counts()
    assert (counts['recurrent_effective'], counts['recurrent_stored']) == (1085, 4469)
    paper = build_policy({'head': 'paper', 'wiring': 'paper19', 'command_scale': (1.0,),
                          'command_offset': (0.0,)})
    assert paper.parameter_counts() == {'head': 79_420, 'recurrent_effective': 1135,
                                        'recurrent_stored': 3999, 'total': 83_419}
    assert paper.synapses() == {'internal': 61, 'sensory': 192}
    wired = build_policy({'kind': 'wired_cfc', 'recurrence': 'dense'}).parameter_counts()
    assert wired['recurrent_stored'] == 2440 + 4           # reference, and our output map


@pytest.mark.parametrize('kind', ['cnn', 'lstm'])
def test_baselines_have_about_the_budget_of_the_liquid_core(kind):
    liquid = build_policy({'kind': 'ltc', 'imu_features': 6}).parameter_counts()
    other = build_policy({'kind': kind, 'imu_features': 6}).parameter_counts()
    assert other['recurrent_stored'] == pytest.approx(liquid['recurrent_stored'], rel=0.1)


def test_the_frame_net_has_no_memory_and_the_others_have():
    images, imu, dt = _data()
    for kind in KINDS:
        net = _policy(kind)
        state = net.initial_state(B)
        fresh, _, _ = net.step(images[1], imu[1], state, dt[1])
        _, warm, _ = net.step(images[0], imu[0], state, dt[0])
        after, _, _ = net.step(images[1], imu[1], warm, dt[1])
        assert torch.equal(fresh, after) == (kind == 'cnn'), kind


@pytest.mark.parametrize(('options', 'message'), [
    ({'kind': 'transformer'}, 'unknown policy kind'),
    ({'colour': 'red'}, 'do not fit'),
    ({'head': 'big'}, 'unknown head'),
    ({'command_scale': (1.0,)}, 'one entry a command'),
    ({'dt_nominal_s': 0.0}, 'dt_nominal_s'),
    ({'wiring': 'paper19'}, '1 motor neurons for 2 commands'),
])
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        build_policy(options)
