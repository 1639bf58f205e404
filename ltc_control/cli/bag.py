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
"""``ltc bag``: look into recordings, check them, save what a crash left of them."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

HELP = 'Look into a rosbag2, check it, or save one that was cut short.'
EPILOG = """examples:
  ltc bag info runs/drive/bag
  ltc bag check tub_bag                   reads every message; exit 1 when stamps do not rise
  ltc bag recover broken_bag saved_bag    every whole message of a truncated recording"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc bag``."""
    parser.add_argument('action', choices=['info', 'check', 'recover'])
    parser.add_argument('bag', type=Path, help='bag folder, or its .mcap file')
    parser.add_argument('out', type=Path, nargs='?', help='recover: bag folder to make')
    parser.add_argument('--json', action='store_true', help='print JSON')


def run(args: argparse.Namespace) -> int:
    """Do what ``args.action`` says."""
    return {'info': _info, 'check': _check, 'recover': _recover}[args.action](args)


def _info(args: argparse.Namespace) -> int:
    from ltc_control.data.inspection import summarize
    report = summarize(args.bag)
    if args.json:
        print(json.dumps(asdict(report)))
        return 0
    print(f'{report.bag}: {report.messages} messages, {report.duration_s:.1f} s')
    for name, value in sorted(report.attributes.items()):
        print(f'  {name} = {value}')
    for topic in report.topics:
        print(f'  {topic.messages:8d}  {topic.topic}  [{topic.type_name}]')
    return 0


def _check(args: argparse.Namespace) -> int:
    from ltc_control.data.inspection import inspect
    report = inspect(args.bag)
    sound = not any(topic.repeated or topic.backward for topic in report.topics)
    if args.json:
        print(json.dumps({**asdict(report), 'sound': sound}))
        return 0 if sound else 1
    for topic in report.topics:
        print(f'  {topic.messages:8d}  {topic.topic}: {topic.rate_hz:.1f} Hz, longest gap '
              f'{topic.longest_gap_s:.3f} s, {topic.repeated} repeated and {topic.backward} '
              'backward stamps')
    print(f'{report.bag}: ' + ('every message reads, stamps rise' if sound else
                               'every message reads, but stamps repeat or run backwards'))
    return 0 if sound else 1


def _recover(args: argparse.Namespace) -> int:
    from ltc_control.data.spool import recover
    done = recover(args.bag, args.out)
    if args.json:
        print(json.dumps({**asdict(done), 'bag': str(done.bag)}))
        return 0
    print(f'{done.bag}: {done.messages} messages saved'
          + ('' if done.complete else '; the source ends in the middle of one'))
    return 0
