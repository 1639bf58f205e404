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
"""``ltc world``: a seeded road as files for Gazebo and for whatever reads OBJ."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys

from ltc_control.core.errors import ConfigError

HELP = 'write a seeded road as a Gazebo world, or as meshes'
EPILOG = """examples:
  ltc world --track 7 --season summer --format sdf --out worlds/      worlds/track7.sdf
  gz sim -r worlds/track7.sdf                                         look at it
  ltc world --track 7 --format obj --out meshes/                      for Blender and the like
"""
LARGEST = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc world``."""
    parser.add_argument('--track', type=int, default=1001, help='seed of the road (default 1001)')
    parser.add_argument('--season', default='summer',
                        help='summer, autumn, winter, night, dusk or rain (default summer)')
    parser.add_argument('--format', choices=('sdf', 'obj'), default='sdf',
                        help='sdf: a Gazebo world with car and quadrotor; obj: meshes alone')
    parser.add_argument('--gazebo', choices=('harmonic', 'fortress'), default='harmonic',
                        help='whose plugin names: those of Harmonic and newer, which Fortress '
                             'reads from 6.16 on (default), or those of every Fortress')
    parser.add_argument('--out', type=Path, default=Path('worlds'), metavar='FOLDER',
                        help='where to write (default worlds/); older files of that track go')
    parser.add_argument('--width', type=int, default=200, help="of the car's camera [pixels]")
    parser.add_argument('--height', type=int, default=66, help="of the car's camera [pixels]")
    parser.add_argument('--json', action='store_true', help='print what was written as JSON')


def run(options: argparse.Namespace) -> int:
    """Write the world; print its path and how to look at it."""
    from ltc_control.sim.export_sdf import WorldSpec, write_meshes, write_world
    from ltc_control.sim.export_sensors import Rates
    if not (16 <= options.width <= LARGEST and 16 <= options.height <= LARGEST):
        raise ConfigError(f'--width and --height must be 16 .. {LARGEST}, got {options.width!r} '
                          f'and {options.height!r}')
    spec = WorldSpec(options.track, options.season,
                     Rates(width=options.width, height=options.height),
                     fortress=options.gazebo == 'fortress')
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f'--out {str(options.out)!r} cannot be a folder: {error}') from error
    if options.format == 'obj':
        write_meshes(spec, options.out / spec.name)
        path = options.out / spec.name
    else:
        path = write_world(spec, options.out)
    _tell(path, options)
    return 0


def _tell(path: Path, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps({'path': str(path), 'track': options.track, 'season': options.season,
                          'format': options.format}))
        return
    print(path)
    if options.format == 'sdf':
        program = 'gz sim' if options.gazebo == 'harmonic' else 'ign gazebo'
        print(f'look at it:  {program} -r {path}\n'
              f'drive in it: ros2 launch ltc_control gazebo_launch.py world:={path.resolve()}',
              file=sys.stderr)
