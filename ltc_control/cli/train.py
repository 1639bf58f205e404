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
"""``ltc train``: bags in, model folder out; goes on where it was killed."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = 'learn a policy from rosbags and write a model folder with its card'
EPILOG = """examples:
  ltc train runs/bags --config config/train_car.yaml --out runs/car
  ltc train runs/bags runs/dagger --config config/train_car.yaml --out runs/car2 --start runs/car
  ltc train runs/bags --corrections runs/drives --config config/train_car.yaml --out runs/car3 \
      --start runs/car --steps 300            learns more from the seconds around each take-over
  ltc train runs/bags --config config/train_drone.yaml --out runs/drone2 --start runs/drone \
      --steps 0 --set core.steps=2000         the core alone: features once, then cheap steps
  ltc train tub_bag --config config/train_tub.yaml --out runs/tub
the same command again resumes a run that was stopped; needs torch (make setup-train)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('bags', type=Path, nargs='+', help='rosbag2 folders, or folders of such')
    parser.add_argument('--config', type=Path, required=True, help='YAML, see config/train_*.yaml')
    parser.add_argument('--out', type=Path, required=True,
                        help='model folder to write; its disk holds the pictures meanwhile')
    parser.add_argument('--name', help='name of the model; default that of the folder')
    parser.add_argument('--seed', type=int, help="instead of the configuration's")
    parser.add_argument('--steps', type=int, help="instead of the configuration's")
    parser.add_argument('--threads', type=int, help="instead of the configuration's")
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        help="instead of the configuration's, e.g. --set policy.kind=cnn")
    parser.add_argument('--start', type=Path, help='model folder whose weights to start from')
    parser.add_argument('--corrections', type=Path, nargs='+', default=[], metavar='DRIVES',
                        help='bags of drives in which a human took over from the policy')
    parser.add_argument('--compare', action='append', default=[], metavar='KIND',
                        help='also train this kind, same head and steps, e.g. cnn; instead of the '
                        "configuration's")
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the scores here')


def run(args: argparse.Namespace) -> int:
    """Read, train, export; then the same for each kind to compare with."""
    import json

    from ltc_control.training.config import load_config

    config = load_config(args.config, settings=_settings(args))
    lessons = _read_lessons(args, config)      # few: what is wrong with them is told soon
    episodes = _read(args, config)
    scores = {config.policy.kind: _train_one(args, config, episodes, lessons, out=args.out)}
    for kind in config.compare:
        scores[kind] = _train_one(args, _of_kind(config, kind), episodes, lessons,
                                  out=args.out.with_name(f'{args.out.name}_{kind}'))
    scores['constant'] = _constant(config, episodes)
    _print(scores)
    if args.json is not None:
        args.json.write_text(json.dumps(scores, indent=2) + '\n')
    return 0


def _settings(args: argparse.Namespace) -> dict:
    from ltc_control.core.errors import ConfigError
    import yaml

    settings = {name: value for name in ('seed', 'steps', 'threads')
                if (value := getattr(args, name)) is not None}
    if args.compare:
        settings['compare'] = args.compare
    for text in args.set:
        name, equals, value = text.partition('=')
        if not equals:
            raise ConfigError(f'--set takes NAME=VALUE, got {text!r}')
        settings[name.strip()] = yaml.safe_load(value)
    return settings


def _read(args: argparse.Namespace, config) -> list:
    from ltc_control.cli.progress import progress_bar
    from ltc_control.data.rosbag2 import find_bags
    from ltc_control.training.train import read_episodes

    bags = [bag for path in args.bags for bag in find_bags(path)]
    with progress_bar('reading bags', total=len(bags)) as advance:
        return read_episodes(bags, config, advance, keep_in=args.out)


def _read_lessons(args: argparse.Namespace, config) -> list:
    from ltc_control.cli.progress import progress_bar
    from ltc_control.data.rosbag2 import find_bags
    from ltc_control.training.train import read_corrections

    if not args.corrections:
        return []
    drives = [bag for path in args.corrections for bag in find_bags(path)]
    with progress_bar('reading corrections', total=len(drives)) as advance:
        lessons = read_corrections(drives, config, advance)
    rules, labelled = config.corrections, sum(int(one.valid.sum()) for one in lessons)
    print(f'{len(lessons)} take-overs in {len(drives)} drives: {labelled} frames under a human, '
          f'of weight {rules.weight:g} for {rules.after_s:g} s after each')
    return lessons


def _train_one(args: argparse.Namespace, config, episodes: list, lessons: list, *,
               out: Path) -> dict:
    from ltc_control.cli.progress import progress_bar
    from ltc_control.training.train import train

    steps = config.steps + config.core.steps
    with progress_bar(f'training {config.policy.kind}', total=steps) as advance:
        at = 0

        def report(progress) -> None:
            nonlocal at
            advance(_say(progress), steps=progress.step - at)
            at = progress.step

        spec = train(config, episodes, out=out, name=args.name or out.name, report=report,
                     start=args.start, corrections=lessons)
    print(f'{out}: {spec.parameters["total"]} parameters, digest {spec.digest[:12]}')
    return dict(spec.training['score'])


def _of_kind(config, kind: str):
    from dataclasses import replace
    return replace(config, policy=replace(config.policy, kind=kind))


def _say(progress) -> str:
    if progress.doing:
        return progress.doing
    text = f'loss {progress.loss:.4f}'
    if progress.score is not None:
        score = progress.score
        text += f', held out {score.loss:.4f}: R² ' + ', '.join(
            f'{name} {value:.3f}' for name, value in score.r2.items())
    return text + (' (no longer better: stopped)' if progress.stopped_early else '')


def _constant(config, episodes: list) -> dict:
    """Return the R² on the held-out part of always saying the training labels' mean."""
    from ltc_control.training.losses import r_squared
    from ltc_control.training.train import split
    from ltc_control.training.validate import named_r2
    import numpy as np

    training, held_out = split(episodes, config)
    mean = np.concatenate([one.commands[one.valid] for one in training]).mean(axis=0)
    labels = np.concatenate([one.commands[one.valid] for one in held_out])
    found = r_squared(np.broadcast_to(mean, labels.shape), labels)
    names = [command.name for command in config.commands]
    return {**named_r2(dict(zip(names, found, strict=True))), 'frames': len(labels)}


def _print(scores: dict) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title='R² on held-out drives')
    columns = [key for key in next(iter(scores.values())) if key.startswith('r2_')]
    for column in ('policy', *(key[3:] for key in columns), 'frames'):
        table.add_column(column, justify='left' if column == 'policy' else 'right')
    for name, score in scores.items():
        table.add_row(name, *(_number(score[key]) for key in columns), str(score['frames']))
    Console().print(table)


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'
