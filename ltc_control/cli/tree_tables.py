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
"""What ``ltc explain tree`` prints: the five metrics, and how trees of each depth do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

_ROWS = (
    ('response variance', 'response_variance', 'lower'), ('MI gap', 'mi_gap', 'higher'),
    ('modularity', 'modularity', 'higher'), ('path accuracy', 'path_accuracy', 'higher'),
    ('  of always the commonest path', 'majority_accuracy', ''),
    ('  told intervals that are true', 'condition_accuracy', 'higher'),
    ('logic conflict', 'logic_conflict', 'lower'), ('leaves, mean', 'leaves_mean', ''),
    ('depth, mean', 'depth_mean', ''), ('neurons explained', 'explained', ''),
)


def metrics_table(facts: Mapping[str, Any]) -> Table:
    """Return the metrics beside those of shuffled responses and of other networks."""
    columns = {'this network': facts['metrics'], 'shuffled in time': facts['shuffled_in_time'],
               **facts['beside']}
    frames = facts['frames']['judged_on']
    table = Table(title=f'decision paths of the neurons, on {frames} held-out frames',
                  title_justify='left')
    table.add_column('metric')
    for name in columns:
        table.add_column(name, justify='right')
    table.add_column('better')
    for label, key, better in _ROWS:
        table.add_row(label, *(_number(values[key]) for values in columns.values()), better)
    missing = facts['metrics']['unexplained']
    if missing:
        table.caption = f'not explained and left out: {", ".join(missing)}'
    return table


def drives_table(facts: Mapping[str, Any]) -> Table:
    """Return fidelity and closed loop by depth."""
    drives = facts.get('closed_loop')
    where = '' if drives is None else (f'; alone on {len(drives["tracks"])} roads of '
                                       f'{drives["seconds"]:g} s')
    table = Table(title=f'one tree of the whole policy, on held-out frames{where}',
                  title_justify='left')
    for column in ('depth', 'leaves', 'R² curvature', 'R² speed', 'error 1/m', 'error m/s',
                   'clean runs', 'per km', 'rms offset m'):
        table.add_column(column, justify='right')
    after = {row['depth']: row for row in (drives or {}).get('after', [])}
    for row in facts['fidelity']:
        table.add_row(str(row['depth']), f'{row["leaves_curvature"]}+{row["leaves_speed"]}',
                      _number(row['r2_curvature']), _number(row['r2_speed']),
                      f'{row["mae_curvature"]:.4f}', f'{row["mae_speed"]:.2f}',
                      *_driven(after.get(row['depth'])))
    if drives and drives['network']:
        table.add_row('network', *[''] * 5, *_driven(drives['network']))
    return table


def _driven(row: Mapping[str, Any] | None) -> tuple[str, str, str]:
    if row is None:
        return '', '', ''
    return (f'{row["clean_runs"]}/{row["runs"]}', f'{row["departures_per_km"]:.1f}',
            f'{row["rms_offset_m"]:.3f}')


def _number(value: float | int | None) -> str:
    if value is None:
        return 'none'
    return str(value) if isinstance(value, int) else f'{value:.3f}'
