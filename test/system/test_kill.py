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
kill -9 of the policy in a real-clock system: safety publishes zero, and goes on doing so.

Times are those at which safety sent, against the stamp of the last request: when a busy machine
lets a test hear, or kill, is another matter. benchmarks/policy_killed.py measures the whole way.
"""

from __future__ import annotations

import os
from pathlib import Path
import signal
from typing import Any

import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.cli.processes import NodeProcesses
from ltc_control.nodes import conversions as convert

pytestmark = [pytest.mark.ros, pytest.mark.gl, pytest.mark.slow]
OLDEST_S = 0.3                             # 0.2 s until a request is stale, and some ticks
START_S = 240.0                            # a system's, on a busy machine


def test_a_killed_policy_means_zero_commands(stage: Any, model: Path, tmp_path: Path) -> None:
    vehicle = stage.listener()
    nodes = bringup.simulated_car(model=str(model), track=1001)
    processes = NodeProcesses(nodes, folder=tmp_path, environment=os.environ)
    try:
        stage.spin_until(lambda: [c for c in vehicle.commands if c.speed > 0][30:],
                         timeout=START_S)
        os.kill(processes.pid('policy_node'), signal.SIGKILL)
        stage.spin_until(processes.ended)

        def late() -> list[Any]:
            """Return what was sent when the last request was too old; one is judged in time."""
            last = convert.stamp_ns(vehicle.requests[-1].header.stamp)
            return [c for c in vehicle.commands if c.sent - 1e-9 * last > OLDEST_S][1:]

        stage.spin_until(lambda: late()[30:])                   # silence is not a stop
        assert {(c.speed, c.yaw_rate) for c in late()} == {(0.0, 0.0)}
        # not once and for all: while the simulator has no turn, its odometry is what is missing
        stage.spin_until(lambda: vehicle.verdicts[-1] == 'stale')
        assert processes.ended() == {'policy_node': -9}
        assert 'killed by signal 9' in str(processes.failure(['policy_node']))
    finally:
        processes.stop(patience_s=60.0)
    assert processes.exit_code('safety_node') == 0
    assert processes.exit_code('simulator_node') == 0


def test_a_lockstep_world_gives_up_in_words_when_no_command_comes(
        stage: Any, model: Path, tmp_path: Path) -> None:
    nodes = bringup.simulated_car(model=str(model), track=1001, lockstep=True,
                                  parameters={'lockstep_timeout_s': 1.0})
    processes = NodeProcesses(nodes, folder=tmp_path, environment=os.environ)
    try:
        log = tmp_path / 'log' / 'simulator_node.txt'
        stage.spin_until(lambda: ': driving' in log.read_text(), timeout=START_S)
        os.kill(processes.pid('safety_node'), signal.SIGKILL)
        stage.spin_until(lambda: processes.exit_code('simulator_node') is not None)
        assert processes.exit_code('simulator_node') == 4
        assert 'no command with stamp' in processes.last_words('simulator_node')
        assert 'Traceback' not in log.read_text()
    finally:
        processes.stop()


def test_two_systems_in_one_domain_are_refused(stage: Any, model: Path, tmp_path: Path) -> None:
    first = NodeProcesses(bringup.simulated_car(model=str(model), track=1001),
                          folder=tmp_path / 'first', environment=os.environ)
    second = None
    try:
        log = tmp_path / 'first' / 'log' / 'simulator_node.txt'
        stage.spin_until(lambda: ': driving' in log.read_text(), timeout=START_S)
        second = NodeProcesses(bringup.simulated_car(model=str(model), track=1002),
                               folder=tmp_path / 'second', environment=os.environ)
        stage.spin_until(lambda: second.exit_code('simulator_node') is not None,
                         timeout=START_S)
        assert second.exit_code('simulator_node') == 4
        assert 'another system drives in this ROS domain' in second.last_words('simulator_node')
    finally:
        first.stop()
        if second is not None:
            second.stop()
