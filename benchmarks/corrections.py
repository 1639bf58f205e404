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
Does a policy get better by being corrected? Departures, round by round, of a weak one.

    python benchmarks/corrections.py --rounds 3 --json
    python benchmarks/corrections.py --rounds 1 --tracks 1001:1002 --seconds 10 --weak-steps 30

A weak policy learns for a few steps from clean drives of the expert, which show no way back to the
lane. In each round it drives roads it has not met, the expert beside it takes over when it is
about to leave its lane, and it learns more from those seconds (`ltc train --corrections`). Then it
drives alone on evaluation tracks, which nobody trains on. The control learns as many more steps
from the clean drives alone. Stopped, it goes on where it was; delete --out to start anew.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
import json
from pathlib import Path
import sys

from ltc_control.cli.progress import progress_bar
from ltc_control.cli.ranges import parse_numbers
from ltc_control.data.rosbag2 import find_bags
from ltc_control.training.collect import collect_track, CollectConfig
from ltc_control.training.config import load_config, TrainConfig
from ltc_control.training.evaluate import drive, DriveConfig, summarise
from ltc_control.training.parallel import run_all
from ltc_control.training.shared_drive import HumanConfig
from ltc_control.training.train import read_corrections, read_episodes, train

RECIPE = Path(__file__).parents[1] / 'config' / 'train_corrections.yaml'
CLEAN_TRACKS = tuple(range(6))             # of the expert's drives
FIRST_ROUND_TRACK = 100                    # each round drives roads that no round before it met


@dataclass(frozen=True)
class Stage:
    """One policy of the story and how it drove alone."""

    name: str
    model: Path
    take_overs: int | None = None          # met in its round
    human_s: float = 0.0
    lessons: int = 0                       # take-overs learned from so far


def main() -> int:
    """Go through all rounds, print the table or JSON."""
    args = _parse()
    args.out.mkdir(parents=True, exist_ok=True)
    stages = [Stage('weak', _weak(args))]
    for number in range(1, args.rounds + 1):
        stages.append(_round(args, stages[-1], number))
    if not args.no_control:
        stages.append(Stage('control', _control(args, stages[0].model)))
    rows = [_row(args, stage) for stage in stages]
    _print(args, rows)
    return 0


def _weak(args: argparse.Namespace) -> Path:
    bags, model = args.out / 'clean', args.out / 'weak'
    config = CollectConfig(out=bags, tracks=CLEAN_TRACKS, episodes=1, seconds=20.0,
                           seed=args.seed, disturbed=False)
    _collect(config, 'clean', args.jobs)
    _train(args, model, steps=args.weak_steps, start=None, drives=[])
    return model


def _round(args: argparse.Namespace, before: Stage, number: int) -> Stage:
    first = FIRST_ROUND_TRACK + args.round_tracks * (number - 1)
    config = CollectConfig(
        out=args.out / f'drives_{number}', tracks=tuple(range(first, first + args.round_tracks)),
        episodes=1, seconds=args.drive_seconds, seed=args.seed, disturbed=False,
        policy=before.model, human=HumanConfig())
    found = _collect(config, f'drives_{number}', args.jobs)
    model = args.out / f'round_{number}'
    drives = [bag for k in range(1, number + 1) for bag in find_bags(args.out / f'drives_{k}')]
    lessons = _train(args, model, steps=args.round_steps, start=before.model, drives=drives)
    return Stage(f'round {number}', model, sum(one['take_overs'] for one in found),
                 sum(one['human_s'] for one in found), lessons)


def _control(args: argparse.Namespace, weak: Path) -> Path:
    """Learn in the same rounds for as many steps, from clean drives alone."""
    model = weak
    for number in range(1, args.rounds + 1):
        start, model = model, args.out / f'control_{number}'
        _train(args, model, steps=args.round_steps, start=start, drives=[])
    return model


