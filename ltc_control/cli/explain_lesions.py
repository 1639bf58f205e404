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
"""``ltc explain lesions``: silence each neuron in turn and measure the damage, closed loop."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli.jobs import do_all

if TYPE_CHECKING:
    from ltc_control.insight.circuit import Circuit
    from ltc_control.insight.lesions import Damage, Outcome

HELP = 'silence each neuron and measure the damage while the model drives'
EPILOG = """examples:
  ltc explain lesions models/car_lane --json les.json
  ltc explain lesions models/car_lane --kind freeze --tracks 1001:1010 --seconds 20
  ltc explain lesions models/car_lane --neurons command_0,inter_3
cut removes all outgoing synapses; freeze holds a neuron at its mean; clamp holds it at 0, which is
no silence, as its synapses still conduct. Default: 5 roads, 2 starts each, 12 s: some minutes"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('model', type=Path, help='folder of a liquid model with attention.onnx')
    parser.add_argument('--kind', choices=('cut', 'freeze', 'clamp'), default='cut')
    parser.add_argument('--neurons', default='', help='comma list; default all')
    parser.add_argument('--tracks', default='1001:1005', help='road seeds, 1001:1005 (both ends)')
    parser.add_argument('--starts', type=int, default=2, help='random starts on each road')
    parser.add_argument('--seconds', type=float, default=12.0, help='of each run')
    parser.add_argument('--season', default='summer', help='look of the world')
    parser.add_argument('--release', type=float, default=0.9,
                        help='share of clean runs that a released model must reach')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all numbers here')
    parser.add_argument('--out', type=Path, metavar='PNG',
                        help='the map (default: beside the JSON file, else lesions.png)')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')


def run(args: argparse.Namespace) -> int:
    """Drive whole, drive lesioned, compare, draw; 1 where a state left its envelope."""
    from ltc_control.core.model_file import load_spec
    from ltc_control.insight.circuit import Circuit
    from ltc_control.insight.lesions import damage, single_points
    from ltc_control.insight.lesions_picture import draw_criticality
    from ltc_control.insight.liquid_engine import LiquidEngine

    spec = LiquidEngine(load_spec(_checked(args).model, expect_vehicle='car')).spec
    circuit = Circuit.of(spec)
    wanted = _wanted(args, circuit.names)
    base, lesioned = _drive_all(args, wanted)
    damages = [damage(name, base, lesioned[name], names=circuit.names) for name in wanted
               if not name.startswith('motor')]
    success = sum(one.departures == 0 for one in base) / len(base)
    critical = single_points(damages, base_success=success, release=args.release)
    document = _document(args, base, damages, success=success, critical=critical,
                         motors=_motors(base, lesioned, circuit))
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(document, indent=2) + '\n')
    picture = args.out or (args.json.with_suffix('.png') if args.json else Path('lesions.png'))
    draw_criticality(circuit, damages, picture, critical=critical,
                     title=f'{spec.name}: what the loss of each neuron does ({args.kind}, '
                           f'{len(base)} runs of {args.seconds:g} s)')
    _show(document, damages, picture)
    return 1 if document['outside_envelope'] else 0


def _checked(args: argparse.Namespace) -> argparse.Namespace:
    from ltc_control.core.errors import ConfigError

    if args.seconds <= 0 or args.starts < 1 or not 0.0 <= args.release <= 1.0:
        raise ConfigError(f'--seconds must be above 0, --starts at least 1 and --release in 0 .. '
                          f'1, got {args.seconds!r}, {args.starts!r} and {args.release!r}')
    return args


def _wanted(args: argparse.Namespace, names: Sequence[str]) -> list[str]:
    from ltc_control.core.errors import ConfigError

    wanted = [name.strip() for name in args.neurons.split(',') if name.strip()] or list(names)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError(f'no neurons {unknown!r}; this model has {", ".join(names)}')
    return wanted


