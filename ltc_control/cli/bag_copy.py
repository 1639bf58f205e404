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
"""``ltc bag cut`` and ``ltc bag merge``: bags made of bags, byte for byte."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ltc_control.cli.progress import progress_bar
from ltc_control.core.errors import ConfigError

if TYPE_CHECKING:
    from ltc_control.data.cutting import Copied


def add_cut(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag cut``."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.add_argument('out', type=Path, help='bag folder to make')
    place = 'seconds from the first message (negative: before the last), or a stamp in ns'
    parser.add_argument('--from', dest='begin', default=None, metavar='PLACE',
                        help=f'first time to keep: {place}')
    parser.add_argument('--to', dest='end', default=None, metavar='PLACE',
                        help='first time to leave out, given likewise')
    parser.set_defaults(act=cut)


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag merge``."""
    parser.add_argument('bags', type=Path, nargs='+', metavar='BAG', help='recordings to join')
    parser.add_argument('out', type=Path, help='bag folder to make')
    parser.set_defaults(act=merge)


def cut(args: argparse.Namespace) -> int:
    """Write the part."""
    from ltc_control.data import cutting
    from ltc_control.data.inspection import summarize
    from ltc_control.data.runs import find_run_bag
    if args.begin is None and args.end is None:
        raise ConfigError('a cut needs --from, --to or both')
    begin, end = (None if text is None else cutting.Edge.parse(text)
                  for text in (args.begin, args.end))
    bag = find_run_bag(args.bag)
    # the bag is read twice: for the span of its stamps, then for the part
    with progress_bar('cutting', total=2 * summarize(bag).messages) as advance:
        done = cutting.cut(bag, args.out, begin=begin, end=end, advance=advance)
    return _tell(done, args)


def merge(args: argparse.Namespace) -> int:
    """Write the bag that holds all."""
    from ltc_control.data import cutting
    from ltc_control.data.inspection import summarize
    from ltc_control.data.runs import find_run_bag
    bags = [find_run_bag(path) for path in args.bags]
    if len(bags) < 2:
        raise ConfigError('a merge needs two recordings and the bag to make, got '
                          f'{[str(path) for path in (*args.bags, args.out)]!r}')
    total = sum(summarize(bag).messages for bag in bags)
    with progress_bar('merging', total=total) as advance:
        done = cutting.merge(bags, args.out, advance=advance)
    return _tell(done, args)


def _tell(done: Copied, args: argparse.Namespace) -> int:
    if args.json:
        print(json.dumps({**asdict(done), 'bag': str(done.bag)}))
    else:
        print(f'{done.bag}: {done.messages} messages, '
              f'{(done.last_ns - done.first_ns) / 1e9:.3f} s')
    return 0
