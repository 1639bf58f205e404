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
A camera that fails now and then: frames go black or freeze, while their stamps run on.

Faults begin at random moments (a Poisson process with the given mean interval between the end of
one and the start of the next) and last a fixed time. The generator belongs to the fault, so the
same seed blinds every policy at the same moments.
"""

from __future__ import annotations

from dataclasses import replace

from ltc_control.core.contracts import Frame
from ltc_control.core.errors import SimulationError
import numpy as np

KINDS = ('black', 'frozen')


class CameraFault:
    """Applied to successive frames of one drive; ``active`` says whether the last was faulty."""

    def __init__(self, *, kind: str = 'black', seconds: float, mean_interval_s: float = 10.0,
                 seed: int = 0) -> None:
        if kind not in KINDS:
            raise SimulationError(f'unknown camera fault {kind!r}; use {" or ".join(KINDS)}')
        if not (seconds >= 0.0 and mean_interval_s > 0.0):
            raise SimulationError('a camera fault needs seconds >= 0 and mean_interval_s > 0, '
                                  f'got {seconds!r} and {mean_interval_s!r}')
        self.kind, self.seconds, self.mean_interval_s = kind, seconds, mean_interval_s
        self._rng = np.random.default_rng([seed, 4])
        self._begin_ns: int | None = None
        self._last: np.ndarray | None = None
        self.active = False
        self.count = 0                     # faults begun

    def apply(self, frame: Frame) -> Frame:
        """Return the frame as the faulty camera gives it: same stamp, perhaps another picture."""
        if self._begin_ns is None:
            self._begin_ns = frame.stamp_ns + self._wait_ns()
        end_ns = self._begin_ns + round(self.seconds * 1e9)
        if frame.stamp_ns >= end_ns:
            self._begin_ns = end_ns + self._wait_ns()
            end_ns = self._begin_ns + round(self.seconds * 1e9)
        was_active = self.active
        self.active = self._begin_ns <= frame.stamp_ns < end_ns
        self.count += int(self.active and not was_active)
        if not self.active:
            self._last = frame.rgb
            return frame
        if self.kind == 'frozen' and self._last is not None:
            return replace(frame, rgb=self._last)
        return replace(frame, rgb=np.zeros_like(frame.rgb))

    def _wait_ns(self) -> int:
        return round(1e9 * self._rng.exponential(self.mean_interval_s))
