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
"""``ltc doctor``: is everything here that a drive needs, and if not, what to do."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
import json
import os
from pathlib import Path
import platform
import re
import statistics
import sys
import tempfile
import time

from ltc_control import bringup
from ltc_control.core.errors import LtcError

HELP = 'check this machine and its vehicle: packages, OpenGL, ROS 2, topics, models'
EPILOG = """examples:
  ltc doctor                     every check; exit 1 when one fails
  ltc doctor --only ros shm      some of them
  ltc doctor --only topics       is a camera there, an IMU, odometry, and how fast?
  ltc doctor --json
"""
MARKS = {'ok': '✓', 'warning': '!', 'failed': '✗'}
NEEDED = ('numpy', 'PyYAML', 'opencv-python-headless', 'onnxruntime', 'mujoco', 'mcap',
          'mcap-ros2-support', 'rosbags', 'matplotlib', 'rich')
ROS_WHEEL = 'ros-rclpy'
OLDEST_PYTHON = (3, 10)
NODES_OF_A_DRIVE = 5                       # simulator, policy, safety, recorder, listener
STEPS = 30


@dataclass(frozen=True)
class Finding:
    """The outcome of one check: ``state`` is ok, warning or failed; ``advice`` says what to do."""

    name: str
    state: str
    text: str
    advice: str = ''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc doctor``."""
    parser.add_argument('--only', nargs='+', choices=sorted(CHECKS), metavar='CHECK',
                        help=f'some checks of: {", ".join(CHECKS)}')
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args: argparse.Namespace) -> int:
    """Print what was found; 0 when nothing failed, else 1."""
    findings = []
    for name in args.only or CHECKS:
        found = examine(name)
        findings += found
        if not args.json:
            for finding in found:
                _show(finding)
    failed = any(finding.state == 'failed' for finding in findings)
    if args.json:
        print(json.dumps({'ok': not failed, 'checks': [asdict(one) for one in findings]},
                         indent=2))
    return int(failed)


def examine(name: str) -> list[Finding]:
    """Return what a check of ``CHECKS`` finds; a check that breaks is a failed one."""
    try:
        return list(CHECKS[name]())
    except LtcError as error:
        return [Finding(name, 'failed', str(error))]
    except Exception as error:             # whatever it is, the other checks still say theirs
        return [Finding(name, 'failed', f'{type(error).__name__}: {error}',
                        'set the environment up again: make clean setup')]


def _show(finding: Finding) -> None:
    print(f'{MARKS[finding.state]} {finding.name:<14} {finding.text}')
    if finding.advice:
        print(f'  {"":<14} -> {finding.advice}')


def check_python() -> Sequence[Finding]:
    """See that Python is new enough."""
    text = f'{platform.python_version()} on {platform.system()} {platform.machine()}'
    if tuple(sys.version_info) < OLDEST_PYTHON:
        return [Finding('python', 'failed', text, 'use Python 3.10 or newer')]
    return [Finding('python', 'ok', text)]


def check_packages() -> Sequence[Finding]:
    """See that what a drive imports is installed, in the versions that were tested."""
    pins, missing, other = tested_versions(), [], []
    for name in (*NEEDED, *([ROS_WHEEL] if _installed(ROS_WHEEL) else [])):
        version = _installed(name)
        if version is None:
            missing.append(name)
        elif name in pins and version not in pins[name]:
            other.append(f'{name} {version} (tested: {" or ".join(sorted(pins[name]))})')
    if missing:
        return [Finding('packages', 'failed', f'missing: {", ".join(missing)}',
                        'run: make setup, or pip install -r requirements/sim.txt')]
    if other:
        return [Finding('packages', 'warning', f'other versions than tested: {", ".join(other)}',
                        'should something misbehave, run: make setup')]
    return [Finding('packages', 'ok', f'{len(NEEDED)} there'
                                      + (', in the versions tested' if pins else ''))]


