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
``ltc drive --vehicle drone`` through real processes: equal to the loop without middleware, judged.

The model is the shipped one; what is judged is the system around it.
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

from ltc_control.core.contracts import Velocity
from ltc_control.core.flight_gate import FlightGateConfig, FlightGateState
from ltc_control.core.flight_gate import step as gate_step
from ltc_control.core.policy import Policy
from ltc_control.insight.recorded_flight import read_flight
from ltc_control.sim.flight import FlightEnvironment, FlightSpec

pytestmark = [pytest.mark.ros, pytest.mark.gl]

MODEL = Path(__file__).parents[2] / 'models' / 'drone_target'
EPISODE, SECONDS, RATE_HZ = 901, 6, 30


def flown(out: Path, *words: str, seconds: float = SECONDS) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--vehicle', 'drone', '--seed',
         str(EPISODE), '--lockstep', '--seconds', str(seconds), '--out', str(out), '--no-video',
         '--no-page', '--json', f'{out}.json', *words],
        capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(Path(f'{out}.json').read_text())


@pytest.fixture(scope='module')
def flight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('drone') / 'run'
    flown(folder)
    return folder


@pytest.mark.slow
def test_lockstep_equals_the_loop_without_middleware(flight: Path) -> None:
    recorded = read_flight(flight / 'bag')
    policy, gate, poses, commands = Policy.load(MODEL, vehicle='drone'), FlightGateState(), [], []
    with FlightEnvironment(FlightSpec(EPISODE)) as world:
        seen = world.reset(seed=EPISODE)
        for _ in range(SECONDS * RATE_HZ):
            now = seen.odometry
            poses.append((now.x, now.y, now.z))
            gate, command, _ = gate_step(
                gate, now_ns=now.stamp_ns, odometry=now, config=FlightGateConfig(),
                request=policy.step(seen.frame, seen.imu).command)
            assert isinstance(command, Velocity)
            commands.append((command.forward, command.left, command.up, command.yaw_rate))
            seen = world.step(command)
    count = len(poses)
    assert len(recorded.pose) >= count
    np.testing.assert_array_equal(recorded.pose.values[:count, :3], np.array(poses))
    np.testing.assert_array_equal(recorded.command.values[:count], np.array(commands))


@pytest.mark.slow
def test_the_figures_and_pictures_are_those_of_the_bag(flight: Path) -> None:
    figures = json.loads((flight / 'report.json').read_text())
    recorded = read_flight(flight / 'bag')
    assert figures['final_distance_m'] == pytest.approx(recorded.distance[-1], abs=1e-3)
    assert figures['frames'] == len(recorded.frames) == SECONDS * RATE_HZ + 1
    assert figures['attributes']['task'] == 'reach'
    assert recorded.distance[-1] < recorded.distance[0] - 3.0       # it knows where to go
    for picture in ('flight_3d.png', 'flight_top.png'):
        assert (flight / picture).stat().st_size > 10_000


@pytest.mark.slow
def test_a_target_that_never_appears_is_searched_for_and_then_it_hovers(tmp_path: Path) -> None:
    figures = flown(tmp_path / 'run', '--hide', 'inf', seconds=60)
    recorded = read_flight(tmp_path / 'run' / 'bag')
    turned = np.abs(np.diff(np.unwrap(recorded.pose.values[:, 3]))).sum()
    assert turned > 2 * np.pi
    assert figures['verdicts'].get('search_over', 0) > RATE_HZ
    assert not figures['success']
    last = recorded.command.values[-RATE_HZ:]
    np.testing.assert_array_equal(last, np.zeros_like(last))
