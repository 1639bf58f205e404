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
"""``ltc eval``: drive a model closed loop on many tracks and seasons, in parallel over cores."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
import sys

CAR_SECONDS = 120.0
# what one vehicle alone knows; said of the other it is refused, not ignored
ALONE = {'car': ('tracks', 'seed', 'blackout_kind', 'blackout_interval', 'rate', 'drop',
                 'constant_dt'),
         'drone': ('task', 'episodes', 'gusts', 'hide')}

HELP = 'drive a model closed loop, faster than real time, and count departures'
EPILOG = """examples:
  ltc eval models/car_lane --tracks 1001:1010 --seasons summer,autumn,winter,night
  ltc eval models/car_lane --tracks 1001:1010 --noise 0.1 --json noise.json
  ltc eval models/car_lane --tracks 1001:1010 --blackout 0.5 --reset-state --json blackout.json
  ltc eval models/car_lane --tracks 1001:1010 --rate 10,15,20,30        slower cameras
  ltc eval models/car_lane --tracks 1001:1010 --drop 0.1,0.3 --constant-dt
  ltc eval expert --tracks 1001:1010            the expert itself, as the reference
  ltc eval models/drone_target --task reach --episodes 2001:2050 --seasons summer,winter
exit code: 0 when all runs were driven; with --require-clean 1 if any left its lane"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('model', help="model folder, or 'expert'")
    parser.add_argument('--tracks', default='1001:1010', help='track seeds, 1001:1010 (both ends)')
    parser.add_argument('--task', choices=('reach', 'follow'),
                        help='drone: fly to a target, or follow one that moves')
    parser.add_argument('--episodes', default='2001:2050', help='drone: seeds of groves')
    parser.add_argument('--gusts', type=float, default=0.0, metavar='M/S',
                        help='drone: peak of the wind in gusts')
    parser.add_argument('--hide', type=float, default=0.0, metavar='S',
                        help='drone: the target is out of sight now and then, for up to so many '
                             'seconds; inf: it never appears')
    parser.add_argument('--seasons', default='summer', help='comma list of looks')
    parser.add_argument('--seconds', type=float, default=None,
                        help='of simulated time a run (default 120; of a drone 40 to reach and 60 '
                             'to follow)')
    parser.add_argument('--seed', type=int, default=0, help='of sensor noise and faults')
    parser.add_argument('--noise', type=float, default=0.0, metavar='VAR',
                        help='variance of Gaussian image noise on [0, 1]')
    parser.add_argument('--blackout', type=float, default=0.0, metavar='S',
                        help='camera faults of this length at random moments')
    parser.add_argument('--blackout-kind', choices=('black', 'frozen'), default='black')
    parser.add_argument('--blackout-interval', type=float, default=6.0, metavar='S',
                        help='mean time between faults')
    parser.add_argument('--reset-state', action='store_true',
                        help='zero the state before every frame (what is memory worth?)')
    parser.add_argument('--rate', default='30', metavar='HZ',
                        help='camera rates, a comma list; the true dt is told to the policy')
    parser.add_argument('--drop', default='0', metavar='SHARE',
                        help='shares of frames lost at random before the policy, a comma list')
    parser.add_argument('--constant-dt', action='store_true',
                        help='tell the policy its nominal dt, whatever the truth (what is true '
                        'time worth?)')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write rows and summary here')
    parser.add_argument('--card', action='store_true',
                        help="put the table into the model's card.md, and hash it anew")
    parser.add_argument('--require-clean', action='store_true',
                        help='exit with 1 unless every run was clean')


def run(args: argparse.Namespace) -> int:
    """Drive all runs; print a table, write JSON."""
    if args.task is not None or _vehicle(args) == 'drone':
        from ltc_control.cli.eval_flights import run_flights
        return run_flights(args)
    from ltc_control.cli.jobs import do_all
    from ltc_control.training.evaluate import drive, order, summarise, to_rows

    configs = _configs(args)
    results = sorted(do_all(
        drive, configs, title='driving', processes=args.jobs, tell=lambda _, row: (
            f'track {row.track} {row.condition}: {row.departures} departures, '
            f'{row.mean_abs_offset_m:.3f} m')), key=order)
    summary = summarise(results)
    _print_table(summary, title=_title(args))
    if args.json is not None:
        write_document(args, rows=to_rows(results), summary=summary)
    if args.card:
        _write_card(args, summary)
    dirty = any(row.departures for row in results)
    return 1 if args.require_clean and dirty else 0


def write_document(args: argparse.Namespace, *, rows: list[dict], summary: dict) -> None:
    """Write what was asked for and what came of it to ``--json``, of either vehicle."""
    options = {key: str(value) if isinstance(value, Path) or value == math.inf else value
               for key, value in vars(args).items() if key != 'run'}
    args.json.write_text(json.dumps(
        {'options': options, 'rows': rows, 'summary': summary}, indent=2) + '\n')


