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
Count the frames a second that training sees, forward and backward, float32, one thread.

    python benchmarks/training.py                    a table
    python benchmarks/training.py --json             JSON on standard output

Ours (head in chunks of NHWC frames, liquid cell as matrix products with its own backward) against
the plain way (ncps cell, one NCHW convolution a time step) on the same network and weights; then
the liquid cell alone on given features. Interleaved; loss and gradients compared before timing.
Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import sys
from typing import Any

from interleaved import compare, machine, one_thread, publish, rows_of, verdicts

one_thread()

from ltc_control.nets.policy_net import build_policy  # noqa: E402
from plain_ncps import plain_cell, PlainPolicy, random_images  # noqa: E402
import torch  # noqa: E402  (after the number of threads is fixed)
from torch import Tensor  # noqa: E402

TOLERANCE = 1e-3                   # of gradients, relative to the largest of the tensor
IMAGE_TARGET, CELL_TARGET = 1.4, 3.5


def main() -> int:
    """Compare, then time, then report."""
    args = _parse()
    torch.set_num_threads(1)
    rows = []
    for head in args.heads.split(','):
        rows += _images(head, args)
    rows += _features(args)
    report = {'benchmark': 'training', 'machine': machine(), 'rounds': args.rounds,
              'steps': args.steps, 'batch': args.batch, 'rows': rows, 'passed': verdicts(rows)}
    publish(report, args.json)
    return 0 if report['passed'] else 1


def _images(head: str, args: argparse.Namespace) -> list[dict[str, Any]]:
    torch.manual_seed(0)
    net = build_policy({'head': head, 'imu_features': 6})
    plain = PlainPolicy(net)
    images = torch.from_numpy(random_images(net, args.steps, args.batch))
    imu, dt = torch.randn(args.steps, args.batch, 6), torch.rand(args.steps, args.batch) + 0.5
    labels = torch.randn(args.steps, args.batch, 2) + net.command_offset
    scale = net.command_scale

    def ours() -> float:
        net.zero_grad(set_to_none=True)
        seconds = dt * net.config.dt_nominal_s
        commands, _ = net(images, imu, net.initial_state(args.batch), seconds)
        return _descend(commands, labels, scale)

    def theirs() -> float:
        plain.zero_grad(set_to_none=True)
        state, commands = torch.zeros(args.batch, net.state_size), []
        for t in range(args.steps):
            command, state = plain(images[t], imu[t], state, dt[t][:, None])
            commands.append(command)
        return _descend(torch.stack(commands), labels, scale)

    _agree(f'{head} head', (ours(), net.head.convs[0].weight.grad, net.core.mu.grad),
           (theirs(), plain.convs[0].weight.grad, plain.cell.mu.grad))
    return _rows(f'images, {head} head', ours, theirs, args, IMAGE_TARGET, burst=1)


def _features(args: argparse.Namespace) -> list[dict[str, Any]]:
    torch.manual_seed(0)
    net = build_policy({'imu_features': 6})
    cell, plain = net.core, plain_cell(net)
    inputs = torch.randn(args.steps, args.batch, cell.input_size)
    dt = torch.rand(args.steps, args.batch, 1) + 0.5
    labels = torch.randn(args.steps, args.batch, 2)
    state, scale = torch.zeros(args.batch, cell.state_size), torch.ones(2)

    def ours() -> float:
        cell.zero_grad(set_to_none=True)
        outputs, _ = cell.sequence(inputs, state, dt)
        return _descend(outputs, labels, scale)

    def theirs() -> float:
        plain.zero_grad(set_to_none=True)
        x, outputs = state, []
        for t in range(args.steps):
            output, x = plain(inputs[t], x, dt[t])
            outputs.append(output)
        return _descend(torch.stack(outputs), labels, scale)

    _agree('cell', (ours(), cell.mu.grad, cell.sensory_mu.grad),
           (theirs(), plain.mu.grad, plain.sensory_mu.grad))
    return _rows('features, cell only', ours, theirs, args, CELL_TARGET, burst=2)


def _descend(commands: Tensor, labels: Tensor, scale: Tensor) -> float:
    loss = ((commands - labels) / scale).square().mean()
    loss.backward()
    return loss.item()


def _rows(question: str, ours: Callable[[], Any], theirs: Callable[[], Any],
          args: argparse.Namespace, target: float, *, burst: int) -> list[dict[str, Any]]:
    timings = compare({'plain ncps, step by step': theirs, 'ours': ours},
                      'plain ncps, step by step', rounds=args.rounds, burst=burst)
    frames = args.steps * args.batch
    rows = rows_of(question, timings, {'ours': target})
    return [row | {'frames_per_s': round(frames / row['cpu_us'] * 1e6, 1)} for row in rows]


def _agree(what: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        a, b = torch.as_tensor(a), torch.as_tensor(b)
        difference = ((a - b).abs().max() / b.abs().max()).item()
        if not difference <= TOLERANCE:
            sys.exit(f'{what}: loss or gradients differ by {difference:.1e} of their size, more '
                     f'than {TOLERANCE:.0e}; a time for another result means nothing')


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--heads', default='hardware,paper', help='heads, separated by commas')
    parser.add_argument('--steps', type=int, default=16, help='time steps of a window')
    parser.add_argument('--batch', type=int, default=32, help='windows at once')
    parser.add_argument('--rounds', type=int, default=8, help='turns of each side')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE',
                        help='write JSON to FILE, or to standard output')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
