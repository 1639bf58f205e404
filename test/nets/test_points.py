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
"""Maps read as points: against sums written out, against autograd, and through ONNX."""

from __future__ import annotations

import math

from ltc_control.core.errors import ConfigError
from ltc_control.nets.conv_head import ConvHead, HeadConfig
from ltc_control.nets.onnx_graph import Graph
from ltc_control.nets.onnx_points import add_points, points_pull
from ltc_control.nets.points import grid, PointReadout
import numpy as np
import onnxruntime
import pytest
import torch

ROWS, COLUMNS, MAPS = 5, 9, 3


@pytest.fixture
def readout() -> PointReadout:
    torch.manual_seed(3)
    made = PointReadout(MAPS, ROWS, COLUMNS)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.4 * torch.randn_like(parameter))
    return made.requires_grad_(False)


def plain(maps: int = 1) -> PointReadout:
    made = PointReadout(maps, ROWS, COLUMNS).requires_grad_(False)
    made.scale.fill_(1.0)
    return made


def some_maps(batch: int = 2) -> torch.Tensor:
    return 3.0 * torch.randn(batch, MAPS, ROWS, COLUMNS).relu()


def test_features_are_the_sums_of_their_definition(readout: PointReadout) -> None:
    maps = some_maps(1)
    found = readout(maps).view(MAPS, 4)
    for m in range(MAPS):
        values, weights = maps[0, m].tolist(), {}
        for i in range(ROWS):
            for j in range(COLUMNS):
                weights[i, j] = math.exp(float(readout.sharpness[m]) * values[i][j])
        total = sum(weights.values())
        x, y, strength, share = 0.0, 0.0, 0.0, 0.0
        for (i, j), weight in weights.items():
            x += weight / total * (2 * j / (COLUMNS - 1) - 1)
            y += weight / total * (2 * i / (ROWS - 1) - 1)
            strength += weight / total * values[i][j]
            share += values[i][j] / (ROWS * COLUMNS)
        truth = [one * float(s) + float(o) for one, s, o in zip(
            (x, y, strength, share), readout.scale[m], readout.offset[m], strict=True)]
        assert found[m].tolist() == pytest.approx(truth, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(('row', 'column', 'x', 'y'), [
    (0, 0, -1, -1), (4, 8, 1, 1), (2, 4, 0, 0), (0, 6, 0.5, -1)])
def test_a_bright_pixel_is_found_where_it_is(row: int, column: int, x: float, y: float) -> None:
    maps = torch.zeros(1, 1, ROWS, COLUMNS)
    maps[0, 0, row, column] = 20.0
    found = plain()(maps)[0].tolist()
    assert found == pytest.approx([x, y, 20.0, 20.0 / (ROWS * COLUMNS)], abs=1e-4)


def test_an_empty_map_is_the_middle_without_strength() -> None:
    assert plain()(torch.zeros(1, 1, ROWS, COLUMNS))[0].tolist() == pytest.approx([0.0] * 4,
                                                                                  abs=1e-6)


def test_a_mirrored_map_is_a_mirrored_point() -> None:
    maps, made = some_maps(), plain(MAPS)
    one, other = (made(m).view(2, MAPS, 4) for m in (maps, maps.flip(3)))
    torch.testing.assert_close(other[..., 0], -one[..., 0])
    torch.testing.assert_close(other[..., 1:], one[..., 1:])


def test_the_grid_runs_right_and_down() -> None:
    points = grid(2, 3).view(2, 3, 2)
    assert points[0, 0].tolist() == [-1.0, -1.0]
    assert points[1, 2].tolist() == [1.0, 1.0]
    assert points[0, 1].tolist() == [0.0, -1.0]


def test_onnx_gives_the_same_features_and_the_gradient_of_autograd(readout: PointReadout) -> None:
    maps, seed = some_maps(1), torch.randn(1, 4 * MAPS)
    graph = Graph()
    last = graph.input('last', 'float32', 1, MAPS, ROWS, COLUMNS)
    gradient = graph.input('gradient', 'float32', 1, 4 * MAPS)
    graph.output(add_points(graph, readout, last), 'features', 1, 4 * MAPS)
    graph.output(points_pull(graph, readout, gradient), 'pull', MAPS, ROWS * COLUMNS)
    session = onnxruntime.InferenceSession(graph.model('points').SerializeToString())
    features, pull = session.run(None, {'last': maps.numpy(), 'gradient': seed.numpy()})
    maps.requires_grad_()
    truth = readout(maps)
    np.testing.assert_allclose(features, truth.detach(), rtol=1e-5, atol=1e-5)
    slope, = torch.autograd.grad((truth * seed).sum(), maps)
    np.testing.assert_allclose(pull, slope[0].flatten(1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(('change', 'said'), [
    ({'readout': 'dots'}, "got 'dots'"), ({'readout': 'points', 'per_map': 3}, 'per_map 3')])
def test_a_readout_that_there_is_not_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        HeadConfig(**change)


def test_a_head_finds_a_spot_that_moves() -> None:
    """A head of points learns where a red spot is in 120 steps; the judge is the spot itself."""
    torch.manual_seed(1)
    head = ConvHead(HeadConfig(40, 60, (8, 8), (5, 3), (2, 2), readout='points'))
    readout = torch.nn.Linear(head.config.features, 2)
    optimiser = torch.optim.Adam([*head.parameters(), *readout.parameters()], lr=0.01)
    rng = np.random.default_rng(0)

    def batch(count: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = rng.integers(0, 160, (count, 40, 60, 3), np.uint8)
        places = np.stack([rng.integers(3, 57, count), rng.integers(3, 37, count)], 1)
        for image, (column, row) in zip(images, places, strict=True):
            image[row - 2:row + 3, column - 2:column + 3] = (230, 30, 20)
        return torch.from_numpy(images), torch.from_numpy(places / (30, 20) - 1).float()

    for _ in range(120):
        images, places = batch(32)
        loss = (readout(head(images)) - places).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        images, places = batch(200)
        error = (readout(head(images)) - places).square().mean(0) / places.var(0)
    assert (1 - error).min() > 0.9             # R^2 of either coordinate
