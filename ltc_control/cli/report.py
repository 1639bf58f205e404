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
"""``ltc report``: one drive as one HTML file that opens from disk."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
import sys
from typing import Any, TYPE_CHECKING

from ltc_control.core.errors import ConfigError

if TYPE_CHECKING:
    from ltc_control.insight.road import Road

HELP = 'make one self-contained HTML file of a recorded drive'
EPILOG = """examples:
  ltc report runs/latest                                 writes runs/latest/report.html
  ltc report runs/latest --out report.html --json out.json
  ltc report my_car_bag --model models/car_lane          a bag of a real car, with attention maps
A drive is named by its run folder, its bag folder or its .mcap file. What the recording does not
hold (ground truth, neurons, verdicts) is named in the place of its panel."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc report``."""
    parser.add_argument('drive', type=Path, metavar='RUN', help='run folder, bag folder or .mcap')
    parser.add_argument('--out', type=Path, default=None, metavar='FILE',
                        help='file to write (default: report.html in the run folder)')
    parser.add_argument('--model', type=Path, default=None, metavar='FOLDER',
                        help='model folder (default: the one that the recording names)')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE',
                        help='write the figures and the names of the panels here too')


def run(options: argparse.Namespace) -> int:
    """Write the report and say where it is, how large, and what it lacks."""
    from ltc_control.data.runs import find_run_bag
    from ltc_control.insight.html_report import make_html_report
    bag = find_run_bag(options.drive)
    folder = options.drive if options.drive.is_dir() else options.drive.parent
    out = options.out or folder / 'report.html'
    if out.is_dir():
        raise ConfigError(f'--out {str(out)!r} is a folder; name a file, like {out}/report.html')
    print(f'reading {bag}', file=sys.stderr, flush=True)
    made = make_html_report(bag, out, model=options.model, road=_road(bag),
                            said=_figures(bag.parent))
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(made, indent=2, sort_keys=True) + '\n')
    for name, why in made['missing'].items():
        print(f'without {name}: {why}', file=sys.stderr)
    print(f'{out} ({made["bytes"] / 1e6:.2f} MB)')
    return 0


def _figures(folder: Path) -> dict[str, Any]:
    """Return what the run itself reported, which knows the latency as the vehicle saw it."""
    try:
        said = json.loads((folder / 'report.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _road(bag: Path) -> Road | None:
    """Return the whole road where the recording names a track of the simulator."""
    from ltc_control.data.rosbag2 import read_attributes
    from ltc_control.insight.road import Road
    known = read_attributes(bag)
    if not known.get('track', '').isdigit() or known.get('vehicle', 'car') != 'car':
        return None
    from ltc_control.sim.track import make_track
    track = make_track(int(known['track']), closed=True)
    return Road(track.x, track.y, track.heading, closed=True)
