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
"""kill -9 of the policy in a real-clock system: safety publishes zero, and goes on doing so."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.cli.processes import NodeProcesses

pytestmark = [pytest.mark.ros, pytest.mark.gl, pytest.mark.slow]


def test_a_killed_policy_means_zero_commands(stage: Any, model: Path, tmp_path: Path) -> None:
    vehicle = stage.listener()
    nodes = bringup.simulated_car(model=str(model), track=1001)
    processes = NodeProcesses(nodes, folder=tmp_path, environment=os.environ)
    try:
        stage.spin_until(lambda: [c for c in vehicle.commands if c.speed > 0][30:], timeout=60)
        os.kill(processes.pid('policy_node'), signal.SIGKILL)
        killed_at = time.time()

        def zeros() -> list[Any]:
            since = [c.at for c in vehicle.commands if c.at > killed_at and c.speed == 0.0]
            return [c for c in vehicle.commands if since and c.at >= since[0]]

        stage.spin_until(lambda: zeros()[30:], timeout=30)      # silence is not a stop
        assert {(c.speed, c.yaw_rate) for c in zeros()} == {(0.0, 0.0)}
        # 0.2 s until the request is stale, one tick of safety, and room for a busy machine
        assert zeros()[0].at - killed_at < 1.0
        assert vehicle.verdicts[-1] == 'stale'
        assert processes.ended() == {'policy_node': -9}
        assert 'killed by signal 9' in str(processes.failure(['policy_node']))
    finally:
        processes.stop()
    assert processes.exit_code('safety_node') == 0
    assert processes.exit_code('simulator_node') == 0


def test_a_lockstep_world_gives_up_in_words_when_no_command_comes(
        stage: Any, model: Path, tmp_path: Path) -> None:
    nodes = bringup.simulated_car(model=str(model), track=1001, lockstep=True,
                                  parameters={'lockstep_timeout_s': 1.0})
    processes = NodeProcesses(nodes, folder=tmp_path, environment=os.environ)
    try:
        log = tmp_path / 'log' / 'simulator_node.txt'
        stage.spin_until(lambda: ': driving' in log.read_text(), timeout=60)
        os.kill(processes.pid('safety_node'), signal.SIGKILL)
        stage.spin_until(lambda: processes.exit_code('simulator_node') is not None, timeout=20)
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
        stage.spin_until(lambda: ': driving' in log.read_text(), timeout=60)
        second = NodeProcesses(bringup.simulated_car(model=str(model), track=1002),
                               folder=tmp_path / 'second', environment=os.environ)
        stage.spin_until(lambda: second.exit_code('simulator_node') is not None, timeout=60)
        assert second.exit_code('simulator_node') == 4
        assert 'another system drives in this ROS domain' in second.last_words('simulator_node')
    finally:
        first.stop()
        if second is not None:
            second.stop()
