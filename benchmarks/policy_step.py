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
Time one step from a uint8 image to a command, and one step of the liquid cell alone.

    python benchmarks/policy_step.py                 a table
    python benchmarks/policy_step.py --json          JSON on standard output

(a) the paper's policy (78x200 head, 19 neurons): our engine against the same network in ncps and
torch eager; (b) the shipped policy, or the default one where none is, against the paper's policy
in eager; (c) the liquid step alone. One thread, interleaved, results compared before timing.
Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
import sys
import tempfile
from typing import Any

from interleaved import compare, machine, NO_OP, no_op, one_thread, publish, rows_of, verdicts

one_thread()

from ltc_control.core.engine import Engine  # noqa: E402
from ltc_control.core.imaging import ImageSpec  # noqa: E402
from ltc_control.core.imu import ImuSpec  # noqa: E402
from ltc_control.core.model_file import CommandSpec  # noqa: E402
from ltc_control.nets.export import core_graph, export_policy  # noqa: E402
from ltc_control.nets.policy_net import build_policy, PolicyNet  # noqa: E402
import numpy as np  # noqa: E402  (after the number of threads is fixed)
import onnxruntime  # noqa: E402
from plain_ncps import plain_cell, PlainPolicy, random_images  # noqa: E402
import torch  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[1] / 'models' / 'car_lane'
PAPER = {'head': 'paper', 'wiring': 'paper19', 'command_scale': (0.05,), 'command_offset': (0.0,)}
TOLERANCE = 1e-5


def main() -> int:
    """Compare, then time, then report."""
    args = _parse()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    paper = build_policy(PAPER).eval()
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        rows = [*_policies(paper, Path(scratch), args), *_cells(paper, args)]
    report = {'benchmark': 'policy_step', 'machine': machine(), 'rounds': args.rounds,
              'rows': rows, 'passed': verdicts(rows)}
    publish(report, args.json)
    return 0 if report['passed'] else 1


