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
A part of a bag, and several bags as one: streamed, every message byte for byte as recorded.

Header stamps stay in the messages and receive stamps beside them, so what was true of the
recording is true of its part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
import heapq
import math
from pathlib import Path
import re
from typing import NamedTuple

from ltc_control.core.errors import BagError, ConfigError
from ltc_control.data.bag_camera import SENSORS
from ltc_control.data.raw import RawMessage, RawRecording
from ltc_control.data.rosbag2 import BagWriter, read_attributes

CUT_FROM, CUT_TO, CUT_OF, MERGED_FROM = 'cut_from_ns', 'cut_to_ns', 'cut_of', 'merged_from'
OTHER_CLOCK_NS = 10_000_000_000            # diagnostics of a simulated drive tell wall time
FOREVER_NS = 2**63 - 1
LEAST_STAMP_NS = 100_000_000               # a smaller whole number is meant as seconds
Advance = Callable[..., None]


class Edge(NamedTuple):
    """
    Where to cut: ``seconds`` after the first message, before the last where negative, or a stamp.

    Exactly one of the two is given.
    """

    seconds: float | None = None
    stamp_ns: int | None = None

    @classmethod
    def parse(cls, text: str) -> Edge:
        """Read ``12.5`` or ``-3`` (seconds), ``1700000000000000000`` (ns); ConfigError else."""
        text = text.strip()
        if re.fullmatch(r'\d+', text) and int(text) >= LEAST_STAMP_NS:
            return cls(stamp_ns=int(text))
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not math.isfinite(seconds):
            raise ConfigError(f'{text!r} is no place in a bag; give seconds (12.5, or -3 from '
                              'the end) or a stamp in whole nanoseconds')
        return cls(seconds=seconds)

    def within(self, first_ns: int, last_ns: int) -> int:
        """Return the stamp of the edge in a bag that spans [first, last]."""
        if self.stamp_ns is not None:
            return self.stamp_ns
        assert self.seconds is not None
        from_end = math.copysign(1.0, self.seconds) < 0
        return (last_ns if from_end else first_ns) + round(1e9 * self.seconds)


@dataclass(frozen=True)
class Copied:
    """What was written: ``bag``, its messages and the span of its sensors' stamps."""

    bag: Path
    messages: int
    first_ns: int
    last_ns: int


def cut(source: Path | str, out: Path | str, *, begin: Edge | None = None,
        end: Edge | None = None, advance: Advance | None = None) -> Copied:
    """
    Write the messages of ``source`` with times in [begin, end) into the new bag ``out``.

    The time of a message is its header stamp. One without a header, or with the stamp of another
    clock than the sensors', goes by the newest sensor before it. The cut takes what latched
    topics held before it along. Raises BagError where nothing is left, ConfigError where ``end``
    is not after ``begin``.
    """
    (first_ns, last_ns), headed = time_span(source, advance=advance)
    span = f'the bag spans {(last_ns - first_ns) / 1e9:.3f} s from {first_ns} ns'
    from_ns = 0 if begin is None else begin.within(first_ns, last_ns)
    to_ns = FOREVER_NS if end is None else end.within(first_ns, last_ns)
    if from_ns >= to_ns:
        raise ConfigError(f'the cut ends at {to_ns} ns, not after its begin at {from_ns} ns; '
                          f'{span}')
    attributes = {**read_attributes(source), CUT_OF: Path(source).name,
                  **({} if begin is None else {CUT_FROM: str(from_ns)}),
                  **({} if end is None else {CUT_TO: str(to_ns)})}
    with RawRecording(source) as recording, BagWriter(out, attributes=attributes) as bag:
        part = _between(recording, from_ns, to_ns, newest=first_ns if headed else None,
                        advance=advance)
        done = _copy(part, [recording], bag)
        if done is None:
            raise BagError(f'no message of {str(source)!r} lies in that part; {span}')
    return done


