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
"""``ltc replay``: compute every recorded command again, or ask what else would have come."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli import replay_what_if
from ltc_control.cli.progress import progress_bar
from ltc_control.core.errors import ConfigError

if TYPE_CHECKING:
    from ltc_control.core.model_file import ModelSpec
    from ltc_control.insight.replay_bag import ReplayBag
    from ltc_control.insight.replay_report import ReplayReport

HELP = 'compute the recorded commands again, bit for bit, or under other conditions'
EPILOG = """examples:
  ltc replay runs/latest --diff                every command as recorded? exit 1 on a difference
  ltc replay runs/latest --model runs/car --diff
  ltc replay runs/latest --drop 0.2 --rate 15  what if frames had been lost, or fewer?
  ltc replay runs/latest --noise 0.1 --seed 3 --json
  ltc replay runs/latest --lesion inter_3,inter_5 --out lesion.png
  ltc replay runs/latest --season winter       a simulator's bag, drawn again in the snow
A recording is named by its run folder, its bag folder or its .mcap file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc replay``."""
    parser.add_argument('bag', type=Path, help='run folder, bag folder or .mcap file')
    parser.add_argument('--model', type=Path, default=None,
                        help='model folder (default: the one that the recording names)')
    parser.add_argument('--namespace', default='',
                        help='of the topics, where several vehicles were recorded')
    parser.add_argument('--diff', action='store_true',
                        help='exact replay: what happens where no condition is changed')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    replay_what_if.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Replay; 1 where a recorded command does not come out again."""
    from ltc_control.data.runs import find_run_bag
    from ltc_control.insight.replay_bag import ReplayBag
    from ltc_control.insight.replay_cause import model_of
    changed = replay_what_if.changed(args)
    if changed and args.diff:
        raise ConfigError(f'--diff asks for the recorded conditions, but {changed!r} change '
                          'them; leave one of both out')
    path = find_run_bag(args.bag)
    bag = ReplayBag(path, namespace=args.namespace)
    model = args.model or model_of(path, bag.attributes)
    if changed:
        return replay_what_if.run(args, bag, model)
    return _exact(args, bag, model)


def _exact(args: argparse.Namespace, bag: ReplayBag, model: Path) -> int:
    from ltc_control.core.policy import Policy
    from ltc_control.insight.replay import replay
    from ltc_control.insight.replay_cause import cause
    policy = Policy.load(model)
    with progress_bar('replaying', total=len(bag.stamps)) as advance:
        report = replay(bag, policy, advance=advance)
    if args.json:
        print(json.dumps(_document(report, bag, policy.spec)))
    else:
        print(f'{args.bag}: ' + _line(report, cause(report, bag, policy.spec)))
    return 0 if report.exact else 1


def _document(report: ReplayReport, bag: ReplayBag, spec: ModelSpec) -> dict[str, Any]:
    from ltc_control.insight.replay_cause import cause
    return {'bag': str(bag.path), 'model': str(spec.folder), 'model_hash': spec.digest,
            'recorded_model_hash': bag.model_hash, 'exact': report.exact,
            'compared': report.compared, **asdict(report),
            'cause': cause(report, bag, spec)}


def _line(report: ReplayReport, why: str) -> str:
    """Return the one line that says how it went."""
    explained = ''.join(f'; {count} of them as {reason}'
                        for reason, count in sorted(report.explained.items()))
    if report.exact:
        return (f'{report.equal} of {report.compared} recorded commands bit for bit, '
                f'{_begin(report)}; {report.unseen} frames the policy did not see{explained}')
    first = report.first
    if first is None:
        return 'DIFFERS: no recorded command could be compared'
    place = 'no frame' if first.frame is None else f'frame {first.frame}'
    numbers = ('' if first.recorded is None or first.replayed is None else
               f', speed {first.recorded[0]!r} and yaw rate {first.recorded[1]!r} recorded, '
               f'{first.replayed[0]!r} and {first.replayed[1]!r} replayed')
    state = f', state of {first.neuron} off by {first.state_error:.3g}' if first.neuron else ''
    return (f'DIFFERS in {report.different} of {report.compared} commands, first in command '
            f'{first.number} ({place}, stamp {first.stamp_ns} ns, {first.seconds:.3f} s)'
            f'{numbers}{state}: {why}{explained}')


def _begin(report: ReplayReport) -> str:
    if report.begun == 'zero state':
        return 'from the start of the drive'
    return f'after the state recorded with command {report.skipped - 1}'