def _policies(paper: PolicyNet, scratch: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    eager = _eager_step(paper)
    ours = _engine_step(_export(paper, scratch / 'paper'), paper)
    _agree('paper policy', ours(), eager())
    if (args.model / 'policy.onnx').is_file():
        shipped = Engine(args.model)
        name = f'{args.model.name}, onnxruntime'
    else:
        net = build_policy({'imu_features': 0}).eval()
        shipped = _export(net, scratch / 'default')
        name = 'default 19-neuron policy, onnxruntime'
    plain, fused = 'paper policy, ncps + torch eager', 'paper policy, onnxruntime'
    timings = compare({plain: eager, fused: ours, name: _engine_step(shipped), NO_OP: no_op()},
                      plain, rounds=args.rounds)
    return rows_of('image to command', timings, {fused: 1.9, name: 4.0})


def _cells(paper: PolicyNet, args: argparse.Namespace) -> list[dict[str, Any]]:
    inputs = np.random.default_rng(1).normal(size=paper.core.input_size).astype(np.float32)
    state = np.zeros(paper.state_size, np.float32)
    dt = np.ones(1, np.float32)
    cell = plain_cell(paper)
    tensors = torch.tensor(inputs)[None], torch.tensor(state)[None], torch.tensor(dt)[None]
    engine_step = _session_step(paper)
    numpy_step = _numpy_step(paper)
    variants: dict[str, Callable[[], Any]] = {
        'liquid step, ncps eager': lambda: cell(*tensors),
        'liquid step, onnxruntime': lambda: engine_step(inputs, state, dt),
        'liquid step, numpy': lambda: numpy_step(inputs, state, 1.0),
        NO_OP: no_op()}
    truth = cell(*tensors)[1][0].numpy()
    _agree('onnxruntime cell', (None, engine_step(inputs, state, dt)[1]), (None, truth))
    _agree('numpy cell', (None, numpy_step(inputs, state, 1.0)), (None, truth))
    timings = compare(variants, 'liquid step, ncps eager', rounds=args.rounds)
    return rows_of('liquid step', timings,
                   {'liquid step, onnxruntime': 7.0, 'liquid step, numpy': 3.5})


def _eager_step(net: PolicyNet) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    plain = PlainPolicy(net).eval()
    image = random_images(net)
    state, dt = torch.zeros(1, net.state_size), torch.ones(1, 1)

    def step() -> tuple[np.ndarray, np.ndarray]:
        command, new = plain(torch.from_numpy(image)[None], None, state, dt)
        return command[0].numpy(), new[0].numpy()

    return step


def _engine_step(engine: Engine, net: PolicyNet | None = None
                 ) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    spec = engine.spec
    rng = np.random.default_rng(0)
    image = random_images(net) if net is not None else rng.integers(
        0, 256, (spec.image.height, spec.image.width, 3), dtype=np.uint8)
    imu, state = np.zeros(len(spec.imu.features), np.float32), engine.zero_state()
    return lambda: engine.step(image, imu, state, spec.dt_nominal_s)[:2]


def _session_step(net: PolicyNet) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Return the exported liquid step in onnxruntime, on memory that is bound once."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        core_graph(net).SerializeToString(), options, providers=['CPUExecutionProvider'])
    binding = session.io_binding()
    memory = {value.name: np.zeros(value.shape, np.float32) for value in session.get_inputs()}
    results = {value.name: onnxruntime.OrtValue.ortvalue_from_shape_and_type(
        value.shape, np.float32, 'cpu') for value in session.get_outputs()}
    for name, array in memory.items():
        binding.bind_cpu_input(name, array)
    for name, value in results.items():
        binding.bind_ortvalue_output(name, value)
    held_inputs, held_state, held_dt = (memory[name] for name in ('inputs', 'state', 'dt'))

    def step(inputs: np.ndarray, state: np.ndarray, dt: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray]:
        held_inputs[0], held_state[0], held_dt[:] = inputs, state, dt
        session.run_with_iobinding(binding)
        return results['command'].numpy()[0], results['next_state'].numpy()[0]

    return step


def _numpy_step(net: PolicyNet) -> Callable[[np.ndarray, np.ndarray, float], np.ndarray]:
    """Return the fused step in numpy, constants folded: no engine needed without a camera."""
    cell = net.core
    k = [t.numpy().copy() for t in cell.fold()]
    slope, offset, mix, sensory_slope, sensory_offset, sensory_mix, leak, cm = k
    a, b, n = cell.input_w.numpy(), cell.input_b.numpy(), cell.state_size

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-z))

    def step(inputs: np.ndarray, x: np.ndarray, dt: float) -> np.ndarray:
        sums = sigmoid((inputs * a + b) @ sensory_slope + sensory_offset) @ sensory_mix + leak
        rate = cm * np.float32(cell.unfolds / dt)
        sums[n:] += rate
        for _ in range(cell.unfolds):
            both = sigmoid(x @ slope + offset) @ mix + sums
            x = (rate * x + both[:n]) / both[n:]
        return x

    return step


def _export(net: PolicyNet, folder: Path) -> Engine:
    head = net.config.head_config
    commands = (CommandSpec('curvature', '1/m', -0.1, 0.1), CommandSpec('speed', 'm/s', 0.0, 12.0))
    export_policy(net, folder, name=folder.name, image=ImageSpec(head.height, head.width),
                  imu=ImuSpec(features=(), scales=()), commands=commands[:net.config.outputs],
                  longest_step_s=1.0)
    return Engine(folder)


def _agree(what: str, ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        if a is not None and np.abs(a - b).max() > TOLERANCE:
            sys.exit(f'{what}: results differ by {np.abs(a - b).max():.1e}, more than '
                     f'{TOLERANCE:.0e}; a time for another result means nothing')


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', type=Path, default=SHIPPED, help='the shipped policy of (b)')
    parser.add_argument('--rounds', type=int, default=40, help='turns of each side')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE',
                        help='write JSON to FILE, or to standard output')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
