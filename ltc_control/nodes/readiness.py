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
Nobody sleeps: a node says that it is ready once its topics have the partners they are to have.

The word goes out latched on ``/system/ready``, so that a leader who comes late still hears it.
"""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import NamedTuple

from ltc_control.bringup import READY
from ltc_control.core.errors import ConfigError
from ltc_control.nodes.qos import LATCHED
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription
from std_msgs.msg import String

POLL_S = 0.05
PATIENCE_S = 5.0                           # then the log says what is missing


class Expectation(NamedTuple):
    """``kind`` ('publisher' or 'subscription') of ``topic`` must have ``count`` partners."""

    kind: str
    topic: str
    count: int


def parse_expectations(text: str) -> tuple[Expectation, ...]:
    """Read words like ``publisher:/odom:2``; ConfigError where one is not of that form."""
    return tuple(_parse(word) for word in text.split())


def _parse(word: str) -> Expectation:
    kind, _, rest = word.partition(':')
    topic, _, count = rest.rpartition(':')
    if kind not in ('publisher', 'subscription') or not topic or not count.isdigit():
        raise ConfigError(f'expected a word like publisher:/odom:2, got {word!r}')
    return Expectation(kind, topic, int(count))


class Readiness:
    """Polls the matched counts of ``node``; calls ``then`` and tells the others, once."""

    def __init__(self, node: Node, expect: str, *, then: Callable[[], None] | None = None) -> None:
        self._node = node
        self._then = then
        self._asked_at = time.monotonic()
        # as the node itself names them, after namespaces and remaps
        self._expectations = tuple(item._replace(topic=node.resolve_topic_name(item.topic))
                                   for item in parse_expectations(expect))
        self._publisher = node.create_publisher(String, READY, LATCHED)
        # steady: a simulated clock stands still until the drive starts
        self._clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(POLL_S, self._poll, clock=self._clock)

    def missing(self) -> list[str]:
        """Return what is still unmatched, in words."""
        return [f'{item.kind} of {item.topic} has {self._partners(item)} of {item.count} partners'
                for item in self._expectations if self._partners(item) < item.count]

    def close(self) -> None:
        """Take the word back: late leaders will not hear it any more."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _partners(self, item: Expectation) -> int:
        node = self._node
        if item.kind == 'publisher':
            return max((end.get_subscription_count() for end in node.publishers
                        if end.topic_name == item.topic), default=0)
        return max((_publishers_of(node, end) for end in node.subscriptions
                    if end.topic_name == item.topic), default=0)

    def _poll(self) -> None:
        missing = self.missing()
        if missing:
            if time.monotonic() - self._asked_at > PATIENCE_S:
                self._node.get_logger().warning(f'waiting: {"; ".join(missing)}',
                                                throttle_duration_sec=PATIENCE_S)
            return
        self._node.destroy_timer(self._timer)
        if self._expectations:
            self._node.get_logger().info('matched')
        self._publisher.publish(String(data=self._node.get_name()))
        if self._then is not None:
            self._then()


def _publishers_of(node: Node, subscription: Subscription) -> int:
    if hasattr(subscription, 'get_publisher_count'):
        return int(subscription.get_publisher_count())
    return int(node.count_publishers(subscription.topic_name))     # Humble
