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
What a tree may ask about: the true state of a car, one column a variable.

Offsets and angles are positive to the left. Curvatures ahead need the road, the rest lies in a
simulator's bag. A neuron remembers and the state of this moment does not: variables of some time
ago may be added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

AHEAD_M = (0.0, 5.0, 10.0)                 # where the road's curvature is asked
AGO_S = (0.25, 0.5)                        # of the variables of memory
SEASON = 'season:'


@dataclass(frozen=True)
class Variable:
    """One column: ``kind`` says how it reads in words, ``place`` is 'ahead' or a time ago."""

    key: str
    kind: str                              # offset, heading, curvature, speed, yaw_rate, season
    unit: str
    ahead_m: float = 0.0
    ago_s: float = 0.0
    name: str = ''                         # of a season

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a JSON file."""
        return {'key': self.key, 'kind': self.kind, 'unit': self.unit, 'ahead_m': self.ahead_m,
                'ago_s': self.ago_s, 'name': self.name}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Variable:
        """Read what ``to_dict`` wrote."""
        return cls(**values)


CAR: tuple[Variable, ...] = (
    Variable('offset', 'offset', 'm'),
    Variable('heading', 'heading', 'rad'),
    *(Variable(f'curvature_{ahead:g}m', 'curvature', '1/m', ahead_m=ahead) for ahead in AHEAD_M),
    Variable('speed', 'speed', 'm/s'),
    Variable('yaw_rate', 'yaw_rate', 'rad/s'),
)


def car_row(*, offset_m: float, heading: float, arc_m: float, speed: float, yaw_rate: float,
            curvature_at: Callable[[Any], Any]) -> np.ndarray:
    """Return the variables of ``CAR`` (V,), or (T, V) where the arguments are (T,)."""
    bends = [curvature_at(np.asarray(arc_m) + ahead) for ahead in AHEAD_M]
    columns = np.broadcast_arrays(offset_m, heading, *bends, speed, yaw_rate)
    return np.stack(columns, axis=-1).astype(float)


def with_seasons(variables: Sequence[Variable], rows: np.ndarray, season: Sequence[str],
                 ) -> tuple[tuple[Variable, ...], np.ndarray]:
    """Append a column 0 or 1 for each season where there are several; ``season`` is (T,)."""
    names = sorted(set(season))
    if len(names) < 2:
        return tuple(variables), rows
    extra = [Variable(f'{SEASON}{name}', 'season', '', name=name) for name in names]
    columns = np.stack([np.array(season) == name for name in names], axis=1).astype(float)
    return (*variables, *extra), np.concatenate([rows, columns], axis=1)


def with_memory(variables: Sequence[Variable], rows: np.ndarray, time_s: np.ndarray,
                ) -> tuple[tuple[Variable, ...], np.ndarray]:
    """Append each variable as it was ``AGO_S`` earlier on the same drive."""
    extra, columns = [], [rows]
    for ago in AGO_S:
        index = np.searchsorted(time_s, time_s - ago + 1e-6, side='right') - 1
        columns.append(rows[np.maximum(index, 0)])
        extra += [Variable(f'{v.key}_{ago:g}s_ago', v.kind, v.unit, v.ahead_m, ago, v.name)
                  for v in variables]
    return (*variables, *extra), np.concatenate(columns, axis=1)
