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
From camera to command between processes: the policy node beside a bare relay, frame by frame.

A source publishes images at 30 Hz; every other half period the frame goes to a relay, which only
answers with the stamp, so that both meet the same machine and never each other. What the policy
node may add to the relay is its step: ``ratio`` = camera to command / (relay + step), by medians.
Frames count as lost when the policy gave no command with their stamp. Real processes, real DDS,
our shared-memory profile.

    python benchmarks/latency.py --json                   both sizes, 60 s each
    python benchmarks/latency.py --seconds 10 --sizes 640x480
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
import contextlib
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from interleaved import machine
from ltc_control import bringup
from ltc_control.cli.processes import choose_domain, ros_environment
from ltc_control.cli.progress import progress_bar
from ltc_control.core.contracts import Frame
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.running import run
import numpy as np
from processes import cpu_s
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, Imu

RATE_HZ = 30.0
RELAY_IMAGE, RELAY_COMMAND = '/relay/image_raw', '/relay/command'
SIZES = '200x66,640x480'
TARGETS = {'ratio': 1.25, 'frames_lost': 0, 'policy_cpu_percent': 25.0,
           'discovered_to_first_command_s': 2.0}
DRAIN_S, PATIENCE_S, WARM_FRAMES = 1.0, 60.0, 15
EXPOSURE_S = 0.004                         # of a frame's way through its camera


@dataclass
class Side:
    """One of the two that answer: when each frame was sent and answered [ns], by its stamp."""

    sent: dict[int, int] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)

    def milliseconds(self) -> np.ndarray:
        """Return the latencies of the answered frames, the first ones left out."""
        stamps = sorted(self.sent)[WARM_FRAMES:]
        return np.array([1e-6 * (self.answered[stamp] - self.sent[stamp])
                         for stamp in stamps if stamp in self.answered])


