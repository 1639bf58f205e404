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
"""``ltc collect``: the expert (or, for DAgger, a policy) drives; rosbags are written."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = 'let the expert drive in the simulator and write rosbags to learn from'
EPILOG = """examples:
  ltc collect runs/bags --tracks 0:23 --episodes 2 --seconds 30
  ltc collect runs/dagger --tracks 24:35 --policy models/car_lane      one DAgger round
  ltc collect runs/drives --tracks 24:29 --policy runs/car --human-takes-over     for corrections
  ltc collect runs/flights --vehicle drone --task reach,follow --tracks 0:199
  ltc collect runs/still --vehicle drone --task reach --tracks 420:483 --seconds 40 \\
      --policy models/drone_target --no-disturbance          how it hovers where nothing pushes
each episode is one rosbag2 folder (MCAP): camera, IMU, odometry, /expert/command (the label) and
/cmd_vel (what moved the car); tracks from 1000 on are kept for evaluation and refused"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('out', type=Path, help='folder for the bags')
    parser.add_argument('--vehicle', choices=('car', 'drone'), default='car')
    parser.add_argument('--task', default='reach,follow',
                        help='drone: reach, follow, or both in turn')
    parser.add_argument('--tracks', default='0:11', help='seeds of roads or groves, below 1000')
    parser.add_argument('--episodes', type=int, default=2, help='per road; a grove has one')
    parser.add_argument('--seconds', type=float, default=30.0, help='per episode')
    parser.add_argument('--season', default='summer')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--no-disturbance', action='store_true',
                        help='drive cleanly; such bags teach no recovery. A drone under --policy '
                        'then hovers before its ball to the end')
    parser.add_argument('--policy', type=Path, help='model that drives while the expert labels')
    parser.add_argument('--blackout', type=float, default=0.0, metavar='S',
                        help='with --policy: its camera goes black this long now and then')
    parser.add_argument('--human-takes-over', action='store_true',
                        help='with --policy: the expert sits beside it as the human and takes '
                        'over before it leaves the lane; for ltc train --corrections')
    parser.add_argument('--take-over-at', type=float, default=0.5, metavar='M',
                        help='offset at which the human does so (default %(default)s m)')
    parser.add_argument('--jobs', type=int, default=None, help='processes; default one a core')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write what was recorded here')


def run(args: argparse.Namespace) -> int:
    """Record all episodes, tracks in parallel."""
    from dataclasses import asdict
    import json

    from ltc_control.cli.progress import progress_bar
    from ltc_control.training.collect import collect_track
    from ltc_control.training.flights import record_flight
    from ltc_control.training.parallel import run_all

    config = _config(args)
    drone = args.vehicle == 'drone'
    jobs = [(config, seed) for seed in (config.episodes if drone else config.tracks)]
    record = record_flight if drone else collect_track
    episodes = []
    what = 'recording flights' if drone else 'recording tracks'
    with progress_bar(what, total=len(jobs)) as advance:
        for _, recorded in run_all(record, jobs, processes=args.jobs):
            episodes += recorded
            advance(f'{sum(e.frames for e in episodes)} frames')
    if args.json is not None:
        rows = [asdict(e) for e in sorted(episodes, key=lambda e: e.path)]
        args.json.write_text(json.dumps({'episodes': rows}, indent=2) + '\n')
    frames, lost = sum(e.frames for e in episodes), sum(e.lost for e in episodes)
    print(f'{len(episodes)} episodes, {frames} frames in {args.out}; {lost} ended '
          + ('far from the target or in a collision' if drone else 'off the lane'))
    if args.human_takes_over:
        print(f'{sum(e.take_overs for e in episodes)} take-overs, '
              f'{sum(e.human_s for e in episodes):.1f} s under the human')
    return 0


def _config(args: argparse.Namespace):
    from ltc_control.cli.ranges import parse_numbers, parse_seasons
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.model_file import load_spec
    from ltc_control.training.collect import CollectConfig
    from ltc_control.training.shared_drive import HumanConfig

    seasons = parse_seasons(args.season)
    if len(seasons) != 1:
        raise ConfigError(f'one season a recording, got {args.season!r}; call it once for each')
    if args.policy is not None:
        load_spec(args.policy, expect_vehicle=args.vehicle)
    elif args.human_takes_over:
        raise ConfigError('a human takes over from a policy; name one with --policy')
    if args.vehicle == 'drone':
        return _flights(args, seasons[0])
    return CollectConfig(out=args.out, tracks=tuple(parse_numbers(args.tracks)),
                         episodes=args.episodes, seconds=args.seconds, season=seasons[0],
                         seed=args.seed,
                         disturbed=not (args.no_disturbance or args.human_takes_over),
                         policy=args.policy, blackout_s=args.blackout,
                         human=(HumanConfig(take_over_m=args.take_over_at)
                                if args.human_takes_over else None))


def _flights(args: argparse.Namespace, season: str):
    from ltc_control.cli.ranges import parse_numbers
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.flight_tasks import TASKS
    from ltc_control.training.flights import FlightRecording

    tasks = tuple(args.task.split(','))
    if unknown := sorted(set(tasks) - set(TASKS)):
        raise ConfigError(f'unknown task {unknown!r}; a drone flies {" and ".join(TASKS)}')
    return FlightRecording(out=args.out, episodes=tuple(parse_numbers(args.tracks)), tasks=tasks,
                           seconds=args.seconds, season=season, seed=args.seed,
                           disturbed=not args.no_disturbance, policy=args.policy,
                           blackout_s=args.blackout)
