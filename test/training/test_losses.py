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
"""The loss and R² against plain loops and closed forms."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.training.config import LossConfig
from ltc_control.training.losses import command_loss, r_squared
import numpy as np
import pytest
import torch

CONFIG = LossConfig(curvature=1.5, speed=0.25, curve_weight=0.7, slow_weight=0.6,
                    fast_speed=5.0, heaviest=3.0)
SCALE = (0.05, 4.0)


def naive_loss(commands: np.ndarray, labels: np.ndarray, mask: np.ndarray,
               config: LossConfig) -> float:
    """Return the mean over labelled steps of what one step costs, one step at a time."""
    costs = []
    for place in np.ndindex(mask.shape):
        if mask[place]:
            bend = (commands[place][0] - labels[place][0]) / SCALE[0]
            haste = (commands[place][1] - labels[place][1]) / SCALE[1]
            weight = min(math.exp(config.curve_weight * abs(labels[place][0]) / SCALE[0]),
                         config.heaviest)
            slow = max(0.0, config.fast_speed - labels[place][1]) / SCALE[1]
            slow_weight = min(math.exp(config.slow_weight * slow), config.heaviest)
            costs.append(config.curvature * weight * bend ** 2
                         + config.speed * slow_weight * haste ** 2)
    return sum(costs) / len(costs) if costs else 0.0


def loss_of(commands: np.ndarray, labels: np.ndarray, mask: np.ndarray) -> torch.Tensor:
    return command_loss(torch.tensor(commands), torch.tensor(labels), torch.tensor(mask),
                        scale=torch.tensor(SCALE, dtype=torch.float64), config=CONFIG)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 4))
def test_loss_is_what_plain_loops_say(seed: int, steps: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.normal(size=(steps, rows, 2)) * SCALE * 2
    commands = labels + rng.normal(size=labels.shape) * SCALE
    mask = rng.random((steps, rows)) < 0.6
    found = float(loss_of(commands, labels, mask))
    assert found == pytest.approx(naive_loss(commands, labels, mask, CONFIG), rel=1e-9)


def test_near_the_stand_off_the_forward_error_weighs_more() -> None:
    # scale 2, 1 and 0.6; labels forward, left, yaw rate; errors of 0.2 m/s forward
    scale, config = torch.tensor([2.0, 1.0, 0.6]), LossConfig(weights=(1.0,) * 3, hover_weight=3.0)
    costs = {}
    for name, label in {'stands': (0.0, 0.0, 0.1), 'backs off': (-0.5, 0.0, 0.0),
                        'searches': (0.0, 0.0, 0.8), 'flies': (3.0, 0.0, 0.0)}.items():
        labels = torch.tensor(label).view(1, 1, 3)
        commands = labels + torch.tensor([0.2, 0.0, 0.0])
        costs[name] = float(command_loss(commands, labels, torch.ones(1, 1), scale=scale,
                                         config=config))
    error = 0.1 ** 2
    assert costs == pytest.approx({'stands': 4 * error, 'backs off': (1 + 3 / math.e) * error,
                                   'searches': error, 'flies': error}, rel=1e-4)


@pytest.mark.parametrize('slow_weight', [0.0, 0.8])
def test_with_weights_all_errors_of_a_slow_frame_weigh_more(slow_weight: float) -> None:
    rng = np.random.default_rng(4)
    scale, weights = np.array([2.0, 0.3, 0.6]), np.array([1.0, 0.5, 3.0])
    labels = rng.normal(size=(5, 3, 3)) * scale
    commands, mask = labels + rng.normal(size=labels.shape) * scale, rng.random((5, 3)) < 0.7
    config = LossConfig(weights=tuple(weights), slow_weight=slow_weight, fast_speed=2.0,
                        heaviest=2.5)
    costs = []
    for place in np.ndindex(mask.shape):
        if mask[place]:
            slow = min(math.exp(slow_weight * max(0.0, 2.0 - labels[place][0]) / 2.0), 2.5)
            error = (commands[place] - labels[place]) / scale
            costs.append(slow * float(weights @ error ** 2))
    found = command_loss(torch.tensor(commands), torch.tensor(labels), torch.tensor(mask),
                         scale=torch.tensor(scale), config=config)
    assert float(found) == pytest.approx(sum(costs) / len(costs), rel=1e-9)


def test_what_has_no_label_costs_nothing_and_pulls_nowhere() -> None:
    commands = torch.ones(3, 2, 2, requires_grad=True)
    loss = command_loss(commands, torch.zeros(3, 2, 2), torch.zeros(3, 2, dtype=torch.bool),
                        scale=torch.tensor(SCALE), config=CONFIG)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert torch.count_nonzero(commands.grad) == 0


def test_one_step_by_hand() -> None:
    # error of one scale each at a straight: 1.5 x 1 x 1 + 0.25 x 1
    labels = np.zeros((1, 1, 2))
    labels[0, 0, 1] = CONFIG.fast_speed                    # as fast as it goes: no extra weight
    found = loss_of(labels + SCALE, labels, np.ones((1, 1), bool))
    assert float(found) == pytest.approx(1.75)
    # the same error in a curve of two scales, whose weight exp(1.4) is capped at 3
    labels[0, 0, 0] = 2 * SCALE[0]
    found = loss_of(labels + SCALE, labels, np.ones((1, 1), bool))
    assert float(found) == pytest.approx(1.5 * 3.0 + 0.25)
    # and where the label is one scale of speed slower, the speed error weighs exp(0.6)
    labels[0, 0, 1] -= SCALE[1]
    found = loss_of(labels + SCALE, labels, np.ones((1, 1), bool))
    assert float(found) == pytest.approx(1.5 * 3.0 + 0.25 * math.exp(0.6))


def test_r_squared_in_closed_form() -> None:
    labels = np.array([[1.0, -2.0], [2.0, 0.0], [3.0, 2.0], [6.0, 4.0]])
    spread = np.array([14.0, 20.0])                      # of deviations -2 -1 0 3 and -3 -1 1 3
    assert r_squared(labels, labels) == [1.0, 1.0]
    mean = np.broadcast_to(labels.mean(axis=0), labels.shape)
    assert r_squared(mean, labels) == pytest.approx([0.0, 0.0])
    shifted = labels + [0.5, -1.0]                       # 4 c² of residual
    assert r_squared(shifted, labels) == pytest.approx(1 - np.array([1.0, 4.0]) / spread)


def test_r_squared_is_the_square_of_the_correlation_for_a_straight_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = 0.7 * x + rng.normal(size=200)
    slope, start = np.polyfit(x, y, 1)
    found = r_squared((slope * x + start)[:, None], y[:, None])[0]
    assert found == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)


def test_nothing_can_be_explained_where_nothing_varies() -> None:
    labels = np.array([[0.1, 8.0], [0.2, 8.0]])
    curvature, speed = r_squared(labels, labels)
    assert curvature == 1.0
    assert math.isnan(speed)
