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
"""How far decisions left the recorded ones, where and for how long, in numbers."""

from __future__ import annotations

from typing import Any

from ltc_control.insight.what_if import WhatIf
import numpy as np

COMMANDS = ('curvature', 'speed')
UNITS = ('1/m', 'm/s')
BEYOND = (0.005, 0.5)                      # a curve of 200 m radius; a walking pace
WORST, DIGITS = 5, 6


def compare(result: WhatIf, *, beyond: tuple[float, float] = BEYOND) -> dict[str, Any]:
    """
    Return JSON-ready numbers for curvature [1/m], speed [m/s] and the neurons.

    For each command: mean, rms, p95 and max of the absolute difference and when the largest was,
    the correlation with the recording (None where one of both stands still), the share of time
    beyond the threshold, when it was first passed, and the worst stretches beyond it.
    """
    numbers = {name: _command(result, index, beyond[index])
               for index, name in enumerate(COMMANDS)}
    return {'decisions': len(result.stamps_ns), 'stepped': int(result.stepped.sum()),
            'seconds': round(float(result.seconds[-1]), 3), **numbers,
            'neurons': _neurons(result)}


def _command(result: WhatIf, index: int, beyond: float) -> dict[str, Any]:
    ours, theirs = result.other[:, index], result.recorded[:, index]
    error = np.abs(ours - theirs)
    worst = int(np.argmax(error))
    outside = error > beyond
    first = float(result.seconds[np.argmax(outside)]) if outside.any() else None
    return {
        'unit': UNITS[index], 'mean': _round(error.mean()),
        'rms': _round(np.sqrt(np.square(error).mean())),
        'p95': _round(np.percentile(error, 95)), 'max': _round(error[worst]),
        'max_at_s': round(float(result.seconds[worst]), 3),
        'bias': _round((ours - theirs).mean()), 'correlation': _correlation(ours, theirs),
        'threshold': beyond, 'share_beyond': _round(outside.mean()),
        'first_beyond_s': None if first is None else round(first, 3),
        'worst_stretches': stretches(result, index, beyond)[:WORST]}


def stretches(result: WhatIf, index: int, beyond: float) -> list[dict[str, float]]:
    """Return where command ``index`` is beyond the threshold, the highest peak first."""
    error = np.abs(result.other[:, index] - result.recorded[:, index])
    edges = np.flatnonzero(np.diff(np.concatenate(([0], error > beyond, [0])).astype(int)))
    found = [{'from_s': round(float(result.seconds[begin]), 3),
              'to_s': round(float(result.seconds[end - 1]), 3),
              'peak': _round(error[begin:end].max())}
             for begin, end in zip(edges[::2], edges[1::2], strict=True)]
    return sorted(found, key=lambda stretch: -stretch['peak'])


def _neurons(result: WhatIf) -> list[dict[str, Any]]:
    """Return the neurons that leave most, by the mean of the absolute difference."""
    if not result.states.shape[2]:
        return []
    error = np.abs(result.states[:, 1] - result.states[:, 0])
    names = result.names or tuple(str(k) for k in range(error.shape[1]))
    order = np.argsort(-error.mean(axis=0), kind='stable')[:WORST]
    return [{'neuron': names[k], 'mean': _round(error[:, k].mean()),
             'max': _round(error[:, k].max())} for k in order]


def _correlation(ours: np.ndarray, theirs: np.ndarray) -> float | None:
    if not (np.ptp(ours) > 0 and np.ptp(theirs) > 0):
        return None
    return _round(np.corrcoef(ours, theirs)[0, 1])


def _round(value: Any) -> float:
    return round(float(value), DIGITS)