def main() -> int:
    """Measure every size; print one JSON object or a table; 1 where a target is missed."""
    args = _parse()
    if args.relay:
        return run(Relay, args=[])
    rows = []
    with progress_bar('latency', total=len(args.sizes.split(','))) as advance:
        for size in args.sizes.split(','):
            width, height = (int(word) for word in size.split('x'))
            rows.append(measure(width, height, seconds=args.seconds, model=args.model))
            advance(f'{size}: ratio {rows[-1]["ratio"]}, {rows[-1]["frames_lost"]} lost')
    report = {'rows': rows, 'targets': TARGETS, 'met': met(rows), 'machine': machine()}
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        _table(rows)
    return 0 if all(report['met'].values()) else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument('--sizes', default=SIZES, help=f'images, by commas (default {SIZES})')
    parser.add_argument('--seconds', type=float, default=60.0, help='a size (default 60)')
    parser.add_argument('--model', default=str(bringup.share('models/car_lane')))
    parser.add_argument('--relay', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


def met(rows: list[dict[str, Any]]) -> dict[str, bool]:
    """Say of each target whether every row keeps it."""
    return {name: all(row[name] is not None and row[name] <= most for row in rows)
            for name, most in TARGETS.items()}


def measure(width: int, height: int, *, seconds: float, model: str) -> dict[str, Any]:
    """Run relay and policy beside each other; return the row of one image size."""
    domain = choose_domain(None)
    with tempfile.TemporaryDirectory() as logs:
        os.environ.update(ros_environment(domain=domain, logs=Path(logs), participants=3))
        with _source(width, height, domain) as source, \
                _process([sys.executable, __file__, '--relay']):
            source.until(lambda: source.relay_out.get_subscription_count() == 1)
            policy = bringup.NodeSpec('policy_node', parameters={'model': model})
            started = time.monotonic()
            with _process([sys.executable, '-m', policy.module, '--ros-args', '-p',
                           f'model:={model}'], quiet=True) as process:
                first = source.first_command(started)
                before, wall = cpu_s(process.pid), time.monotonic()
                source.drive(seconds)
                cpu = 100.0 * (cpu_s(process.pid) - before) / (time.monotonic() - wall)
                source.until(lambda: source.health.get('frames') is not None)
        return _row(source, first, width=width, height=height, cpu=cpu)


def _row(source: Source, first: dict[str, float], *, width: int, height: int,
         cpu: float) -> dict[str, Any]:
    relay, policy = source.relay.milliseconds(), source.policy.milliseconds()
    relay_p50, relay_p99 = np.percentile(relay, (50, 99))
    p50, p99 = np.percentile(policy, (50, 99))
    step = float(source.health['step_ms_p50'])
    row = {'image': f'{width}x{height}', 'frames': len(source.policy.sent),
           'relay_p50_ms': relay_p50, 'relay_p99_ms': relay_p99, 'step_p50_ms': step,
           'step_p99_ms': float(source.health['step_ms_p99']),
           'camera_to_command_p50_ms': p50, 'camera_to_command_p99_ms': p99,
           'ratio': p50 / (relay_p50 + step), 'policy_cpu_percent': cpu, **first}
    return {**{key: round(value, 3) if isinstance(value, float) else value
               for key, value in row.items()},
            'frames_lost': len(source.policy.sent.keys() - source.policy.answered.keys()),
            'relay_frames_lost': len(source.relay.sent.keys() - source.relay.answered.keys())}


@contextlib.contextmanager
def _process(command: list[str], *, quiet: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(command, stderr=output, stdout=output, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Source(Node):
    """Publishes the images of both sides and hears the answers; spins only while it waits."""

    def __init__(self, width: int, height: int, context: rclpy.Context) -> None:
        super().__init__('source', context=context, use_global_arguments=False)
        camera, answers = qos.sensor(2, lockstep=False), qos.command(lockstep=False)
        self.relay_out = self.create_publisher(Image, RELAY_IMAGE, camera)
        self.policy_out = self.create_publisher(Image, bringup.CAMERA, camera)
        self.imu_out = self.create_publisher(Imu, bringup.IMU, qos.sensor(10, lockstep=False))
        self.relay, self.policy = Side(), Side()
        self.health: dict[str, str] = {}
        self._rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        self._message = convert.Rgb8Message(height, width)
        self.create_subscription(TwistStamped, RELAY_COMMAND,
                                 lambda message: self._heard(self.relay, message), answers)
        self.create_subscription(TwistStamped, bringup.POLICY_COMMAND,
                                 lambda message: self._heard(self.policy, message), answers)
        self.create_subscription(DiagnosticArray, bringup.DIAGNOSTICS, self._on_health, qos.REPORT)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self)

    def _heard(self, side: Side, message: TwistStamped) -> None:
        side.answered.setdefault(convert.stamp_ns(message.header.stamp), time.time_ns())

    def _on_health(self, message: DiagnosticArray) -> None:
        self.health = convert.health_values(message)

    def send(self, out: Publisher, side: Side) -> None:
        """Publish the IMU sample of a moment and, as a camera takes longer, the frame later."""
        stamp = time.time_ns()
        self.imu_out.publish(convert.imu_message(
            convert.ImuSample(stamp, (0.0, 0.0, 0.0), (0.0, 0.0, 9.81))))
        self.spin_to(time.monotonic() + EXPOSURE_S)
        message = self._message.fill(Frame(stamp, self._rgb))
        side.sent[stamp] = time.time_ns()
        out.publish(message)

    def until(self, condition: Callable[[], bool]) -> None:
        """Spin until it holds; TimeoutError where it never does."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError('what was waited for did not come; look at `ltc doctor`')
            self._executor.spin_once(timeout_sec=0.01)

    def spin_to(self, moment: float) -> None:
        """Spin up to a moment of the monotonic clock."""
        while (left := moment - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.01))

    def first_command(self, started: float) -> dict[str, float]:
        """Send frames until the policy answers; return how long that took it."""
        discovered = None
        while not self.policy.answered:
            if discovered is None and self.policy_out.get_subscription_count():
                discovered = time.monotonic()
            self.send(self.policy_out, self.policy)
            self.spin_to(time.monotonic() + 1.0 / RATE_HZ)
            if time.monotonic() - started > PATIENCE_S:
                raise TimeoutError('the policy node gave no command; look at `ltc doctor`')
        now = time.monotonic()
        self.policy = Side()
        return {'start_to_first_command_s': now - started,
                'discovered_to_first_command_s': now - (discovered or now)}

    def drive(self, seconds: float) -> None:
        """Send frames at the rate, to the policy and, half a period later, to the relay."""
        begin, half = time.monotonic(), 0.5 / RATE_HZ
        for index in range(round(seconds * RATE_HZ)):
            self.spin_to(begin + 2 * index * half)
            self.send(self.policy_out, self.policy)
            self.spin_to(begin + (2 * index + 1) * half)
            self.send(self.relay_out, self.relay)
        self.health = {}                   # the next report holds the figures of this drive
        self.spin_to(time.monotonic() + DRAIN_S)


@contextlib.contextmanager
def _source(width: int, height: int, domain: int) -> Iterator[Source]:
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    source = Source(width, height, context)
    try:
        yield source
    finally:
        source.destroy_node()
        rclpy.try_shutdown(context=context)


class Relay(Node):
    """Answers each image with its stamp: the least that a Python node can do."""

    def __init__(self) -> None:
        super().__init__('relay')
        self._out = self.create_publisher(TwistStamped, RELAY_COMMAND, qos.command(lockstep=False))
        self.create_subscription(Image, RELAY_IMAGE, self._answer, qos.sensor(1, lockstep=False))

    def _answer(self, message: Image) -> None:
        self._out.publish(TwistStamped(header=message.header))


def _table(rows: list[dict[str, Any]]) -> None:
    names = ('image', 'relay_p50_ms', 'step_p50_ms', 'camera_to_command_p50_ms',
             'camera_to_command_p99_ms', 'ratio', 'frames_lost', 'policy_cpu_percent')
    print('| ' + ' | '.join(names) + ' |\n|' + '---|' * len(names))
    for row in rows:
        print('| ' + ' | '.join(str(row[name]) for name in names) + ' |')


if __name__ == '__main__':
    sys.exit(main())
