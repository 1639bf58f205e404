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
"""``ltc bag``: look into recordings, judge, save, cut, join and unpack them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path

from ltc_control.cli import bag_check, bag_copy, bag_recover, bag_unpack

HELP = 'look into a recording, check it, save what a crash left, cut, merge or unpack it'
EPILOG = """examples:
  ltc bag info runs/latest                     topics, counts, attributes
  ltc bag check runs/latest                    every message; exit 1 when the verdict is bad
  ltc bag recover broken.mcap saved_bag        every whole message of a damaged file
  ltc bag recover runs/drive_1                 finish the recording that a kill or power cut left
  ltc bag cut runs/latest part --from 10 --to 20
  ltc bag merge drive_1 drive_2 both
  ltc bag video runs/latest drive.mp4
  ltc bag export runs/latest unpacked --format jpg
A recording is named by its run folder, its bag folder or its .mcap file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of ``ltc bag``."""
    actions = parser.add_subparsers(metavar='ACTION', dest='action', required=True)
    info = _action(actions, 'info', 'list topics, counts and attributes, from the index alone')
    info.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    info.set_defaults(act=_info)
    bag_check.add_arguments(_action(
        actions, 'check', 'read every message and judge: rates, gaps, stamps, coverage, pictures'))
    bag_recover.add_arguments(_action(
        actions, 'recover', 'save every whole message of a damaged or unfinished recording'))
    bag_copy.add_cut(_action(actions, 'cut', 'write a part of a recording as a bag of its own'))
    bag_copy.add_merge(_action(actions, 'merge', 'write several recordings as one bag, by time'))
    bag_unpack.add_video(_action(actions, 'video', 'write the camera as a film in true time'))
    bag_unpack.add_export(_action(actions, 'export', 'write frames as pictures, the rest as CSV'))


def run(args: argparse.Namespace) -> int:
    """Do what the action says."""
    return int(args.act(args))


def _action(actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str,
            text: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    return parser


def _info(args: argparse.Namespace) -> int:
    from ltc_control.data.inspection import summarize
    from ltc_control.data.runs import find_run_bag
    report = summarize(find_run_bag(args.bag))
    if args.json:
        print(json.dumps(asdict(report)))
        return 0
    print(f'{report.bag}: {report.messages} messages, {report.duration_s:.1f} s')
    for name, value in sorted(report.attributes.items()):
        print(f'  {name} = {value}')
    for topic in report.topics:
        print(f'  {topic.messages:8d}  {topic.topic}  [{topic.type_name}]')
    return 0