def merge(sources: Sequence[Path | str], out: Path | str, *,
          advance: Advance | None = None) -> Copied:
    """
    Write the messages of all ``sources`` by receive time into the new bag ``out``.

    Attributes are kept; where two bags differ in one, the second's is called ``NAME@2`` and so
    on. Raises BagError where a topic has two types.
    """
    attributes: dict[str, str] = {}
    for number, source in enumerate(sources, start=1):
        for name, value in read_attributes(source).items():
            known = attributes.setdefault(name, value)
            if known != value:
                attributes[f'{name}@{number}'] = value
    attributes[MERGED_FROM] = ', '.join(Path(source).name for source in sources)
    with ExitStack() as stack:
        recordings = [stack.enter_context(RawRecording(source)) for source in sources]
        bag = stack.enter_context(BagWriter(out, attributes=attributes))
        streams = [recording.raw() for recording in recordings]
        ordered = heapq.merge(*streams, key=lambda message: message.received_ns)
        done = _copy(_counted(ordered, advance), recordings, bag)
        assert done is not None            # a recording holds at least one message
        return done


def time_span(source: Path | str, *,
              advance: Advance | None = None) -> tuple[tuple[int, int], bool]:
    """Return the first and last stamp of the sensors; receive times and False without any."""
    first_ns = last_ns = 0
    with RawRecording(source) as recording:
        clocks = _clocks(recording)
        for message in _counted(recording.raw(), advance):
            if message.topic in clocks and message.stamp_ns:     # zero is "no time" to ROS
                first_ns = min(first_ns or message.stamp_ns, message.stamp_ns)
                last_ns = max(last_ns, message.stamp_ns)
        return ((first_ns, last_ns), True) if first_ns else (recording.span_ns, False)


def _clocks(recording: RawRecording) -> set[str]:
    """Return the topics whose stamps are the time of the drive: sensors, else every topic."""
    sensors = {topic for topic, name in recording.types.items() if name in SENSORS}
    return sensors or set(recording.types)


def _between(recording: RawRecording, from_ns: int, to_ns: int, *, newest: int | None,
             advance: Advance | None) -> Iterator[RawMessage]:
    """Yield what lies between; ``newest`` is the stamp that stands before the first."""
    latched, clocks = recording.latched(), _clocks(recording)
    kept: dict[str, RawMessage] = {}
    for message in _counted(recording.raw(), advance):
        time_ns = _time(message, newest)
        if message.topic in clocks and message.stamp_ns:
            newest = message.stamp_ns
        if message.topic in latched and time_ns < from_ns:
            kept[message.topic] = message
        elif from_ns <= time_ns < to_ns:
            yield from kept.values()
            kept.clear()
            yield message


def _time(message: RawMessage, newest: int | None) -> int:
    """Return when a message was, on the clock of the sensors."""
    stamp = message.stamp_ns
    if newest is None:
        return message.time_ns
    if not stamp or (abs(stamp - newest) > OTHER_CLOCK_NS and message.type_name not in SENSORS):
        return newest
    return stamp


def _copy(stream: Iterator[RawMessage], recordings: Sequence[RawRecording],
          bag: BagWriter) -> Copied | None:
    declared: set[str] = set()
    spans: dict[bool, list[int]] = {}      # of sensors, and of the others
    messages = 0
    for message in stream:
        if message.topic not in declared:
            declared.add(message.topic)
            source = next(r for r in recordings if message.topic in r.types)
            text, encoding = source.definition(message.topic)
            bag.declare(message.topic, source.types[message.topic], text, encoding,
                        qos=source.qos(message.topic))
        bag.write(message.topic, message.type_name, message.cdr, log_ns=message.received_ns)
        span = spans.setdefault(message.type_name in SENSORS, [message.time_ns] * 2)
        span[:] = min(span[0], message.time_ns), max(span[1], message.time_ns)
        messages += 1
    if not messages:
        return None
    first_ns, last_ns = spans.get(True) or spans[False]
    return Copied(bag.path, messages, first_ns, last_ns)


def _counted(stream: Iterator[RawMessage], advance: Advance | None) -> Iterator[RawMessage]:
    for message in stream:
        yield message
        if advance is not None:
            advance()
