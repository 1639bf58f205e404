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
"""``ltc explain causes``: how far does the command go when only the lane moves, or the scenery."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli.jobs import do_all
import numpy as np

if TYPE_CHECKING:
    from ltc_control.insight.causes import Effect

HELP = 'move only the lane, or only the scenery, and measure how far the command moves'
EPILOG = """examples:
  ltc explain causes models/car_lane --json causes.json
  ltc explain causes models/car_lane runs/lstm runs/cnn --pairs 200
  ltc explain causes models/car_lane --no-drive              the paired frames alone
Open loop: same state, same poses, frames in pairs. Closed loop: the model drives the same roads
with other trees, houses and hills. Ratio 1: only the lane moves the wheel; 0.5: both alike."""
MOVED_SCENERY = 81                             # not among those of the pairs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('models', nargs='+', type=Path, metavar='MODEL', help='model folders')
    parser.add_argument('--pairs', type=int, default=100,
                        help='sequences, each seen once changed in every way (default 100)')
    parser.add_argument('--pair-tracks', default='1001:1002', help='roads of the sequences')
    parser.add_argument('--distractors', default='scenery,sky,light,season',
                        help='what is changed beside the lane (default: all four)')
    parser.add_argument('--tracks', default='1001:1003', help='roads of the closed loop')
    parser.add_argument('--seconds', type=float, default=30.0, help='of each closed-loop run')
    parser.add_argument('--season', default='summer', help='look that is changed')
    parser.add_argument('--seed', type=int, default=0, help='of places and displaced lanes')
    parser.add_argument('--no-drive', action='store_true', help='leave the closed loop out')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write all numbers here')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')


def run(args: argparse.Namespace) -> int:
    """Show pairs to every model, let every model drive, print one ratio a model."""
    from ltc_control.cli.interventions import LANE_M, TEST_FRAMES, WARM_FRAMES
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.model_file import load_spec

    if args.pairs < 2 or args.seconds <= 0:
        raise ConfigError(f'--pairs must be at least 2 and --seconds above 0, got {args.pairs!r} '
                          f'and {args.seconds!r}')
    specs = [load_spec(model, expect_vehicle='car') for model in args.models]
    open_loop = _open_loop(args)
    driven = [None] * len(specs) if args.no_drive else _closed_loop(args)
    document = {
        'pairs': args.pairs, 'pair_tracks': args.pair_tracks, 'season': args.season,
        'seed': args.seed, 'distractors': args.distractors, 'lane_rms_m': LANE_M,
        'warm_frames': WARM_FRAMES, 'test_frames': TEST_FRAMES,
        'models': [{'model': str(folder), 'name': spec.name, 'kind': spec.kind,
                    'causal_ratio': row['curvature']['causal_ratio'], 'open_loop': row,
                    'closed_loop': drive}
                   for folder, spec, row, drive in zip(args.models, specs, open_loop, driven,
                                                       strict=True)]}
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(document, indent=2) + '\n')
    _show(document)
    return 0


def _open_loop(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ltc_control.cli.cause_runs import measure_pairs, PairsJob
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.insight.causes import judge

    (season,) = parse_seasons(args.season)[:1]
    tracks = parse_numbers(args.pair_tracks)
    counts = [len(part) for part in np.array_split(np.arange(args.pairs), len(tracks))]
    kinds = _distractors(args.distractors)
    jobs = [PairsJob(tuple(args.models), track, season, count, args.seed, kinds)
            for track, count in zip(tracks, counts, strict=True) if count]
    done = do_all(measure_pairs, jobs, title='pairs', processes=args.jobs,
                  tell=lambda job, _: f'{job.count} sequences on track {job.track}')
    asked = np.concatenate([commands for _, commands in done])
    return [judge([_joined([effects[m][k] for effects, _ in done])
                   for k in range(len(done[0][0][m]))],
                  expert_rms=np.sqrt((asked**2).mean(axis=0)).tolist())
            for m in range(len(args.models))]


def _distractors(text: str) -> tuple[str, ...]:
    from ltc_control.cli.interventions import DISTRACTORS
    from ltc_control.core.errors import ConfigError

    kinds = tuple(name.strip() for name in text.split(',') if name.strip())
    if not kinds or set(kinds) - set(DISTRACTORS):
        raise ConfigError(f'--distractors is {text!r}; name some of {", ".join(DISTRACTORS)}')
    return kinds


def _joined(parts: Sequence[Effect]) -> Effect:
    """Return one intervention over the sequences of all roads."""
    from ltc_control.insight.causes import Effect

    one = parts[0]
    return Effect(one.name, one.role, one.strength,
                  np.concatenate([part.change for part in parts]),
                  np.concatenate([part.expert for part in parts]),
                  np.concatenate([part.pixels for part in parts]), raw=one.raw)


def _closed_loop(args: argparse.Namespace) -> list[dict[str, Any]]:
    from ltc_control.cli.cause_runs import drive_scenery, SceneryJob
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.cli.tree_drives import summary
    from ltc_control.sim.closed_loop import Start

    (season,) = parse_seasons(args.season)[:1]
    tracks, start = parse_numbers(args.tracks), Start(args.seed, args.seconds)
    jobs = [SceneryJob(model, track, season, moved, start) for model in args.models
            for moved in (None, MOVED_SCENERY) for track in tracks]
    done = do_all(drive_scenery, jobs, title='driving', processes=args.jobs,
                  tell=lambda job, result: (f'{job.model} on track {job.track}: '
                                            f'{result.departures} departures'))
    rows = []
    for k in range(len(args.models)):
        base, moved = (summary(done[(2 * k + part) * len(tracks):(2 * k + part + 1) * len(tracks)])
                       for part in (0, 1))
        rows.append({'tracks': tracks, 'seconds': args.seconds, 'base': base,
                     'scenery_moved': moved,
                     'departures_more': moved['departures'] - base['departures']})
    return rows


def _show(document: dict[str, Any]) -> None:
    from ltc_control.cli.wide_console import wide_console
    from rich.table import Table

    table = Table(title=f'what moves the wheel: {document["pairs"]} sequences, lane moved by '
                        f'{document["lane_rms_m"]:g} m rms', title_justify='left')
    for column in ('model', 'causal ratio', '95 %', 'matched', '95 %', 'pairs', 'slope (1)', 'R²',
                   'distractor error (0)', 'sign test p'):
        table.add_column(column, justify='left' if column == 'model' else 'right')
    for row in document['models']:
        found = row['open_loop']['curvature']
        matched = found['matched']
        table.add_row(f'{row["name"]} ({row["kind"]})', f'{found["causal_ratio"]:.3f}',
                      _span(found['causal_ratio_95']),
                      '' if matched['causal_ratio'] is None else f'{matched["causal_ratio"]:.3f}',
                      _span(matched['causal_ratio_95']), str(matched['pairs']),
                      f'{found["slope"]:.2f}', f'{found["slope_r2"]:.2f}',
                      '' if found['distractor_error'] is None
                      else f'{found["distractor_error"]:.3f}', f'{found["sign_test_p"]:.1e}')
    console = wide_console()
    console.print(table)
    for row in document['models']:
        _show_interventions(console, row)


def _show_interventions(console: Any, row: dict[str, Any]) -> None:
    console.print(f'{row["name"]}: mean |change| of the curvature asked for [1/m] '
                  '(mean squared pixel change)')
    console.print('  ' + ', '.join(
        f'{one["name"]} {one["mean_abs_change_curvature"]:.4f} ({one["pixel_change"]:.4f})'
        for one in row['open_loop']['interventions']))
    driven = row['closed_loop']
    if driven:
        console.print(f'  driving: {driven["base"]["departures"]} departures in '
                      f'{driven["base"]["distance_m"]:.0f} m; with the scenery moved '
                      f'{driven["scenery_moved"]["departures"]} in '
                      f'{driven["scenery_moved"]["distance_m"]:.0f} m')


def _span(interval: Sequence[float] | None) -> str:
    return '' if interval is None else f'{interval[0]:.3f} to {interval[1]:.3f}'
