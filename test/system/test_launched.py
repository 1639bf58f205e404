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
`ros2 launch` with the real launch: two vehicles at once, a death among them, and the end.

Runs where ``launch_ros`` and this package are installed, as in a workspace; elsewhere
test/cli/test_launching.py looks at the same descriptions as data.
"""

from __future__ import annotations

from collections.abc import Iterator
import importlib.util
import os
from pathlib import Path
import shutil
import signal
import subprocess
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from rclpy.node import Node


def installed() -> bool:
    """Say whether ``ros2 launch ltc_control`` can find and start our nodes here."""
    prefixes = [Path(one) for one in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
    return (importlib.util.find_spec('launch_ros') is not None
            and shutil.which('ros2') is not None
            and any((one / 'lib' / bringup.PACKAGE / 'policy_node').exists() for one in prefixes))


pytestmark = [
    pytest.mark.ros, pytest.mark.gl, pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason='launch_ros or this package is not installed: '
                                               'colcon build in a ROS 2 workspace')]


class Ears(Node):
    """The speeds that two vehicles are asked for."""

    def __init__(self, stage: Any) -> None:
        super().__init__('ears', context=stage.context, use_global_arguments=False)
        self.speeds: dict[str, list[tuple[float, float]]] = {'left': [], 'right': []}
        for name, heard in self.speeds.items():
            self.create_subscription(
                TwistStamped, f'/{name}{bringup.COMMAND}',
                lambda message, heard=heard: heard.append(
                    (time.monotonic(), message.twist.linear.x)), 10)

    def moves(self, name: str, *, since: float = 0.0) -> bool:
        return sum(speed > 0.0 for at, speed in self.speeds[name] if at > since) >= 30

    def stands(self, name: str, *, since: float) -> bool:
        return any(speed == 0.0 for at, speed in self.speeds[name] if at > since)


def children(pid: int) -> dict[int, str]:
    """Return the command lines of the direct children of a process."""
    found = {}
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            words = (entry / 'stat').read_text().rpartition(')')[2].split()
            if int(words[1]) == pid and words[0] != 'Z':
                found[int(entry.name)] = (entry / 'cmdline').read_text().replace('\0', ' ')
        except OSError:                    # it ended while we looked
            continue
    return found


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start the embedded simulator twice, in namespaces of their own; end what is left."""
    running = {}
    for name, track in (('left', 1001), ('right', 1002)):
        with (tmp_path / f'{name}.txt').open('wb') as log:
            running[name] = subprocess.Popen(
                ['ros2', 'launch', bringup.PACKAGE, 'drive_launch.py', f'namespace:={name}',
                 f'track:={track}'], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    yield running
    for process in running.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_two_vehicles_a_death_and_the_end(
        stage: Any, launched: dict[str, subprocess.Popen[bytes]], tmp_path: Path) -> None:
    ears = stage.take(Ears(stage))
    stage.spin_until(lambda: ears.moves('left') and ears.moves('right'), timeout=240)
    assert len(children(launched['left'].pid)) == 4

    policy = next(pid for pid, line in children(launched['left'].pid).items()
                  if 'policy_node' in line)
    killed = time.monotonic()
    os.kill(policy, signal.SIGKILL)
    stage.spin_until(lambda: ears.stands('left', since=killed))
    zero = time.monotonic()
    stage.spin_until(lambda: ears.moves('left', since=zero) and ears.moves('right', since=zero),
                     timeout=120)
    again = children(launched['left'].pid)
    assert len(again) == 4
    assert policy not in again

    for name, process in launched.items():
        own = children(process.pid)
        process.send_signal(signal.SIGINT)
        code = process.wait(120)
        log = (tmp_path / f'{name}.txt').read_text()
        assert code == 0, log[-2000:]
        assert not [pid for pid in own if Path(f'/proc/{pid}').exists()]
        assert 'Traceback' not in log, log[-2000:]
        assert 'process has died' not in log.replace(f'[policy_node-2]: process has died [pid '
                                                     f'{policy}', ''), log[-2000:]
