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
The model card: what a policy was trained on, how it did, and where it fails.

Written at export; ``ltc eval --card`` adds what it measured, and the folder's hashes with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltc_control.core.model_file import load_spec, ModelSpec, write_spec

CARD_FILE = 'card.md'
FAILS = '## Where it fails'
_MOVES = {'drone': 'flying'}
_WORLDS = {'drone': 'groves'}
_RESULTS = {'drone': 'docs/flight.md'}


def write_card(folder: Path, spec: ModelSpec) -> None:
    """Write ``card.md`` into a model folder."""
    (folder / CARD_FILE).write_text('\n'.join(_lines(spec)) + '\n')


def _lines(spec: ModelSpec) -> list[str]:
    training: dict[str, Any] = dict(spec.training)
    score, config = training['score'], training['config']
    roles = ', '.join(f'{count} {role}' for role, count in spec.roles.items() if count)
    return [
        f'# {spec.name}', '',
        f'A {spec.kind} policy for a {spec.vehicle}: {roles}.', '',
        '## What it takes and gives', '',
        f'- image {spec.image.width}x{spec.image.height} RGB; IMU features: '
        f'{", ".join(spec.imu.features) or "none"}',
        *(f'- {c.name} [{c.unit}], clamped to {c.low:g} … {c.high:g}' for c in spec.commands),
        f'- one step a frame, dt in units of {spec.dt_nominal_s:.5f} s from header stamps', '',
        '## Size', '',
        f'- synapses: {spec.synapses["internal"]} between neurons, '
        f'{spec.synapses["sensory"]} from inputs',
        *(f'- parameters, {name.replace("_", " ")}: {count}'
          for name, count in spec.parameters.items()), '',
        '## Training', '',
        f'- {training["episodes"]} episodes, {training["frames"]} frames'
        + (f', {_WORLDS.get(spec.vehicle, "tracks")} {_span(training["tracks"])}'
           if training['tracks'] else '')
        + (f', seen in {", ".join(training["seasons"])}' if training['seasons'] else ''),
        f'- {training["steps"]} steps of {config["batch"]} rows x {config["window"]} frames, '
        f'seed {config["seed"]}',
        *_core_alone(config), *_started(training), *_corrected(training),
        f'- held out: {training["held_out_episodes"]} episodes, '
        f'{training["held_out_frames"]} frames; R² of '
        + ', of '.join(_fit(name, value) for name, value in score.items()
                       if name.startswith('r2_')), '',
        FAILS, '',
        f'Offline fit says little about {_MOVES.get(spec.vehicle, "driving")}. Closed-loop '
        'results, the conditions in which it fails included, are in '
        f'{_RESULTS.get(spec.vehicle, "docs/results.md")} of the project; repeat them with '
        '`ltc eval`.',
    ]


def _fit(name: str, value: float | None) -> str:
    return f'{name[3:]} ' + ('none, it does not vary' if value is None else f'{value:.3f}')


def _core_alone(config: dict[str, Any]) -> list[str]:
    core = config.get('core', {})
    return [] if not core.get('steps') else [
        f'- then {core["steps"]} steps of the core alone, {core["batch"]} rows x {core["window"]} '
        'frames']


def _started(training: dict[str, Any]) -> list[str]:
    start = training.get('start')
    return [] if start is None else [f'- started from {start["name"]}, trained for '
                                     f'{start["steps"]} steps (digest {start["digest"][:12]})']


def _corrected(training: dict[str, Any]) -> list[str]:
    found = training.get('corrections')
    return [] if found is None else [
        f'- corrected by a human: {found["take_overs"]} take-overs, {found["labelled"]} frames '
        'under their command']


def add_results(folder: Path, *, title: str, summary: Mapping[str, Mapping[str, Any]]) -> None:
    """Put a table of closed-loop results into the card, in place of one of the same title."""
    spec = load_spec(folder)
    path = folder / CARD_FILE
    before, marker, after = path.read_text().partition(FAILS)
    sections = [part for part in before.split('\n## ') if not part.startswith(title + '\n')]
    table = '\n'.join([title, '', *_table(summary), ''])
    path.write_text('\n## '.join([*(s.rstrip() + '\n' for s in sections), table]) + '\n'
                    + marker + after)
    write_spec(folder, spec)


def _table(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if all('successes' in row for row in summary.values()):
        return _flights(summary)
    rows = [f'| {season} | {row["clean_runs"]} of {row["runs"]} | {row["departures"]} | '
            f'{row["interventions_per_km"]:.2f} | {row["mean_abs_offset_m"]:.3f} | '
            f'{row["p95_abs_offset_m"]:.3f} |' for season, row in summary.items()]
    return ['| season | clean runs | departures | per km | mean offset, m | 95 %, m |',
            '|---|---:|---:|---:|---:|---:|', *rows]


def _flights(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [f'| {season} | {row["successes"]} of {row["episodes"]} | '
            f'{row["out_of_view_successes"]} of {row["out_of_view_episodes"]} | '
            f'{row["collisions"]} | {row["mean_in_view"]:.2f} | '
            f'{row["mean_rms_distance_error_m"]:.2f} | '
            f'{_or_none(row["median_final_distance_m"])} |' for season, row in summary.items()]
    return ['| season | successes | of these out of view at the start | collisions | in view | '
            'distance error, m rms | ends at, m |', '|---|---:|---:|---:|---:|---:|---:|', *rows]


def _or_none(value: float | None) -> str:
    return 'none' if value is None else f'{value:.2f}'


def _span(tracks: list[int]) -> str:
    return f'{tracks[0]} to {tracks[-1]}' if len(tracks) > 2 else ', '.join(map(str, tracks))
