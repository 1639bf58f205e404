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
Train other cores behind one and the same head, so that only the core differs when looked inside.

    python benchmarks/same_head.py runs/model_car/bags runs/model_car/dagger_1
    python benchmarks/same_head.py BAGS --model models/drone_target --own-loss --augmented 1

The convolutions of the model stay as they are, to the bit. Their features of all frames are
computed once; then a core of each kind learns the recorded commands from them, by the last stage
of training (core_stage.py): same windows in the same order, same number of steps, same seed.
Prints the error on held-out drives (every fifth); each folder has its attention graph, ready for
`ltc explain components|focus|causes`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
import json
from pathlib import Path
import sys
from typing import Any, NamedTuple

from ltc_control.cli.progress import progress_bar
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.timing import TimingRules
from ltc_control.data.episodes import Episode, read_episode
from ltc_control.data.topics import TopicMap
from ltc_control.nets.export import attach_attention, ATTENTION_FILE, export_policy, WEIGHTS_FILE
from ltc_control.nets.policy_net import build_policy, load_policy, PolicyNet
from ltc_control.training.config import config_from_dict, LossConfig, TrainConfig
from ltc_control.training.core_config import CoreConfig
from ltc_control.training.core_stage import CoreTrainer, Featuriser, stage_config
from ltc_control.training.validate import Score
import torch

SHIPPED = Path(__file__).resolve().parents[1] / 'models' / 'car_lane'


class Result(NamedTuple):
    """What one kind came to; root mean square errors on held-out drives, by command."""

    kind: str
    parameters: int
    rms: dict[str, float]


class FeatureTrainer(CoreTrainer):
    """A stage without validation on pictures: they are forgotten."""

    def _validate(self) -> Score:
        return Score(self._loss, {}, 0)


def main() -> int:
    """Compute features, train every kind, write the folders, print the errors."""
    args = _parse()
    spec, shipped = load_spec(args.model), load_policy(args.model / WEIGHTS_FILE)
    config = _config(spec, args)
    known, held = _drives(args, spec, shipped, config)
    results = []
    for kind in args.kinds:
        fresh = _fresh(shipped, kind, args.seed)
        net = _train(fresh, replace(config, policy=fresh.config), known, args.out / kind)
        _export(net, spec, args.out / kind, args)
        results.append(_judge(net, spec, held))
        errors = ', '.join(f'{one.name} {results[-1].rms[one.name]:.4f} {one.unit}'
                           for one in spec.commands)
        print(f'{kind}: {results[-1].parameters} parameters in the core, held-out error {errors}')
    if args.json is not None:
        args.json.write_text(json.dumps({
            'model': str(args.model), 'seed': args.seed, 'steps': args.steps,
            'drives': len(known) // (1 + args.augmented), 'held_out': len(held),
            'results': [one._asdict() for one in results]}, indent=2) + '\n')
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('bags', type=Path, nargs='+', help='folders of bags of `ltc collect`')
    parser.add_argument('--model', type=Path, default=SHIPPED, help='whose head is kept')
    parser.add_argument('--kinds', nargs='+', default=['ltc', 'lstm', 'cnn'])
    parser.add_argument('--out', type=Path, default=Path('runs/same_head'))
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--window', type=int, default=32, help='steps of backpropagation')
    parser.add_argument('--rate', type=float, default=0.01, help='learning rate')
    parser.add_argument('--augmented', type=int, default=0,
                        help='copies of each drive under other light and weather')
    parser.add_argument('--hold-out', type=int, default=5, metavar='N',
                        help='learn nothing from every Nth drive (default 5)')
    parser.add_argument('--own-loss', action='store_true',
                        help='the loss that the model was trained with, not plain squares')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--json', type=Path, metavar='FILE')
    args = parser.parse_args()
    if args.hold_out < 2:
        parser.error(f'--hold-out {args.hold_out} leaves nothing to learn from; give 2 or more')
    return args