def _drive_all(args: argparse.Namespace, wanted: Sequence[str],
               ) -> tuple[list[Outcome], dict[str, list[Outcome]]]:
    """Return the runs of the whole network and of each lesion, in the same order of starts."""
    from ltc_control.cli.lesion_runs import LesionJob
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.insight.lesions import Lesion, reference_means
    from ltc_control.insight.liquid import LiquidCore
    from ltc_control.sim.closed_loop import Start

    kind, tracks = Lesion(args.kind), parse_numbers(args.tracks)
    (season,) = parse_seasons(args.season)[:1]
    starts = tuple(Start(seed, args.seconds) for seed in range(args.starts))
    whole = [LesionJob(args.model, None, kind, track, season, starts) for track in tracks]
    base: list[Outcome] = []
    values = dict.fromkeys(wanted, 0.0)
    if kind is Lesion.FREEZE:              # where to hold a neuron is known after the whole drove
        base = list(chain(*_run(whole, 'the whole network', args.jobs)))
        means = reference_means(base)
        values = {name: float(means[LiquidCore.load(args.model).index(name)]) for name in wanted}
    # by road, not by neuron: a process then draws few worlds
    jobs = [LesionJob(args.model, name, kind, track, season, starts, values[name])
            for track in tracks for name in wanted]
    first = [] if base else whole
    done = _run([*first, *jobs], 'driving', args.jobs)
    base = base or list(chain(*done[:len(first)]))
    lesioned: dict[str, list[Outcome]] = {name: [] for name in wanted}
    for job, outcomes in zip(jobs, done[len(first):], strict=True):
        lesioned[job.neuron].extend(outcomes)
    return base, lesioned


def _run(jobs: Sequence[Any], title: str, processes: int | None) -> list[list[Outcome]]:
    from ltc_control.cli.lesion_runs import drive_lesion

    return do_all(drive_lesion, jobs, title=title, processes=processes,
                  tell=lambda job, outcomes: (
                      f'{job.neuron or "whole"} on track {job.track}: '
                      f'{sum(one.departures for one in outcomes)} departures'))


def _motors(base: Sequence[Outcome], lesioned: dict[str, list[Outcome]],
            circuit: Circuit) -> dict[str, Any]:
    """Return the motor neurons apart: cut, they must change nothing."""
    from ltc_control.insight.lesions import damage, same

    return {name: {'no_change': same(base, runs), 'outgoing_synapses': int(
        (circuit.inner[:, 0] == circuit.names.index(name)).sum()),
        **damage(name, base, runs, names=circuit.names).to_dict()}
        for name, runs in lesioned.items() if name.startswith('motor')}


def _document(args: argparse.Namespace, base: Sequence[Outcome], damages: Sequence[Damage], *,
              success: float, critical: list[str], motors: dict[str, Any]) -> dict[str, Any]:
    options = {key: str(value) if isinstance(value, Path) else value
               for key, value in vars(args).items()
               if isinstance(value, (str, int, float, Path))}
    distance = sum(one.distance_m for one in base)
    outside = (sum(one.outside for one in base) + sum(one.outside for one in damages)
               + sum(row['outside'] for row in motors.values()))
    return {'options': options,
            'whole': {'runs': len(base), 'success': success, 'distance_m': round(distance, 1),
                      'departures': sum(one.departures for one in base),
                      'rms_offset_m': (sum(one.rms_offset_m**2 for one in base)
                                       / len(base)) ** 0.5},
            'neurons': [one.to_dict() for one in damages], 'motors': motors,
            'single_points_of_failure': critical, 'release': args.release,
            'outside_envelope': outside}


def _show(document: dict[str, Any], damages: Sequence[Damage], picture: Path) -> None:
    from ltc_control.cli.wide_console import wide_console
    from rich.table import Table

    whole = document['whole']
    table = Table(title=f'whole: {whole["success"]:.0%} of {whole["runs"]} runs clean, rms offset '
                        f'{whole["rms_offset_m"]:.3f} m', title_justify='left')
    for column in ('neuron', 'clean', 'departures/km more', 'error ×', '95 %', 'jerk ×',
                   'first departure s'):
        table.add_column(column, justify='left' if column == 'neuron' else 'right')
    for one in sorted(damages, key=lambda row: (-row.departures_per_km_more, -row.rms_ratio)):
        span = one.rms_ratio_95
        table.add_row(one.neuron, f'{one.success:.0%}', f'{one.departures_per_km_more:+.1f}',
                      f'{one.rms_ratio:.2f}',
                      'none' if span is None else f'{span[0]:.2f} to {span[1]:.2f}',
                      f'{one.jerk_ratio:.2f}',
                      '' if one.first_departure_s is None else f'{one.first_departure_s:.1f}')
    console = wide_console()
    console.print(table)
    for name, row in document['motors'].items():
        console.print(f'{name} is an output and told apart: error × {row["rms_ratio"]:.2f}'
                      + (', no change at all' if row['no_change'] else ''))
    if document['single_points_of_failure']:
        console.print('[bold red]warning[/]: single points of failure, without which fewer than '
                      f'{document["release"]:.0%} of the runs are clean: '
                      f'{", ".join(document["single_points_of_failure"])}')
    if document['outside_envelope']:
        console.print(f'[bold red]defect[/]: {document["outside_envelope"]} frames with a state '
                      'outside the envelope that the model file guarantees')
    print(picture)
