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
What the live page costs: processor time of the dashboard node with 0, 1 and 20 browsers.

    python benchmarks/page.py                  a table
    python benchmarks/page.py --json           JSON on standard output; --json FILE writes it there

A process plays the topics of a drive over DDS at their real rates: camera (200x66) and neurons at
30 Hz, commands and verdicts at 50 Hz, the overlay at 10 Hz. The node is the real process; browsers
are websocket clients that answer each message. Counted is the processor time of the node alone
(user and system, all its threads), so that a busy machine does not change it much. One second of a
slow client is part of it too: it never answers. Exits with 1 when more than 15 % of a core is used
at 10 Hz, or when a browser sees fewer than 9.5 refreshes a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

import aiohttp
import cv2
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from interleaved import machine, written
from ltc_control import bringup
from ltc_control.cli.processes import choose_domain, ros_environment
from ltc_control.core.contracts import Command, Frame, Odometry, Verdict
from ltc_control.core.model_file import load_spec
from ltc_control.core.neurons import neuron_names
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from nav_msgs.msg import Odometry as OdometryMessage
import numpy as np
from processes import cpu_s, memory_mb
import rclpy
from rclpy.executors import ExternalShutdownException
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import String

MODEL = Path(__file__).resolve().parents[1] / 'models' / 'car_lane'
MOST, SLOWEST = 0.15, 9.5
SETTLE_S = 6.0                             # until every topic has been found
SPOKEN = (
    (bringup.CAMERA, Image, qos.sensor(2, lockstep=False)),
    (bringup.OVERLAY, CompressedImage, qos.sensor(1, lockstep=False)),
    (bringup.ODOMETRY, OdometryMessage, qos.sensor(10, lockstep=True)),
    (bringup.POLICY_COMMAND, TwistStamped, qos.command(lockstep=False)),
    (bringup.NEURONS, JointState, qos.sensor(10, lockstep=True)),
    (bringup.COMMAND, TwistStamped, qos.command(lockstep=False)),
    (bringup.VERDICT, DiagnosticArray, qos.LATCHED),
    (bringup.IN_COMMAND, String, qos.LATCHED), (bringup.WHY, String, qos.REPORT))


class Drive:
    """A node that publishes what a drive publishes, at the same rates."""

    def __init__(self) -> None:
        self.node, self._rng = rclpy.create_node('drive'), np.random.default_rng(0)
        self._out = {topic: self.node.create_publisher(kind, topic, quality)
                     for topic, kind, quality in SPOKEN}
        spec = load_spec(MODEL)
        self._image, self._neurons = convert.Rgb8Message(66, 200), JointState(
            name=list(neuron_names(spec.roles, spec.neurons)))
        self._rgb = cv2.resize(self._rng.integers(0, 255, (16, 48, 3), np.uint8), (200, 66))
        self._jpeg = cv2.imencode('.jpg', self._rgb)[1].tobytes()
        self._out[bringup.IN_COMMAND].publish(String(data='policy'))
        self._newest_ns = 0
        for rate_hz, speak in ((30, self._camera), (50, self._safety), (10, self._looks)):
            self.node.create_timer(1 / rate_hz, speak)

    def _camera(self) -> None:
        now, way = time.time_ns(), 8.0 * time.monotonic() / 40.0
        self._newest_ns = now
        self._out[bringup.CAMERA].publish(self._image.fill(
            Frame(now, np.roll(self._rgb, int(50 * way), axis=1))))
        self._out[bringup.ODOMETRY].publish(convert.odometry_message(Odometry(
            now, 40 * np.cos(way), 40 * np.sin(way), way + np.pi / 2, 8.0, 0.2)))
        self._out[bringup.POLICY_COMMAND].publish(convert.twist_from_command(
            Command(now, 0.025 + 0.01 * np.sin(way), 8.0)))
        count = len(self._neurons.name)
        self._neurons.header.stamp = convert.time_message(now)
        self._neurons.position = self._rng.uniform(-1, 1, count).tolist()
        self._neurons.effort = self._rng.uniform(0.001, 0.3, count).tolist()
        self._out[bringup.NEURONS].publish(self._neurons)

    def _safety(self) -> None:
        now = self._newest_ns
        self._out[bringup.COMMAND].publish(convert.twist_from_command(Command(now, 0.025, 8.0)))
        self._out[bringup.VERDICT].publish(convert.verdict_message(Verdict.PASS, stamp_ns=now))

    def _looks(self) -> None:
        self._out[bringup.OVERLAY].publish(CompressedImage(format='jpeg', data=self._jpeg))
        self._out[bringup.WHY].publish(String(data='steers left: road curves left ahead'))


