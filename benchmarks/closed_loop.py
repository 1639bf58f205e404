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
How do models drive in each condition? Seasons, image noise, state zeroed; one row a model.

    python benchmarks/closed_loop.py models/car_lane runs/car_2 runs/car_3 --json seeds.json
    python benchmarks/closed_loop.py models/car_lane --conditions dusk,rain
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path

from ltc_control.cli.jobs import do_all
from ltc_control.cli.ranges import parse_numbers
from ltc_control.training.evaluate import drive, DriveConfig, summarise

NOISE = {'noise': 0.1, 'noise0.2': 0.2}    # variances on [0, 1]; any other condition is a season
DEFAULT = 'summer,autumn,winter,night,noise'


def main() -> int:
    """Drive all cells, print the table."""
    args = _parse()
    conditions = args.conditions.split(',')
    tracks = parse_numbers(args.tracks)
    cells = [(model, condition) for model in args.models for condition in conditions]
    jobs = [_config(args, model, condition, track)
            for model, condition in cells for track in tracks]
    rows = do_all(drive, jobs, title='driving', tell=lambda job, row: (
        f'{job.model or "expert"} {row.condition}: {row.departures} departures'))
    found = {cell: rows[k * len(tracks):(k + 1) * len(tracks)] for k, cell in enumerate(cells)}
    summary = {cell: next(iter(summarise(some).values())) for cell, some in found.items()}
    _print(args.models, conditions, summary)
    if args.json is not None:
        args.json.write_text(json.dumps([
            {'model': model, 'condition': condition, **summary[model, condition],
             'rows': [asdict(row) for row in found[model, condition]]}
            for model, condition in cells], indent=2) + '\n')
    return 0


def _config(args: argparse.Namespace, model: str, condition: str, track: int) -> DriveConfig:
    return DriveConfig(model=None if model == 'expert' else Path(model), track=track,
                       season='summer' if condition in NOISE else condition,
                       noise_var=NOISE.get(condition, 0.0), seconds=args.seconds, seed=args.seed,
                       reset_state=args.reset_state)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', help="model folders, or 'expert'")
    parser.add_argument('--conditions', default=DEFAULT, help=f'seasons and {sorted(NOISE)}')
    parser.add_argument('--tracks', default='1001:1010')
    parser.add_argument('--seconds', type=float, default=120.0, help='a run')
    parser.add_argument('--seed', type=int, default=0, help='of sensors')
    parser.add_argument('--reset-state', action='store_true')
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args()


def _print(models: list[str], conditions: list[str], summary: dict) -> None:
    print('| model | ' + ' | '.join(conditions) + ' |')
    print('|---|' + '---:|' * len(conditions))
    for model in models:
        cells = [summary[model, condition] for condition in conditions]
        print(f'| {Path(model).name} | ' + ' | '.join(
            f'{c["clean_runs"]}/{c["runs"]}, {c["mean_abs_offset_m"]:.3f} m, '
            f'{c["interventions_per_km"]:.2f}/km' for c in cells) + ' |')
    print('\nclean runs, mean |offset|, interventions per km')


if __name__ == '__main__':
    raise SystemExit(main())
