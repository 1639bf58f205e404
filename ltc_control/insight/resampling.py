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
"""Intervals and tests that ask nothing of a distribution: the bootstrap and the sign test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap(statistic: Callable[[np.ndarray], float], count: int, *,
              seed: int = 0) -> tuple[float, float] | None:
    """
    Return the 95 % percentile interval of ``statistic`` of indices drawn with replacement.

    ``statistic`` takes indices (count,) and returns a number; what is not finite is left out.
    None for fewer than two units to draw from.
    """
    if count < 2:
        return None
    rng = np.random.default_rng(seed)
    drawn = np.array([statistic(rng.integers(0, count, count)) for _ in range(RESAMPLES)])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, (0.5 - LEVEL / 2, 0.5 + LEVEL / 2))
    return float(low), float(high)


def sign_test(differences: Sequence[float]) -> float:
    """Return the two-sided p of as uneven a split of signs by a fair coin; zeros do not count."""
    positive = sum(value > 0 for value in differences)
    negative = sum(value < 0 for value in differences)
    count, fewer = positive + negative, min(positive, negative)
    if not count:
        return 1.0
    # logarithms: 0.5 ** 1100 is no number any more
    tail = sum(math.exp(math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
                        - count * math.log(2.0)) for k in range(fewer + 1))
    return min(1.0, 2.0 * tail)
