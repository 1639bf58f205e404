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
"""``ltc explain tree``: why each neuron and the whole policy answer as they do, as trees."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
import sys
from typing import Any, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ltc_control.core.model_file import ModelSpec
    from ltc_control.insight.disentangle import NeuronTree
    from ltc_control.insight.tree_file import Explanation
    from ltc_control.insight.tree_samples import Samples
    from ltc_control.insight.whole_policy_tree import PolicyTree

HELP = 'grow decision trees that say why: one a neuron, one of the whole policy'
EPILOG = """examples:
  ltc explain tree runs/latest --json tree.json
  ltc explain tree runs/a runs/b runs/c --out tree.png      several drives: whole ones held out
  ltc explain tree runs/latest --beside runs/lstm           the same metrics for another network
  ltc explain tree runs/latest --no-drive                   the trees alone, in some seconds
The bag must be the simulator's: trees are grown on the true state. Neurons are taken from the
bag, or replayed where it has none or --model names a model."""
PICTURE = 'tree.png'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('bags', nargs='+', type=Path, metavar='BAG',
                        help='run folders, bag folders or .mcap files')
    parser.add_argument('--model', type=Path, default=None,
                        help='replay the frames through this model (default: the bag names it)')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write trees and numbers here')
    parser.add_argument('--out', type=Path, metavar='PNG',
                        help='the picture (default: beside the JSON file, else tree.png)')
    parser.add_argument('--beside', type=Path, nargs='+', default=[], metavar='MODEL',
                        help='other models to replay the same frames through, for comparison')
    parser.add_argument('--memory', action='store_true',
                        help='let trees also ask for the state 0.25 s and 0.5 s ago')
    parser.add_argument('--tracks', default='1001:1003', help='roads that the trees drive')
    parser.add_argument('--seconds', type=float, default=30.0, help='of each such drive')
    parser.add_argument('--rounds', type=int, default=2,
                        help='of adding what trees drive into, labelled by the network')
    parser.add_argument('--round-seconds', type=float, default=12.0,
                        help='that each tree drives in a round')
    parser.add_argument('--no-drive', action='store_true', help='leave the closed loop out')
    parser.add_argument('--save', action=argparse.BooleanOptionalAction, default=None,
                        help='put tree.json into the model folder (default: unless the one '
                        'there was grown on more frames)')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')


@dataclass(frozen=True, eq=False)
class _Grown:
    """All that has been grown, before it becomes a file."""

    samples: Samples
    use: np.ndarray
    neurons: tuple[NeuronTree, ...]
    facts: dict[str, Any]


def run(args: argparse.Namespace) -> int:
    """Grow, judge, drive, write, draw."""
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.model_file import load_spec
    from ltc_control.insight.tree_picture import draw_trees

    if min(args.seconds, args.round_seconds) <= 0 or args.rounds < 0:
        raise ConfigError('--seconds and --round-seconds must be above 0 and --rounds not below, '
                          f'got {args.seconds!r}, {args.round_seconds!r} and {args.rounds!r}')
    drives, model, samples = _read(args)
    spec = None if model is None else load_spec(model, expect_vehicle='car')
    grown = _grow(args, samples)
    trees, grown = _policy(args, grown, model=model, drives=drives)
    explanation = _explanation(grown, trees, spec)
    picture = args.out or (args.json.with_suffix('.png') if args.json else Path(PICTURE))
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_trees(explanation, picture)
    _write(args, explanation, spec)
    _show(explanation, picture)
    return 0


def _read(args: argparse.Namespace) -> tuple[list[dict[str, str]], Path | None, Samples]:
    """Return the attributes of the bags, the model folder if there is one, and all frames."""
    from ltc_control.cli.progress import progress_bar
    from ltc_control.data.rosbag2 import read_attributes
    from ltc_control.data.runs import find_run_bag
    from ltc_control.insight.tree_samples import joined, read_samples

    bags = [find_run_bag(bag) for bag in args.bags]
    attributes = [read_attributes(bag) for bag in bags]
    model = args.model or _named_model(bags[0], attributes)
    parts = []
    with progress_bar('reading', total=len(bags)) as advance:
        for bag in bags:
            parts.append(read_samples(bag, curvature_at=_road_of, neurons=_source(args, model)))
            advance(f'{bag}: {len(parts[-1])} frames')
    return attributes, model, joined(parts, memory=args.memory)


def _named_model(bag: Path, attributes: list[dict[str, str]]) -> Path | None:
    """Return the folder of the model that drove all of the bags, if it is there."""
    from ltc_control.core.errors import ModelError
    from ltc_control.insight.replay_cause import model_of

    if len({one.get('model_digest') or one.get('model', '') for one in attributes}) > 1:
        return None
    try:
        return model_of(bag, attributes[0])
    except ModelError:
        return None


def _source(args: argparse.Namespace, model: Path | None) -> Any:
    """Return how to get the neurons of a drive."""
    from ltc_control.core.errors import BagError
    from ltc_control.core.model_file import load_spec
    from ltc_control.core.policy import Policy
    from ltc_control.insight.tree_replay import replayed_neurons
    from ltc_control.insight.tree_samples import recorded_neurons

    digest = '' if model is None else load_spec(model).digest

    def neurons(drive: Any) -> Any:
        # what was recorded of another version of the model must not be told of this one
        foreign = digest and drive.attributes.get('model_digest', digest) != digest
        if args.model is None and not foreign and len(drive.neurons) and len(drive.request):
            return recorded_neurons(drive)
        if model is None:
            raise BagError(f'{str(drive.bag)!r} holds no neurons and names no model that is '
                           'there; give --model to replay its frames')
        why = 'recorded with another model, ' if foreign else ''
        print(f'{drive.bag}: {why}replaying its frames through {model}', file=sys.stderr,
              flush=True)
        return replayed_neurons(drive, Policy.load(model))

    return neurons


def _road_of(drive: Any) -> Any:
    from ltc_control.core.errors import BagError
    from ltc_control.sim.track import make_track

    number = drive.attributes.get('track', '')
    if not number.isdigit():
        raise BagError(f'{str(drive.bag)!r} does not say which track it is of; trees ask for the '
                       'curvature ahead and need the road, record with `ltc drive`')
    return make_track(int(number)).curvature_at


def _grow(args: argparse.Namespace, samples: Samples) -> _Grown:
    from ltc_control.cli.progress import progress_bar
    from ltc_control.insight.tree_explanation import compare, grow_neurons, judge_neurons
    from ltc_control.insight.tree_samples import divided, ENOUGH_FRAMES

    use = divided(samples)
    if len(samples) < ENOUGH_FRAMES:
        print(f'note: {len(samples)} frames are little to grow trees on; they explain this drive '
              f'well and others less. Give several bags, {ENOUGH_FRAMES} frames or more',
              file=sys.stderr, flush=True)
    with progress_bar('growing', total=len(samples.names)) as advance:
        neurons = grow_neurons(samples, use, advance=advance)
    facts = {'memory': args.memory, 'bags': [str(bag) for bag in args.bags],
             **judge_neurons(neurons, samples, use), 'beside': {}}
    for model in args.beside:
        other, other_use = _replayed(args, model)
        facts['beside'][str(model)] = compare(other, other_use,
                                              units=len(samples.names)).to_dict()
    return _Grown(samples, use, neurons, facts)


def _replayed(args: argparse.Namespace, model: Path) -> tuple[Samples, np.ndarray]:
    from ltc_control.insight.tree_samples import divided

    _, _, samples = _read(argparse.Namespace(**{**vars(args), 'model': model}))
    return samples, divided(samples)


def _policy(args: argparse.Namespace, grown: _Grown, *, model: Path | None,
            drives: list[dict[str, str]]) -> tuple[dict[int, PolicyTree], _Grown]:
    """Return the trees of the whole policy by depth, and what was measured of them."""
    from ltc_control.cli.tree_rounds import aggregate, closed_loop
    from ltc_control.insight.tree_samples import GROW, JUDGE, PRUNE
    from ltc_control.insight.whole_policy_tree import fidelity, grow_policy_trees

    known = grown.samples.at((grown.use == GROW) | (grown.use == PRUNE))
    held = grown.samples.at(grown.use == JUDGE)
    before = after = grow_policy_trees(known.states, known.commands)
    facts: dict[str, Any] = {'frames_added': 0, 'rounds': 0}
    if not args.no_drive:
        if model is not None:
            after, facts = aggregate(args, known, before, model=model, drives=drives)
        else:
            print('note: no model to label with, so the trees drive as grown on the bag',
                  file=sys.stderr, flush=True)
        facts['closed_loop'] = closed_loop(args, before, after, known.variables, model=model,
                                           season=drives[0].get('season', 'summer'))
    facts['fidelity'] = [asdict(fidelity(tree, held.states, held.commands))
                         for tree in after.values()]
    facts['held_out'] = {'frames': len(held),
                         'spread_curvature': float(held.commands[:, 0].std()),
                         'spread_speed': float(held.commands[:, 1].std())}
    return after, _Grown(grown.samples, grown.use, grown.neurons, {**grown.facts, 'policy': facts})


def _explanation(grown: _Grown, trees: dict[int, PolicyTree],
                 spec: ModelSpec | None) -> Explanation:
    from ltc_control.core.model_file import GRAPH_FILE
    from ltc_control.insight.tree_explanation import find_speaker
    from ltc_control.insight.tree_file import Explanation

    chosen = _best(grown.facts['policy'])
    return Explanation(
        graph='' if spec is None else spec.files[GRAPH_FILE],
        model='a policy' if spec is None else spec.name, frames=len(grown.samples),
        variables=grown.samples.variables, neurons=grown.neurons,
        speaker=find_speaker(grown.samples, grown.use), policy=trees[chosen],
        facts={**grown.facts, 'policy': {**grown.facts['policy'], 'chosen_depth': chosen}})


def _best(facts: dict[str, Any]) -> int:
    """Return the depth that drives best, of equals the smaller; undriven, that fits best."""
    rows = facts.get('closed_loop', {}).get('after')
    best = (min(rows, key=lambda row: (row['departures'], round(row['rms_offset_m'], 2))) if rows
            else max(facts['fidelity'], key=lambda row: row['r2_curvature'] or 0.0))
    return int(best['depth'])


def _write(args: argparse.Namespace, explanation: Explanation, spec: ModelSpec | None) -> None:
    from ltc_control.insight.tree_file import TREE_FILE, write_explanation

    if args.json is not None:
        write_explanation(explanation, args.json)
    if spec is None or args.save is False:
        return
    path = Path(spec.folder) / TREE_FILE
    frames = _frames_there(path, spec)
    if args.save is None and frames > explanation.frames:
        print(f'{path} was grown on {frames} frames and stays; --save replaces it')
        return
    try:
        write_explanation(explanation, path)
    except OSError as error:
        print(f'note: {path} cannot be written ({error.strerror}); the trees are not saved with '
              'the model', file=sys.stderr)
    else:
        print(f'saved with the model: {path}')


def _frames_there(path: Path, spec: ModelSpec) -> int:
    """Return on how many frames the trees beside the model were grown; 0 for none of its own."""
    from ltc_control.core.errors import ModelError
    from ltc_control.insight.tree_file import read_explanation

    try:
        return read_explanation(path, spec=spec).frames
    except ModelError:
        return 0


def _show(explanation: Explanation, picture: Path) -> None:
    from ltc_control.cli.tree_tables import drives_table, metrics_table
    from ltc_control.cli.wide_console import wide_console
    from ltc_control.insight.tree_words import sentence

    console = wide_console()
    console.print(metrics_table(explanation.facts))
    console.print(drives_table(explanation.facts['policy']))
    speaker = explanation.neurons[explanation.speaker.neuron]
    console.print(f'{speaker.name} speaks for the wheel (R² {explanation.speaker.r2:.3f} with '
                  f'the curvature asked for), {len(speaker.tree.leaf_nodes)} paths:')
    for path, value in enumerate(speaker.tree.leaf_values):
        console.print('  ' + sentence(explanation.speaker.curvature(float(value)),
                                      speaker.tree.boxes[path], explanation.variables),
                      markup=False, highlight=False)
    print(picture)
