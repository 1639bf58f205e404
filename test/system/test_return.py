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
kill -9 of the policy: zero at once, and driving again once its process is back and active.

At once is 0.2 s after its last request, as safety sends it; benchmarks/policy_killed.py measures
the whole way, and how soon it is back, where nobody else has the machine.
"""

from __future__ import annotations

from dataclasses import replace
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

OLDEST_S = 0.3                             # 0.2 s until a request is stale, and some ticks
START_S = 240.0                            # a system's, on a busy machine


def system(model: Path) -> tuple[bringup.NodeSpec, ...]:
    """Return a live drive whose policy waits for its manager, as a launch has it."""
    nodes = tuple(replace(node, parameters={**node.parameters, 'autostart': False})
                  if node.name == 'policy_node' else node
                  for node in bringup.simulated_car(model=str(model), track=1001))
    manager = bringup.manager(nodes)
    # a policy that a busy machine gives no turn for a second has not died
    return (*nodes, replace(manager, parameters={**manager.parameters, 'answer_s': 5.0}))


def test_a_killed_policy_is_zero_at_once_and_soon_back(
        stage: Any, model: Path, tmp_path: Path) -> None:
    vehicle = stage.listener()
    processes = NodeProcesses(system(model), folder=tmp_path, environment=os.environ)
    try:
        stage.spin_until(lambda: [c for c in vehicle.commands if c.speed > 0][30:],
                         timeout=START_S)
        first, before = processes.pid('policy_node'), len(vehicle.commands)
        killed_at = time.time()
        os.kill(first, signal.SIGKILL)
        stage.spin_until(lambda: 'policy_node' in processes.ended())
        stands_from = len(vehicle.commands)
        stage.spin_until(lambda: vehicle.commands[stands_from:]
                         and {c.speed for c in vehicle.commands[-10:]} == {0.0})
        zero_s = next(c.at for c in vehicle.commands
                      if c.at > killed_at and c.speed == 0.0) - killed_at
        assert processes.revive(processes.ended()) == ['policy_node']
        assert processes.pid('policy_node') != first
        stage.spin_until(lambda: vehicle.commands[-1].speed > 0.0, timeout=START_S)
        back_s = time.time() - killed_at
        assert not vehicle.overdue(since=before, oldest_s=OLDEST_S)
        wanted = {'policy_node': 'active', 'policy_node_deaths': '1'}
        stage.spin_until(lambda: vehicle.health.get('manager_node: supervision') == wanted)
        assert not processes.ended()
        # not record_property: the kind of report that colcon asks for refuses it
        print(f'zero after {zero_s:.3f} s, driving again after {back_s:.2f} s')
    finally:
        processes.stop(patience_s=60.0)
    assert processes.exit_code('manager_node') == processes.exit_code('policy_node') == 0


def test_who_ended_with_words_is_not_started_again(tmp_path: Path, ros_environment: int) -> None:
    nodes = tuple(replace(node, respawn=True)
                  for node in bringup.real_car(model=str(tmp_path / 'none'))
                  if node.name == 'policy_node')
    processes = NodeProcesses(nodes, folder=tmp_path, environment=os.environ)
    try:
        deadline = time.monotonic() + START_S
        while processes.exit_code('policy_node') is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert processes.exit_code('policy_node') == 2
        assert processes.revive(processes.ended()) == []
    finally:
        processes.stop()