def tested_versions() -> dict[str, set[str]]:
    """Return the versions that requirements/*.txt pin, by package; empty when not at hand."""
    pins: dict[str, set[str]] = {}
    for path in bringup.share('requirements').glob('*.txt'):
        for name, version in re.findall(r'^([\w.-]+)(?:\[.*\])?==([\w.]+)',
                                        path.read_text(encoding='utf-8'), re.MULTILINE):
            pins.setdefault(name, set()).add(version)
    return pins


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_gl() -> Sequence[Finding]:
    """Draw the world off screen, and say how fast."""
    from ltc_control.sim.graphics import require
    require()
    from ltc_control.sim.environment import Environment, EnvironmentSpec
    with Environment(EnvironmentSpec(track=1001)) as world:
        observation = world.reset(seed=0)
        start = time.perf_counter()
        for _ in range(STEPS):
            observation = world.step(world.expert.command(observation.truth, observation.odometry))
        rate = STEPS / (time.perf_counter() - start)
    if int(observation.frame.rgb.max()) == int(observation.frame.rgb.min()):
        return [Finding('gl', 'failed', f'{os.environ["MUJOCO_GL"]} draws nothing but one colour',
                        'install the software renderer: apt-get install libegl1 libgl1')]
    text = f'{os.environ["MUJOCO_GL"]}, {rate:.0f} camera frames a second with physics'
    if rate < 30:
        return [Finding('gl', 'warning', text,
                        'too slow for real time; use ltc drive --lockstep')]
    return [Finding('gl', 'ok', text)]


def check_ros() -> Sequence[Finding]:
    """Send a message through the middleware and back."""
    from ltc_control.cli.doctor_ros import missing_middleware
    from ltc_control.cli.processes import choose_domain, ros_environment
    missing = missing_middleware(os.environ)
    if missing:
        return [Finding('ros', 'failed', f'the middleware {missing!r} is not installed',
                        'unset RMW_IMPLEMENTATION')]
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        return [Finding('ros', 'failed', f'rclpy cannot be imported: {error}',
                        'run: make setup, or source a ROS 2 installation first')]
    domain = choose_domain(None)
    with tempfile.TemporaryDirectory() as logs:
        os.environ.update(ros_environment(domain=domain, logs=Path(logs), participants=2))
        from ltc_control.cli.round_trip import round_trip_ms
        middleware, milliseconds = round_trip_ms(domain=domain)
    return [Finding('ros', 'ok', f'{middleware}, {milliseconds:.2f} ms there and back, domain '
                                 f'{domain}')]


def check_shm() -> Sequence[Finding]:
    """See that shared memory has room for the segments of all participants."""
    from ltc_control.cli.processes import free_shared_memory, SEGMENT_BYTES, SHARED_MEMORY
    free, wanted = free_shared_memory(), 2 * NODES_OF_A_DRIVE * SEGMENT_BYTES
    text = f'{free >> 20} MB free in {SHARED_MEMORY}'
    if free < wanted:
        return [Finding('shm', 'warning', f'{text}; {wanted >> 20} MB let larger images through',
                        'small images still pass; in a container use --shm-size=512m')]
    return [Finding('shm', 'ok', text)]


def check_models() -> Sequence[Finding]:
    """Load and step every model folder; its commands must be finite."""
    folder = bringup.share('models')
    found = sorted(path.parent for path in folder.glob('*/policy.yaml'))
    if not found:
        return [Finding('models', 'failed', f'no model in {folder.name}/',
                        'train one: make model-car')]
    return [_model(path) for path in found]


def _model(path: Path) -> Finding:
    from ltc_control.core.engine import Engine
    import numpy as np
    name = f'models {path.name}'
    try:
        engine = Engine(path)
    except LtcError as error:
        return Finding(name, 'failed', str(error), 'take the folder from the repository again, '
                       'or train it: make model-car')
    spec = engine.spec
    state, times = engine.zero_state(), []
    image = np.full((spec.image.height, spec.image.width, 3), 127, np.uint8)
    imu = np.zeros(len(spec.imu.features), np.float32)
    for _ in range(STEPS):
        start = time.perf_counter()
        command, state, _ = engine.step(image, imu, state, spec.dt_nominal_s)
        times.append(time.perf_counter() - start)
    if not np.isfinite(command).all():
        return Finding(name, 'failed', f'commands are not finite: {command!r}', 'train it again')
    return Finding(name, 'ok', f'{spec.neurons} neurons, {1e3 * statistics.median(times):.2f} ms '
                               f'a frame, {spec.parameters.get("total", 0):,} parameters')


def check_domain() -> Sequence[Finding]:
    """See that this shell's ROS variables make sense together."""
    from ltc_control.cli.doctor_ros import environment
    return environment(os.environ)


def check_topics() -> Sequence[Finding]:
    """Look for a vehicle in this shell's ROS domain."""
    from ltc_control.cli.doctor_ros import topics
    return topics()


CHECKS: dict[str, Callable[[], Sequence[Finding]]] = {
    'python': check_python, 'packages': check_packages, 'gl': check_gl,
    'domain': check_domain, 'topics': check_topics, 'ros': check_ros,
    'shm': check_shm, 'models': check_models}