def _collect(config: CollectConfig, name: str, processes: int | None) -> list[dict]:
    """Record all tracks, or say what was recorded before."""
    listed = config.out.with_suffix('.json')
    if listed.is_file():
        return json.loads(listed.read_text())
    jobs = [(config, track) for track in config.tracks
            if not (config.out / f'track_{track:04d}_000').exists()]
    done = config.out.with_suffix('.part')
    rows = [json.loads(line) for line in done.read_text().splitlines()] if done.is_file() else []
    with progress_bar(f'recording {name}', total=len(jobs)) as advance:
        for _, episodes in run_all(collect_track, jobs, processes=processes):
            rows += [vars(one) for one in episodes]
            with done.open('a') as stream:
                stream.writelines(json.dumps(vars(one)) + '\n' for one in episodes)
            advance(f'{sum(row["take_overs"] for row in rows)} take-overs')
    listed.write_text(json.dumps(rows, indent=2) + '\n')
    return rows


def _train(args: argparse.Namespace, model: Path, *, steps: int, start: Path | None,
           drives: list[Path]) -> int:
    """Train a model unless it is there; return the number of take-overs learned from."""
    config = load_config(RECIPE, settings={'steps': steps, 'seed': args.seed,
                                           'validate_every': steps})
    with progress_bar('reading', total=len(CLEAN_TRACKS) + len(drives)) as advance:
        episodes = read_episodes(find_bags(args.out / 'clean'), config, advance)
        lessons = read_corrections(drives, config, advance) if drives else []
    if not (model / 'policy.yaml').is_file():
        _fit(config, episodes, lessons, model, start)
    return len(lessons)


def _fit(config: TrainConfig, episodes: list, lessons: list, model: Path,
         start: Path | None) -> None:
    with progress_bar(f'training {model.name}', total=config.steps) as advance:
        train(config, episodes, out=model, name=model.name, start=start, corrections=lessons,
              report=lambda progress: advance(f'loss {progress.loss:.3f}'))


def _row(args: argparse.Namespace, stage: Stage) -> dict:
    """Drive a stage's policy alone on the evaluation tracks."""
    jobs = [(DriveConfig(model=stage.model, track=track, seconds=args.seconds, seed=args.seed),)
            for track in parse_numbers(args.tracks)]
    rows = []
    with progress_bar(f'driving {stage.name}', total=len(jobs)) as advance:
        for _, row in run_all(drive, jobs, processes=args.jobs):
            rows.append(row)
            advance(f'track {row.track}: {row.departures} departures')
    summary = summarise(rows)['summer']
    return {'stage': stage.name, 'take_overs': stage.take_overs,
            'human_s': round(stage.human_s, 1), 'lessons': stage.lessons,
            **{name: summary[name] for name in ('departures', 'clean_runs', 'runs', 'distance_m',
                                                'interventions_per_km', 'mean_abs_offset_m')}}


def _print(args: argparse.Namespace, rows: list[dict]) -> None:
    counts = [row['departures'] for row in rows if row['stage'] != 'control']
    if args.json:
        print(json.dumps({'rounds': args.rounds, 'seed': args.seed, 'tracks': args.tracks,
                          'seconds': args.seconds, 'departures': counts,
                          'falling': all(b < a or a == b == 0 for a, b in pairwise(counts)),
                          'stages': rows}))
        return
    print('| policy | take-overs | departures alone | clean runs | mean offset, m |')
    print('|---|---:|---:|---:|---:|')
    for row in rows:
        met = '' if row['take_overs'] is None else f'{row["take_overs"]} ({row["human_s"]:.0f} s)'
        print(f'| {row["stage"]} | {met} | {row["departures"]} | {row["clean_runs"]} of '
              f'{row["runs"]} | {row["mean_abs_offset_m"]:.3f} |')
    sys.stdout.flush()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3, help='of corrections (default 3)')
    parser.add_argument('--tracks', default='1001:1006', help='evaluation tracks')
    parser.add_argument('--seconds', type=float, default=30.0, help='of an evaluation run')
    parser.add_argument('--drive-seconds', type=float, default=25.0,
                        help='of a drive with the human beside')
    parser.add_argument('--weak-steps', type=int, default=60, help='training of the weak policy')
    parser.add_argument('--round-tracks', type=int, default=6, help='roads driven in a round')
    parser.add_argument('--round-steps', type=int, default=40, help='more training a round')
    parser.add_argument('--seed', type=int, default=1, help='of training, starts and sensors')
    parser.add_argument('--no-control', action='store_true',
                        help='leave out the control, which learns on without corrections')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')
    parser.add_argument('--out', type=Path, default=Path('runs/corrections'),
                        help='bags and models lie here (default %(default)s)')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
