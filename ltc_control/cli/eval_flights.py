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
"""``ltc eval`` of a drone: fly seeded episodes closed loop, count what was reached or followed."""

from __future__ import annotations

import argparse
from pathlib import Path


def run_flights(args: argparse.Namespace) -> int:
    """Fly all episodes; print a table, write JSON; 1 with --require-clean after a failure."""
    from ltc_control.cli.eval_ import write_document
    from ltc_control.cli.jobs import do_all
    from ltc_control.training.flights import flight_rows, fly, summarise_flights

    configs = _configs(args)
    results = do_all(fly, configs, title='flying', processes=args.jobs, tell=lambda _, row: (
        f'episode {row.seed} {row.season}: {"done" if row.success else "failed"}, '
        f'{row.final_distance_m:.1f} m away'))
    results.sort(key=lambda row: (row.season, row.seed))
    summary = summarise_flights(results)
    _print_table(summary, title=f'{args.model}, {args.task or "reach"}{_conditions(args)}')
    if args.json is not None:
        write_document(args, rows=flight_rows(results), summary=summary)
    if args.card:
        _write_card(args, summary)
    return 1 if args.require_clean and not all(row.success for row in results) else 0


def _configs(args: argparse.Namespace) -> list:
    from ltc_control.cli.eval_ import judged_model, refuse_options
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.training.flights import FlightConfig

    refuse_options(args, of='car')
    _check(args)
    episodes = parse_numbers(args.episodes)
    model = judged_model(args.model, vehicle='drone', seeds=episodes)
    return [FlightConfig(episode=episode, task=args.task or 'reach', season=season, model=model,
                         seconds=args.seconds,
                         noise_var=args.noise, gusts=args.gusts, blackout_s=args.blackout,
                         hidden_s=args.hide, reset_state=args.reset_state)
            for season in parse_seasons(args.seasons) for episode in episodes]


def _check(args: argparse.Namespace) -> None:
    from ltc_control.core.errors import ConfigError

    for option in ('noise', 'gusts', 'blackout', 'hide'):
        if not (got := getattr(args, option)) >= 0:
            raise ConfigError(f'--{option} must not be below 0, got {got!r}')
    if args.card and args.model == 'expert':
        raise ConfigError('the expert has no card; leave out --card or give a model folder')
    if args.seconds is not None and not args.seconds > 0:
        raise ConfigError(f'--seconds must be above 0, got {args.seconds!r}')


def _conditions(args: argparse.Namespace) -> str:
    said = [f'noise variance {args.noise}'] if args.noise else []
    said += [f'gusts of {args.gusts} m/s'] if args.gusts else []
    said += [f'camera black for {args.blackout} s'] if args.blackout else []
    said += [f'target hidden for up to {args.hide} s'] if args.hide else []
    said += ['state zeroed each frame'] if args.reset_state else []
    return ''.join(f', {one}' for one in said)


def _write_card(args: argparse.Namespace, summary: dict) -> None:
    from ltc_control.training.card import add_results

    title = f'Closed loop, {args.task or "reach"}, groves {args.episodes}{_conditions(args)}'
    add_results(Path(args.model), title=title, summary=summary)


def _print_table(summary: dict, *, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for column in ('season', 'successes', 'of these out of view', 'collisions', 'time s',
                   'ends at m', 'in view', 'distance error m'):
        table.add_column(column, justify='left' if column == 'season' else 'right')
    for season, row in summary.items():
        table.add_row(
            season, f"{row['successes']}/{row['episodes']}",
            f"{row['out_of_view_successes']}/{row['out_of_view_episodes']}",
            str(row['collisions']), str(row['median_time_s']),
            str(row['median_final_distance_m']), f"{row['mean_in_view']:.2f}",
            f"{row['mean_rms_distance_error_m']:.2f}")
    Console().print(table)
