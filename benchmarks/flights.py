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
How do policies fly in each condition? Seasons, noise, gusts, a hidden target; one row a policy.

    python benchmarks/flights.py models/drone_target runs/same_head/lstm runs/same_head/cnn
    python benchmarks/flights.py models/drone_target --task follow --conditions summer,gusts
    python benchmarks/flights.py models/drone_target --reset-state --json zeroed.json

With --json each cell is written when it is done; called again, it flies what is missing.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from ltc_control.cli.jobs import do_all
from ltc_control.cli.ranges import parse_numbers
from ltc_control.training.flights import FlightConfig, fly, summarise_flights

# any other condition is a season
CHANGED: dict[str, dict[str, float]] = {
    'noise': {'noise_var': 0.1}, 'gusts': {'gusts': 4.0}, 'hidden': {'hidden_s': 2.0}}
DEFAULT = 'summer,autumn,winter,dusk,noise,gusts,hidden'
Cell = dict[str, Any]


def main() -> int:
    """Fly all cells that are not in the file yet, print the table."""
    args = _parse()
    cells: list[Cell] = _known(args.json)
    for model in args.models:
        for condition in args.conditions.split(','):
            what = {'model': model, 'task': args.task, 'condition': condition,
                    'reset_state': args.reset_state, 'episodes_flown': args.episodes}
            if not any(what.items() <= cell.items() for cell in cells):
                cells.append(what | _flown(args, model, condition))
                _keep(cells, args.json)
    _print(cells)
    return 0


def _known(path: Path | None) -> list[Cell]:
    return json.loads(path.read_text()) if path is not None and path.is_file() else []


def _keep(cells: list[Cell], path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(cells, indent=2) + '\n')


def _flown(args: argparse.Namespace, model: str, condition: str) -> Cell:
    jobs = [FlightConfig(episode=episode, task=args.task, reset_state=args.reset_state,
                         season='summer' if condition in CHANGED else condition,
                         model=None if model == 'expert' else Path(model),
                         **CHANGED.get(condition, {}))
            for episode in parse_numbers(args.episodes)]
    rows = do_all(fly, jobs, title=f'{model}, {args.task}, {condition}', tell=lambda _, row: (
        f'episode {row.seed}: {"done" if row.success else "failed"}'))
    summary = next(iter(summarise_flights(rows).values()))
    return summary | {'rows': [asdict(row) for row in rows]}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', help="model folders, or 'expert'")
    parser.add_argument('--task', choices=('reach', 'follow'), default='reach')
    parser.add_argument('--conditions', default=DEFAULT,
                        help=f'seasons and {sorted(CHANGED)} (default: {DEFAULT})')
    parser.add_argument('--episodes', default='2001:2050')
    parser.add_argument('--reset-state', action='store_true', help='zeroed before each frame')
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args()


def _print(cells: list[Cell]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ('policy', 'task', 'condition', 'successes', 'out of view', 'collisions',
                   'time s', 'ends at m', 'in view', 'error m'):
        table.add_column(column)
    for cell in cells:
        zeroed = ', state zeroed' if cell['reset_state'] else ''
        table.add_row(
            cell['model'] + zeroed, cell['task'], cell['condition'],
            f"{cell['successes']}/{cell['episodes']}",
            f"{cell['out_of_view_successes']}/{cell['out_of_view_episodes']}",
            str(cell['collisions']), str(cell['median_time_s']),
            str(cell['median_final_distance_m']), f"{cell['mean_in_view']:.2f}",
            f"{cell['mean_rms_distance_error_m']:.2f}")
    Console().print(table)


if __name__ == '__main__':
    raise SystemExit(main())
