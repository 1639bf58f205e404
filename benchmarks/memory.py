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
What is memory worth? Drive with a camera that goes black or freezes at random moments.

Each model drives the same tracks under the same faults (same seeds): the liquid network, the same
network with its state zeroed before every frame, and a per-frame CNN of the same training recipe.
One table: departures per km, with clean runs in brackets.

    python benchmarks/memory.py models/car_lane --cnn runs/model_cnn/final_1 --json memory.json
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path

from ltc_control.cli.jobs import do_all
from ltc_control.cli.ranges import parse_numbers
from ltc_control.training.evaluate import drive, DriveConfig, summarise

LENGTHS_S = (0.3, 0.5, 1.0)
KINDS = ('black', 'frozen')


def main() -> int:
    """Drive all cells, print the table."""
    args = _parse()
    drivers = {'LTC': (args.model, False), 'LTC, state zeroed': (args.model, True)}
    if args.cnn is not None:
        drivers['CNN, per frame'] = (args.cnn, False)
    cells = [(name, kind, length) for name in drivers for kind in KINDS for length in LENGTHS_S]
    jobs = [DriveConfig(model=drivers[name][0], track=track, seconds=args.seconds,
                        seed=args.seed, season=args.season, blackout_s=length,
                        blackout_kind=kind, blackout_interval_s=args.interval,
                        reset_state=drivers[name][1])
            for name, kind, length in cells for track in parse_numbers(args.tracks)]
    per_cell = len(jobs) // len(cells)
    rows = do_all(drive, jobs, title='driving', tell=lambda job, _: (
        f'{job.blackout_kind} for {job.blackout_s:g} s'))
    table = {cell: rows[k * per_cell:(k + 1) * per_cell] for k, cell in enumerate(cells)}
    summary = {cell: summarise(found)[args.season] for cell, found in table.items()}
    _print(list(drivers), summary)
    if args.json is not None:
        args.json.write_text(json.dumps([
            {'driver': name, 'kind': kind, 'length_s': length, **summary[name, kind, length],
             'rows': [asdict(row) for row in table[name, kind, length]]}
            for name, kind, length in cells], indent=2) + '\n')
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', type=Path, help='a liquid policy')
    parser.add_argument('--cnn', type=Path, help='a per-frame policy of the same recipe')
    parser.add_argument('--tracks', default='1001:1010')
    parser.add_argument('--seconds', type=float, default=60.0, help='a run')
    parser.add_argument('--season', default='summer')
    parser.add_argument('--seed', type=int, default=0, help='of faults and sensors')
    parser.add_argument('--interval', type=float, default=6.0, help='mean seconds between faults')
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args()


def _print(drivers: list[str], summary: dict) -> None:
    print('| camera | ' + ' | '.join(drivers) + ' |')
    print('|---|' + '---:|' * len(drivers))
    for kind in KINDS:
        for length in LENGTHS_S:
            cells = [summary[name, kind, length] for name in drivers]
            print(f'| {kind} for {length} s | ' + ' | '.join(
                f'{c["interventions_per_km"]:.2f} ({c["clean_runs"]}/{c["runs"]})'
                for c in cells) + ' |')


if __name__ == '__main__':
    raise SystemExit(main())
