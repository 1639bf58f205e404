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
"""The dashboard node on real topics: before a drive, during it, and what it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import aiohttp
import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Command, Frame
from ltc_control.core.imaging import decode_compressed
from ltc_control.core.limits import Limits
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.dashboard_node import DashboardNode
from ltc_control.nodes.dashboard_server import ANSWER
from ltc_control.nodes.safety_node import SafetyNode
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

pytestmark = pytest.mark.ros

LONGEST_S = 120.0                          # that anything is waited for
RELIABLE = QoSProfile(depth=10)
OWN = {'/rosout', '/parameter_events'}


class Page(threading.Thread):
    """A browser without a window or a screen: takes each message and answers it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.hello = url, None
        self.ticks: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._watch())
        self.start()

    def run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _watch(self) -> None:
        async with (aiohttp.ClientSession() as client,
                    client.ws_connect(f'{self.url}/live') as stream):
            self.hello = await stream.receive_json()
            while True:
                message = await stream.receive()
                if message.type is not aiohttp.WSMsgType.BINARY:
                    return
                length = int.from_bytes(message.data[:4], 'little')
                self.pictures.append(message.data[4 + length:])
                self.ticks.append(json.loads(message.data[4:4 + length]))
                await stream.send_str(ANSWER)

    @property
    def newest(self) -> dict[str, Any]:
        return self.ticks[-1] if self.ticks else {}

    def seen(self, condition: Callable[[dict[str, Any]], bool],
             ) -> tuple[dict[str, Any], bytes] | None:
        """Return the newest tick of which ``condition`` holds, and its picture."""
        both = zip(list(self.ticks), list(self.pictures), strict=False)     # while others come
        return next((pair for pair in reversed(list(both)) if condition(pair[0])), None)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self.join(timeout=LONGEST_S)
        assert not self.is_alive()


def watched(stage: Any, **parameters: Any) -> tuple[DashboardNode, Page]:
    node = stage.add(DashboardNode, port=0, rate_hz=30.0, **parameters)
    return node, Page(node.url)


def play_until_seen(vehicle: Any, page: Page, condition: Callable[[dict[str, Any]], bool],
                    **how: Any) -> tuple[dict[str, Any], bytes]:
    """Play until the page has seen a tick of which ``condition`` holds; return it."""
    vehicle.play_until(lambda: page.seen(condition), **how)
    return page.seen(condition)


def test_it_says_that_there_is_no_image_and_then_shows_it(stage: Any) -> None:
    _, page = watched(stage)
    stage.spin_until(lambda: len(page.ticks) > 2)
    assert page.newest['picture'] == {
        'kind': 'none', 'number': 0,
        'words': 'no image yet: nobody publishes camera images'}
    assert set(page.pictures) == {b''}
    rgb = np.full((66, 200, 3), (200, 80, 20), np.uint8)
    out = stage.vehicle().image_out
    stage.spin_until(lambda: 'waiting' in page.newest['picture']['words'])

    def shown() -> bool:
        out.publish(convert.Rgb8Message(66, 200).fill(Frame(time.time_ns(), rgb)))
        return page.newest['picture']['kind'] == 'camera' and page.pictures[-1] != b''

    stage.spin_until(shown)
    seen = decode_compressed(page.pictures[-1])
    assert seen.shape == rgb.shape
    assert np.abs(seen.reshape(-1, 3).mean(axis=0) - (200, 80, 20)).max() < 4
    page.close()


def test_an_image_that_cannot_be_shown_is_said_and_kills_nobody(stage: Any) -> None:
    _, page = watched(stage)
    broken = Image(height=66, width=200, encoding='rgb8', step=600, data=bytes(7))
    vehicle = stage.vehicle()
    vehicle.play_until(lambda: page.newest.get('picture', {}).get(
        'words', '').startswith('the image cannot be shown'), image=lambda _: broken)
    play_until_seen(vehicle, page, lambda told: told['picture']['kind'] == 'camera'
                    and told['picture']['words'] == '')
    page.close()


def test_a_drive_is_shown_as_it_happens(stage: Any, model: Path) -> None:
    """A vehicle plays its sensors, a request and the real safety node answer."""
    _, page = watched(stage, model=str(model))
    stage.add(SafetyNode)
    vehicle = stage.vehicle()

    def ask(now: int) -> Image:
        vehicle.request_out.publish(convert.twist_from_command(Command(now, 0.02, 4.0)))
        return vehicle.good_image(now)

    told, _ = play_until_seen(vehicle, page, lambda told: (
        told['verdict'] in ('pass', 'limited') and told['in_command'] == 'policy'
        and told['latency'] is not None and told['passed'][1] > 3.9
        and told['passed'][0] > 0.019), image=ask)                   # both grow at a rate
    assert told['asked'] == [0.02, 4.0]
    assert told['words'] == 'left, radius 50 m, 4.0 m/s'
    assert told['passed'][0] == pytest.approx(0.02, abs=1e-3)
    assert told['car'][3] == 5.0
    assert told['level'] == 'good'
    assert told['bounds']['curvature'] == pytest.approx(3.5886 / 25, abs=1e-3)
    assert 0 < told['latency']['p50'] <= told['latency']['p99'] < 10_000
    assert page.hello['circuit']['names'] == ['motor_0', 'inter_0']
    page.close()


