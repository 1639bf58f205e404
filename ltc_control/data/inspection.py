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
What is in a bag, topic by topic: counts, rates, gaps, delays, and stamps that do not rise.

One pass over the recording; of each message only its two times are kept (16 bytes), so an hour
of camera and IMU takes some 15 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ltc_control.data.bag_camera import CameraReport, CameraWatch, SENSORS
from ltc_control.data.coverage import COMMANDS, cover, Coverage, Times
from ltc_control.data.raw import RawRecording
from ltc_control.data.rosbag2 import read_attributes
import numpy as np

HISTOGRAM_EDGES_MS = (0, 1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 50, 70, 100, 200, 500, 1000)
HELD_SHARE = 0.05
GAP_S = 0.5                                # longer is an interruption, not a loss
OTHER_CLOCK_S = 86_400.0                   # further apart than a day: stamps of two clocks
Advance = Callable[..., None]


@dataclass(frozen=True)
class TopicReport:
    """
    One topic; intervals from header stamps, or receive times for types without a header.

    ``delay_ms`` is the receive time after the header stamp: p50, p99 and most; where the two
    clocks have nothing in common (a simulated recording) only their spread means something.
    ``dt_histogram`` counts the intervals between HISTOGRAM_EDGES_MS, the last ones open ended;
    intervals that do not rise are in ``repeated`` and ``backward`` alone. Publishers of one topic
    may stamp by different clocks (diagnostics of a simulated drive do): ``clock_changes`` counts
    the jumps between them, which are in no other number. Sensors and commands have one clock.
    """

    topic: str
    type_name: str
    messages: int
    rate_hz: float                         # by the median interval; 0 for fewer than two
    longest_gap_s: float
    repeated: int                          # stamps equal to the one before
    backward: int                          # stamps before the one before
    furthest_back_s: float = 0.0
    stamped: bool = False                  # has header stamps
    longest_received_gap_s: float = 0.0
    delay_ms: dict[str, float] | None = None
    dt_histogram: tuple[int, ...] = ()
    lost: int = 0                          # sensors: missing in their rhythm, gaps not counted
    clock_changes: int = 0


@dataclass(frozen=True)
class BagReport:
    """One bag; ``cameras`` and ``coverage`` are there after :func:`inspect` alone."""

    bag: str
    messages: int
    duration_s: float
    attributes: dict[str, str]
    topics: tuple[TopicReport, ...] = ()
    cameras: tuple[CameraReport, ...] = ()
    coverage: tuple[Coverage, ...] = ()


def summarize(bag: Path | str) -> BagReport:
    """Return counts and duration from the index alone; raises BagError as reading would."""
    with RawRecording(bag) as recording:
        return _report(recording, tuple(
            TopicReport(topic, name, recording.counts[topic], 0.0, 0.0, 0, 0)
            for topic, name in sorted(recording.types.items())))


def inspect(bag: Path | str, *, advance: Advance | None = None) -> BagReport:
    """
    Read every message of ``bag`` and return its report; raises BagError for a damaged one.

    ``advance()`` is called after each message.
    """
    with RawRecording(bag) as recording:
        stamps: dict[str, array[int]] = {topic: array('q') for topic in recording.types}
        received: dict[str, array[int]] = {topic: array('q') for topic in recording.types}
        stamped: set[str] = set()
        watch = CameraWatch(recording)
        for message in recording.raw():
            stamps[message.topic].append(message.time_ns)
            received[message.topic].append(message.received_ns)
            if message.stamp_ns is not None:
                stamped.add(message.topic)
            watch.see(message)
            if advance is not None:
                advance()
        times = {topic: Times(np.array(stamps[topic], np.int64),
                              np.array(received[topic], np.int64), topic in stamped)
                 for topic in sorted(stamps)}
        topics = tuple(_topic(topic, recording.types[topic], times[topic]) for topic in times)
        return _report(recording, topics, watch.reports(),
                       cover(recording.types, times, bad_imu=watch.bad_samples))


def _report(recording: RawRecording, topics: tuple[TopicReport, ...],
            cameras: tuple[CameraReport, ...] = (),
            coverage: tuple[Coverage, ...] = ()) -> BagReport:
    first_ns, last_ns = recording.span_ns
    return BagReport(str(recording.path), recording.total, (last_ns - first_ns) / 1e9,
                     read_attributes(recording.path), topics, cameras, coverage)


def _topic(topic: str, type_name: str, times: Times) -> TopicReport:
    steps, received = np.diff(times.stamps_ns) / 1e9, np.diff(times.received_ns) / 1e9
    jumps = np.abs(steps) > OTHER_CLOCK_S
    if type_name in (*SENSORS, *COMMANDS):
        jumps[:] = False
    steps = steps[~jumps]
    # a command that is said again carries the stamp of its frame again: its rate is its arrival's
    held = len(steps) and (steps <= 0).mean() > HELD_SHARE
    median = float(np.median(received if held else steps)) if len(steps) else 0.0
    return TopicReport(
        topic, type_name, len(times.stamps_ns),
        rate_hz=1.0 / median if median > 0 else 0.0,
        longest_gap_s=_most(steps), repeated=int((steps == 0).sum()),
        backward=int((steps < 0).sum()), furthest_back_s=max(0.0, _most(-steps)),
        stamped=times.stamped, longest_received_gap_s=_most(received),
        delay_ms=_delays(times) if times.stamped and len(times.stamps_ns) else None,
        dt_histogram=_histogram(steps), lost=_lost(steps) if type_name in SENSORS else 0,
        clock_changes=int(jumps.sum()))


def _most(values: np.ndarray) -> float:
    return float(values.max()) if len(values) else 0.0


def _delays(times: Times) -> dict[str, float]:
    delays = (times.received_ns - times.stamps_ns) / 1e6
    ours = np.abs(delays) < 1e3 * OTHER_CLOCK_S
    delays = delays[ours] if ours.any() else delays
    p50, p99 = np.percentile(delays, (50, 99))
    return {'p50': round(float(p50), 3), 'p99': round(float(p99), 3),
            'max': round(float(delays.max()), 3)}


def _lost(steps: np.ndarray) -> int:
    """Count what is missing between messages, by the interval that a quarter keeps to."""
    rising = steps[steps > 0]
    if not len(rising):
        return 0
    rhythm = np.percentile(rising, 25)
    holes = rising[(rising > 1.5 * rhythm) & (rising <= max(GAP_S, 1.5 * rhythm))]
    return int((np.rint(holes / rhythm) - 1).sum())


def _histogram(steps: np.ndarray) -> tuple[int, ...]:
    edges = np.array([*HISTOGRAM_EDGES_MS, np.inf])
    rising = steps[steps > 0]
    return tuple(int(count) for count in np.histogram(1e3 * rising, edges)[0])
