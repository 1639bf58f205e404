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
"""``ltc info``: what a model folder holds, verified and counted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from ltc_control.core.model_file import ModelSpec

HELP = 'verify a model folder and count neurons, synapses and parameters'
EPILOG = """examples:
  ltc info models/car_lane
  ltc info models/car_lane --json
exit code: 0 when every file is as it was exported, 2 when one is missing or changed"""

_ENDLESS = 1e30                                # files hold no infinity: a bound beyond is none


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('model', type=Path, help='model folder')
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')


def run(args: argparse.Namespace) -> int:
    """Print what ``load_spec`` verified; a ModelError says what does not fit."""
    from ltc_control.core.model_file import load_spec

    facts = summarise(load_spec(args.model))
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        _print_table(facts)
    return 0


def summarise(spec: ModelSpec) -> dict[str, Any]:
    """
    Return the facts of a model as plain values, keys as in the JSON output.

    ``sha256`` is that of the graph that runs; ``digest`` stands for the whole folder.
    """
    from ltc_control.core.model_file import GRAPH_FILE

    low, high = spec.envelope_low, spec.envelope_high
    return {
        'name': spec.name,
        'vehicle': spec.vehicle,
        'kind': spec.kind,
        'neurons': {**spec.roles, 'total': sum(spec.roles.values())},
        'synapses': {**spec.synapses, 'total': sum(spec.synapses.values())},
        'parameters': dict(spec.parameters),
        'dt_nominal_s': spec.dt_nominal_s,
        'longest_step_s': spec.longest_step_s,
        'image': spec.image.to_dict(),
        'imu': spec.imu.to_dict(),
        'commands': [{'name': c.name, 'unit': c.unit, 'low': c.low, 'high': c.high}
                     for c in spec.commands],
        'envelope': None if low is None or high is None else [min(low), max(high)],
        'training': dict(spec.training),
        'sha256': spec.files[GRAPH_FILE],
        'digest': spec.digest,
        'files': dict(spec.files),
    }


def _print_table(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f'{facts["name"]}: a {facts["kind"]} that drives a {facts["vehicle"]}',
                  show_header=False, title_justify='left')
    table.add_column(style='bold')
    table.add_column(overflow='fold')
    for name, text in _rows(facts):
        table.add_row(Text(name), Text(text))  # a bracket in a value is no markup
    Console(markup=False).print(table)


def _rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    image, imu = facts['image'], facts['imu']
    crops = [f'{edge} {image["crop_" + edge]:.0%}' for edge in ('top', 'bottom', 'left', 'right')
             if image['crop_' + edge]]
    envelope = facts['envelope']
    rows = [
        ('neurons', _counts(facts['neurons'])),
        ('synapses', _counts(facts['synapses'])),
        ('parameters', _counts(facts['parameters'])),
        ('image', f'{image["width"]} x {image["height"]}'
                  + (f', cropped by {", ".join(crops)}' if crops else '')),
        ('imu', ', '.join(imu['features']) or 'not used'),
        ('commands', '\n'.join(f'{c["name"]} {c["low"]:g} to {c["high"]:g} {c["unit"]}'
                               for c in facts['commands'])),
        ('step', f'nominal {facts["dt_nominal_s"] * 1e3:.1f} ms'),
        ('longest step', f'{facts["longest_step_s"] * 1e3:.0f} ms'),
        ('state', 'not bounded' if envelope is None or max(map(abs, envelope)) > _ENDLESS
                  else f'stays within {envelope[0]:.3f} to {envelope[1]:.3f}'),
    ]
    rows += [(f'training: {key}', _short(value)) for key, value in facts['training'].items()]
    rows += [(name, f'SHA-256 {digest}') for name, digest in facts['files'].items()]
    return rows


def _counts(values: dict[str, int]) -> str:
    return ', '.join(f'{name.replace("_", " ")} {count:,}' for name, count in values.items())


def _short(value: Any) -> str:
    text = f'{value:.6g}' if isinstance(value, float) else str(value)
    return text if len(text) <= 200 else text[:197] + '...'
