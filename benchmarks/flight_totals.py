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
Which kind of core flies better, over several conditions and trainings? From flights.py --json.

    python benchmarks/flight_totals.py flights_1.json flights_2.json --conditions summer,winter
    python benchmarks/flight_totals.py flights_*.json --conditions hidden --measure in_view

A kind is the last folder of a policy's path, so each file may hold another training of it. A grove
is flown many times and is not many groves: what each kind has there is added up first, then kinds
are compared pair by pair over groves, by Wilcoxon's signed-rank test (two-sided, not corrected for
their number).
"""

from __future__ import annotations

import argparse
from itertools import combinations
import json
from pathlib import Path
import sys
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import wilcoxon

Cell = dict[str, Any]
# of each kind, grove by grove, what each flight there had
Flown = dict[str, dict[int, list[float]]]


def main() -> int:
    """Print one row a pair of kinds."""
    args = _parse()
    cells = [cell for path in args.cells for cell in json.loads(path.read_text())]
    flown = _by_kind(cells, args)
    _same_flights(flown)
    table = Table(title=f'{args.task}, {args.conditions}: {args.measure}, mean of a flight')
    for column in ('kinds', 'flights', args.measure, 'groves that differ', 'p'):
        table.add_column(column, justify='left' if column == 'kinds' else 'right')
    for pair in combinations(flown, 2):
        table.add_row(*_compared(flown, pair))
    Console().print(table)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cells', type=Path, nargs='+', help='what flights.py --json wrote')
    parser.add_argument('--task', choices=('reach', 'follow'), default='reach')
    parser.add_argument('--conditions', default='summer,autumn,winter')
    parser.add_argument('--kinds', default='ltc,lstm,cnn')
    parser.add_argument('--measure', default='success',
                        choices=('success', 'collisions', 'in_view', 'rms_distance_error_m'))
    return parser.parse_args()


def _by_kind(cells: list[Cell], args: argparse.Namespace) -> Flown:
    flown: Flown = {kind: {} for kind in args.kinds.split(',')}
    for cell in cells:
        kind = Path(cell['model']).name
        wanted = (kind in flown and cell['task'] == args.task and not cell['reset_state']
                  and cell['condition'] in args.conditions.split(','))
        for row in cell['rows'] if wanted else ():
            flown[kind].setdefault(row['seed'], []).append(float(row[args.measure]))
    return flown


def _same_flights(flown: Flown) -> None:
    """Refuse kinds that did not fly the same groves equally often."""
    often = {kind: {seed: len(values) for seed, values in groves.items()}
             for kind, groves in flown.items()}
    first, *others = often.values()
    if not first or any(first != other for other in others):
        counts = {kind: sum(each.values()) for kind, each in often.items()}
        sys.exit(f'the kinds did not fly the same: flights by kind {counts}; fly each in the same '
                 'groves and conditions, or name others with --kinds and --conditions')


def _compared(flown: Flown, pair: tuple[str, str]) -> tuple[str, ...]:
    one, other = (np.array([sum(flown[kind][seed]) for seed in sorted(flown[kind])])
                  for kind in pair)
    flights = sum(map(len, flown[pair[0]].values()))
    p = float(wilcoxon(one, other).pvalue) if (one != other).any() else 1.0
    means = '\n'.join(f'{each.sum() / flights:.3f}' for each in (one, other))
    return ('\n'.join(pair), str(flights), means, str(int((one != other).sum())),
            f'{p:.4f}' if p >= 0.0001 else '< 0.0001')


if __name__ == '__main__':
    raise SystemExit(main())
