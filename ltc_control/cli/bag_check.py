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
"""``ltc bag check``: what a recording is worth, in numbers, a verdict and its reasons."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli.progress import progress_bar

if TYPE_CHECKING:
    from ltc_control.data.inspection import BagReport, TopicReport
    from ltc_control.data.verdict import BagVerdict

BAR = 40                                   # characters of the longest bar of a histogram


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag check``."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.set_defaults(act=check)


def check(args: argparse.Namespace) -> int:
    """Print the report; 1 where the verdict is bad."""
    from ltc_control.data.inspection import inspect, summarize
    from ltc_control.data.runs import find_run_bag
    from ltc_control.data.verdict import judge
    bag = find_run_bag(args.bag)
    with progress_bar('checking', total=summarize(bag).messages) as advance:
        report = inspect(bag, advance=advance)
    verdict = judge(report)
    if args.json:
        print(json.dumps(_document(report, verdict)))
    else:
        _show(report, verdict)
    return 0 if verdict.sound else 1


def _document(report: BagReport, verdict: BagVerdict) -> dict[str, Any]:
    from ltc_control.data.inspection import HISTOGRAM_EDGES_MS
    return {**asdict(report), 'dt_histogram_edges_ms': [*HISTOGRAM_EDGES_MS, None],
            'verdict': 'good' if verdict.sound else 'bad', **asdict(verdict)}


def _show(report: BagReport, verdict: BagVerdict) -> None:
    cameras = {camera.topic: camera for camera in report.cameras}
    for topic in report.topics:
        print(_line(topic))
        if camera := cameras.get(topic.topic):
            size = 'x'.join(map(str, camera.size or ('?', '?')))
            print(f'            {size} pixels, mean brightness {camera.mean_brightness:.0f} of '
                  f'255, {camera.frozen} frozen, {camera.dark} dark, {camera.bright} bright, '
                  f'{camera.unreadable} unreadable')
            _show_histogram(topic)
    for item in report.coverage:
        print(f'  {item.topic} ({item.role}) goes with {100 * item.share:.1f} % of the frames, '
              f'begins {item.late_s:.2f} s after and ends {item.early_s:.2f} s before the camera')
    for warning in verdict.warnings:
        print(f'  note: {warning}')
    for reason in verdict.reasons:
        print(f'  BAD:  {reason}')
    print(f'{report.bag}: ' + (
        'good: every message reads, and nothing speaks against them'
        if verdict.sound else f'bad, for {len(verdict.reasons)} reasons: every message reads, but '
        + verdict.reasons[0]))


def _line(topic: TopicReport) -> str:
    delay = (f', delay p50 {topic.delay_ms["p50"]:.1f} p99 {topic.delay_ms["p99"]:.1f} ms'
             if topic.delay_ms and abs(topic.delay_ms['p50']) < 1e4 else '')
    return (f'  {topic.messages:8d}  {topic.topic}: {topic.rate_hz:.1f} Hz, longest gap '
            f'{topic.longest_gap_s:.3f} s ({topic.longest_received_gap_s:.3f} s as received), '
            f'{topic.lost} missing, {topic.repeated} repeated and {topic.backward} backward '
            f'stamps{delay}')


def _show_histogram(topic: TopicReport) -> None:
    from ltc_control.data.inspection import HISTOGRAM_EDGES_MS
    most = max(topic.dt_histogram, default=0)
    for index, count in enumerate(topic.dt_histogram):
        if count:
            low = HISTOGRAM_EDGES_MS[index]
            high = (HISTOGRAM_EDGES_MS[index + 1] if index + 1 < len(HISTOGRAM_EDGES_MS)
                    else '...')
            print(f'            {low:>5} - {high:<5} ms  {"#" * max(1, BAR * count // most)} '
                  f'{count}')
