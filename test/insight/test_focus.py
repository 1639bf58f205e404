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
"""The numbers of a map, judged by plain loops and by cases that anyone can count."""

from __future__ import annotations

import json
from pathlib import Path

from ltc_control.cli.main import main
from ltc_control.insight.focus import centre, edges, FocusTally, mass, spread, ssim
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'


def loops(a: np.ndarray, b: np.ndarray) -> float:
    """Return SSIM by the definition, window by window."""
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    x, y = (a - low) / (high - low), (b - low) / (high - low)
    found = []
    for row in range(a.shape[0] - 6):
        for column in range(a.shape[1] - 6):
            p, q = (m[row:row + 7, column:column + 7].ravel() for m in (x, y))
            (vp, c), (_, vq) = np.cov(p, q)
            found.append((2 * p.mean() * q.mean() + 1e-4) * (2 * c + 9e-4)
                         / ((p.mean()**2 + q.mean()**2 + 1e-4) * (vp + vq + 9e-4)))
    return float(np.mean(found))


def test_ssim_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    a = rng.random((15, 22))
    for strength in (0.05, 0.3, 2.0):
        b = a + strength * rng.random((15, 22))
        assert ssim(a, b) == pytest.approx(loops(a, b), abs=1e-9)
        assert ssim(a, b) == pytest.approx(ssim(b, a), abs=1e-12)
    assert ssim(a, a) == pytest.approx(1.0)
    assert ssim(np.zeros((9, 9)), np.zeros((9, 9))) == 1.0


def test_mass_spread_and_centre_of_maps_that_can_be_counted() -> None:
    values, mask = np.zeros((10, 20), np.float32), np.zeros((10, 20), bool)
    values[2, 4], values[8, 4] = 3.0, 1.0
    mask[:5] = True
    assert mass(values, mask) == 0.75
    assert centre(values).tolist() == [3.5, 4.0]
    assert spread(np.ones((10, 20))) == pytest.approx(1.0)
    assert spread(values) == pytest.approx(
        -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(200))


def test_edges_see_edges_alone() -> None:
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, 6:] = 200
    found = edges(image)
    assert found[:, 5:7].min() > 0
    assert not found[:, :5].any()


def test_empty_maps_are_counted_and_left_out() -> None:
    tally, mask = FocusTally(), np.zeros((10, 20), bool)
    mask[5:] = True
    tally.see(None, mask, {0.1: None})
    tally.see(np.zeros((10, 20)), mask, {0.1: None})
    tally.see(np.ones((10, 20)), mask, {0.1: np.ones((10, 20))})
    tally.see(np.ones((10, 20)), np.zeros((10, 20), bool), {0.1: None})
    told = tally.to_dict()
    assert (told['frames'], told['empty'], told['without_mask']) == (4, 2, 1)
    assert (told['mass'], told['area'], told['enrichment']) == (0.5, 0.5, 1.0)
    assert told['ssim'] == {'0.1': 1.0}


@pytest.mark.gl
def test_the_command_gives_the_same_numbers_twice(tmp_path: Path) -> None:
    told = []
    for name in ('a.json', 'b.json'):
        out = tmp_path / name
        assert main(['explain', 'focus', str(MODEL), '--frames', '3', '--every', '0.1', '--tracks',
                     '1001,1002', '--untrained', '0', '--variances', '0.1', '--json',
                     str(out)]) == 0
        told.append(json.loads(out.read_text()))
    assert told[0] == told[1]
    rows = {(row['model'], row['map']): row for row in told[0]['rows']}
    assert set(rows) == {(str(MODEL), 'visual_backprop'), (str(MODEL), 'gradient'),
                         ('edge filter', 'edge filter')}
    for row in rows.values():
        assert row['frames'] == 3
        assert 0.0 <= row['mass'] <= 1.0
        assert row['enrichment'] == pytest.approx(row['mass'] / row['area'], rel=1e-2)
    assert told[0]['seed'] == 0


def test_wrong_numbers_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['explain', 'focus', str(MODEL), '--frames', '0']) == 2
    assert '--frames must be at least 1' in capsys.readouterr().err
