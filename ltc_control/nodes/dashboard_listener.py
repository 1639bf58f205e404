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
Ears that cost next to nothing: topics are looked into at the rate of the page, not of the topic.

A callback for each of some 250 messages a second would cost more than the page itself. These
subscriptions are never in the executor's wait set; their queues, bounded by the middleware, are
emptied when the page is due. All are best effort, so that no publisher ever waits for a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

LATCHED_DEPTH = 10


class Polled(CallbackGroup):
    """The group of subscriptions that an executor must leave alone."""

    def can_execute(self, entity: object) -> bool:
        """Say no: whoever owns the subscription takes its messages."""
        return False

    def beginning_execution(self, entity: object) -> bool:
        """Say no, see ``can_execute``."""
        return False

    def ending_execution(self, entity: object) -> None:
        """Have nothing to end."""


class Ear:
    """
    One topic: what it holds, how many messages it keeps between two looks, and who hears them.

    ``hear`` gets (message, source time in ns of the wall clock, 0 where unknown). The
    subscription is made when a publisher has appeared, with the durability that it offers.
    """

    def __init__(self, kind: type, topic: str, hear: Callable[[Any, int], None], *,
                 depth: int = 1) -> None:
        self.topic = topic
        self._kind, self._hear, self._depth = kind, hear, depth
        self._subscription: Any = None

    @property
    def listening(self) -> bool:
        """Say whether somebody publishes the topic, as far as was looked."""
        return self._subscription is not None

    def look_for_publishers(self, node: Node, group: CallbackGroup) -> None:
        """Subscribe once somebody publishes."""
        if self.listening:
            return
        topic = node.resolve_topic_name(self.topic)
        publishers = node.get_publishers_info_by_topic(topic)
        if not publishers:
            return
        latched = all(end.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
                      for end in publishers)
        # what was said before we came is only repeated to a reliable reader
        quality = QoSProfile(
            depth=max(self._depth, LATCHED_DEPTH) if latched else self._depth,
            reliability=ReliabilityPolicy.RELIABLE if latched else ReliabilityPolicy.BEST_EFFORT,
            durability=(DurabilityPolicy.TRANSIENT_LOCAL if latched
                        else DurabilityPolicy.VOLATILE))
        self._subscription = node.create_subscription(
            self._kind, self.topic, _never, quality, callback_group=group)

    def leave(self, node: Node) -> None:
        """Stop listening, so that nobody works for us alone."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            node.destroy_subscription(subscription)

    def listen(self) -> int:
        """Hear all that has come since the last look; return how many messages there were."""
        if self._subscription is None:
            return 0
        heard = 0
        while (taken := self._take()) is not None and heard <= 4 * self._depth:
            message, about = taken
            self._hear(message, _source_ns(about))
            heard += 1
        return heard

    def _take(self) -> Any:
        subscription = self._subscription
        with subscription.handle:
            return subscription.handle.take_message(subscription.msg_type, subscription.raw)


def _never(_: object) -> None:
    raise AssertionError('a polled subscription was executed')


def _source_ns(about: object) -> int:
    return int(about.get('source_timestamp', 0)) if isinstance(about, dict) else 0
