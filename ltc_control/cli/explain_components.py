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
"""``ltc explain components``: how much of what a network does lies along one line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
import json
from pathlib import Path
import tempfile
from typing import Any, TYPE_CHECKING

from ltc_control.cli.jobs import do_all
import numpy as np

if TYPE_CHECKING:
    from ltc_control.sim.closed_loop import Run, Start

HELP = "variance share of the first principal component, beside the paper's numbers"
EPILOG = """examples:
  ltc explain components models/car_lane
  ltc explain components models/car_lane runs/lstm runs/cnn --json components.json
Each model drives the same roads from the same starts. A model without state (cnn) is looked at in
the features of its head. The untrained control sees the frames of the trained model's drive; it
needs the training packages (make setup-train)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('models', nargs='+', type=Path, metavar='MODEL', help='model folders')
    parser.add_argument('--tracks', default='1001:1002', help='road seeds, 1001:1002 (both ends)')
    parser.add_argument('--seconds', type=float, default=30.0, help='of each drive')
    parser.add_argument('--season', default='summer', help='look of the world')
    parser.add_argument('--untrained', type=int, default=3, metavar='N',
                        help='untrained networks a model; 0 leaves the control out')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all numbers here')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')


@dataclass(frozen=True)
class ActivityJob:
    """One drive: who drives, and who looks on without driving."""

    model: Path
    onlookers: tuple[Path, ...]
    track: int
    season: str
    start: Start


def watch_drive(job: ActivityJob) -> tuple[Run, str, list[np.ndarray]]:
    """Return the run, the layer looked at, and the activity (T, N) of driver and onlookers."""
    from ltc_control.core.contracts import Command
    from ltc_control.insight.activity import ActivePolicy
    from ltc_control.sim.closed_loop import drive_with
    from ltc_control.sim.environment import Environment, EnvironmentSpec
    from ltc_control.sim.observation import Observation

    policies = [ActivePolicy(folder) for folder in (job.model, *job.onlookers)]
    rows: list[list[np.ndarray]] = [[] for _ in policies]

    def driver(seen: Observation) -> Command:
        answers = [policy.step(seen.frame, seen.imu) for policy in policies]
        for row, (_, activity) in zip(rows, answers, strict=True):
            row.append(activity)
        return answers[0][0]

    with Environment(EnvironmentSpec(track=job.track, season=job.season)) as env:
        run = drive_with(env, driver, job.start)
    return run, policies[0].layer, [np.array(row) for row in rows]


def run(args: argparse.Namespace) -> int:
    """Drive every model, take its components, print them beside the paper's."""
    from ltc_control.cli.untrained import untrained_model
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.model_file import load_spec

    if args.seconds <= 0 or args.untrained < 0:
        raise ConfigError(f'--seconds must be above 0 and --untrained not below, got '
                          f'{args.seconds!r} and {args.untrained!r}')
    specs = [load_spec(model, expect_vehicle='car') for model in args.models]
    with tempfile.TemporaryDirectory() as folder:
        fresh = [[untrained_model(model, Path(folder, f'{k}_{seed}'), seed=seed)
                  for seed in range(args.untrained)] for k, model in enumerate(args.models)]
        jobs = _jobs(args, [[path for path in paths if path] for paths in fresh])
        found = do_all(watch_drive, jobs, title='driving', processes=args.jobs,
                       tell=lambda job, result: (f'{job.model} on track {result[0].track}: '
                                                 f'{result[0].departures} departures'))
    rows = [_row(spec, [found[i] for i, job in enumerate(jobs) if job.model == model])
            for spec, model in zip(specs, args.models, strict=True)]
    document = {'tracks': args.tracks, 'seconds': args.seconds, 'season': args.season,
                'models': rows, 'paper': _paper()}
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(document, indent=2) + '\n')
    _show(document, asked=args.untrained)
    return 0


def _jobs(args: argparse.Namespace, fresh: list[list[Path]]) -> list[ActivityJob]:
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.sim.closed_loop import Start

    (season,) = parse_seasons(args.season)[:1]
    return [ActivityJob(model, tuple(onlookers), track, season, Start(0, args.seconds))
            for model, onlookers in zip(args.models, fresh, strict=True)
            for track in parse_numbers(args.tracks)]


def _row(spec: Any, drives: list[Any]) -> dict[str, Any]:
    """Return one model's row: components of all its drives, and the mean of the untrained."""
    from ltc_control.insight.components import components, PAPER_NAME

    layers = list(zip(*(activities for _, _, activities in drives), strict=True))
    joined = [np.concatenate(parts) for parts in layers]
    fresh = [components(one) for one in joined[1:]]
    return {'model': spec.name, 'kind': spec.kind, 'as': PAPER_NAME.get(spec.kind, ''),
            'layer': drives[0][1], 'departures': sum(one.departures for one, _, _ in drives),
            **components(joined[0]).to_dict(),
            'untrained': None if not fresh else {
                'networks': len(fresh),
                'share': float(np.mean([one.share for one in fresh])),
                'share_scaled': float(np.mean([one.share_scaled for one in fresh])),
                'participation': float(np.mean([one.participation for one in fresh]))}}


def _paper() -> dict[str, float]:
    from ltc_control.insight.components import PAPER

    return dict(PAPER)


def _show(document: dict[str, Any], *, asked: int) -> None:
    from ltc_control.cli.wide_console import wide_console
    from rich.table import Table

    table = Table(title='share of the first principal component', title_justify='left')
    for column in ('model', 'units', 'share', 'scaled', 'participation', '19 units', 'untrained',
                   'paper', 'departures'):
        table.add_column(column, justify='left' if column == 'model' else 'right')
    for row in document['models']:
        fresh = row['untrained']
        table.add_row(f'{row["model"]} ({row["kind"]})', str(row['units']), _percent(row['share']),
                      _percent(row['share_scaled']), f'{row["participation"]:.2f}',
                      _percent(row['share_of_19']), _percent(fresh and fresh['share']),
                      f'{row["as"]} {_percent(document["paper"].get(row["as"]))}',
                      str(row['departures']))
    console = wide_console()
    console.print(table)
    for row in document['models']:
        if row['layer'] != 'states':
            console.print(f'{row["model"]}: {row["layer"]}')
    if asked and any(row['untrained'] is None for row in document['models']):
        console.print('untrained: not measured, the training packages are not installed '
                      '(make setup-train)')
    console.print("the paper's networks drove another car on real roads: "
                  + ', '.join(f'{name} {share:.0%}' for name, share in document['paper'].items()))


def _percent(share: float | None) -> str:
    return '' if share is None else f'{share:.0%}'
