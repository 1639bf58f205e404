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
from typing import TYPE_CHECKING

if TYPE_CHECKING:                          # `ltc` itself starts without the readers of bags
    from ltc_control.data.importers.door import Format, Imported, Option

HELP = 'Turn a recording of another system into a rosbag2.'
EPILOG = """examples:
  ltc import tub data/tub_lab tub_bag
  ltc import tub data/tub_lab tub_bag --max-steering 0.4 --wheelbase 0.26 --top-speed 3
  ltc import frames data/udacity udacity_bag --mapping udacity
  ltc import frames data/drive drive_bag --mapping my_columns.yaml --csv data/drive/log.csv
  ltc import video drive.mp4 drive_bag --csv log.csv --mapping my_columns.yaml

True, uneven stamps are kept; units become SI and left is positive. A mapping says which column is
what, in which unit and sign: start from a preset of config/import, docs/importing.md explains it.
Then: ltc bag check tub_bag, ltc train tub_bag."""

_LEFT_OUT = {'deleted': 'deleted records left out',
             'without_imu': 'records without a usable IMU sample'}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subcommand a format."""
    from ltc_control.data.importers import formats

    kinds = parser.add_subparsers(metavar='KIND', dest='kind', required=True)
    for form in formats().values():
        sub = kinds.add_parser(form.name, help=form.summary, description=f'Import {form.summary}.',
                               epilog=f'example:\n  {form.example}',
                               formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.add_argument('source', type=Path, help=form.source)
        sub.add_argument('out', type=Path, help='bag folder to make; must not exist')
        for option in form.options:
            _add(sub, option)
        sub.add_argument('--json', action='store_true', help='print the summary as JSON')


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    parser.add_argument('--' + option.name.replace('_', '-'), type=option.kind,
                        default=option.default, metavar=option.metavar, required=option.required,
                        help=option.help)


def run(args: argparse.Namespace) -> int:
    """Import and say what came of it."""
    from ltc_control.cli.progress import progress_bar
    from ltc_control.data.importers import formats

    form = formats()[args.kind]
    done = form.read(args.source, args.out, progress=progress_bar, **_values(args, form))
    if args.json:
        print(json.dumps(done.to_dict()))
        return 0
    _say(done)
    return 0


def _values(args: argparse.Namespace, form: Format) -> dict:
    values = {option.name: getattr(args, option.name) for option in form.options}
    if isinstance(values.get('mapping'), str):
        values['mapping'] = find_mapping(values['mapping'])
    return values


def find_mapping(name: str) -> Path:
    """Return the mapping file of a path or a preset's name; ConfigError lists the presets."""
    from ltc_control.bringup import share
    from ltc_control.core.errors import ConfigError

    if Path(name).is_file():
        return Path(name)
    presets = {path.stem: path for path in sorted(share('config/import').glob('*.yaml'))}
    if name not in presets:
        raise ConfigError(f'no mapping {name!r}: neither a file nor one of the presets '
                          f'{list(presets)!r}')
    return presets[name]


def _say(done: Imported) -> None:
    print(f'{done.bag}: {done.frames} frames, {done.seconds:.1f} s, {done.gaps} gaps over 0.5 s')
    if done.without_label:
        print(f'  {done.without_label} records not driven by a person, or at a standstill that '
              'tells no steering: no command')
    for reason, count in done.left_out.items():
        if count:
            print(f'  {count} {_LEFT_OUT.get(reason, reason)}')
