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
"""The engine does the graph's arithmetic, keeps nothing, and refuses a graph of another model."""

from __future__ import annotations

import dataclasses

from ltc_control.core.engine import Engine, SHORTEST_STEP_S
from ltc_control.core.errors import ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import load_spec, write_spec
import numpy as np
import pytest

DT = 0.04


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 256, (4, 6, 3), np.uint8), rng.normal(size=2).astype(np.float32),
            rng.normal(size=3).astype(np.float32))


def test_steps_equal_plain_numpy_over_varying_dt(tiny_model):
    engine = Engine(tiny_model())
    state = theirs = engine.zero_state()
    rng = np.random.default_rng(1)
    for k in range(200):
        image, imu, _ = inputs(k)
        dt = float(rng.uniform(0.001, 0.5))
        command, state, tau = engine.step(image, imu, state, dt)
        expected, theirs, taus = tiny_model.reference(image, imu, theirs, dt / DT)
        assert (command.shape, state.shape, tau.shape) == ((2,), (3,), (3,))
        assert state.dtype == np.float32
        np.testing.assert_allclose(command, expected, atol=1e-4)
        np.testing.assert_allclose(state, theirs, atol=1e-4)
        np.testing.assert_allclose(tau, taus, atol=1e-5)         # seconds


@pytest.mark.parametrize(('dt', 'taken'), [
    (0.0, SHORTEST_STEP_S), (-1.0, SHORTEST_STEP_S), (float('nan'), SHORTEST_STEP_S),
    (1e-9, SHORTEST_STEP_S), (0.5, 0.5), (0.6, 0.5), (float('inf'), 0.5),
])
def test_dt_is_clamped(tiny_model, dt, taken):
    engine = Engine(tiny_model())
    _, found, _ = engine.step(*inputs(), dt)
    _, expected, _ = tiny_model.reference(*inputs(), taken / DT)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_step_keeps_nothing_and_shares_nothing(tiny_model):
    engine = Engine(tiny_model())
    image, imu, state = inputs()
    originals = [x.copy() for x in (image, imu, state)]
    first = engine.step(image, imu, state, DT)
    kept = [x.copy() for x in first]
    engine.step(*inputs(9), 0.3)
    for mine, copied in zip(first, kept, strict=True):
        assert np.array_equal(mine, copied)
        assert not any(np.shares_memory(mine, x) for x in (image, imu, state))
    again = engine.step(image, imu, state, DT)
    assert all(np.array_equal(a, b) for a, b in zip(again, kept, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip((image, imu, state), originals, strict=True))


def test_without_imu_the_graph_has_no_such_input(tiny_model):
    engine = Engine(load_spec(tiny_model(imu=ImuSpec())))
    image, _, state = inputs()
    _, found, _ = engine.step(image, np.zeros(0, np.float32), state, DT)
    _, expected, _ = tiny_model.reference(image, np.zeros(0), state, 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(('place', 'value', 'words'), [
    (0, np.zeros((5, 6, 3), np.uint8), ['image', '(5, 6, 3)', '(4, 6, 3)']),
    (0, np.zeros((4, 6, 3), np.float32), ['float32', 'uint8']),
    (1, np.zeros(3, np.float32), ['imu', '(3,)', '(2,)']),
    (1, np.zeros(2), ['imu', 'float64']),
    (2, np.zeros((1, 3), np.float32), ['state', '(1, 3)', '(3,)']),
])
def test_inputs_of_another_shape_or_type_are_refused(tiny_model, place, value, words):
    arguments = list(inputs())
    arguments[place] = value
    with pytest.raises(ModelError) as caught:
        Engine(tiny_model()).step(*arguments, DT)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(('change', 'words'), [
    ({'image': ImageSpec(5, 6)}, ['input', '(4, 6, 3)', '(5, 6, 3)']),
    ({'imu': ImuSpec(('gyro_z',), (1.0,))}, ['input', "'imu': ('float32', (2,))", '(1,)']),
    ({'imu': ImuSpec()}, ['input', 'imu']),
    ({'neurons': 2, 'envelope_low': None, 'envelope_high': None}, ['(3,)', '(2,)']),
])
def test_a_graph_of_another_model_is_refused(tiny_model, change, words):
    folder = tiny_model(graph_of=tiny_model.spec(), **change)
    with pytest.raises(ModelError) as caught:
        Engine(folder)
    assert all(word in str(caught.value) for word in words)


def test_another_number_of_commands_is_refused(tiny_model):
    spec = tiny_model.spec()
    with pytest.raises(ModelError, match='output'):
        Engine(tiny_model(commands=spec.commands[:1]))


def test_a_file_that_is_no_graph_is_refused_although_its_hash_is_right(tiny_model):
    folder = tiny_model()
    (folder / 'policy.onnx').write_bytes(b'not a graph')
    write_spec(folder, tiny_model.spec())
    with pytest.raises(ModelError, match='does not load'):
        Engine(folder)


def test_a_spec_without_folder_is_refused(tiny_model):
    with pytest.raises(ModelError, match='no folder'):
        Engine(dataclasses.replace(tiny_model.spec(), folder=None))
