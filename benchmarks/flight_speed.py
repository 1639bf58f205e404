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
How much faster than the clock the drone's simulator runs on one core: physics, and with camera.

    python benchmarks/flight_speed.py
    python benchmarks/flight_speed.py --episodes 2001:2005 --seconds 20 --json

The pilot flies; each episode is flown without and with the camera (192x108) in turn, so that both
see the same machine. Exits with 1 where a median is below what is wanted.
"""

from __future__ import annotations

import argparse
import json
import os
from statistics import median
import sys
import time

from interleaved import machine
from ltc_control.cli.ranges import parse_numbers
from ltc_control.sim.flight import FlightEnvironment, FlightSpec

WANTED = {'physics': 100.0, 'camera': 5.0}


def main() -> int:
    """Fly every episode both ways; print a table or one JSON object."""
    args = _parse()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = [{'episode': episode, 'physics': speed(episode, args, render=False),
             'camera': speed(episode, args, render=True)}
            for episode in parse_numbers(args.episodes)]
    report = {'rows': rows, 'times_real_time': {name: median(row[name] for row in rows)
                                                for name in WANTED},
              'wanted': WANTED, 'machine': machine()}
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        for name, least in WANTED.items():
            values = sorted(row[name] for row in rows)
            print(f'{name:8s} {median(values):7.1f} times real time ({values[0]:.1f} to '
                  f'{values[-1]:.1f}), wanted {least:g}')
    return 0 if all(report['times_real_time'][name] >= WANTED[name] for name in WANTED) else 1


def speed(episode: int, args: argparse.Namespace, *, render: bool) -> float:
    """Return simulated seconds a second of one episode; making the world is not counted."""
    with FlightEnvironment(FlightSpec(episode, task=args.task, render=render)) as env:
        seen = env.reset()
        for _ in range(10):                    # the first pictures compile shaders
            seen = env.step(env.expert.command(seen.truth))
        start = time.perf_counter()
        for _ in range(round(args.seconds * env.spec.rate_hz)):
            seen = env.step(env.expert.command(seen.truth))
        return args.seconds / (time.perf_counter() - start)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--episodes', default='2001:2005')
    parser.add_argument('--task', choices=('reach', 'follow'), default='follow')
    parser.add_argument('--seconds', type=float, default=20.0, help='of simulated time a flight')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    return parser.parse_args()


if __name__ == '__main__':
    sys.exit(main())
