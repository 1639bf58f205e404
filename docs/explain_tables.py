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
Put what `ltc explain` measured into docs/explain.md: JSON in, Markdown tables out.

    python docs/explain_tables.py lesions=les.json components=components.json causes=causes.json
    python docs/explain_tables.py focus=focus.json

A table stands between `<!-- focus -->` and `<!-- /focus -->` there and is replaced whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
import json
from pathlib import Path
import re
import sys
from typing import Any

PAGE = Path(__file__).resolve().parent / 'explain.md'
Rows = Iterable[Sequence[str]]


def lesions(found: dict[str, Any]) -> str:
    """Return the damage of each neuron, the worst first."""
    options, whole = found['options'], found['whole']
    rows = [(one['neuron'], f'{one["success"]:.0%}', f'{one["departures_per_km_more"]:+.1f}',
             f'{one["rms_ratio"]:.2f}', _span(one['rms_ratio_95'], 2), f'{one["jerk_ratio"]:.2f}')
            for one in sorted(found['neurons'], key=lambda one: (
                -one['departures_per_km_more'], -one['rms_ratio']))]
    motors = ', '.join(f'`{name}` {"changes nothing" if one["no_change"] else "CHANGES"}'
                       for name, one in found['motors'].items())
    points = ', '.join(f'`{name}`' for name in found['single_points_of_failure']) or 'none'
    return (f'`--kind {options["kind"]} --tracks {options["tracks"]} --starts {options["starts"]} '
            f'--seconds {options["seconds"]:g}`, {options["season"]}, starts seeded 0 and up: '
            f'{whole["runs"]} runs each. Whole: {whole["success"]:.0%} clean, rms offset '
            f'{whole["rms_offset_m"]:.3f} m. Cut, {motors}. Single points of failure: {points}. '
            f'Frames outside the envelope: {found["outside_envelope"]}.\n\n'
            + _table(('neuron', 'clean runs', 'departures per km more', 'error ×', '95 %',
                      'jerk ×'), rows))


def components(found: dict[str, Any]) -> str:
    """Return the shares beside the paper's."""
    rows = []
    for one in found['models']:
        fresh = one['untrained'] or {}
        paper = found['paper'].get(one['as'])
        rows.append((f'{one["model"]} ({one["kind"]})', str(one['units']), _percent(one['share']),
                     _percent(one['share_scaled']), f'{one["participation"]:.2f}',
                     _percent(one['share_of_19']), _percent(fresh.get('share')),
                     '' if paper is None else f'{one["as"]} {paper:.0%}',
                     str(one['departures'])))
    return (f'Tracks {found["tracks"]}, {found["seconds"]:g} s each, {found["season"]}, start '
            'seed 0; a CNN is looked at in the features of its head.\n\n'
            + _table(('model', 'units', 'share', 'scaled', 'participation', '19 units',
                      'untrained', 'paper', 'departures'), rows))


def causes(found: dict[str, Any]) -> str:
    """Return one causal ratio a model."""
    rows = []
    for one in found['models']:
        curve = one['open_loop']['curvature']
        matched = curve['matched']
        rows.append((f'{one["name"]} ({one["kind"]})', f'{curve["causal_ratio"]:.3f}',
                     _span(curve['causal_ratio_95'], 3), _number(matched['causal_ratio']),
                     _span(matched['causal_ratio_95'], 3), str(matched['pairs']),
                     f'{curve["slope"]:.2f}', f'{curve["slope_r2"]:.2f}',
                     _number(curve['distractor_error']), f'{curve["sign_test_p"]:.0e}'))
    return (f'{found["pairs"]} sequences on tracks {found["pair_tracks"]}, {found["season"]}, '
            f'seed {found["seed"]}, lane moved by {found["lane_rms_m"]:g} m rms, distractors '
            f'{found["distractors"]}.\n\n'
            + _table(('model', 'causal ratio', '95 %', 'matched', '95 %', 'pairs', 'slope', 'R²',
                      'distractor error', 'sign test p'), rows))


def focus(found: dict[str, Any]) -> str:
    """Return mass on the mask and SSIM under noise."""
    rows = [(one['model'], one['map'], _number(one['mass']), _number(one['enrichment']),
             _number(one['spread']),
             *(_number(one['ssim'].get(f'{v:g}')) for v in found['variances']),
             _number(one['ssim_floor']), str(one['empty'])) for one in found['rows']]
    return (f'{found["frames"]} frames of {found["season"]}, tracks {found["tracks"]}, seed '
            f'{found["seed"]}; mass on the {found["mask"]}.\n\n'
            + _table(('model', 'map', 'mass', 'by area', 'spread',
                      *(f'SSIM {v:g}' for v in found['variances']), 'floor', 'empty'), rows))


def _table(head: Sequence[str], rows: Rows) -> str:
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _span(interval: Sequence[float] | None, digits: int) -> str:
    return '' if interval is None else f'{interval[0]:.{digits}f} to {interval[1]:.{digits}f}'


def _number(value: float | None) -> str:
    return '' if value is None else f'{value:.3f}'


def _percent(share: float | None) -> str:
    return '' if share is None else f'{share:.0%}'


MAKERS: dict[str, Callable[[dict[str, Any]], str]] = {
    'lesions': lesions, 'components': components, 'causes': causes, 'focus': focus}


def main() -> int:
    """Replace the named tables of the page."""
    text = PAGE.read_text(encoding='utf-8')
    for word in sys.argv[1:]:
        name, _, path = word.partition('=')
        if name not in MAKERS or not path:
            sys.exit(f'{word!r} is not NAME=FILE with a name among {", ".join(MAKERS)}')
        made = MAKERS[name](json.loads(Path(path).read_text(encoding='utf-8')))
        text = re.sub(f'(<!-- {name} -->\n).*?(<!-- /{name} -->)',
                      lambda part, made=made: f'{part[1]}{made}\n{part[2]}', text,
                      flags=re.DOTALL)
    PAGE.write_text(text, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
