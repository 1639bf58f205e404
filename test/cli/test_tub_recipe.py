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
"""A tub goes in, a policy comes out: the two commands that docs/results_tub.md names."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('torch')

from ltc_control.cli.main import main
from ltc_control.core.contracts import Frame, ImuWindow
from ltc_control.core.model_file import load_spec
from ltc_control.core.policy import Policy

RECIPE = Path(__file__).parents[2] / 'config' / 'train_tub.yaml'
RECORDS = 30


def write_tub(folder: Path) -> Path:
    """Write a tub of ``RECORDS`` records whose picture darkens where the person steers right."""
    (folder / 'images').mkdir(parents=True)
    lines = []
    for k in range(RECORDS):
        angle = float(np.sin(k / 3))
        picture = np.full((120, 160, 3), 120 - round(60 * angle), np.uint8)
        cv2.imwrite(str(folder / 'images' / f'{k}.jpg'), picture)
        lines.append(json.dumps({
            '_index': k, '_timestamp_ms': 10_000 + 50 * k, 'cam/image_array': f'{k}.jpg',
            'user/angle': angle, 'user/throttle': 0.2 + 0.01 * k, 'user/mode': 'user'}))
    (folder / 'all.catalog').write_text('\n'.join(lines) + '\n')
    inputs = ['cam/image_array', 'user/angle', 'user/throttle', 'user/mode']
    manifest = [inputs, ['image_array', 'float', 'float', 'str'], {}, {'created_at': 0},
                {'paths': ['all.catalog'], 'deleted_indexes': []}]
    (folder / 'manifest.json').write_text('\n'.join(map(json.dumps, manifest)))
    return folder


def test_import_and_train(tmp_path: Path) -> None:
    bag, out = tmp_path / 'tub_bag', tmp_path / 'tub'
    assert main(['import', 'tub', str(write_tub(tmp_path / 'tub_in')), str(bag)]) == 0
    assert main(['train', str(bag), '--config', str(RECIPE), '--out', str(out),
                 '--json', str(tmp_path / 'r2.json'), '--steps', '2', '--set', 'batch=2',
                 '--set', 'window=4']) == 0
    scores = json.loads((tmp_path / 'r2.json').read_text())
    assert list(scores) == ['ltc', 'cnn', 'constant']
    # R² of the constant, from the angles themselves: positive right in the tub, left for us
    angle = -np.sin(np.arange(RECORDS) / 3)
    curvature = np.tan(0.35 * angle) / 0.25
    first, last = curvature[:24], curvature[24:]         # the last fifth of 30
    expected = 1 - ((last - first.mean()) ** 2).sum() / ((last - last.mean()) ** 2).sum()
    assert scores['constant']['r2_curvature'] == pytest.approx(expected, rel=1e-3)
    assert scores['constant']['frames'] == len(last)

    for folder in (out, tmp_path / 'tub_cnn'):
        policy = Policy.load(folder)
        decision = policy.step(Frame(1, np.full((120, 160, 3), 90, np.uint8)), ImuWindow.empty())
        assert decision.valid
        assert abs(decision.command.curvature) <= load_spec(folder).commands[0].high
