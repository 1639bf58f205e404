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
Do two policies fly differently, or was it the groves? Tests on what flights.py --json has kept.

    python benchmarks/flights.py models/drone_target runs/same_head/lstm --json flights.json
    python benchmarks/flight_tests.py flights.json

The first policy in the file against each other one, task by task and condition by condition:
Fisher's exact test on the successes, and Wilcoxon's signed-rank test, grove by grove, on the share
of frames with the target in view and on the distance error. All two-sided, none corrected for
their number, which is said.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from scipy.stats import fisher_exact, wilcoxon

COLUMNS = ('task', 'condition', 'policies', 'successes', 'p', 'in view, median', 'p',
           'error m, median', 'p')
Cell = dict[str, Any]


def main() -> int:
    """Print one row a pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('cells', type=Path, help='what flights.py --json wrote')
    cells: list[Cell] = json.loads(parser.parse_args().cells.read_text())
    table = Table()
    for column in COLUMNS:
        table.add_column(column, overflow='fold')      # two folders may end alike
    pairs = [(one, other) for one in cells for other in cells
             if _policy(one) == _policy(cells[0]) != _policy(other)
             and _flown(one) == _flown(other)]
    for one, other in pairs:
        table.add_row(one['task'], one['condition'], f'{_name(one)}\n{_name(other)}',
                      *_successes(one, other), *_by_grove(one, other, 'in_view'),
                      *_by_grove(one, other, 'rms_distance_error_m'))
    Console().print(table)
    print(f'{3 * len(pairs)} tests; at 0.05 some {0.15 * len(pairs):.0f} of them say yes by '
          'chance alone')
    return 0


def _policy(cell: Cell) -> tuple[str, bool]:
    return cell['model'], cell['reset_state']


def _name(cell: Cell) -> str:
    return cell['model'] + (', state zeroed' if cell['reset_state'] else '')


def _flown(cell: Cell) -> tuple[str, ...]:
    return tuple(cell[key] for key in ('task', 'condition', 'episodes_flown'))


def _successes(one: Cell, other: Cell) -> tuple[str, str]:
    won = [cell['successes'] for cell in (one, other)]
    lost = [cell['episodes'] - cell['successes'] for cell in (one, other)]
    return '\n'.join(map(str, won)), _rounded(fisher_exact([won, lost]).pvalue)


def _by_grove(one: Cell, other: Cell, key: str) -> tuple[str, str]:
    """Return the medians and the p of the pairs; rows are in order of their seeds."""
    values = [[row[key] for row in cell['rows']] for cell in (one, other)]
    differ = any(a != b for a, b in zip(*values, strict=True))
    p = float(wilcoxon(*values).pvalue) if differ else 1.0
    return '\n'.join(f'{median(each):.2f}' for each in values), _rounded(p)


def _rounded(p: float) -> str:
    return f'{p:.4f}' if p >= 0.0001 else '< 0.0001'


if __name__ == '__main__':
    raise SystemExit(main())