def test_it_shows_why_and_the_overlay_where_somebody_tells(stage: Any) -> None:
    _, page = watched(stage)
    vehicle = stage.vehicle()
    why = vehicle.create_publisher(String, bringup.WHY, RELIABLE)
    latched = vehicle.create_publisher(String, bringup.IN_COMMAND, qos.LATCHED)
    latched.publish(String(data='human'))              # once, before anybody listens
    overlay = vehicle.create_publisher(CompressedImage, bringup.OVERLAY, qos_profile_sensor_data)
    jpeg = CompressedImage(format='jpeg', data=b'\xff\xd8 an overlay \xff\xd9')

    def tell(now: int) -> Image:
        why.publish(String(data='steers left: road curves left'))
        overlay.publish(jpeg)
        return vehicle.good_image(now)

    told, picture = play_until_seen(
        vehicle, page, lambda told: told['why'] and told['in_command'] == 'human'
        and told['picture']['kind'] == 'attention', image=tell)
    assert told['why'] == 'steers left: road curves left'
    assert told['driver_words'] == 'A person drives'
    assert picture == b'\xff\xd8 an overlay \xff\xd9'
    page.close()


def test_a_drone_is_shown_with_its_own_commands(stage: Any, drone: Path) -> None:
    _, page = watched(stage, model=str(drone), track=1001)
    vehicle = stage.vehicle()
    asked = TwistStamped()
    asked.twist.linear.x, asked.twist.linear.y = 1.5, -0.25
    asked.twist.angular.z = 0.5

    def shown() -> bool:
        asked.header.stamp = convert.time_message(time.time_ns())
        vehicle.request_out.publish(asked)
        return page.newest.get('asked') is not None

    stage.spin_until(shown)
    assert page.newest['asked'] == [1.5, -0.25, 0.0, 0.5]
    assert page.newest['words'] == 'forward 1.5 m/s, right 0.2 m/s, turns left 29°/s'
    assert (page.hello['vehicle'], page.hello['road']) == ('drone', None)
    assert page.hello['title']['ranges']['up'] == {'unit': 'm/s', 'low': -1.2, 'high': 1.2}
    assert page.hello['title']['place'] == ''      # a track is a road's
    assert len(page.hello['circuit']['names']) == 19
    page.close()


def test_limits_are_those_of_the_safety_node(stage: Any) -> None:
    stage.add(SafetyNode, max_speed=7.5)
    node = stage.add(DashboardNode, port=0)
    stage.spin_until(lambda: node._view.limits_known)
    assert node._view.limits == Limits(max_speed=7.5)


def test_it_listens_only_once_the_others_are_ready(stage: Any) -> None:
    node = stage.add(DashboardNode, port=0, wait_for='policy_node safety_node')
    vehicle = stage.vehicle()
    vehicle.play(0.6)
    assert vehicle.odometry_out.get_subscription_count() == 0
    ready = vehicle.create_publisher(String, bringup.READY, qos.LATCHED_MANY)
    for name in ('safety_node', 'policy_node'):
        ready.publish(String(data=name))
    vehicle.play_until(lambda: vehicle.odometry_out.get_subscription_count() == 1)
    assert vehicle.image_out.get_subscription_count() == 0     # nobody watches
    page = Page(node.url)
    vehicle.play_until(lambda: vehicle.image_out.get_subscription_count() == 1)
    page.close()
    vehicle.play_until(lambda: vehicle.image_out.get_subscription_count() == 0)


def test_it_can_say_nothing_to_anybody(stage: Any) -> None:
    """No publisher, no service and no action of its own: nothing of it reaches a vehicle."""
    node, page = watched(stage)
    stage.vehicle().play(1.0)
    assert {end.topic_name for end in node.publishers} <= OWN
    assert {service.srv_name.rpartition('/')[2] for service in node.services} <= {
        'describe_parameters', 'get_parameter_types', 'get_parameters', 'list_parameters',
        'set_parameters', 'set_parameters_atomically', 'get_type_description'}
    assert [client.srv_name.strip('/') for client in node.clients] == [
        'safety_node/get_parameters']
    page.close()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_under_watching_browsers(number: int) -> None:
    words = ['--ros-args', '-p', 'port:=0']
    process = subprocess.Popen([sys.executable, '-m', 'ltc_control.nodes.dashboard_node', *words],
                               stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    try:
        line = process.stderr.readline()
        page = Page(line.split('the page is at ')[1].strip())
        deadline = time.monotonic() + LONGEST_S
        while len(page.ticks) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(number)
        said = process.communicate(timeout=2 * LONGEST_S)[1]
        assert process.returncode == 0, said
        assert 'Traceback' not in said
        page.join(timeout=LONGEST_S)
        assert not page.is_alive()         # the browser was told
    finally:
        process.kill()


def test_a_port_in_use_is_one_line_and_code_4(stage: Any) -> None:
    node = stage.add(DashboardNode, port=0)
    taken = node.url.rpartition(':')[2]
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.nodes.dashboard_node', '--ros-args', '-p',
         f'port:={taken}'], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 4
    assert f'port {taken} of 127.0.0.1 is in use' in done.stderr
    assert 'Traceback' not in done.stderr


def test_another_host_than_loopback_is_warned_of() -> None:
    process = subprocess.Popen(
        [sys.executable, '-m', 'ltc_control.nodes.dashboard_node', '--ros-args', '-p', 'port:=0',
         '-p', 'host:=0.0.0.0'], stderr=subprocess.PIPE, text=True)
    try:
        assert 'the page is at' in process.stderr.readline()
        assert 'whoever reaches this machine' in process.stderr.readline()
    finally:
        process.terminate()
        process.communicate(timeout=2 * LONGEST_S)
