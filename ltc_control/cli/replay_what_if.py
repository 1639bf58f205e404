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
"""``ltc replay`` under other conditions: the options, the numbers and the picture."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.cli.progress import progress_bar
from ltc_control.cli.ranges import parse_seasons
from ltc_control.core.errors import ConfigError

if TYPE_CHECKING:
    from ltc_control.core.policy import Policy
    from ltc_control.insight.replay_bag import ReplayBag

PICTURE = 'what_if.png'
OPTIONS = ('drop', 'rate', 'noise', 'lesion', 'season')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that change the conditions."""
    group = parser.add_argument_group('what if')
    group.add_argument('--drop', type=float, default=None, metavar='SHARE',
                       help='share of the frames that get lost, 0 ... 1')
    group.add_argument('--rate', type=float, default=None, metavar='HZ',
                       help='no more frames a second than these')
    group.add_argument('--noise', type=float, default=None, metavar='VARIANCE',
                       help='variance of Gaussian image noise, images scaled to 0..1')
    group.add_argument('--lesion', default=None, metavar='NEURON,...',
                       help='neurons whose outgoing synapses are cut, like inter_3')
    group.add_argument('--season', default=None,
                       help='draw the frames again in another look (simulator bags)')
    group.add_argument('--seed', type=int, default=0, help='of losses and noise (default 0)')
    group.add_argument('--beyond', type=float, nargs=2, default=None,
                       metavar=('CURVATURE', 'SPEED'),
                       help='differences that count as leaving [1/m] and [m/s] '
                            '(default 0.005 0.5)')
    group.add_argument('--out', type=Path, default=None, metavar='PNG',
                       help=f'picture to write (default {PICTURE} in the run folder)')


def changed(args: argparse.Namespace) -> list[str]:
    """Return the conditions that were given."""
    return [f'--{name}' for name in OPTIONS if getattr(args, name) is not None]


def run(args: argparse.Namespace, bag: ReplayBag, model: Path) -> int:
    """Replay under the conditions; print numbers, write the picture."""
    from ltc_control.insight.what_if import Conditions, what_if
    from ltc_control.insight.what_if_measures import BEYOND, compare
    from ltc_control.insight.what_if_picture import draw_what_if
    beyond = tuple(args.beyond or BEYOND)
    if not all(value > 0 for value in beyond):
        raise ConfigError(f'--beyond takes two numbers above 0, got {beyond!r}')
    picture = args.out or _place(bag.path) / PICTURE
    _prepare(picture)
    if args.season is not None and parse_seasons(args.season) != [args.season]:
        raise ConfigError(f'--season takes one season, got {args.season!r}')
    conditions = Conditions(drop=args.drop or 0.0, rate_hz=args.rate, noise_var=args.noise or 0.0,
                            seed=args.seed)
    policy = _policy(model, args.lesion)
    with ExitStack() as stack:
        redraw, look = None, {}
        if args.season is not None:
            from ltc_control.cli.replay_season import SeasonRedrawer
            redrawer = stack.enter_context(SeasonRedrawer(bag, args.season))
            redraw, look = redrawer.draw, {'redraw_error': redrawer.error}
        advance = stack.enter_context(progress_bar('replaying', total=len(bag.stamps)))
        result = what_if(bag, policy, conditions, redraw=redraw, advance=advance)
    numbers = compare(result, beyond=(beyond[0], beyond[1]))
    told = {name: getattr(args, name) for name in OPTIONS if getattr(args, name) is not None}
    draw_what_if(result, picture, beyond=(beyond[0], beyond[1]), title=_title(args, told))
    document = {'bag': str(bag.path), 'model': str(model), 'conditions': told,
                'seed': args.seed, **numbers, **look, 'picture': str(picture)}
    print(json.dumps(document) if args.json else _text(document))
    return 0


def _policy(model: Path, lesion: str | None) -> Policy:
    from ltc_control.core.policy import Policy
    if lesion is None:
        return Policy.load(model)
    from ltc_control.core.model_file import load_spec
    from ltc_control.insight.liquid_engine import LiquidEngine
    names = [name.strip() for name in lesion.split(',') if name.strip()]
    if not names:
        raise ConfigError('--lesion names no neuron; give names like inter_3,inter_5')
    return Policy(LiquidEngine(load_spec(model, expect_vehicle='car'), cut=names))


def _place(bag: Path) -> Path:
    """Return the run folder of a bag, where its report stands too; else where we are."""
    return bag.parent if (bag.parent / 'report.json').is_file() else Path()


def _prepare(picture: Path) -> None:
    """Find out before the work, not after it, that the picture cannot be written."""
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'--out {str(picture)!r} cannot be written: {error}') from error
    if picture.is_dir() or picture.suffix != '.png':
        raise ConfigError(f'--out takes the name of a .png file, got {str(picture)!r}')


def _title(args: argparse.Namespace, told: dict[str, Any]) -> str:
    words = ', '.join(f'{name} {value}' for name, value in told.items())
    return f'{args.bag}: what if {words}?'


def _text(document: dict[str, Any]) -> str:
    lines = [f'{document["stepped"]} of {document["decisions"]} frames seen, '
             f'{document["seconds"]:.1f} s']
    for name in ('curvature', 'speed'):
        item = document[name]
        left = ('never' if item['first_beyond_s'] is None else
                f'first after {item["first_beyond_s"]:.2f} s, {100 * item["share_beyond"]:.1f} % '
                'of the time')
        correlation = item['correlation']
        lines.append(
            f'{name}: off by {item["mean"]:.4g} in the mean, p95 {item["p95"]:.4g}, at most '
            f'{item["max"]:.4g} {item["unit"]} (at {item["max_at_s"]:.2f} s); correlation '
            f'{"-" if correlation is None else format(correlation, ".4f")}; beyond '
            f'{item["threshold"]:g}: {left}')
    if document['neurons']:
        lines.append('neurons that leave most: ' + ', '.join(
            f'{item["neuron"]} {item["mean"]:.3f}' for item in document['neurons']))
    if 'redraw_error' in document:
        lines.append(f'pictures drawn again in their own look differ from the recorded ones by '
                     f'{document["redraw_error"]:.2f} of 255 in the mean')
    return '\n'.join([*lines, document['picture']])
