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
"""What is in a bag, topic by topic: counts, rates, gaps, and stamps that do not rise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ltc_control.data.episodes import stamp_of
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import read_attributes


@dataclass(frozen=True)
class TopicReport:
    """One topic; times from header stamps, or receive times for types without a header."""

    topic: str
    type_name: str
    messages: int
    rate_hz: float                         # by the median interval; 0 for fewer than two
    longest_gap_s: float
    repeated: int                          # stamps equal to the one before
    backward: int                          # stamps before the one before


@dataclass(frozen=True)
class BagReport:
    """One bag."""

    bag: str
    messages: int
    duration_s: float
    attributes: dict[str, str]
    topics: tuple[TopicReport, ...] = field(default=())


def summarize(bag: Path | str) -> BagReport:
    """Return counts and duration from the index alone; raises BagError as reading would."""
    with Recording(bag) as recording:
        return _report(recording, tuple(
            TopicReport(topic, name, recording.counts[topic], 0.0, 0.0, 0, 0)
            for topic, name in sorted(recording.types.items())))


def inspect(bag: Path | str) -> BagReport:
    """Read every message of ``bag`` and return its report; raises BagError for a damaged one."""
    with Recording(bag) as recording:
        stamps: dict[str, list[int]] = {topic: [] for topic in recording.types}
        for topic, log_ns, message in recording.messages(list(recording.types)):
            stamps[topic].append(stamp_of(message) if hasattr(message, 'header') else log_ns)
        return _report(recording, tuple(
            _topic(topic, recording.types[topic], np.array(times, np.int64))
            for topic, times in sorted(stamps.items())))


def _report(recording: Recording, topics: tuple[TopicReport, ...]) -> BagReport:
    first_ns, last_ns = recording.span_ns
    return BagReport(str(recording.path), sum(recording.counts.values()),
                     (last_ns - first_ns) / 1e9, read_attributes(recording.path), topics)


def _topic(topic: str, type_name: str, times: np.ndarray) -> TopicReport:
    steps = np.diff(times) / 1e9
    median = float(np.median(steps)) if len(steps) else 0.0
    return TopicReport(topic, type_name, len(times), 1.0 / median if median > 0 else 0.0,
                       float(steps.max()) if len(steps) else 0.0, int((steps == 0).sum()),
                       int((steps < 0).sum()))
