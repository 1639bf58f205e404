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
"""The recorder as a process: what was published is in the bag, also after kill -9."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from ltc_control import bringup
from ltc_control.core.errors import ConfigError
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.data.spool import recover, SPOOL_FILE
from ltc_control.nodes.recorder_node import parse_attributes
from mcap.reader import make_reader
from rclpy.serialization import deserialize_message
from std_msgs.msg import String

pytestmark = pytest.mark.ros

NEAR_NS = 300 * 10**9                      # by the same clock, even if it is set meanwhile
TOPICS = '/words,/camera/image_raw,/never/published'


@pytest.fixture
def recorder(tmp_path: Path) -> Any:
    process = subprocess.Popen(
        [sys.executable, '-m', 'ltc_control.nodes.recorder_node', '--ros-args',
         '-p', f'bag:={tmp_path / "bag"}', '-p', f'topics:={TOPICS}',
         '-p', 'attributes:=track=7,season=summer',
         '-p', 'expect:=subscription:/words:1 subscription:/camera/image_raw:1'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield process
    process.kill()
    process.wait()


def publish_all(stage: Any) -> list[str]:
    """Publish 50 words and images to a ready recorder; return the words as they were sent."""
    vehicle = stage.vehicle()
    out = vehicle.create_publisher(String, '/words', 100)
    ready: list[str] = []
    from ltc_control.nodes.qos import LATCHED_MANY
    vehicle.create_subscription(String, bringup.READY, lambda m: ready.append(m.data),
                                LATCHED_MANY)
    stage.spin_until(lambda: 'recorder_node' in ready and out.get_subscription_count() == 1
                     and vehicle.image_out.get_subscription_count() == 1)
    sent = []
    for number in range(50):
        sent.append(f'word {number}')
        out.publish(String(data=sent[-1]))
        vehicle.image_out.publish(vehicle.good_image(number))
        stage.spin(0.01)
    return sent


def words_in(bag: Path) -> list[str]:
    with (bag / 'bag_0.mcap').open('rb') as stream:
        return [deserialize_message(message.data, String).data
                for _, channel, message in make_reader(stream).iter_messages()
                if channel.topic == '/words']


def test_a_clean_stop_leaves_a_bag_with_every_byte(stage: Any, recorder: Any,
                                                   tmp_path: Path) -> None:
    sent = publish_all(stage)
    recorder.send_signal(signal.SIGINT)
    assert recorder.wait(120) == 0, recorder.stdout.read()
    assert words_in(tmp_path / 'bag') == sent
    said = read_attributes(tmp_path / 'bag')
    assert (said['track'], said['season']) == ('7', 'summer')
    assert (tmp_path / 'bag' / 'metadata.yaml').is_file()
    assert not (tmp_path / 'bag.spool').exists()
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as stream:
        messages = list(make_reader(stream).iter_messages())
    assert all(abs(message.log_time - time.time_ns()) < NEAR_NS for _, _, message in messages)
    # best effort: on a machine with no time for it the middleware may lose some
    assert 0 < sum(channel.topic == '/camera/image_raw' for _, channel, _ in messages) <= 50


def test_a_transition_that_does_not_exist_ends_nothing(stage: Any, recorder: Any,
                                                       tmp_path: Path) -> None:
    client = stage.listener().create_client(ChangeState, '/recorder_node/change_state')
    stage.spin_until(client.service_is_ready)
    # on Jazzy this raises out of the executor of the node that is asked, and nobody answers
    client.call_async(ChangeState.Request(transition=Transition(id=42)))
    sent = publish_all(stage)
    recorder.send_signal(signal.SIGTERM)
    assert recorder.wait(120) == 0, recorder.stdout.read()
    assert words_in(tmp_path / 'bag') == sent


def test_kill_9_loses_nothing_that_was_written(stage: Any, recorder: Any, tmp_path: Path) -> None:
    sent = publish_all(stage)
    spool = tmp_path / 'bag.spool' / SPOOL_FILE
    stage.spin_until(lambda: sent[-1].encode() in spool.read_bytes())
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait(60)
    assert not (tmp_path / 'bag').exists()
    saved = recover(tmp_path / 'bag.spool', tmp_path / 'bag')
    assert not saved.complete
    assert words_in(tmp_path / 'bag') == sent


def test_a_bag_that_exists_is_refused_with_code_2(tmp_path: Path) -> None:
    (tmp_path / 'bag').mkdir()
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.nodes.recorder_node', '--ros-args',
         '-p', f'bag:={tmp_path / "bag"}', '-p', 'topics:=/words'],
        capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2
    assert 'exists already' in done.stderr
    assert 'Traceback' not in done.stderr


def test_attributes_are_read_or_refused() -> None:
    assert parse_attributes('a=1,b=x=y,') == {'a': '1', 'b': 'x=y'}
    with pytest.raises(ConfigError, match='season'):
        parse_attributes('track=1,season')
