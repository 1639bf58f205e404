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
Timing that a busy machine cannot bend much: all sides in one process, turn by turn.

Ratios are of processor time, which does not run while a neighbour has the core; on a calm machine
it is the wall's. (On a busy one a call longer than a time slice waits for the neighbours and a
short one does not: an eager step of 3 ms took 37 ms, which would have made us 35 times faster.)
Compare only within one run: medians of the same call differ from run to run by a tenth. Beside
each comparison runs a small matrix product; a tail that is not clear of the product's own tail is
the neighbours'. Import this before numpy or torch and call ``one_thread`` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path
import platform
import statistics
import time
from typing import Any

THREADS = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS')
NO_OP = 'no-op (64x64 matmul)'


@dataclass(frozen=True)
class Timing:
    """Medians of a call's processor and wall time, its wall tail [us], and ratios of speed."""

    name: str
    cpu_us: float
    wall_us: float
    wall_p99_us: float
    ratio: float                   # of processor time, against the reference
    wall_ratio: float


def one_thread() -> None:
    """Fix every thread pool at one; without effect once numpy or torch is imported."""
    os.environ.update(dict.fromkeys(THREADS, '1'))


def compare(variants: Mapping[str, Callable[[], Any]], reference: str, *, rounds: int = 40,
            burst: int = 12) -> list[Timing]:
    """Time callables turn by turn; ratios are medians over turns, so drift cancels."""
    cpu: dict[str, list[float]] = {name: [] for name in variants}
    wall: dict[str, list[float]] = {name: [] for name in variants}
    tail: dict[str, list[int]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, call in variants.items():
            call()                                         # warm, not timed
            samples = [_time(call) for _ in range(burst)]
            cpu[name].append(statistics.median(sample[0] for sample in samples))
            wall[name].append(statistics.median(sample[1] for sample in samples))
            tail[name] += [sample[1] for sample in samples]

    def faster(turns: dict[str, list[float]], name: str) -> float:
        pairs = zip(turns[reference], turns[name], strict=True)
        return round(statistics.median(r / t for r, t in pairs), 2)

    return [Timing(name, round(statistics.median(cpu[name]) / 1e3, 1),
                   round(statistics.median(wall[name]) / 1e3, 1),
                   round(sorted(tail[name])[int(0.99 * len(tail[name]))] / 1e3, 1),
                   faster(cpu, name), faster(wall, name)) for name in variants]


def _time(call: Callable[[], Any]) -> tuple[int, int]:
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    call()
    return time.process_time_ns() - cpu, time.perf_counter_ns() - wall


def no_op() -> Callable[[], Any]:
    """Return a tiny call to judge the machine by."""
    import numpy as np  # after one_thread

    matrix = np.ones((64, 64), np.float32)
    return lambda: matrix @ matrix


def machine() -> dict[str, Any]:
    """Return the processor, the load and the versions that the numbers belong to."""
    from importlib.metadata import version

    known = Path('/proc/cpuinfo')
    lines = known.read_text().splitlines() if known.exists() else []
    names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    packages = ('torch', 'ncps', 'onnxruntime', 'numpy')
    return {'processor': names[0] if names else platform.processor(), 'cores': os.cpu_count(),
            'load_average': [round(load, 2) for load in os.getloadavg()],
            'versions': {name: version(name) for name in packages}}


def verdicts(rows: list[dict[str, Any]]) -> bool:
    """Return whether every target was met."""
    return all(row['ratio'] >= row['target'] for row in rows if 'target' in row)


def written(report: dict[str, Any], target: str | None) -> bool:
    """Write JSON to a file or, for ``-``, to stdout; say whether stdout is taken by it."""
    if target == '-':
        print(json.dumps(report, indent=2))
    elif target is not None:
        Path(target).write_text(json.dumps(report, indent=2) + '\n')
    return target == '-'


def publish(report: dict[str, Any], target: str | None) -> None:
    """Print the report as a table, or write it as JSON to a file or, for ``-``, to stdout."""
    if written(report, target):
        return
    info = report['machine']
    print(f'{info["processor"]}, load {info["load_average"]}, one thread')
    for row in report['rows']:
        aim = f'   target {row["target"]:.1f}x' if 'target' in row else ''
        speed = ''.join(f'  {row[key]:>9.1f} {key}'
                        for key in ('cpu_us', 'wall_us', 'frames_per_s') if key in row)
        print(f'{row["question"]:<22} {row["name"]:<38}{speed}  {row["ratio"]:>6.2f}x '
              f'(wall {row["wall_ratio"]:.2f}x){aim}')


def rows_of(question: str, timings: list[Timing], targets: Mapping[str, float]
            ) -> list[dict[str, Any]]:
    """Return the timings as plain rows with their targets."""
    return [{'question': question, **asdict(t),
             **({'target': targets[t.name]} if t.name in targets else {})} for t in timings]
