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
"""Attention maps of the shipped model: what they depend on, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import shutil

import cv2
from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, write_spec
from ltc_control.insight.attention import Attention
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'


@pytest.fixture(scope='module')
def attention() -> Attention:
    return Attention(MODEL)


def road() -> np.ndarray:
    """Return a grey road with white edges that bends to the left, under a blue sky."""
    image = np.full((66, 200, 3), (80, 140, 70), np.uint8)
    image[:22] = (150, 190, 230)
    for row in range(22, 66):
        near = (row - 22) / 44
        middle, half = 100 - 40 * (1 - near)**2, 6 + 90 * near
        left, right = int(max(middle - half, 0)), int(min(middle + half, 199))
        image[row, left:right] = (80, 82, 86)
        image[row, max(left - 2, 0):left + 2] = image[row, right - 2:right + 1] = 235
    return cv2.GaussianBlur(image, (3, 3), 0)


def test_control_same_image_two_states(attention: Attention) -> None:
    image, rng = road(), np.random.default_rng(0)
    states = rng.uniform(-0.8, 0.8, (2, 19)).astype(np.float32)
    one, two = (attention.gradient(image, state, 1 / 30, target='curvature') for state in states)
    assert np.abs(one.values - two.values).max() > 1e-3 * one.values.max()
    backprop = [attention.visual_backprop(image).values for _ in states]
    np.testing.assert_array_equal(*backprop)


def test_control_the_same_input_gives_the_same_bytes(attention: Attention) -> None:
    state, again = np.full(19, 0.1, np.float32), Attention(MODEL)
    for make in (lambda a: a.visual_backprop(road()),
                 lambda a: a.gradient(road(), state, 1 / 30, target='speed')):
        assert make(attention).values.tobytes() == make(again).values.tobytes()


def test_every_target_has_a_map_and_the_planes_add_up(attention: Attention) -> None:
    assert attention.targets[:4] == ('curvature', 'speed', 'motor_0', 'motor_1')
    assert len(attention.targets) == 2 + 19 + 19
    state = np.full(19, 0.1, np.float32)
    for target in attention.targets:
        found = attention.gradient(road(), state, 1 / 30, target=target)
        assert found.values.shape == (66, 200)
        assert (found.planes >= 0.0).all()
        np.testing.assert_allclose(found.values, found.planes.sum(0), rtol=1e-6)
        assert found.note or found.scaled().max() == 1.0
    # y = o x + c: the map of a command is that of its motor neuron times o
    command, motor = (attention.gradient(road(), state, 1 / 30, target=name).gradient
                      for name in ('curvature', 'motor_0'))
    ratio = command / motor
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)


def test_a_flat_image_has_no_saliency_to_stretch(attention: Attention) -> None:
    found = attention.visual_backprop(np.full((66, 200, 3), 90, np.uint8))
    assert np.isfinite(found.scaled()).all()
    assert found.scaled().max() in (0.0, 1.0)


def test_wrong_input_is_said(attention: Attention, tmp_path: Path) -> None:
    state = np.zeros(19, np.float32)
    with pytest.raises(ConfigError, match="no target 'left'"):
        attention.gradient(road(), state, 1 / 30, target='left')
    with pytest.raises(ModelError, match='prepare it'):
        attention.visual_backprop(road()[::2])
    with pytest.raises(ModelError, match='19 neurons'):
        attention.gradient(road(), state[:4], 1 / 30, target='speed')
    folder = tmp_path / 'car'
    shutil.copytree(MODEL, folder)
    (folder / 'attention.onnx').unlink()
    with pytest.raises(ModelError, match=r'attention\.onnx is missing'):
        Attention(folder)                      # a listed file that is gone
    write_spec(folder, replace(load_spec(MODEL), files={}))
    with pytest.raises(ModelError, match='ltc explain attach'):
        Attention(folder)
    shutil.copy(MODEL / 'policy.onnx', folder / 'attention.onnx')
    write_spec(folder, replace(load_spec(folder), files={}))
    with pytest.raises(ModelError, match='make it anew'):
        Attention(folder)