def refuse_options(args: argparse.Namespace, *, of: str) -> None:
    """Raise ConfigError for an option that was given and means something for ``of`` alone."""
    from ltc_control.core.errors import ConfigError

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for option in ALONE[of]:
        if (got := getattr(args, option)) != parser.get_default(option):
            raise ConfigError(f'--{option.replace("_", "-")} {got} is for a {of}; leave it out to '
                              'judge this vehicle')


def judged_model(name: str, *, vehicle: str, seeds: list[int]) -> Path | None:
    """Return the model's folder, None for the expert; warn of seeds it was trained on."""
    from ltc_control.core.model_file import load_spec

    if name == 'expert':
        return None
    trained = set(load_spec(Path(name), expect_vehicle=vehicle).training.get('tracks', ()))
    known = [seed for seed in seeds if seed in trained]
    if known:
        print(f'ltc eval: {name} was trained on {len(known)} of these {len(seeds)} seeds '
              f'({known[0]} the first); how it does there says little of others', file=sys.stderr)
    return Path(name)


def _vehicle(args: argparse.Namespace) -> str:
    from ltc_control.core.model_file import load_spec
    return 'car' if args.model == 'expert' else load_spec(Path(args.model)).vehicle


def _configs(args: argparse.Namespace) -> list:
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.core.errors import ConfigError
    from ltc_control.training.evaluate import DriveConfig

    refuse_options(args, of='drone')
    args.seconds = CAR_SECONDS if args.seconds is None else args.seconds
    for option, value in (('--seconds', args.seconds), ('--blackout-interval',
                                                        args.blackout_interval)):
        if value <= 0:
            raise ConfigError(f'{option} must be above 0, got {value!r}')
    for option, value in (('--noise', args.noise), ('--blackout', args.blackout)):
        if value < 0:
            raise ConfigError(f'{option} must not be below 0, got {value!r}')
    tracks = parse_numbers(args.tracks)
    model = judged_model(args.model, vehicle='car', seeds=tracks)
    if model is None and args.card:
        raise ConfigError('the expert has no card; leave out --card or give a model folder')
    return [DriveConfig(model=model, track=track, season=season, seconds=args.seconds,
                        seed=args.seed, noise_var=args.noise, blackout_s=args.blackout,
                        blackout_kind=args.blackout_kind,
                        blackout_interval_s=args.blackout_interval, reset_state=args.reset_state,
                        rate_hz=rate, drop=drop, constant_dt=args.constant_dt)
            for season in parse_seasons(args.seasons) for drop in _shares(args.drop)
            for rate in _rates(args.rate) for track in tracks]


def _rates(text: str) -> list[float]:
    from ltc_control.cli.ranges import parse_decimals
    from ltc_control.core.errors import ConfigError, SimulationError
    from ltc_control.sim.clockwork import steps_per_frame

    rates = parse_decimals(text)
    try:
        for rate in rates:
            steps_per_frame(rate)
    except SimulationError as error:
        raise ConfigError(f'--rate {text!r}: {error}') from error
    return rates


def _shares(text: str) -> list[float]:
    from ltc_control.cli.ranges import parse_decimals
    from ltc_control.core.errors import ConfigError

    shares = parse_decimals(text)
    if not all(0.0 <= share < 1.0 for share in shares):
        raise ConfigError(f'--drop must lie in [0, 1), got {text!r}')
    return shares


def _write_card(args: argparse.Namespace, summary: dict) -> None:
    from ltc_control.training.card import add_results

    extras = _title(args).removeprefix(str(args.model)).strip(', ')
    title = f'Closed loop on tracks {args.tracks}, {args.seconds:g} s each'
    add_results(Path(args.model), title=title + (f', {extras}' if extras else ''),
                summary=summary)


def _title(args: argparse.Namespace) -> str:
    extras = [f'noise variance {args.noise}'] if args.noise else []
    extras += [f'{args.blackout_kind} for {args.blackout} s'] if args.blackout else []
    extras += ['state zeroed each frame'] if args.reset_state else []
    extras += ['dt pretended constant'] if args.constant_dt else []
    return ', '.join([str(args.model), *extras])


def _print_table(summary: dict, *, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for column in ('season', 'clean runs', 'departures', 'per km', 'mean |offset| m',
                   '95 % m', 'jerk m/s³', 'speed m/s'):
        table.add_column(column, justify='left' if column == 'season' else 'right')
    for season, row in summary.items():
        table.add_row(season, f"{row['clean_runs']}/{row['runs']}", str(row['departures']),
                      f"{row['interventions_per_km']:.2f}", f"{row['mean_abs_offset_m']:.3f}",
                      f"{row['p95_abs_offset_m']:.3f}", f"{row['rms_lateral_jerk']:.2f}",
                      f"{row['mean_speed']:.1f}")
    Console().print(table)
