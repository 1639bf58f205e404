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
``ltc drive`` through real processes: the same drive twice, the same as without middleware.

The model is a small one whose command is constant, so the drive leaves the lane; what is judged
is the system around it: determinism, figures, and every way to end.
"""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control.cli.processes import choose_domain
from ltc_control.core.contracts import Command
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.core.geometry import command_from_twist, twist_from_command
from ltc_control.core.policy import Policy
from ltc_control.insight.recorded_drive import read_drive
from ltc_control.sim.environment import Environment, EnvironmentSpec

pytestmark = [pytest.mark.ros, pytest.mark.gl]

TRACK, SECONDS, SEED, START_SPEED, RATE_HZ = 1001, 5, 3, 6.0, 30
ENDED_S = 300.0                            # at the latest, with its report, on a busy machine
TRACES = ('frames', 'pose', 'request', 'command', 'lane', 'departures', 'neurons')


def command_line(model: Path, out: Path, *words: str) -> list[str]:
    return [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--model', str(model),
            '--track', str(TRACK), '--out', str(out), '--no-video', '--no-page',
            *words]


def run(model: Path, out: Path, *words: str, timeout: float = 600) -> Any:
    return subprocess.run(command_line(model, out, *words), capture_output=True, text=True,
                          timeout=timeout, check=False)


@pytest.fixture(scope='module')
def lockstep_drives(model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the folders of two equal lockstep drives."""
    base = tmp_path_factory.mktemp('lockstep')
    folders = [base / 'first', base / 'second']
    for folder in folders:
        done = run(model, folder, '--lockstep', '--seconds', str(SECONDS), '--seed', str(SEED),
                   '--json', str(folder) + '.json')
        assert done.returncode == 0, done.stderr
    return folders


@pytest.mark.slow
def test_lockstep_gives_the_same_drive_bit_for_bit(lockstep_drives: list[Path]) -> None:
    first, second = (read_drive(folder / 'bag') for folder in lockstep_drives)
    for name in TRACES:
        a, b = getattr(first, name), getattr(second, name)
        assert len(a) > 0
        assert a.stamps_ns.tobytes() == b.stamps_ns.tobytes(), name
        assert a.values.tobytes() == b.values.tobytes(), name


@pytest.mark.slow
def test_lockstep_equals_the_loop_without_middleware(lockstep_drives: list[Path],
                                                     model: Path) -> None:
    drive = read_drive(lockstep_drives[0] / 'bag')
    poses, commands = loop_without_middleware(model)
    assert len(poses) == len(drive.pose)
    np.testing.assert_array_equal(poses[:, :2], drive.pose.values[:, :2])       # x, y
    np.testing.assert_array_equal(poses[:, 3:], drive.pose.values[:, 3:])       # speeds
    np.testing.assert_allclose(poses[:, 2], drive.pose.values[:, 2], atol=1e-12)
    np.testing.assert_array_equal(commands, drive.command.values)


