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

A lifecycle node: configured it looks for topics, active it records. Messages go into a crash-safe
spool that becomes an indexed bag on stop, or at the start of the next recorder in that folder. The
last seconds are held in memory beside it and saved as a bag of their own when a person takes over,
presses the emergency stop, or calls ``~/snapshot``. ``~/start`` and ``~/stop`` end one bag and
begin the next. Where the disk is full the recording stops, and only that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
import signal
import sys
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from ltc_control import bringup
from ltc_control.core.errors import BagError, ConfigError, LtcError
from ltc_control.data.disk_floor import DiskFloor, MB
from ltc_control.data.provenance import model_attributes, parameter_attributes, versions
from ltc_control.data.ring import Ring
from ltc_control.data.rosbag2 import Topic
from ltc_control.data.spool import Received, Split
from ltc_control.nodes import conversions as convert
from ltc_control.nodes import qos
from ltc_control.nodes.declared import declare
from ltc_control.nodes.kept_memory import keep_memory
from ltc_control.nodes.parameters import RecorderParameters
from ltc_control.nodes.readiness import Readiness
from ltc_control.nodes.recorded_topics import matcher, matching_qos, RecordedTopics
from ltc_control.nodes.recordings import Recordings, Rules
from ltc_control.nodes.snapshot_triggers import Triggers
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import get_rmw_implementation_identifier
from std_srvs.srv import Trigger

__all__ = ['RecorderNode', 'main', 'matching_qos', 'parse_attributes']

