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
"""Real processes, started and ended; domains and environments of this machine."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import signal
import socket
import sys
import time

from ltc_control import bringup
from ltc_control.cli import processes
from ltc_control.core.errors import BringupError
import pytest

STUBBORN = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print('ready', flush=True)
time.sleep(600)
"""
POLITE = """
import time
try:
    print('ready', flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print('goodbye')
"""
FAILING = """
import sys
print('first words')
print('error: the thing is broken, got 3', file=sys.stderr)
print('last words')
sys.exit(3)
"""


def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **programs: str,
          ) -> processes.NodeProcesses:
    """Start Python programs in the place of nodes, and wait until each has said something."""
    monkeypatch.setattr(bringup, 'process', lambda node, parameter_file: [
        sys.executable, '-c', programs[node.name]])
    started = processes.NodeProcesses([bringup.NodeSpec(name) for name in programs],
                                      folder=tmp_path, environment=os.environ)
    for name in programs:
        wait_until(lambda name=name: (tmp_path / 'log' / f'{name}.txt').read_text() != '')
    return started


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_polite_process_ends_by_itself_a_stubborn_one_is_killed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = start(tmp_path, monkeypatch, polite=POLITE, stubborn=STUBBORN)
    assert started.ended() == {}
    started.stop(['polite'], patience_s=60.0)
    assert started.ended() == {'polite': 0}
    assert 'goodbye' in (tmp_path / 'log' / 'polite.txt').read_text()
    started.stop(patience_s=0.2)
    assert started.ended()['stubborn'] == -signal.SIGKILL


def test_a_process_hears_sigint_where_its_parent_does_not(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)   # as in `ltc drive &` in a script
    try:
        started = start(tmp_path, monkeypatch, polite=POLITE)
    finally:
        signal.signal(signal.SIGINT, before)
    started.stop(patience_s=60.0)
    assert started.ended() == {'polite': 0}


def test_a_failure_is_told_with_the_words_of_the_node(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = start(tmp_path, monkeypatch, failing=FAILING)
    wait_until(lambda: started.exit_code('failing') is not None)
    error = started.failure(['failing'])
    assert 'failing ended with code 3: error: the thing is broken, got 3' in str(error)
    assert error.exit_code == 3


def test_nodes_lead_sessions_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = start(tmp_path, monkeypatch, polite=POLITE)
    try:
        assert os.getsid(started.pid('polite')) != os.getsid(0)
    finally:
        started.stop()


def test_a_domain_is_free_until_its_port_is_taken() -> None:
    domain = processes.choose_domain(None)
    assert 1 <= domain <= 101
    # DDSI-RTPS 2.3, 9.6.1.1: unicast discovery of participant 0 is at 7400 + 250 d + 10
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(('0.0.0.0', 7400 + 250 * domain + 10))
        assert not processes.domain_is_free(domain)
        with pytest.raises(BringupError, match=f'domain {domain} is in use'):
            processes.choose_domain(domain)
    assert processes.choose_domain(domain) == domain


@pytest.mark.parametrize('domain', [-1, 233])
def test_an_impossible_domain_is_refused(domain: int) -> None:
    with pytest.raises(BringupError, match=str(domain)):
        processes.choose_domain(domain)


@pytest.mark.parametrize(('marker', 'variable'), [
    ('fastrtps', 'FASTRTPS_DEFAULT_PROFILES_FILE'), ('fastdds', 'FASTDDS_DEFAULT_PROFILES_FILE')])
def test_the_profile_variable_follows_the_distribution(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marker: str, variable: str) -> None:
    (tmp_path / 'share' / marker).mkdir(parents=True)
    monkeypatch.setattr(sys, 'prefix', str(tmp_path))
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    assert processes.profile_variable() == variable


def test_the_profile_needs_room_in_shared_memory(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'}
    for name in names:
        monkeypatch.delenv(name, raising=False)
    for free, expected in ((1 << 40, 1), (100 << 20, 0)):
        monkeypatch.setattr(processes, 'free_shared_memory', lambda free=free: free)
        environment = processes.ros_environment(domain=5, logs=tmp_path, participants=5)
        profiles = [environment[name] for name in names if name in environment]
        assert len(profiles) == expected
        assert all(Path(path).is_file() for path in profiles)
        assert environment['ROS_DOMAIN_ID'] == '5'
        assert environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
