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
A box on the road, over real processes: the car stops before it and drives on when it is gone.

The same drive without the scanner runs into it. Driven by the published model.
"""

from __future__ import annotations

import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.insight.recorded_drive import read_drive

pytestmark = [pytest.mark.ros, pytest.mark.gl, pytest.mark.slow]
ARC, GONE_S = 25.0, 8.0
BUMPER, FACE = 2.25, ARC - 0.6             # of our car, of the box


def drive(out: Path, *words: str) -> tuple[Any, dict[str, Any], str]:
    """Drive 11 s; return the recorded drive, its figures and the simulator's last words."""
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--lockstep', '--seconds', '11',
         '--model', str(bringup.share('models/car_lane')), '--obstacle', f'box:{ARC}:0:{GONE_S}',
         '--no-video', '--no-page', '--out', str(out), '--json', str(out) + '.json', *words],
        capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    last = (out / 'log' / 'simulator_node.txt').read_text()
    return read_drive(out / 'bag'), json.loads(Path(f'{out}.json').read_text()), last


def test_it_stops_before_a_box_and_goes_on_when_that_is_gone(tmp_path: Path) -> None:
    recorded, figures, last = drive(tmp_path / 'watched')
    assert "'collisions': 0" in last
    assert {'obstacle_slow', 'obstacle_stop'} <= set(figures['verdicts'])
    assert figures['departures'] == 0
    seconds = (recorded.lane.stamps_ns - recorded.lane.stamps_ns[0]) * 1e-9
    way, speed = recorded.lane.values[:, 0], recorded.pose.values[:, 3]
    standing = (seconds > GONE_S - 1) & (seconds < GONE_S)
    gap = FACE - BUMPER - way[standing]
    assert 1.0 < gap.min() <= gap.max() < 3.0                    # 2 m were asked for
    assert np.abs(speed[standing]).max() < 0.2
    slowing = (seconds < GONE_S) & (speed > 0.5)
    assert np.diff(speed[slowing][::10]).min() * 3 > -3.6        # the car brakes with 3.5 m/s^2
    assert way[-1] > ARC                                         # and on it went


def test_without_a_scanner_it_runs_into_the_box(tmp_path: Path) -> None:
    recorded, figures, last = drive(tmp_path / 'unwatched', '--no-scanner')
    assert "'collisions': 1" in last
    assert not any('obstacle' in word for word in figures['verdicts'])
    seconds = (recorded.lane.stamps_ns - recorded.lane.stamps_ns[0]) * 1e-9
    stuck = recorded.lane.values[(seconds > GONE_S - 1) & (seconds < GONE_S), 0]
    assert stuck.max() == pytest.approx(FACE - BUMPER, abs=0.2)
