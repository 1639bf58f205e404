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
"""``ltc explain moment``: one time of a recording, as one picture and as numbers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ltc_control.insight.moment import Moment

HELP = 'one moment of a recording: what it saw, 19 neurons, and what carried the command'
EPILOG = """examples:
  ltc explain moment runs/latest --at 12.3 --out moment.png
  ltc explain moment runs/latest --at 12.3 --json
  ltc explain moment my_bag --model models/car_lane
A bag without neurons is explained too: the policy is driven through its frames again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.add_argument('--at', type=float, default=None, metavar='SECONDS',
                        help='seconds after the first frame (default: half-way)')
    parser.add_argument('--model', type=Path, default=None,
                        help='model folder (default: the one that the recording names)')
    parser.add_argument('--out', type=Path, default=Path('moment.png'),
                        help='picture to write (default: moment.png)')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE',
                        help='write all numbers to FILE, or to standard output')


def run(args: argparse.Namespace) -> int:
    """Explain one moment."""
    from ltc_control.data.rosbag2 import read_attributes
    from ltc_control.data.runs import find_run_bag
    from ltc_control.insight.moment import explain_moment
    from ltc_control.insight.moment_picture import draw_moment
    from ltc_control.insight.replay_cause import model_of

    bag = find_run_bag(args.bag)
    model = args.model or model_of(bag, read_attributes(bag))
    moment = explain_moment(bag, model, at_s=args.at)
    draw_moment(moment, args.out)
    if args.json == '-':
        print(json.dumps({**moment.to_dict(), 'picture': str(args.out)}, indent=2))
        return 0
    if args.json is not None:
        Path(args.json).write_text(json.dumps(moment.to_dict(), indent=2) + '\n')
    _print(moment, args.out)
    return 0


def _print(moment: Moment, picture: Path) -> None:
    from ltc_control.insight.moment import part_words

    step = moment.step
    print(f'{moment.bag} at {step.seconds:.2f} s, {moment.spec.name}, state {step.origin}')
    if moment.why:
        print(f'  {moment.why}')
    told = moment.to_dict()
    for name, flow in told['flow'].items():
        print(f'  {name} {told["command"][name]:+.4f}: {flow["neuron"]} is memory '
              f'{flow["memory_share"]:.0%}, leak {flow["leak_share"]:.0%}, synapses '
              f'{flow["synapse_share"]:.0%}; upstream:')
        for part in moment.flow.upstream(flow['neuron']) if moment.flow else ():
            print(f'    {part_words(part)}')
    for note in moment.notes:
        print(f'  note: {note}')
    print(f'  picture: {picture}')
