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
What is it worth to tell the cell the true time? Slower cameras and lost frames, told and not.

    python benchmarks/true_time.py models/car_lane --tracks 1001:1010 --seconds 40 --json
    python benchmarks/true_time.py models/car_lane runs/other --rates 10,30 --losses 0.3

Each model drives at every camera rate without loss, and at 30 Hz with every share of its frames
lost at random, the same frames for all; once with dt from the header stamps, once told its nominal
dt whatever the truth. Departures and the mean offset, over all tracks. With --state the finished
runs are kept in a file, and a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
import json
from pathlib import Path
import sys

from ltc_control.cli.progress import progress_bar
from ltc_control.cli.ranges import parse_decimals, parse_numbers, parse_seasons
from ltc_control.core.model_file import load_spec
from ltc_control.training.evaluate import drive, DriveConfig, DriveResult, summarise
from ltc_control.training.parallel import run_all

FULL_RATE_HZ = 30.0
SAID = ('runs', 'clean_runs', 'departures', 'distance_m', 'interventions_per_km',
        'mean_abs_offset_m')


@dataclass(frozen=True)
class Cell:
    """One entry of the table."""

    model: str
    rate_hz: float
    drop: float
    constant_dt: bool

    @property
    def condition(self) -> str:
        """What the camera does."""
        return f'{100 * self.drop:g} % lost' if self.drop else f'{self.rate_hz:g} Hz'


def main() -> int:
    """Drive all cells, print the table or one JSON object."""
    args = _parse()
    for model in args.models:
        load_spec(model, expect_vehicle='car')
    cameras = [(rate, 0.0) for rate in parse_decimals(args.rates)]
    cameras += [(FULL_RATE_HZ, share) for share in parse_decimals(args.losses)]
    cells = [Cell(model, rate, drop, constant) for model in args.models
             for rate, drop in cameras for constant in (False, True)]
    found = _drive_all(args, cells)
    rows = [{**asdict(cell), 'condition': cell.condition,
             **{name: value for name, value in _summary(found[cell]).items() if name in SAID},
             'departures_by_track': {row.track: row.departures for row in found[cell]}}
            for cell in cells]
    if args.json:
        print(json.dumps({'tracks': args.tracks, 'seconds': args.seconds, 'season': args.season,
                          'seed': args.seed, 'cells': rows}))
    else:
        _print(args.models, rows)
    return 0


def _summary(rows: list[DriveResult]) -> dict:
    return next(iter(summarise(rows).values()))


def _drive_all(args: argparse.Namespace, cells: list[Cell]) -> dict[Cell, list[DriveResult]]:
    """Drive every cell on every track; take from the state file what was driven before."""
    jobs = [(cell, DriveConfig(
        model=Path(cell.model), track=track, season=args.season, seconds=args.seconds,
        seed=args.seed, rate_hz=cell.rate_hz, drop=cell.drop, constant_dt=cell.constant_dt))
        for cell in cells for track in parse_numbers(args.tracks)]
    known = _known(args.state)
    waiting = [(cell, config) for cell, config in jobs if _key(config) not in known]
    with progress_bar('driving', total=len(waiting)) as advance:
        for index, row in run_all(drive, [(config,) for _, config in waiting],
                                  processes=args.jobs):
            cell, config = waiting[index]
            known[_key(config)] = row
            _keep(args.state, _key(config), row)
            told = 'dt constant' if cell.constant_dt else 'true dt'
            advance(f'{cell.condition}, {told}, track {row.track}: {row.departures} departures')
    return {cell: [known[_key(config)] for one, config in jobs if one == cell] for cell in cells}


def _key(config: DriveConfig) -> str:
    digest = load_spec(config.model).digest[:16] if config.model else ''
    return (f'{digest} {config.track} {config.season} {config.seconds:g} {config.seed} '
            f'{config.rate_hz:g} {config.drop:g} {config.constant_dt}')


def _known(state: Path | None) -> dict[str, DriveResult]:
    if state is None or not state.is_file():
        return {}
    lines = [json.loads(line) for line in state.read_text().splitlines() if line.endswith('}')]
    return {line['key']: DriveResult(**line['row']) for line in lines}


def _keep(state: Path | None, key: str, row: DriveResult) -> None:
    if state is not None:
        state.parent.mkdir(parents=True, exist_ok=True)
        with state.open('a') as stream:
            stream.write(json.dumps({'key': key, 'row': asdict(row)}) + '\n')


def _print(models: list[str], rows: list[dict]) -> None:
    for model in models:
        print(f'{model}: departures (clean runs), mean offset\n')
        print('| camera | dt given | dt pretended constant |')
        print('|---|---:|---:|')
        here = [row for row in rows if row['model'] == model]
        for condition in dict.fromkeys(row['condition'] for row in here):
            pair = [_said(row) for row in here if row['condition'] == condition]
            print(f'| {condition} | {" | ".join(pair)} |')
        print()


def _said(row: dict) -> str:
    return (f'{row["departures"]} ({row["clean_runs"]}/{row["runs"]}), '
            f'{row["mean_abs_offset_m"]:.3f} m')


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('models', nargs='+', help='model folders')
    parser.add_argument('--tracks', default='1001:1010')
    parser.add_argument('--seconds', type=float, default=40.0, help='a run')
    parser.add_argument('--season', default='summer', type=lambda text: parse_seasons(text)[0])
    parser.add_argument('--seed', type=int, default=0, help='of sensors and of lost frames')
    parser.add_argument('--rates', default='10,15,20,30', metavar='HZ', help='of the camera')
    parser.add_argument('--losses', default='0.1,0.2,0.3', metavar='SHARE',
                        help='of frames, at 30 Hz')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')
    parser.add_argument('--state', type=Path, metavar='FILE', help='keep finished runs here')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
