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
"""The numpy core of the shipped model: equal to its graph, exactly additive, cuttable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import shutil

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.contracts import Frame, ImuWindow
from ltc_control.core.engine import Engine
from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, write_spec
from ltc_control.core.policy import Policy
from ltc_control.insight.liquid import LiquidCore
from ltc_control.insight.liquid_engine import LiquidEngine
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
NO_IMU = np.empty(0, np.float32)
SCALE = np.array([0.05, 4.0])                  # of curvature [1/m] and speed [m/s]


@pytest.fixture(scope='module')
def core() -> LiquidCore:
    return LiquidCore.load(MODEL)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 66, 200, 3), dtype=np.uint8)


def test_it_is_the_graph_of_the_policy_over_1000_steps() -> None:
    graph, ours = Engine(MODEL), LiquidEngine(MODEL)
    a, b = graph.zero_state(), ours.zero_state()
    rng, images, worst = np.random.default_rng(1), pictures(20), 0.0
    for step in range(1000):
        dt = float(np.exp(rng.uniform(np.log(1e-3), np.log(0.5))))
        image = images[step % 20]
        y, a, tau = graph.step(image, NO_IMU, a, dt)
        y2, b, tau2 = ours.step(image, NO_IMU, b, dt)
        worst = max(worst, np.abs((y - y2) / SCALE).max(), np.abs(a - b).max(),
                    np.abs(tau2 / tau - 1.0).max())
    assert worst <= 5e-6


def loops(core: LiquidCore, features: np.ndarray, state: np.ndarray, units: float) -> np.ndarray:
    """Return the new state by plain loops over sub-steps, neurons and synapses."""
    u = core.input_map[0] * features + core.input_map[1]
    x = np.array(state)
    for _ in range(core.unfolds):
        up, down = core.gleak * core.vleak, core.gleak + 1e-8
        for synapses, values in ((core.inner, x), (core.outer, u)):
            for j, i, w, mu, sigma, erev in zip(*synapses, strict=True):
                g = w / (1.0 + np.exp(-sigma * (values[j] - mu)))
                up[i] += g * erev
                down[i] += g
        rate = core.cm * core.unfolds / units
        x = (rate * x + up) / (rate + down)
    return x


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 0.5))
def test_the_flow_is_exact_and_its_weights_are_shares(seed: int, dt: float) -> None:
    core, rng = LiquidCore.load(MODEL), np.random.default_rng(seed)
    features, state = 2.0 * rng.normal(size=32), rng.uniform(-1.5, 1.5, 19)
    flow, (command, after, _) = core.flow(features, state, dt), core.step(features, state, dt)
    np.testing.assert_allclose(flow.sums(), after, rtol=0, atol=1e-12)
    np.testing.assert_allclose(flow.state, after, rtol=0, atol=1e-12)
    np.testing.assert_allclose(flow.command, command, rtol=0, atol=1e-12)
    np.testing.assert_allclose(after, loops(core, features, state, dt * 30), rtol=0, atol=1e-12)
    for name, value in zip(core.names, after, strict=True):
        parts = flow.parts(name)
        assert [part.source for part in parts[:2]] == ['memory', 'leak']
        assert sum(part.value for part in parts) == pytest.approx(value, abs=1e-12)
        assert sum(part.weight for part in parts) == pytest.approx(1.0, abs=1e-6)
        assert min(part.weight for part in parts) >= 0.0


def test_following_the_largest_synapse_ends_at_the_image(core: LiquidCore) -> None:
    rng = np.random.default_rng(5)
    flow = core.flow(2.0 * rng.normal(size=32), rng.uniform(-1, 1, 19), 1 / 30)
    chain = flow.upstream('motor_0')
    assert chain[0] == flow.largest('motor_0', 1)[0]
    assert [part.target for part in chain[1:]] == [part.source for part in chain[:-1]]
    assert chain[-1].source.startswith('feature_')


def test_a_cut_takes_every_synapse_that_leaves(core: LiquidCore) -> None:
    rng = np.random.default_rng(2)
    features, state = rng.normal(size=32), rng.uniform(-1, 1, 19)
    gone = core.index('command_3')
    silent = replace(core, inner=core.inner._replace(
        w=np.where(core.inner.source == gone, 0.0, core.inner.w)))
    for ours, expected in zip(core.step(features, state, 1 / 30, cut=['command_3']),
                              silent.step(features, state, 1 / 30), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-14)
    flow = core.flow(features, state, 1 / 30, cut=['command_3'])
    assert not [p for name in core.names for p in flow.parts(name) if p.source == 'command_3']
    np.testing.assert_allclose(flow.sums(), flow.state, rtol=0, atol=1e-12)
    assert np.abs(core.step(features, state, 1 / 30)[1] - flow.state).max() > 1e-3


def test_control_a_cut_motor_neuron_changes_nothing(core: LiquidCore) -> None:
    assert core.names[:2] == ('motor_0', 'motor_1')
    rng, states = np.random.default_rng(3), [core.zero_state(), core.zero_state()]
    for _ in range(50):
        features = rng.normal(size=32)
        whole, cut = (core.step(features, state, 1 / 30, cut=lesion)
                      for state, lesion in zip(states, ((), ('motor_0', 'motor_1')), strict=True))
        for a, b in zip(whole, cut, strict=True):
            np.testing.assert_array_equal(a, b)
        states = [whole[1], cut[1]]


def test_every_lesion_stays_in_the_envelope(core: LiquidCore) -> None:
    low, high = np.array(core.spec.envelope_low), np.array(core.spec.envelope_high)
    rng = np.random.default_rng(4)
    for name in core.names:
        step, state = core.stepper([name]), core.zero_state()
        for _ in range(40):
            _, state, _ = step(20.0 * rng.normal(size=32), state, 0.1)
            assert (state >= low - 1e-5).all()
            assert (state <= high + 1e-5).all()


def test_a_policy_drives_with_a_lesion() -> None:
    whole, cut = Policy(LiquidEngine(MODEL)), Policy(LiquidEngine(MODEL, cut=['command_0']))
    plain = Policy(Engine(MODEL))
    for index, rgb in enumerate(pictures(5)):
        frame = Frame(index * 33_333_333, rgb)
        a, b, c = (policy.step(frame, ImuWindow.empty()) for policy in (whole, plain, cut))
        assert a.valid
        assert c.valid
        np.testing.assert_allclose(a.state, b.state, atol=5e-6)
    assert abs(c.command.curvature - a.command.curvature) > 1e-4


def test_control_the_same_input_gives_the_same_bytes(core: LiquidCore) -> None:
    rng = np.random.default_rng(6)
    features, state = rng.normal(size=32), rng.uniform(-1, 1, 19)
    one, two = (LiquidCore.load(MODEL).flow(features, state, 0.03) for _ in range(2))
    for a, b in zip(one.weights + (one.state,), two.weights + (two.state,), strict=True):
        assert a.tobytes() == b.tobytes()


def test_what_cannot_be_looked_into_is_said(core: LiquidCore, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no neuron 'inter_77'"):
        core.step(np.zeros(32), core.zero_state(), 0.03, cut=['inter_77'])
    with pytest.raises(ModelError, match=r'takes \(32,\) features'):
        core.step(np.zeros(31), core.zero_state(), 0.03)
    folder = tmp_path / 'car'
    shutil.copytree(MODEL, folder)
    (folder / 'weights.safetensors').unlink()
    write_spec(folder, replace(load_spec(MODEL), files={}))
    with pytest.raises(ModelError, match=r'weights\.safetensors is missing'):
        LiquidCore.load(folder)
