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
What `ltc drive` leaves behind: report.json, a view from above and a film, made from the bag alone.

The numbers come from the recording and not from the nodes, so that a report can be made again,
later and elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from ltc_control.insight.film import make_film
from ltc_control.insight.measures import measure
from ltc_control.insight.panel import View
from ltc_control.insight.recorded_drive import read_drive, RecordedDrive
from ltc_control.insight.road import Road
from ltc_control.insight.top_view import draw_top_view

REPORT, TOP_VIEW, FILM = 'report.json', 'top_view.png', 'drive'


def make_report(bag: Path | str, out: Path | str, *, extra: Mapping[str, Any] | None = None,
                road: Road | None = None, view: View | None = None,
                film: bool = True) -> dict[str, Any]:
    """
    Write report.json, top_view.png and the film of the drive in ``bag`` into ``out``.

    Returns what report.json holds: the numbers of :func:`~ltc_control.insight.measures.measure`,
    the bag and its attributes, the names of the files, and ``extra`` over all of it. ``road`` is
    the whole road where it is known; ``view`` is the camera's, for the path drawn into the film.
    Raises BagError when the bag cannot be read.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    drive = read_drive(bag)
    numbers = measure(drive)
    report = {'bag': str(bag), 'attributes': drive.attributes, **numbers, **(extra or {})}
    draw_top_view(drive, out / TOP_VIEW, road=road, title=headline(drive, numbers))
    report['files'] = {'top_view': TOP_VIEW}
    if film:
        path = make_film(drive, out / FILM, view=view or View(), note=_place(drive))
        report['files']['film'] = path.name
    (out / REPORT).write_text(json.dumps(report, indent=2, sort_keys=True) + '\n',
                              encoding='utf-8')
    return report


def headline(drive: RecordedDrive, numbers: Mapping[str, Any]) -> str:
    """Return one line that says where, how far and how well."""
    words = [_place(drive), f'{numbers["distance_m"]:.0f} m in {numbers["seconds"]:.0f} s']
    if numbers['mean_abs_offset_m'] is not None:
        count = numbers['departures']
        words += [f'mean |offset| {100 * numbers["mean_abs_offset_m"]:.1f} cm',
                  f'{count} departure{"" if count == 1 else "s"}']
    return '  ·  '.join(word for word in words if word)


def _place(drive: RecordedDrive) -> str:
    known = drive.attributes
    return ' · '.join([*([f'track {known["track"]}'] if 'track' in known else []),
                       *([known['season']] if 'season' in known else [])])
