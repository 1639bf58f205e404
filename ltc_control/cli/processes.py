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
"""Node processes: environment, start and end; nothing is ended that was not started here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
import ctypes
import os
from pathlib import Path
from random import Random
import signal
import socket
import subprocess
import sys
import time

from ltc_control import bringup
from ltc_control.core.errors import BringupError
import yaml

WATCHER_NICENESS = 10                      # of processes that only look on
MOST_REVIVALS = 5
STOP_S = 5.0                               # SIGINT, then SIGTERM, then SIGKILL, after so long each
BURIED_S = 60.0                            # a busy kernel frees what a killed process held
PR_SET_PDEATHSIG = 1                       # prctl(2)
SEGMENT_BYTES = 36 << 20                   # shared memory of one participant with our profile
SHARED_MEMORY = Path('/dev/shm')
LAST_FREE_DOMAIN = 101                     # above, ports reach those that Linux hands out
FIRST_PORT, DOMAIN_PORTS, UNICAST = 7400, 250, 10          # DDSI-RTPS 2.3, section 9.6.1.1


class NodeProcesses:
    """
    The processes of one system; each writes its output to ``logs/NAME.txt``.

    Each leads its own session, so that Ctrl-C reaches us alone and we stop them in order; if we
    are killed, the kernel interrupts them.
    """

    def __init__(self, nodes: Sequence[bringup.NodeSpec], *, folder: Path,
                 environment: Mapping[str, str]) -> None:
        self._logs = folder / 'log'
        self._logs.mkdir(parents=True, exist_ok=True)
        parameter_file = folder / 'parameters.yaml'
        parameter_file.write_text(yaml.safe_dump(bringup.parameter_sections(nodes)))
        self._parameter_file, self._environment = parameter_file, dict(environment)
        self._nodes = {node.name: node for node in nodes}
        self._revived: Counter[str] = Counter()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        for node in nodes:
            self._start(node)

    def _start(self, node: bringup.NodeSpec) -> None:
        command = bringup.process(node, parameter_file=self._parameter_file)
        mode = 'ab' if self._revived[node.name] else 'wb'
        with self._log(node.name).open(mode) as log:
            self._running[node.name] = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
                preexec_fn=_become_watcher if node.watches else _become_node)

    def revive(self, ended: Iterable[str]) -> list[str]:
        """
        Start again those of ``ended`` that were killed and may be; return their names.

        One that ended with an exit code said why, and would say it again; and nobody is started
        again more than five times.
        """
        names = [name for name in ended if self._nodes[name].respawn
                 and self._revived[name] < MOST_REVIVALS
                 and (self._running[name].poll() or 0) < 0]
        for name in names:
            self._revived[name] += 1
            self._start(self._nodes[name])
        return names

    def pid(self, name: str) -> int:
        """Return the process id of a node."""
        return self._running[name].pid

    def exit_code(self, name: str) -> int | None:
        """Return the exit code of a node, or None while it runs."""
        return self._running[name].poll()

    def ended(self) -> dict[str, int]:
        """Return the exit codes of the nodes that run no longer."""
        codes = {name: process.poll() for name, process in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def failure(self, names: Iterable[str]) -> BringupError:
        """Return what to say about nodes that ended too early: the last words of each."""
        codes = self.ended()
        told = [f'{name} {_ending(codes[name])}: {self.last_words(name)}' for name in names]
        error = BringupError(f'{"; ".join(told)} (logs in {self._logs})')
        worst = max((codes[name] for name in names), default=0)
        error.exit_code = worst if worst > 1 else BringupError.exit_code
        return error

    def last_words(self, name: str) -> str:
        """Return the last error line that a node wrote, or its last line."""
        lines = self._log(name).read_text(errors='replace').strip().splitlines()
        said = [line for line in lines if 'rror: ' in line]
        return (said or lines or ['it said nothing'])[-1].strip()

    def stop(self, names: Iterable[str] | None = None, *, patience_s: float = STOP_S) -> None:
        """Stop nodes (all of them by default), politely first; returns when they are gone."""
        chosen = [self._running[name] for name in (names or self._running)]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for process in chosen:
                if process.poll() is None:
                    process.send_signal(number)
            killed = number == signal.SIGKILL
            if _all_gone(chosen, within_s=max(patience_s, BURIED_S) if killed else patience_s):
                return

    def _log(self, name: str) -> Path:
        return self._logs / f'{name}.txt'


def _all_gone(processes: Sequence[subprocess.Popen[bytes]], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


def _ending(code: int) -> str:
    return f'ended with code {code}' if code >= 0 else f'was killed by signal {-code}'


def _become_node() -> None:
    """Die with the parent, and hear SIGINT even where a script started it in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _become_watcher() -> None:
    """Do the same, and never take time from those who drive."""
    _become_node()
    os.nice(WATCHER_NICENESS)


def ros_environment(*, domain: int, logs: Path, participants: int) -> dict[str, str]:
    """
    Return the environment of ``participants`` processes that see only this machine.

    Our Fast DDS profile is added where shared memory has room for it: it lets larger images
    through and makes nodes find each other in a fraction of a second.
    """
    environment = dict(os.environ)
    environment |= {'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(logs),
                    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_LOCALHOST_ONLY': '1',
                    'PYTHONUNBUFFERED': '1'}
    if _is_newer_than_humble():
        del environment['ROS_LOCALHOST_ONLY']          # deprecated there, and it warns
    variable, profile = profile_variable(), bringup.share('config/fastdds.xml')
    if profile.is_file() and free_shared_memory() > 2 * participants * SEGMENT_BYTES:
        environment.setdefault(variable, str(profile))
    return environment


def profile_variable() -> str:
    """Return the variable that names a Fast DDS profile: it changed its name with Kilted."""
    kilted = any((prefix / 'share' / 'fastdds').is_dir() for prefix in _prefixes())
    return 'FASTDDS_DEFAULT_PROFILES_FILE' if kilted else 'FASTRTPS_DEFAULT_PROFILES_FILE'


def _is_newer_than_humble() -> bool:
    return os.environ.get('ROS_DISTRO', '') != 'humble'


def _prefixes() -> list[Path]:
    listed = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return [Path(prefix) for prefix in (*listed, sys.prefix) if prefix]


def free_shared_memory() -> int:
    """Return the free bytes of shared memory; 0 where there is none."""
    try:
        status = os.statvfs(SHARED_MEMORY)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def choose_domain(wanted: int | None) -> int:
    """
    Return a ROS domain that nobody on this machine uses.

    ``wanted`` itself, or BringupError where it is taken; None picks one, not always the first, so
    that two drives started together do not meet.
    """
    if wanted is not None:
        if not 0 <= wanted <= 232:
            raise BringupError(f'a ROS domain is 0 .. 232, got {wanted!r}')
        if not domain_is_free(wanted):
            raise BringupError(
                f'ROS domain {wanted} is in use on this machine: UDP port {_port(wanted)} is '
                'taken; stop what runs there or leave out --domain, then a free one is found')
        return wanted
    domains = list(range(1, LAST_FREE_DOMAIN + 1))
    Random(os.getpid() ^ time.time_ns()).shuffle(domains)
    for domain in domains:
        if domain_is_free(domain):
            return domain
    raise BringupError(f'no free ROS domain in 1 .. {LAST_FREE_DOMAIN}; stop some ROS systems')


def domain_is_free(domain: int) -> bool:
    """Say whether no participant holds the first unicast port of ``domain``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('0.0.0.0', _port(domain)))
        except OSError:
            return False
    return True


def _port(domain: int) -> int:
    return FIRST_PORT + DOMAIN_PORTS * domain + UNICAST
