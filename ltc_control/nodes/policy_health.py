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
"""What the policy node reports of itself once a second: input, time, state, processor."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from ltc_control.core.contracts import Decision
from ltc_control.core.model_file import ModelSpec
from ltc_control.core.policy import Policy
from ltc_control.nodes.vitals import Vitals
import numpy as np

KEPT = 1000                                # newest figures that percentiles are taken of
LONGEST_LATENCY_MS = 10_000.0              # beyond, the camera has another clock than this node


class PolicyHealth:
    """Collects figures of one policy; ``values`` are those of the report."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._vitals = Vitals()
        self._step_ms: deque[float] = deque(maxlen=KEPT)
        self._latency_ms: deque[float] = deque(maxlen=KEPT)
        self._dt_ms: deque[float] = deque(maxlen=KEPT)
        self._state: np.ndarray | None = None
        self._is_frozen = False

    def heard(self, name: str) -> None:
        """Count an event for the rates: image, imu, command."""
        self._vitals.count(name)

    def stepped(self, decision: Decision, *, milliseconds: float) -> None:
        """Note a step of the policy and what it took."""
        self.counts['frames'] += 1
        self._step_ms.append(milliseconds)
        self._dt_ms.append(1e3 * decision.dt_s)
        self._state = decision.state

    def sent(self, *, stamp_ns: int, now_ns: int) -> None:
        """Note the age of a frame when its command went out."""
        self.counts['commands'] += 1
        self._vitals.count('command')
        latency = 1e-6 * (now_ns - stamp_ns)
        if 0.0 <= latency <= LONGEST_LATENCY_MS:
            self._latency_ms.append(latency)

    def refuse(self, kind: str) -> None:
        """Count a frame that got no command because of its ``kind``: image or imu."""
        self.counts[f'refused_{kind}'] += 1

    def frozen(self) -> None:
        """Count a frame that got a stop because the picture did not change on the move."""
        self.counts['frozen'] += 1
        self._is_frozen = True

    def warning(self) -> str:
        """Return what is wrong in words, or nothing; a frozen camera since the last report."""
        refused = self.counts['refused_image'] + self.counts['refused_imu']
        said = ['the camera is frozen'] * self._is_frozen
        said += [f'{refused} frames refused'] * bool(refused)
        self._is_frozen = False
        return ', '.join(said)

    def values(self, policy: Policy | None, spec: ModelSpec | None) -> dict[str, object]:
        """Return the figures by name; those of the policy only while it is there."""
        values: dict[str, object] = {**self.counts, **self._vitals.take()}
        for name, figures in (('step_ms', self._step_ms), ('latency_ms', self._latency_ms),
                              ('dt_ms', self._dt_ms)):
            values |= percentiles(name, figures)
        if policy is not None and spec is not None:
            values |= {f'case_{case.value}': count for case, count in policy.counts.items()}
            values |= {'model': spec.name, 'model_hash': spec.digest[:16]}
            if self._state is not None and spec.envelope_low is not None:
                values['envelope_room'] = round(envelope_room(self._state, spec), 4)
        return values


def percentiles(name: str, figures: Iterable[float]) -> dict[str, object]:
    """Return ``<name>_p50`` and ``<name>_p99``, or nothing where there are no figures."""
    listed = list(figures)
    if not listed:
        return {}
    p50, p99 = np.percentile(listed, (50, 99))
    return {f'{name}_p50': round(float(p50), 3), f'{name}_p99': round(float(p99), 3)}


def envelope_room(state: np.ndarray, spec: ModelSpec) -> float:
    """
    Return how far the state (N,) stays inside its envelope: 0.5 in the middle, 0 on the border.

    The nearest neuron counts; a share of the width of its own range, negative outside.
    """
    low = np.asarray(spec.envelope_low, np.float64)
    high = np.asarray(spec.envelope_high, np.float64)
    width = np.maximum(high - low, 1e-12)
    return float(np.min(np.minimum(state - low, high - state) / width))
