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
"""Every stamp falls in exactly one case, at its boundaries too."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.contracts import InputCase
from ltc_control.core.errors import ConfigError
from ltc_control.core.timing import classify, TimingRules
import pytest

RULES = TimingRules(dt_nominal_s=0.04, longest_step_s=0.5)      # late from 0.06 s
LAST = 1_700_000_000_123_456_789                                # beyond what a double can hold


@pytest.mark.parametrize(('later_ns', 'case', 'dt_s'), [
    (-10**12, InputCase.JUMP_BACK, 0.04),
    (-1, InputCase.JUMP_BACK, 0.04),
    (0, InputCase.REPEATED_FRAME, 0.0),
    (1, InputCase.OK, 1e-9),
    (40_000_000, InputCase.OK, 0.04),
    (60_000_000, InputCase.OK, 0.06),
    (60_000_001, InputCase.LONG_STEP, 0.060000001),
    (500_000_000, InputCase.LONG_STEP, 0.5),
    (500_000_001, InputCase.GAP, 0.04),
    (10**15, InputCase.GAP, 0.04),
])
def test_boundaries(later_ns, case, dt_s):
    assert classify(LAST + later_ns, LAST, RULES) == (case, pytest.approx(dt_s, rel=1e-12))


def test_the_first_frame_takes_the_nominal_step():
    assert classify(LAST, None, RULES) == (InputCase.FIRST_FRAME, 0.04)
    assert classify(0, None, RULES) == (InputCase.FIRST_FRAME, 0.04)


@given(st.integers(-2**62, 2**62), st.integers(-2**62, 2**62))
def test_dt_of_a_step_is_positive_and_bounded(stamp_ns, last_ns):
    case, dt_s = classify(stamp_ns, last_ns, RULES)
    if case is InputCase.REPEATED_FRAME:
        assert stamp_ns == last_ns
    else:
        assert 0.0 < dt_s <= RULES.longest_step_s


@pytest.mark.parametrize('steps', [
    (0.0, 0.5), (-0.04, 0.5), (0.6, 0.5), (float('nan'), 0.5), (0.04, float('inf')),
    (0.04, 0.5, 0.01), (0.04, 0.5, 0.6),
])
def test_contradictory_rules_are_refused(steps):
    with pytest.raises(ConfigError):
        TimingRules(*steps)


def test_the_late_step_never_lies_beyond_the_longest():
    assert TimingRules(0.04, 0.05).late_s == 0.05