def loop_without_middleware(model: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return poses (K, 5) and commands (K, 2) of Environment, Policy and gate alone."""
    policy, state, off_lane = Policy.load(model), GateState(), False
    poses, commands = [], []
    with Environment(EnvironmentSpec(track=TRACK)) as world:
        seen = world.reset(seed=SEED, speed=START_SPEED)
        for frame in range(SECONDS * RATE_HZ + 1):
            now = seen.odometry
            poses.append((now.x, now.y, now.yaw, now.speed, now.yaw_rate))
            request = over_twist(policy.step(seen.frame, seen.imu).command)
            state, command, _ = gate_step(state, now_ns=now.stamp_ns, request=request,
                                          odometry=now, config=GateConfig())
            command = over_twist(command)
            commands.append((command.speed, command.curvature))
            if frame == SECONDS * RATE_HZ:
                break
            seen = world.step(command)
            if seen.truth.departed and not off_lane:
                world.place(offset_m=0.0, heading_error=0.0)
            off_lane = seen.truth.departed
    return np.array(poses), np.array(commands)


def over_twist(command: Command) -> Command:
    """Return what a twist makes of a command: curvature is a quotient there."""
    speed, yaw_rate = twist_from_command(command)
    return command_from_twist(stamp_ns=command.stamp_ns, speed=speed, yaw_rate=yaw_rate)


@pytest.mark.slow
def test_the_figures_add_up(lockstep_drives: list[Path], model: Path) -> None:
    figures = json.loads(Path(f'{lockstep_drives[0]}.json').read_text())
    assert figures == json.loads((lockstep_drives[0] / 'report.json').read_text())
    frames = SECONDS * RATE_HZ + 1
    assert figures['frames'] == figures['requests'] == figures['commands'] == frames
    assert sum(figures['verdicts'].values()) == frames
    assert set(figures['verdicts']) <= {'pass', 'limited'}
    drive = read_drive(lockstep_drives[0] / 'bag')
    assert figures['departures'] == len(drive.departures) > 0
    assert figures['mean_abs_offset_m'] == pytest.approx(
        np.abs(drive.lane.values[:, 1]).mean(), abs=1e-4)
    assert 0 < figures['latency_ms']['p50'] <= figures['latency_ms']['p99']
    assert figures['rmw'].startswith('rmw_')
    assert figures['model'] == str(model)
    assert (figures['track'], figures['season'], figures['lockstep']) == (TRACK, 'summer', True)
    assert Path(figures['bag'], 'metadata.yaml').is_file()
    assert (lockstep_drives[0] / 'top_view.png').stat().st_size > 10_000
    assert {'simulator_node', 'policy_node', 'safety_node', 'recorder_node'} <= set(
        figures['nodes'])


def start(model: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command_line(model, out, *words), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_until(condition: Callable[[], bool], *, within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, 'what was waited for did not come'
        time.sleep(0.05)


def wait_until_driving(out: Path, drive: subprocess.Popen[str]) -> None:
    log = out / 'log' / 'simulator_node.txt'

    def driving() -> bool:
        assert drive.poll() is None, drive.communicate()[1]
        return log.is_file() and ': driving' in log.read_text()

    wait_until(driving)


def recorded_bytes(out: Path) -> int:
    return sum(path.stat().st_size for path in out.glob('bag.spool/*'))


def recorded_verdicts(out: Path, *verdicts: str) -> int:
    """Return how often these words stand in the spool, each with the zero that ends a string."""
    data = b''.join(path.read_bytes() for path in out.glob('bag.spool/*'))
    return sum(data.count(verdict.encode() + b'\0') for verdict in verdicts)


def children_of(pid: int) -> dict[str, int]:
    """Return process ids by node name, read from /proc."""
    found = {}
    for entry in Path('/proc').iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / 'stat').read_text().rpartition(')')[2].split()[1])
            words = (entry / 'cmdline').read_bytes().split(b'\0')
        except (OSError, ValueError):
            continue
        if parent == pid and b'-m' in words:
            found[words[words.index(b'-m') + 1].decode().rpartition('.')[2]] = int(entry.name)
    return found


@pytest.mark.slow
def test_ctrl_c_ends_a_live_drive_with_report_and_code_130(model: Path, tmp_path: Path) -> None:
    out, begun = tmp_path / 'run', time.time()
    drive = start(model, out, '--seconds', '600')               # longer than it is waited for
    wait_until_driving(out, drive)
    nodes = children_of(drive.pid)
    assert len(nodes) == 4
    wait_until(lambda: recorded_bytes(out) > 60 * 200 * 66 * 3         # 60 images
               and recorded_verdicts(out, 'pass', 'limited') > 30)
    drive.send_signal(signal.SIGINT)
    _, said = drive.communicate(timeout=ENDED_S)
    assert drive.returncode == 130, said
    assert 'Traceback' not in said
    assert not any(Path(f'/proc/{pid}').exists() for pid in nodes.values())
    figures = json.loads((out / 'report.json').read_text())
    assert figures['frames'] > 30
    assert {'pass', 'limited'} & set(figures['verdicts'])   # a starved machine passes only a few
    assert 0 < figures['latency_ms']['p50'] < float('inf')  # how fast is a benchmark's question
    stamp_ns = read_drive(out / 'bag').frames.stamps_ns[0]
    assert begun < stamp_ns * 1e-9 < time.time()            # the real clock


@pytest.mark.slow
def test_a_node_that_dies_ends_the_drive_in_words(model: Path, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    drive = start(model, out, '--seconds', '600', '--lockstep')
    wait_until_driving(out, drive)
    nodes = children_of(drive.pid)
    os.kill(nodes['policy_node'], signal.SIGKILL)
    _, said = drive.communicate(timeout=ENDED_S)
    assert drive.returncode == 4
    assert 'policy_node was killed by signal 9' in said
    assert 'Traceback' not in said
    assert not any(Path(f'/proc/{pid}').exists() for pid in nodes.values())


@pytest.mark.slow
def test_nodes_do_not_outlive_a_killed_drive(model: Path, tmp_path: Path) -> None:
    out = tmp_path / 'run'
    drive = start(model, out, '--seconds', '600')
    wait_until_driving(out, drive)
    nodes = children_of(drive.pid)
    drive.kill()
    drive.communicate()
    wait_until(lambda: not any(Path(f'/proc/{pid}').exists() for pid in nodes.values()))
    assert (out / 'bag' / 'metadata.yaml').is_file()        # the recorder finished its bag


def test_a_season_that_does_not_exist_is_named(model: Path, tmp_path: Path) -> None:
    done = run(model, tmp_path / 'run', '--season', 'monsoon')
    assert done.returncode in (2, 3)
    assert 'monsoon' in done.stderr
    assert 'summer' in done.stderr
    assert 'Traceback' not in done.stderr


def test_a_machine_without_opengl_is_told_what_to_install(
        model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('MUJOCO_GL', 'bogus')
    done = run(model, tmp_path / 'run')
    assert done.returncode == 3
    assert 'install' in done.stderr
    assert 'Traceback' not in done.stderr + (
        tmp_path / 'run' / 'log' / 'simulator_node.txt').read_text()


def test_a_domain_in_use_is_refused(model: Path, tmp_path: Path) -> None:
    domain = choose_domain(None)           # not one that somebody else on this machine has taken
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(('0.0.0.0', 7400 + 250 * domain + 10))
        done = run(model, tmp_path / 'run', '--domain', str(domain))
    assert done.returncode == 4
    assert f'domain {domain} is in use' in done.stderr
    assert not (tmp_path / 'run').exists()


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path / 'nowhere', tmp_path / 'run')
    assert done.returncode == 2
    assert 'nowhere' in done.stderr
    assert not (tmp_path / 'run').exists()


def test_an_existing_run_folder_is_refused(model: Path, tmp_path: Path) -> None:
    done = run(model, tmp_path)
    assert done.returncode == 2
    assert 'exists already' in done.stderr
