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
How much of what a network does lies along one line: the first principal component's share.

The states of a drive are centred, T frames x N units; share = largest eigenvalue / sum of all
(Lechner et al., Nature Machine Intelligence 2020, Fig. 5j). Whether the paper scaled states to
unit variance is not known, so both are told. A network that copies the wheel into every unit has
a share of 1: low-dimensional is not the same as understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

# read off Fig. 5j of the NCP paper; its networks drove another car, on real roads
PAPER: Mapping[str, float] = MappingProxyType(
    {'LSTM': 0.51, 'CT-RNN': 0.60, 'CNN': 0.83, 'NCP': 0.92})
PAPER_NAME = {'ltc': 'NCP', 'mixed_ltc': 'NCP', 'lstm': 'LSTM', 'cnn': 'CNN'}
UNITS, DRAWS = 19, 50                      # units taken by chance of larger networks


@dataclass(frozen=True)
class Components:
    """Shares of the first component; ``of_19`` is the mean over draws of 19 units, if larger."""

    frames: int
    units: int
    share: float
    share_scaled: float
    participation: float                   # (sum l)^2 / sum l^2: 1 to units
    share_of_19: float | None
    share_of_19_scaled: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def components(states: np.ndarray, *, seed: int = 0) -> Components:
    """Return the components of ``states`` (T, N); a state that never changes has share 0."""
    values = spectrum(states)
    rng = np.random.default_rng(seed)
    draws = [rng.choice(states.shape[1], UNITS, replace=False) for _ in range(DRAWS)
             ] if states.shape[1] > UNITS else []
    return Components(
        len(states), states.shape[1], first_share(values),
        first_share(spectrum(scaled(states))), participation_ratio(values),
        _mean([first_share(spectrum(states[:, chosen])) for chosen in draws]),
        _mean([first_share(spectrum(scaled(states[:, chosen]))) for chosen in draws]))


def spectrum(states: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of the covariance of ``states`` (T, N), largest first."""
    centred = states - states.mean(axis=0)
    return np.linalg.svd(centred, compute_uv=False) ** 2 / max(len(states), 1)


def scaled(states: np.ndarray) -> np.ndarray:
    """Return states with each unit's variance 1; units that never change are left out."""
    spread = states.std(axis=0)
    moving = spread > 1e-12
    return (states[:, moving] - states[:, moving].mean(axis=0)) / spread[moving]


def first_share(eigenvalues: np.ndarray) -> float:
    """Return the share of the first in all; 0 where nothing varies."""
    total = float(eigenvalues.sum())
    return float(eigenvalues[0]) / total if total > 0.0 else 0.0


def participation_ratio(eigenvalues: np.ndarray) -> float:
    """Return by how many components as large as each other the same spread could be made."""
    squares = float((eigenvalues**2).sum())
    return float(eigenvalues.sum()) ** 2 / squares if squares > 0.0 else 0.0


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