LOOK_EVERY_S = 0.1
REPORT_EVERY_S = 1.0
SERVE_EVERY_S = 0.1                        # services and timers; data is polled for more often
DRAIN_S = 0.3                              # quiet for so long: everything has arrived
LONGEST_DRAIN_S = 5.0
MOST_ROUNDS = 100
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class RecorderNode(LifecycleNode):
    """
    Records what it is told to; ``finish`` closes the bags.

    ``poll`` empties the subscriptions; with ``own_timer`` the node does so itself, else its owner
    does. Raises BagError or ConfigError for parameters that cannot be used.
    """

    def __init__(self, *, own_timer: bool = True, **kwargs: Any) -> None:
        super().__init__('recorder_node', **kwargs)
        self.told = told = declare(self, RecorderParameters)
        if not told.bag or not (told.topics or told.patterns):
            raise BagError(f'no bag folder or no topics were named, got bag {told.bag!r}, topics '
                           f'{told.topics!r} and patterns {told.patterns!r}; pass -p bag:=... '
                           "-p topics:=/a,/b or -p patterns:='/*'")
        self._triggers = Triggers(told.triggers, resolve=self.resolve_topic_name)
        self._active = False
        self.last_write = time.monotonic()
        self._recordings = Recordings(
            self._rules(), ring=Ring(seconds=told.ring_s, most_bytes=int(told.ring_mb * MB)),
            told=self.get_logger().info, failed=self.get_logger().error)
        self._topics: RecordedTopics | None = None
        self._matches, self._excluded = matcher(told.patterns), matcher(told.exclude)
        self._health_out = self.create_publisher(
            DiagnosticArray, bringup.DIAGNOSTICS, qos.REPORT)
        self._serve()
        self._tick(own_timer=own_timer)
        self._readiness = Readiness(self, told.expect)
        if told.autostart:
            self._autostart()

    def _names(self, words: str) -> list[str]:
        return [self.resolve_topic_name(word) for word in words.split(',') if word]

    def _rules(self) -> Rules:
        told = self.told
        attributes = {**versions(), 'version.rmw': get_rmw_implementation_identifier(),
                      **parse_attributes(told.attributes), **model_attributes(told.model),
                      **parameter_attributes(asdict(told), told.system)}
        bag = Path(told.bag)
        return Rules(bag, Split(bytes=int(told.split_mb * MB), seconds=told.split_s),
                     DiskFloor(bag.parent, int(told.floor_mb * MB)), attributes)

    def _serve(self) -> None:
        self.create_service(Trigger, '~/start', self._on_start)
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_service(Trigger, '~/snapshot', self._on_snapshot)

    def _tick(self, *, own_timer: bool) -> None:
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(LOOK_EVERY_S, self._look, clock=steady)
        self.create_timer(REPORT_EVERY_S, self._report, clock=steady)
        if own_timer:
            self.create_timer(self.told.poll_s, self.poll, clock=steady)

    def _autostart(self) -> None:
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != SUCCESS:
                raise BagError(self._recordings.trouble or 'the recorder cannot start')

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Look for topics from now on, and finish what a killed recorder left."""
        self._topics = RecordedTopics(
            self, [*self._names(self.told.topics), *self._triggers.topics], matches=self._matches,
            excluded=self._excluded, found=self._on_found)
        self._recordings.finish_leftovers()
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fill the ring, and record where the parameter says so."""
        self.poll()                        # what came before belongs to no recording
        self._active = True
        if self.told.record:
            self._recordings.start()       # where the disk is full the ring still runs
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop recording; the bag is finished in the background."""
        self.poll()
        self._active = False
        self._recordings.stop()
        self._recordings.ring.clear()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of all topics."""
        self._let_go()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Finish everything."""
        self.poll()
        self._active = False
        self._recordings.stop()
        self._let_go()
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to the beginning; what was recorded stays."""
        self._active = False
        self._recordings.stop(ended='an error of the recorder')
        self._let_go()
        return SUCCESS

    def _let_go(self) -> None:
        if self._topics is not None:
            self._topics.close()
            self._topics = None

    def _on_found(self, topic: Topic) -> None:
        assert self._topics is not None
        self._recordings.know(topic, latched=self._topics.taken_up[topic.name].latched)

    def _look(self) -> None:
        if self._topics is not None:
            self._topics.look()

    def poll(self) -> None:
        """Take in everything that has come."""
        more = self._topics is not None
        for _ in range(MOST_ROUNDS):       # services get their turn in a flood, too
            if not more or self._topics is None:
                return
            batch, more = self._topics.take()
            if batch and self._active:
                self._take(batch)
            else:
                self._recordings.note(batch)

    def _take(self, batch: list[Received]) -> None:
        self.last_write = time.monotonic()
        self._recordings.take(batch)
        for reason in self._triggers.fired(batch):
            self._save(reason)

    def _save(self, reason: str) -> Path | None:
        try:
            return self._recordings.save(reason)
        except BagError as error:
            self.get_logger().error(f'{reason} is not saved: {error}')
            return None

    def _on_start(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        if not self._active:
            return _answered(answer, '', 'the recorder is not active')
        self.poll()                        # what came before belongs to no recording
        done = self._recordings.start()
        return _answered(answer, f'recording {self._recordings.bag}' if done else '',
                         self._recordings.trouble)

    def _on_stop(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        self.poll()
        bag = self._recordings.stop()
        return _answered(answer, f'finishing {bag}' if bag else '', 'nothing is being recorded')

    def _on_snapshot(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        self.poll()
        bag = self._save('snapshot') if self._active else None
        return _answered(answer, f'saving {bag}' if bag else '',
                         'nothing came in the last seconds, or the disk is full')

    def _report(self) -> None:
        self.poll()                        # what has come belongs to a recording that may end now
        self._recordings.watch_disk()
        if self._topics is not None:
            self._topics.look_again()
        recordings, missing = self._recordings, self._recordings.missing()
        values: dict[str, object] = {
            'recording': recordings.bag or '', 'recorded_mb': round(recordings.bytes / MB, 1),
            'messages': sum(recordings.counts.values()), 'topics': len(recordings.counts),
            'free_mb': DiskFloor(Path(self.told.bag).parent, 0).free() // MB,
            'floor_mb': self.told.floor_mb, 'ring_s': round(recordings.ring.seconds, 1),
            'ring_mb': round(recordings.ring.bytes / MB, 1), 'snapshots': recordings.saved,
            'finishing': recordings.busy, 'missing': sum(missing.values()),
            **{f'missing {name}': count for name, count in sorted(missing.items())}}
        warning = f'not recording: {recordings.trouble}' if recordings.trouble else ''
        self._health_out.publish(convert.health_message(
            'recorder_node: recording', values, warning=warning,
            stamp_ns=self.get_clock().now().nanoseconds))

    def finish(self) -> None:
        """Turn all spools into bags; raises BagError where one could not be."""
        self._active = False
        self._recordings.close()
        if self._recordings.errors:
            raise self._recordings.errors[0]


def _answered(answer: Trigger.Response, done: str, trouble: str) -> Trigger.Response:
    answer.success, answer.message = bool(done), done or trouble
    return answer


def parse_attributes(text: str) -> dict[str, str]:
    """Read ``key=value,key=value``; ConfigError for a word without a value."""
    pairs = [word.partition('=') for word in text.split(',') if word]
    bad = [key for key, sign, _ in pairs if not sign]
    if bad:
        raise ConfigError(f'attributes must read key=value, got {bad!r}')
    return {key: value for key, _, value in pairs}


def main(args: Sequence[str] | None = None) -> int:
    """Record until SIGINT or SIGTERM, take in what is still on its way, finish the bag."""
    keep_memory()
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
    node = RecorderNode(own_timer=False)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    _loop(node, executor, until=lambda: bool(stops))
    stopped = time.monotonic()
    _loop(node, executor, until=lambda: (
        time.monotonic() - max(node.last_write, stopped) >= DRAIN_S
        or time.monotonic() - stopped >= LONGEST_DRAIN_S))
    try:
        node.finish()
    finally:
        node.destroy_node()
    return 0


def _loop(node: RecorderNode, executor: SingleThreadedExecutor, *, until: Any) -> None:
    """Poll often, which is cheap, and let the executor serve now and then, which is not."""
    served = 0.0
    while not until():
        node.poll()
        if time.monotonic() - served >= SERVE_EVERY_S:
            served = time.monotonic()
            _serve(node, executor)
        time.sleep(node.told.poll_s)


def _serve(node: RecorderNode, executor: SingleThreadedExecutor) -> None:
    try:
        executor.spin_once(timeout_sec=0.0)    # one callback, or none where nothing is due
    except RuntimeError as error:
        # Jazzy: a client that asks for a transition that does not exist raises here
        node.get_logger().error(f'a request could not be served: {error}')


if __name__ == '__main__':
    sys.exit(main())
