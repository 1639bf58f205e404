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
"""A target that is out of sight now and then: for how long, how often, and what is seen of it."""

from __future__ import annotations

from itertools import groupby
import math

from ltc_control.core.errors import SimulationError
from ltc_control.sim.flight import FlightEnvironment, FlightSpec
from ltc_control.sim.vanishing import BETWEEN_S, SHORTEST, Vanishing
import numpy as np
import pytest

RATE = 30


def absences(longest_s: float, seed: int, *, seconds: int) -> list[tuple[bool, float]]:
    """Return (gone, how long [s]) in turn."""
    one = Vanishing(longest_s, np.random.default_rng(seed))
    told = [one.gone(k / RATE) for k in range(seconds * RATE)]
    return [(gone, len(list(run)) / RATE) for gone, run in groupby(told)]


def test_absences_last_as_long_as_they_may_and_come_as_often_as_they_should() -> None:
    runs = absences(2.0, 7, seconds=20_000)[1:-1]
    gone = [length for away, length in runs if away]
    there = [length for away, length in runs if not away]
    assert min(gone) >= 2.0 * SHORTEST - 1 / RATE
    assert max(gone) <= 2.0 + 1 / RATE
    assert np.mean(there) == pytest.approx(BETWEEN_S, rel=0.1)


def test_it_is_there_at_first_and_the_seed_says_when_it_goes() -> None:
    assert not absences(2.0, 3, seconds=10)[0][0]
    assert absences(2.0, 3, seconds=60) == absences(2.0, 3, seconds=60)
    assert absences(2.0, 3, seconds=60) != absences(2.0, 4, seconds=60)


def test_never_and_always() -> None:
    assert absences(0.0, 1, seconds=60) == [(False, 60.0)]
    assert absences(math.inf, 1, seconds=60) == [(True, 60.0)]


@pytest.mark.parametrize('bad', [-1.0, math.nan])
def test_it_refuses_a_time_that_is_none(bad: float) -> None:
    with pytest.raises(SimulationError, match='hides'):
        Vanishing(bad, np.random.default_rng(0))


def test_what_has_vanished_is_neither_drawn_nor_in_view() -> None:
    with (FlightEnvironment(FlightSpec(5, task='follow')) as there,
          FlightEnvironment(FlightSpec(5, task='follow', hidden_s=math.inf)) as gone):
        seen, hidden = there.reset(), gone.reset()
        assert seen.truth.in_view
        assert there.target_mask().any()
        assert not hidden.truth.in_view
        assert not gone.target_mask().any()
        assert (seen.frame.rgb != hidden.frame.rgb).any()
        assert hidden.truth.distance == seen.truth.distance      # it is told where it would be
