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
"""The model card: what a policy was trained on, how it did, and where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control.core.model_file import ModelSpec


def write_card(folder: Path, spec: ModelSpec) -> None:
    """Write ``card.md`` into a model folder; run results are added by the evaluation's tables."""
    (folder / 'card.md').write_text('\n'.join(_lines(spec)) + '\n')


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
        + (f', tracks {_span(training["tracks"])}' if training['tracks'] else '')
        + (f', seen in {", ".join(training["seasons"])}' if training['seasons'] else ''),
        f'- {training["steps"]} steps of {config["batch"]} rows x {config["window"]} frames, '
        f'seed {config["seed"]}',
        f'- held out: {training["held_out_episodes"]} episodes, '
        f'{training["held_out_frames"]} frames; R² of curvature {score["r2_curvature"]:.3f}, '
        f'of speed {score["r2_speed"]:.3f}', '',
        '## Where it fails', '',
        'Offline fit says little about driving. Closed-loop results, the conditions in which it '
        'leaves its lane included, are in docs/results.md of the project; repeat them with '
        '`ltc eval`.',
    ]


def _span(tracks: list[int]) -> str:
    return f'{tracks[0]} to {tracks[-1]}' if len(tracks) > 2 else ', '.join(map(str, tracks))
