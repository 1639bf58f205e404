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
    python benchmarks/same_head.py BAGS --model models/drone_target --own-loss --window 96

The convolutions of the model stay as they are, to the bit. Their features of all frames are
computed once; then a core of each kind learns the recorded commands from them: same windows in the
same order, same number of steps, same seed. Prints the error on held-out drives (every fifth);
each folder has its attention graph, ready for `ltc explain components|focus|causes`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import json
from pathlib import Path
import sys
from typing import Any, NamedTuple

from ltc_control.cli.progress import progress_bar
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.timing import TimingRules
from ltc_control.data.episodes import read_episode
from ltc_control.data.topics import TopicMap
from ltc_control.nets.export import attach_attention, ATTENTION_FILE, export_policy, WEIGHTS_FILE
from ltc_control.nets.policy_net import build_policy, load_policy, PolicyNet
from ltc_control.training.config import LossConfig
from ltc_control.training.losses import command_loss
import numpy as np
import torch

SHIPPED = Path(__file__).resolve().parents[1] / 'models' / 'car_lane'
BATCH, RATE, HELD_OUT = 32, 0.01, 5
Drive = tuple[torch.Tensor, torch.Tensor, torch.Tensor]   # features (T, F), commands, dt (T,)


class Result(NamedTuple):
    """What one kind came to; root mean square errors on held-out drives, by command."""

    kind: str
    parameters: int
    rms: dict[str, float]


def main() -> int:
    """Compute features, train every kind, write the folders, print the errors."""
    args = _parse()
    torch.set_num_threads(args.threads)
    spec, shipped = load_spec(args.model), load_policy(args.model / WEIGHTS_FILE)
    drives = [drive for drive in _drives(args.bags, spec, shipped)
              if len(drive[0]) > args.window]
    held = drives[::HELD_OUT]
    known = [drive for k, drive in enumerate(drives) if k % HELD_OUT]
    results = []
    for kind in args.kinds:
        net = _fresh(shipped, kind, args.seed)
        with progress_bar(kind, total=args.steps) as advance:
            _train(net, spec, known, args, advance)
        _export(net, spec, args.out / kind, args)
        results.append(_judge(net, spec, held))
        errors = ', '.join(f'{one.name} {results[-1].rms[one.name]:.4f} {one.unit}'
                           for one in spec.commands)
        print(f'{kind}: {results[-1].parameters} parameters in the core, held-out error {errors}')
    if args.json is not None:
        args.json.write_text(json.dumps({
            'model': str(args.model), 'seed': args.seed, 'steps': args.steps,
            'drives': len(known), 'held_out': len(held),
            'results': [one._asdict() for one in results]}, indent=2) + '\n')
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('bags', type=Path, nargs='+', help='folders of bags of `ltc collect`')
    parser.add_argument('--model', type=Path, default=SHIPPED, help='whose head is kept')
    parser.add_argument('--kinds', nargs='+', default=['ltc', 'lstm', 'cnn'])
    parser.add_argument('--out', type=Path, default=Path('runs/same_head'))
    parser.add_argument('--steps', type=int, default=600)
    parser.add_argument('--window', type=int, default=32, help='steps of backpropagation')
    parser.add_argument('--own-loss', action='store_true',
                        help='the loss that the model was trained with, not plain squares')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args()


def _drives(folders: list[Path], spec: ModelSpec, shipped: PolicyNet) -> list[Drive]:
    """Return features, labels and intervals of each recorded drive; pictures are forgotten."""
    bags = sorted(path.parent for folder in folders for path in folder.rglob('metadata.yaml'))
    if not bags:
        sys.exit(f'no bags in {[str(folder) for folder in folders]!r}; record some with '
                 '`ltc collect`')
    drives: list[Drive] = []
    labels_of = TopicMap(command='/expert/command', vehicle=spec.vehicle)
    timing = TimingRules(spec.dt_nominal_s, spec.longest_step_s)
    with progress_bar('features', total=len(bags)) as advance:
        for bag in bags:
            episode = read_episode(bag, topics=labels_of, image=spec.image, imu=spec.imu,
                                   timing=timing)
            with torch.no_grad():
                features = shipped.encode(torch.from_numpy(episode.images))
            good = torch.from_numpy(episode.valid)
            labels = torch.from_numpy(episode.commands)
            labels[~good] = torch.nan
            drives.append((features, labels, torch.from_numpy(episode.dt)))
            advance(bag.name)
    return drives


def _fresh(shipped: PolicyNet, kind: str, seed: int) -> PolicyNet:
    """Return an untrained core of ``kind`` behind the shipped head."""
    torch.manual_seed(seed)
    config: dict[str, Any] = {**shipped.config.to_dict(), 'kind': kind, 'units': None}
    net = build_policy(config)
    net.head.load_state_dict(shipped.head.state_dict())
    return net


def _cost(net: PolicyNet, spec: ModelSpec, *, own: bool) -> Callable[..., torch.Tensor]:
    """Return plain squares in units of the scale, or what the model itself was trained with."""
    def plain(said: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return (((said - labels) / net.command_scale).nan_to_num(0.0) ** 2).mean()

    def like_the_model(said: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return command_loss(said, labels.nan_to_num(0.0), ~labels.isnan().any(dim=-1),
                            scale=net.command_scale, config=config)

    if not own:
        return plain
    config = LossConfig(**spec.training['config']['loss'])
    return like_the_model


def _train(net: PolicyNet, spec: ModelSpec, drives: list[Drive], args: argparse.Namespace,
           advance: Any) -> None:
    rng = np.random.default_rng(args.seed)                   # the same windows for every kind
    cost = _cost(net, spec, own=args.own_loss)
    learner = torch.optim.Adam(net.core.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(learner, args.steps, RATE / 20)
    for _ in range(args.steps):
        features, labels, dt = _windows(drives, args.window, rng)
        said, _ = net.forward_features(features, None, net.initial_state(BATCH), dt)
        settled = args.window // 4                           # steps that the state may take
        loss = cost(said[settled:], labels[settled:])
        learner.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.core.parameters(), 1.0)
        learner.step()
        falling.step()
        advance(f'loss {float(loss):.4f}')


def _windows(drives: list[Drive], length: int, rng: np.random.Generator) -> Drive:
    """Return a batch of windows, (length, BATCH, ...)."""
    picked = []
    for number in rng.integers(0, len(drives), BATCH):
        drive = drives[number]
        start = int(rng.integers(0, len(drive[0]) - length))
        picked.append([part[start:start + length] for part in drive])
    features, labels, dt = (torch.stack(parts, dim=1) for parts in zip(*picked, strict=True))
    return features, labels, dt


def _judge(net: PolicyNet, spec: ModelSpec, drives: list[Drive]) -> Result:
    squares = []
    with torch.no_grad():
        for features, labels, dt in drives:
            said, _ = net.forward_features(features[:, None], None, net.initial_state(1),
                                           dt[:, None])
            squares.append((said[:, 0] - labels) ** 2)
    rms = torch.cat(squares).nanmean(dim=0).sqrt()
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
    sys.exit(main())
