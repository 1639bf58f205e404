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
"""How a node's process ends: by signal, by an error in words, by one that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from ltc_control.core.errors import ModelError
from ltc_control.nodes.running import run
import rclpy
from rclpy.node import Node
from std_msgs.msg import Bool

pytestmark = pytest.mark.ros


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Give back what ``run`` made deaf: in a node the process ends there."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class _Ending(Node):
    """Does one thing in its first tick."""

    def __init__(self, deed) -> None:
        super().__init__('ending')
        self.out = self.create_publisher(Bool, '/ending', 1)
        self.create_timer(0.01, lambda: deed(self))


def _publish_after_shutdown(node: _Ending) -> None:
    rclpy.shutdown()                       # what a SIGTERM does, here at the worst moment
    node.out.publish(Bool())


def _fail_in_words(node: _Ending) -> None:
    raise ModelError('no such model')


def _divide_by_zero(node: _Ending) -> None:
    raise ZeroDivisionError


def test_a_shutdown_under_a_callback_that_publishes_is_a_plain_end() -> None:
    assert run(lambda: _Ending(_publish_after_shutdown), args=[]) == 0


def test_an_error_in_words_gives_its_exit_code_and_one_line(
        capfd: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: _Ending(_fail_in_words), args=[]) == ModelError.exit_code
    assert 'ending: error: no such model' in capfd.readouterr().err


def test_an_error_that_nobody_expected_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: _Ending(_divide_by_zero), args=[])
    assert not rclpy.ok()


@pytest.mark.parametrize('first', [signal.SIGINT, signal.SIGTERM])
def test_signals_in_a_row_end_a_node_cleanly(first: signal.Signals) -> None:
    node = subprocess.Popen([sys.executable, '-m', 'ltc_control.nodes.safety_node'],
                            stderr=subprocess.PIPE, text=True)
    try:
        assert 'verdict' in node.stderr.readline()
        for number in (first, signal.SIGINT, signal.SIGTERM):
            node.send_signal(number)
        _, said = node.communicate(timeout=120)
    finally:
        node.kill()
        node.wait()
    assert node.returncode == 0
    assert 'Traceback' not in said
