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
Count what the obstacle stop is worth: hits with and without the scanner, and false alarms.

    python benchmarks/obstacles.py                       a table
    python benchmarks/obstacles.py --json                one JSON object on standard output
    python benchmarks/obstacles.py --drives 40 --seed 7  other obstacles on other roads

The expert drives (it knows no obstacles), the gate follows it, nothing is drawn. (a) Boxes and
parked cars at random places of random roads, in the lane or up to half a metre beside its
middle: each with the scanner and without. (b) Whole minutes on free roads, with trees, posts and
houses beside them: how often the gate sees an obstacle that is none, and what that costs in way.
Exits with 1 where the car with the scanner touches anything.
"""

from __future__ import annotations

import argparse
from collections import Counter, deque
from dataclasses import dataclass
import json
import sys

from ltc_control.core.contracts import Verdict
from ltc_control.core.gate import GateConfig, GateState, step
from ltc_control.core.obstacle import Returns
from ltc_control.core.returns import points_of_scan, SensorPose
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.obstacles import Obstacle, SIZES
from ltc_control.sim.scanner import ScannerSpec
import numpy as np

SCANNER = ScannerSpec()
BUMPER_M = GateConfig().obstacle.front_m
LEAST_POINTS = 2                           # as the safety node has it
SPEED = 6.0


@dataclass
class Drive:
    """What came of one drive."""

    hit: bool
    way_m: float
    verdicts: Counter[Verdict]


def main() -> int:
    """Drive, then report; 1 where something was touched."""
    args = _parse()
    rng = np.random.default_rng(args.seed)
    rows = []
    for number in range(args.drives):
        rows.append(_row(_placed(rng), first_track=2000 + 10 * args.seed, number=number))
        print(f'\r{number + 1} of {args.drives} obstacles', end='', file=sys.stderr, flush=True)
    free = [_free(track, args.seconds) for track in range(1001, 1001 + args.free)]
    print(file=sys.stderr)
    report = _report(rows, free)
    if args.json:
        print(json.dumps(report))
    else:
        for key, value in report.items():
            print(f'{key:24} {value}')
    return int(report['hits_with_scanner'] > 0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--drives', type=int, default=20, help='obstacles to meet (default 20)')
    parser.add_argument('--free', type=int, default=4, help='free roads to drive (default 4)')
    parser.add_argument('--seconds', type=float, default=60.0, help='on a free road (default 60)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--json', action='store_true', help='one JSON object')
    return parser.parse_args()


def _placed(rng: np.random.Generator) -> Obstacle:
    return Obstacle(str(rng.choice(sorted(SIZES))), float(rng.uniform(35.0, 300.0)),
                    float(rng.uniform(-0.5, 0.5)))


def _row(obstacle: Obstacle, *, first_track: int, number: int) -> dict[str, object]:
    track = first_track + number
    seconds = obstacle.arc_m / 6.0 + 8.0
    watched, blind = (_drive(track, seconds, (obstacle,), watch=watch) for watch in (True, False))
    gap = obstacle.arc_m - SIZES[obstacle.kind][0] / 2 - BUMPER_M - watched.way_m
    return {'track': track, 'obstacle': obstacle, 'hit': watched.hit, 'gap_m': gap,
            'hit_without': blind.hit, 'stopped': watched.verdicts[Verdict.OBSTACLE_STOP] > 0}


def _free(track: int, seconds: float) -> tuple[Drive, Drive]:
    return (_drive(track, seconds, (), watch=True), _drive(track, seconds, (), watch=False))


def _drive(track: int, seconds: float, obstacles: tuple[Obstacle, ...], *, watch: bool) -> Drive:
    spec = EnvironmentSpec(track=track, render=False, obstacles=obstacles,
                           scanner=SCANNER if watch else None)
    state, config, hit = GateState(), GateConfig(), False
    kept: deque[Returns] = deque(maxlen=config.obstacle.of)
    verdicts: Counter[Verdict] = Counter()
    with Environment(spec) as world:
        seen = world.reset(seed=track, speed=SPEED)
        for _ in range(round(seconds * spec.rate_hz)):
            if seen.scan is not None:
                points = points_of_scan(
                    seen.scan, angle_min=-0.5 * SCANNER.field, range_min=SCANNER.range_min,
                    angle_increment=SCANNER.field / (SCANNER.beams - 1),
                    range_max=SCANNER.range_max, pose=SensorPose(SCANNER.ahead))
                assert points is not None
                kept.append(Returns(seen.frame.stamp_ns, points, LEAST_POINTS))
            state, command, verdict = step(
                state, now_ns=seen.odometry.stamp_ns, odometry=seen.odometry, config=config,
                request=world.expert.command(seen.truth, seen.odometry),
                sight={'scan': tuple(kept)} if watch else None)
            verdicts[verdict] += 1
            seen = world.step(command)
            hit |= seen.truth.hit
    return Drive(hit, seen.truth.lap_m, verdicts)


def _report(rows: list[dict[str, object]], free: list[tuple[Drive, Drive]]) -> dict[str, object]:
    gaps = [float(row['gap_m']) for row in rows if not row['hit']]      # type: ignore[arg-type]
    watched = sum((drive.verdicts for drive, _ in free), Counter())
    false = watched[Verdict.OBSTACLE_SLOW] + watched[Verdict.OBSTACLE_STOP]
    way, plain = (sum(pair[side].way_m for pair in free) for side in (0, 1))
    return {
        'obstacles': len(rows),
        'hits_with_scanner': sum(bool(row['hit']) for row in rows),
        'hits_without': sum(bool(row['hit_without']) for row in rows),
        'gap_m_min_median_max': [round(float(value), 2) for value in
                                 np.percentile(gaps, (0, 50, 100))] if gaps else None,
        'free_frames': watched.total(),
        'false_slow_share': round(false / max(watched.total(), 1), 4),
        'false_stops': watched[Verdict.OBSTACLE_STOP],
        'free_way_lost_share': round(1.0 - way / plain, 4) if plain else None,
    }


if __name__ == '__main__':
    sys.exit(main())
