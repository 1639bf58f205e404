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
Which topics a recorder takes up, how, and the bytes that came on them.

Topics are named, or matched by patterns as they appear. A subscription asks for the strictest
quality of service that every publisher offers, and asks again when publishers come and go. Nothing
is decoded, and no callback runs: :meth:`RecordedTopics.take` empties all queues in turn, which
costs a fraction of what an executor does a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import fnmatch
import importlib
import re
import time
from typing import Any

from ltc_control.core.errors import BagError, ConfigError
from ltc_control.data.messages import definition
from ltc_control.data.rosbag2 import Topic
from ltc_control.data.spool import Received
from ltc_control.nodes.qos_text import offered
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

QUEUE = 1000
MOST_TAKEN = 8                             # of one topic at a time: little is in hand unwritten
REGEX = 're:'


def matcher(patterns: str) -> Callable[[str], bool]:
    """
    Return whether a topic name matches one of ``patterns``, separated by spaces.

    ``/camera/*`` is a glob in which ``*`` also spans ``/``; ``re:/(imu|odom).*`` is a regular
    expression for the whole name. Raises ConfigError for one that cannot be read.
    """
    expressions = []
    for word in patterns.split():
        text = word.removeprefix(REGEX) if word.startswith(REGEX) else fnmatch.translate(word)
        try:
            expressions.append(re.compile(text))
        except re.error as error:
            raise ConfigError(f'pattern {word!r} is no regular expression: {error}; write a glob '
                              f'like /camera/* or {REGEX}EXPRESSION') from error
    return lambda name: any(expression.fullmatch(name) for expression in expressions)


def matching_qos(publishers: Sequence[Any]) -> QoSProfile:
    """Return the strictest quality that every one of ``publishers`` offers."""
    profiles = [item.qos_profile for item in publishers]
    reliable = all(item.reliability == ReliabilityPolicy.RELIABLE for item in profiles)
    latched = all(item.durability == DurabilityPolicy.TRANSIENT_LOCAL for item in profiles)
    return QoSProfile(
        depth=QUEUE,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=(DurabilityPolicy.TRANSIENT_LOCAL if latched and reliable
                    else DurabilityPolicy.VOLATILE))


class _NeverCalled(CallbackGroup):
    """Keeps subscriptions out of the executor: they are emptied by hand."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


@dataclass
class TakenUp:
    """One topic that is recorded."""

    topic: Topic
    message_type: type
    subscription: Subscription
    quality: tuple[Any, Any]               # reliability, durability asked for
    publishers: int

    @property
    def latched(self) -> bool:
        """Whether late joiners get the last message."""
        return self.quality[1] == DurabilityPolicy.TRANSIENT_LOCAL


class RecordedTopics:
    """
    The subscriptions of a recorder; ``look`` keeps them in step with the graph.

    ``names`` are full topic names; ``matches`` and ``excluded`` judge the others, hidden ones
    (with a part that begins with ``_``) left out. ``found`` is called with each topic taken up.
    """

    def __init__(self, node: Node, names: Sequence[str], *, matches: Callable[[str], bool],
                 excluded: Callable[[str], bool], found: Callable[[Topic], None]) -> None:
        self._node = node
        self._names = set(names)
        self._matches, self._excluded = matches, excluded
        self._found = found
        self._group = _NeverCalled()
        self._refused: set[str] = set()
        self.taken_up: dict[str, TakenUp] = {}

    def look(self) -> None:
        """Take up topics whose publishers have appeared; ask again where publishers changed."""
        for name, types in self._node.get_topic_names_and_types():
            if name not in self.taken_up and types and self._is_wanted(name):
                publishers = self._node.get_publishers_info_by_topic(name)
                if publishers:
                    self._take_up(name, publishers)

    def look_again(self) -> None:
        """Compare what is asked for with what is offered now."""
        for name, known in self.taken_up.items():
            count = self._node.count_publishers(name)
            if count != known.publishers:
                known.publishers = count
                publishers = self._node.get_publishers_info_by_topic(name)
                if publishers:
                    self._ask_again(known, matching_qos(publishers))

    def _is_wanted(self, name: str) -> bool:
        if name in self._refused:
            return False
        hidden = any(part.startswith('_') for part in name.split('/'))
        return name in self._names or (
            not hidden and self._matches(name) and not self._excluded(name))

    def _take_up(self, name: str, publishers: Sequence[Any]) -> None:
        type_name = publishers[0].topic_type
        try:
            message_type, text = _message_type(type_name), definition(type_name)
        except (ImportError, AttributeError, ValueError, BagError) as error:
            self._refused.add(name)
            self._node.get_logger().error(f'{name} is not recorded, its type {type_name!r} is '
                                          f'not installed: {error}')
            return
        profile = matching_qos(publishers)
        topic = Topic(name, type_name, text, qos=offered(publishers),
                      type_hash=_hash(publishers[0]))
        self.taken_up[name] = TakenUp(
            topic, message_type, self._subscribe(message_type, name, profile),
            (profile.reliability, profile.durability), len(publishers))
        self._found(topic)

    def _ask_again(self, known: TakenUp, profile: QoSProfile) -> None:
        quality = (profile.reliability, profile.durability)
        if quality == known.quality:
            return
        # what is queued in the old one is lost with it: a publisher of another quality is rare,
        # and one that nobody hears would be lost for good
        self._node.get_logger().info(f'{known.topic.name}: its publishers offer another quality '
                                     'of service now, subscribing again')
        self._node.destroy_subscription(known.subscription)
        known.subscription = self._subscribe(known.message_type, known.topic.name, profile)
        known.quality = quality

    def _subscribe(self, message_type: type, name: str, profile: QoSProfile) -> Subscription:
        return self._node.create_subscription(message_type, name, _never, profile, raw=True,
                                              callback_group=self._group)

    def take(self) -> tuple[list[Received], bool]:
        """Return a few messages of each topic, oldest first, and whether there may be more."""
        batch: list[Received] = []
        more = False
        for known in self.taken_up.values():
            more |= _take(known, batch)
        batch.sort(key=lambda item: item.received_ns)
        return batch, more

    def close(self) -> None:
        """End all subscriptions."""
        for known in self.taken_up.values():
            self._node.destroy_subscription(known.subscription)
        self.taken_up.clear()


def _take(known: TakenUp, batch: list[Received]) -> bool:
    topic, handle = known.topic, known.subscription.handle
    with handle:
        for _ in range(MOST_TAKEN):
            taken = handle.take_message(known.message_type, True)
            if taken is None:
                return False
            data, info = taken
            batch.append(Received(topic.name, topic.type_name, data, *_times(info)))
    return True


def _times(info: Any) -> tuple[int, int]:
    try:
        return info['received_timestamp'] or time.time_ns(), info['source_timestamp']
    except (TypeError, KeyError):          # Humble hands out neither
        return time.time_ns(), 0


def _never(*_: Any) -> None:
    raise AssertionError('subscriptions of a recorder are emptied by hand')


def _hash(publisher: Any) -> str:
    text = str(getattr(publisher, 'topic_type_hash', ''))      # Humble has none
    return text if text.startswith('RIHS') else ''


def _message_type(type_name: str) -> type:
    package, _, name = type_name.split('/')
    found = getattr(importlib.import_module(f'{package}.msg'), name)
    return found if isinstance(found, type) else type(found)