def _config(spec: ModelSpec, args: argparse.Namespace) -> TrainConfig:
    """Return the model's own settings with a stage as the arguments say."""
    own = config_from_dict(spec.training['config'])
    core = CoreConfig(steps=args.steps, batch=args.batch, window=args.window,
                      learning_rate=args.rate, augmented=args.augmented,
                      hover_weight=own.core.hover_weight if args.own_loss else 0.0)
    loss = own.loss if args.own_loss else LossConfig(weights=(1.0,) * len(spec.commands))
    return replace(own, core=core, loss=loss, seed=args.seed, threads=args.threads)


def _drives(args: argparse.Namespace, spec: ModelSpec, shipped: PolicyNet,
            config: TrainConfig) -> tuple[list[Episode], list[Episode]]:
    """Return features of drives to learn from and of others; one drive's pictures at a time."""
    bags = sorted(path.parent for folder in args.bags for path in folder.rglob('metadata.yaml'))
    if not bags:
        sys.exit(f'no bags in {[str(folder) for folder in args.bags]!r}; record some with '
                 '`ltc collect`')
    timing = TimingRules(spec.dt_nominal_s, spec.longest_step_s)
    labels_of = TopicMap(command='/expert/command', vehicle=spec.vehicle)
    featuriser = Featuriser(shipped, config)
    known: list[Episode] = []
    held: list[Episode] = []
    with progress_bar('features', total=len(bags)) as advance:
        for number, bag in enumerate(bags):
            episode = read_episode(bag, topics=labels_of, image=spec.image, imu=spec.imu,
                                   timing=timing)
            side, augmented = ((known, config.core.augmented) if number % args.hold_out else
                               (held, 0))
            side += featuriser.copies(episode, number=number, augmented=augmented)
            advance(bag.name)
    return known, held


def _fresh(shipped: PolicyNet, kind: str, seed: int) -> PolicyNet:
    """Return an untrained core of ``kind`` behind the shipped head."""
    torch.manual_seed(seed)
    config: dict[str, Any] = {**shipped.config.to_dict(), 'kind': kind, 'units': None}
    net = build_policy(config)
    net.head.load_state_dict(shipped.head.state_dict())
    return net


def _train(net: PolicyNet, config: TrainConfig, known: list[Episode],
           folder: Path) -> PolicyNet:
    trainer = FeatureTrainer(stage_config(config), known, [], folder=folder / 'run', start=net)
    at = trainer.step
    with progress_bar(net.config.kind, total=config.core.steps) as advance:
        advance('', steps=at)
        return trainer.fit(lambda progress: advance(f'loss {progress.loss:.4f}'))


@torch.no_grad()
def _judge(net: PolicyNet, spec: ModelSpec, held: list[Episode]) -> Result:
    squares = []
    for one in held:
        features, imu, dt = (torch.from_numpy(values)[:, None]
                             for values in (one.images, one.imu, one.dt))
        said, _ = net.forward_features(features, imu if imu.shape[-1] else None,
                                       net.initial_state(1), dt)
        error = said[:, 0] - torch.from_numpy(one.commands)
        squares.append(error[torch.from_numpy(one.valid)] ** 2)
    rms = torch.cat(squares).mean(dim=0).sqrt()
    return Result(net.config.kind, net.parameter_counts()['recurrent_stored'],
                  dict(zip((one.name for one in spec.commands), rms.tolist(), strict=True)))


def _export(net: PolicyNet, spec: ModelSpec, folder: Path, args: argparse.Namespace) -> None:
    export_policy(net, folder, name=f'same_head_{net.config.kind}', image=spec.image,
                  imu=spec.imu, commands=spec.commands, longest_step_s=spec.longest_step_s,
                  vehicle=spec.vehicle,
                  training={'head_of': spec.name, 'seed': args.seed, 'steps': args.steps})
    if not (folder / ATTENTION_FILE).is_file():
        attach_attention(folder)


if __name__ == '__main__':
    raise SystemExit(main())
