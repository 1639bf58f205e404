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
Focus as a number: how much of a map lies on what matters, and how little noise moves it.

mass         sum of S in the mask / sum of S
enrichment   mass / area share of the mask; 1 is chance
spread       entropy of S / sum(S) by log(number of pixels); 1 is a uniform map
SSIM         of two maps, both rescaled with their common minimum and maximum, data range 1,
             uniform windows of 7x7, sample covariance (Wang et al. 2004, C1 = 0.01^2, C2 = 0.03^2)

A mask of a road is rich in edges, so each number means something only beside its controls: an
edge filter, an untrained network, and the other models with the same head.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
from ltc_control.insight.resampling import bootstrap
import numpy as np

WINDOW = 7                                     # pixels, the default of scikit-image
C1, C2 = 0.01**2, 0.03**2
DIGITS = 4


def mass(values: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of a map (H, W) >= 0 that lies in ``mask`` (H, W) bool."""
    return float(values[mask].sum(dtype=float) / values.sum(dtype=float))


def spread(values: np.ndarray) -> float:
    """Return the entropy of a map by that of a uniform one, 0 to 1."""
    p = values[values > 0].astype(float).ravel()
    p /= p.sum()
    return float(-(p * np.log(p)).sum() / np.log(values.size))


def centre(values: np.ndarray) -> np.ndarray:
    """Return where the centre of mass of a map is: row, column."""
    total = values.sum(dtype=float)
    rows, columns = np.indices(values.shape)
    return np.array([(rows * values).sum() / total, (columns * values).sum() / total])


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Return the structural similarity of two maps (H, W): 1 for equal ones."""
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    if not high > low:
        return 1.0
    x, y = ((np.asarray(m, float) - low) / (high - low) for m in (a, b))

    def mean(values: np.ndarray) -> np.ndarray:
        half = WINDOW // 2                     # whole windows only
        whole = cv2.boxFilter(values, -1, (WINDOW, WINDOW), normalize=True)
        return whole[half:-half, half:-half]

    sample = WINDOW**2 / (WINDOW**2 - 1)
    mx, my = mean(x), mean(y)
    vx, vy = sample * (mean(x * x) - mx * mx), sample * (mean(y * y) - my * my)
    vxy = sample * (mean(x * y) - mx * my)
    found = ((2 * mx * my + C1) * (2 * vxy + C2)) / ((mx**2 + my**2 + C1) * (vx + vy + C2))
    return float(found.mean())


def edges(rgb: np.ndarray) -> np.ndarray:
    """Return the gradient magnitude (H, W) of an image: a map that nobody had to learn."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))


@dataclass
class FocusTally:
    """
    Gathers the numbers of one kind of map of one model, frame by frame.

    ``see`` takes the map of a clean frame, None where it is empty; it is counted and left out.
    """

    frames: int = 0
    empty: int = 0
    unmasked: int = 0                          # frames in which the mask was empty
    _masses: list[tuple[float, float]] = field(default_factory=list)
    _spreads: list[float] = field(default_factory=list)
    _noisy: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))
    _floor: list[float] = field(default_factory=list)
    _last: np.ndarray | None = None

    def see(self, values: np.ndarray | None, mask: np.ndarray,
            noisy: Mapping[float, np.ndarray | None]) -> None:
        """Take the map of one frame, where the road is, and the maps under noise by variance."""
        self.frames += 1
        if values is None or not values.sum() > 0:
            self.empty += 1
            return
        if mask.any():
            self._masses.append((mass(values, mask), float(mask.mean())))
        else:
            self.unmasked += 1
        self._spreads.append(spread(values))
        for variance, other in noisy.items():
            if other is not None:
                self._noisy[variance].append(ssim(values, other))
        if self._last is not None:
            self._floor.append(ssim(values, self._last))
        self._last = values

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers; intervals are 95 % of a bootstrap over frames."""
        shares = np.array(self._masses).reshape(-1, 2)
        return {
            'frames': self.frames, 'empty': self.empty, 'without_mask': self.unmasked,
            'mass': _mean(shares[:, 0]), 'mass_interval': _interval(shares[:, 0]),
            'area': _mean(shares[:, 1]),
            'enrichment': _ratio(shares), 'spread': _mean(np.array(self._spreads)),
            'ssim': {f'{variance:g}': _mean(np.array(found))
                     for variance, found in self._noisy.items()},
            'ssim_floor': _mean(np.array(self._floor))}


def _mean(values: np.ndarray) -> float | None:
    return round(float(values.mean()), DIGITS) if len(values) else None


def _ratio(shares: np.ndarray) -> float | None:
    return round(float(shares[:, 0].mean() / shares[:, 1].mean()), 3) if len(shares) else None


def _interval(values: np.ndarray) -> list[float] | None:
    found = bootstrap(lambda index: float(values[index].mean()), len(values))
    return None if found is None else [round(end, DIGITS) for end in found]