def play() -> None:
    """Publish what a drive publishes, until the process is ended."""
    rclpy.init()
    drive = Drive()
    with contextlib.suppress(ExternalShutdownException):
        rclpy.spin(drive.node)


def main() -> int:
    """Play a drive, watch its page, report."""
    args = _parse()
    if args.play:
        play()
        return 0
    with tempfile.TemporaryDirectory() as logs:
        environment = ros_environment(domain=choose_domain(None), logs=Path(logs), participants=2)
        drive = subprocess.Popen([sys.executable, __file__, '--play'], env=environment)
        try:
            rows = [_measure(environment, watchers, args) for watchers in args.watchers]
        finally:
            drive.terminate()
            drive.wait()
    passed = all(row['core'] <= MOST and row['slowest_hz'] >= SLOWEST * args.rate / 10
                 for row in rows if row['watchers'])
    report = {'benchmark': 'page', 'machine': machine(), 'rate_hz': args.rate,
              'seconds': args.seconds, 'rows': rows, 'passed': passed}
    _publish(report, args.json)
    return 0 if passed else 1


def _measure(environment: dict[str, str], watchers: int, args: argparse.Namespace,
             ) -> dict[str, Any]:
    words = [f'rate_hz:={args.rate}', 'port:=0', f'model:={MODEL}', 'track:=1001']
    node = subprocess.Popen(
        [sys.executable, '-m', 'ltc_control.nodes.dashboard_node', '--ros-args',
         *(word for value in words for word in ('-p', value))],
        env=environment, stderr=subprocess.PIPE, text=True)
    try:
        url = node.stderr.readline().partition('the page is at ')[2].strip()
        return asyncio.run(_watch(url, node.pid, watchers, args.seconds))
    finally:
        node.terminate()
        node.communicate()


async def _watch(url: str, pid: int, watchers: int, seconds: float) -> dict[str, Any]:
    counts, sizes = [0] * watchers, [0] * watchers

    async def browse(client: aiohttp.ClientSession, number: int) -> None:
        async with client.ws_connect(f'{url}/live', max_msg_size=0) as stream:
            async for message in stream:
                if message.type is aiohttp.WSMsgType.BINARY:
                    counts[number] += 1
                    sizes[number] += len(message.data)
                    await stream.send_str('drawn')

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        tasks = [asyncio.create_task(browse(client, number)) for number in range(watchers)]
        slow = await client.ws_connect(f'{url}/live') if watchers else None
        await asyncio.sleep(SETTLE_S)
        before, used, start = list(counts), cpu_s(pid), time.monotonic()
        sent = sum(sizes)
        await asyncio.sleep(seconds)
        took = time.monotonic() - start
        row = {'watchers': watchers, 'core': (cpu_s(pid) - used) / took,
               'memory_mb': memory_mb(pid)}
        rates = [(now - then) / took for now, then in zip(counts, before, strict=True)]
        if watchers:
            row |= {'slowest_hz': min(rates), 'mean_hz': sum(rates) / watchers,
                    'kilobytes': (sum(sizes) - sent) / 1e3 / max(1, sum(counts) - sum(before))}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if slow is not None:
            await slow.close()
    return row


def _publish(report: dict[str, Any], target: str | None) -> None:
    if written(report, target):
        return
    info = report['machine']
    print(f'{info["processor"]}, load {info["load_average"]}, {report["rate_hz"]:g} Hz')
    for row in report['rows']:
        seen = ('' if not row['watchers'] else
                f'  {row["slowest_hz"]:5.2f} Hz at the slowest, {row["kilobytes"]:.1f} kB each')
        print(f'{row["watchers"]:3d} browsers  {100 * row["core"]:5.1f} % of a core  '
              f'{row["memory_mb"]:5.0f} MB{seen}')


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--json', nargs='?', const='-', default=None, metavar='FILE')
    parser.add_argument('--seconds', type=float, default=20.0, help='length of each (default 20)')
    parser.add_argument('--rate', type=float, default=10.0, help='refreshes a second (default 10)')
    parser.add_argument('--watchers', type=int, nargs='+', default=[0, 1, 20])
    parser.add_argument('--play', action='store_true', help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
