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
"""``ltc import``: recordings of other systems become rosbag2."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = 'Turn a recording of another system into a rosbag2.'
EPILOG = """examples:
  ltc import tub data/tub_lab tub_bag
  ltc import tub data/tub_lab tub_bag --max-steering 0.4 --wheelbase 0.26 --top-speed 3

A Donkey-car tub (format 2) knows shares of full steering and throttle; the three options say what
full means for that car. Then: ltc bag info tub_bag, ltc train tub_bag."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc import``."""
    parser.add_argument('kind', choices=['tub'], help='what is imported')
    parser.add_argument('tub', type=Path, help='folder of the tub, with manifest.json')
    parser.add_argument('out', type=Path, help='bag folder to make; must not exist')
    parser.add_argument('--max-steering', type=float, default=0.35, metavar='RAD',
                        help='front wheel angle at |angle| = 1 (default %(default)s rad)')
    parser.add_argument('--wheelbase', type=float, default=0.25, metavar='M',
                        help='front to rear axle (default %(default)s m)')
    parser.add_argument('--top-speed', type=float, default=2.0, metavar='M_S',
                        help='speed at throttle 1 (default %(default)s m/s)')
    parser.add_argument('--json', action='store_true', help='print the summary as JSON')


def run(args: argparse.Namespace) -> int:
    """Import and say what came of it."""
    from ltc_control.data.tub import TubCar, import_tub
    car = TubCar(max_steering_rad=args.max_steering, wheelbase_m=args.wheelbase,
                 top_speed_m_s=args.top_speed)
    done = import_tub(args.tub, args.out, car=car)
    if args.json:
        print(json.dumps({**vars(done), 'bag': str(done.bag)}))
        return 0
    print(f'{done.bag}: {done.frames} frames, {done.seconds:.1f} s, {done.gaps} gaps over 0.5 s')
    for count, what in ((done.deleted, 'deleted records left out'),
                        (done.without_label, 'records not driven by a person: no command'),
                        (done.without_imu, 'records without a usable IMU sample')):
        if count:
            print(f'  {count} {what}')
    return 0
