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
Every topic into one bag, as the bytes that came: nothing is decoded, nothing is lost by a kill.

Messages go into a crash-safe spool; a clean stop turns it into an indexed bag. A topic is taken
up when its publisher appears, with the quality of service that the publisher offers.
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription

from ltc_control.core.errors import BagError, ConfigError, LtcError
from ltc_control.data.spool import SpoolWriter
from ltc_control.nodes.parameters import RecorderParameters, declare
from ltc_control.nodes.readiness import Readiness

QUEUE = 1000
LOOK_EVERY_S = 0.1
DRAIN_S = 0.3                              # quiet for so long: everything has arrived
LONGEST_DRAIN_S = 5.0


class RecorderNode(Node):
    """Writes what it is told to record; ``finish`` closes the bag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('recorder_node', **kwargs)
        told = declare(self, RecorderParameters)
        if not told.bag or not told.topics:
            raise BagError(f'no bag folder or no topics were named, got bag {told.bag!r} and '
                           f'topics {told.topics!r}; pass -p bag:=... -p topics:=/a,/b')
        self._waiting = [self.resolve_topic_name(topic) for topic in told.topics.split(',')]
        self._spool = SpoolWriter(told.bag, attributes=parse_attributes(told.attributes))
        self.last_write = time.monotonic()
        self.create_timer(LOOK_EVERY_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._readiness = Readiness(self, told.expect)

    def _look(self) -> None:
        """Subscribe to the topics whose publishers have appeared."""
        for topic in list(self._waiting):
            publishers = self.get_publishers_info_by_topic(topic)
            if publishers:
                self._waiting.remove(topic)
                self._take_up(topic, publishers)

    def _take_up(self, topic: str, publishers: Sequence[Any]) -> None:
        type_name = publishers[0].topic_type
        try:
            message_type = _message_type(type_name)
        except (ImportError, AttributeError, ValueError) as error:
            self.get_logger().error(f'{topic} is not recorded, its type {type_name!r} is not '
                                    f'installed: {error}')
            return
        self.create_subscription(message_type, topic, self._callback(topic, type_name),
                                 matching_qos(publishers), raw=True)

    def _callback(self, topic: str, type_name: str) -> Callable[..., None]:
        if hasattr(Subscription, 'CallbackType'):
            return partial(self._write_received, topic, type_name)
        return partial(self._write, topic, type_name)      # Humble hands out no reception time

    def _write_received(self, topic: str, type_name: str, data: bytes, info: dict[str, Any],
                        ) -> None:
        self._write(topic, type_name, data, received_ns=info['received_timestamp'])

    def _write(self, topic: str, type_name: str, data: bytes, *, received_ns: int = 0) -> None:
        self._spool.write(topic, type_name, data, received_ns or time.time_ns())
        self.last_write = time.monotonic()

    def finish(self) -> None:
        """Turn the spool into a bag."""
        bag = self._spool.finish()
        self.get_logger().info(f'{self._spool.messages} messages in {bag}')


def parse_attributes(text: str) -> dict[str, str]:
    """Read ``key=value,key=value``; ConfigError for a word without a value."""
    pairs = [word.partition('=') for word in text.split(',') if word]
    bad = [key for key, sign, _ in pairs if not sign]
    if bad:
        raise ConfigError(f'attributes must read key=value, got {bad!r}')
    return {key: value for key, _, value in pairs}


def matching_qos(publishers: Sequence[Any]) -> QoSProfile:
    """Return the strictest quality that every one of ``publishers`` offers."""
    offered = [item.qos_profile for item in publishers]
    reliable = all(item.reliability == ReliabilityPolicy.RELIABLE for item in offered)
    latched = all(item.durability == DurabilityPolicy.TRANSIENT_LOCAL for item in offered)
    return QoSProfile(
        depth=QUEUE,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=(DurabilityPolicy.TRANSIENT_LOCAL if latched and reliable
                    else DurabilityPolicy.VOLATILE))


def _message_type(type_name: str) -> type:
    package, _, name = type_name.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), name)


def main(args: Sequence[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM, take in what is still on its way, finish the bag."""
    # rclpy's own handler would shut the context down at once, and lose what is queued
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    stops: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: stops.append(got))
    try:
        return _record(stops)
    except LtcError as error:
        print(f'recorder_node: error: {error}', file=sys.stderr, flush=True)
        return error.exit_code
    finally:
        rclpy.try_shutdown()


def _record(stops: list[int]) -> int:
    node = RecorderNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not stops:
        executor.spin_once(timeout_sec=0.1)
    stopped = time.monotonic()
    while (time.monotonic() - max(node.last_write, stopped) < DRAIN_S
           and time.monotonic() - stopped < LONGEST_DRAIN_S):
        executor.spin_once(timeout_sec=0.05)
    node.finish()
    node.destroy_node()
    return 0


if __name__ == '__main__':
    sys.exit(main())
