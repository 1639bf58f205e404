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
From header stamps to time steps: gaps, jumps and repeats, each a named case.

Only differences of header stamps count, never the time of arrival. The rules:

| stamp against the last one        | case           | what the policy does         | dt       |
|-----------------------------------|----------------|------------------------------|----------|
| there is no last one              | FIRST_FRAME    | step from the zero state     | nominal  |
| equal                             | REPEATED_FRAME | hold, no step                | 0        |
| earlier                           | JUMP_BACK      | reset, then step             | nominal  |
| later by up to ``late_s``         | OK             | step                         | true     |
| later by up to ``longest_step_s`` | LONG_STEP      | one long step                | true     |
| later still                       | GAP            | reset, then step             | nominal  |
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.contracts import InputCase
from ltc_control.core.errors import ConfigError

LATE_FACTOR = 1.5                              # of the nominal step: beyond it a frame was lost


@dataclass(frozen=True, slots=True)
class TimingRules:
    """
    The step a model was trained on and the longest it may take at once, in seconds.

    ``late_s`` is where a step starts to count as long; 0 stands for 1.5 nominal steps.
    """

    dt_nominal_s: float
    longest_step_s: float
    late_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse steps that are not finite, not positive or out of order."""
        if self.late_s == 0.0:
            object.__setattr__(
                self, 'late_s', min(LATE_FACTOR * self.dt_nominal_s, self.longest_step_s))
        steps = (self.dt_nominal_s, self.late_s, self.longest_step_s)
        if not all(math.isfinite(s) and s > 0.0 for s in steps) or sorted(steps) != list(steps):
            raise ConfigError(
                f'time steps are nominal {steps[0]!r} s, late {steps[1]!r} s, longest '
                f'{steps[2]!r} s; give 0 < nominal <= late <= longest')


def classify(
    stamp_ns: int, last_ns: int | None, rules: TimingRules,
) -> tuple[InputCase, float]:
    """Return the case of a frame's stamp after ``last_ns`` and its dt [s], never negative."""
    if last_ns is None:
        return InputCase.FIRST_FRAME, rules.dt_nominal_s
    dt_s = (stamp_ns - last_ns) / 1e9
    if dt_s == 0.0:
        return InputCase.REPEATED_FRAME, 0.0
    if dt_s < 0.0:
        return InputCase.JUMP_BACK, rules.dt_nominal_s
    if dt_s <= rules.late_s:
        return InputCase.OK, dt_s
    if dt_s <= rules.longest_step_s:
        return InputCase.LONG_STEP, dt_s
    return InputCase.GAP, rules.dt_nominal_s
