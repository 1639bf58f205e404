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
"""Components of states whose covariance is known."""

from __future__ import annotations

from ltc_control.insight.components import components, first_share, participation_ratio, spectrum
import numpy as np
import pytest


def test_shares_of_a_known_covariance() -> None:
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    white = rng.normal(size=(50000, 4))
    found = components(3.0 + (white * np.sqrt([6.0, 2.0, 1.0, 1.0])) @ turn)
    assert found.share == pytest.approx(0.6, abs=0.01)
    assert found.participation == pytest.approx(100 / 42, rel=0.02)
    assert (found.units, found.share_of_19) == (4, None)


def test_the_spectrum_is_that_of_the_covariance_matrix() -> None:
    states = np.random.default_rng(1).normal(size=(300, 7)) @ np.diag(np.arange(1.0, 8.0))
    expected = np.linalg.eigvalsh(np.cov(states.T, bias=True))[::-1]
    np.testing.assert_allclose(spectrum(states), expected, rtol=1e-9)


def test_copies_of_one_signal_are_one_component() -> None:
    wheel = np.random.default_rng(2).normal(size=(200, 1))
    found = components(wheel @ np.array([[1.0, -3.0, 100.0]]))
    assert found.share == found.share_scaled == pytest.approx(1.0)
    assert found.participation == pytest.approx(1.0)


def test_scaling_hears_the_quiet_units() -> None:
    states = np.random.default_rng(3).normal(size=(5000, 2)) * [10.0, 0.1]
    found = components(states)
    assert found.share > 0.999
    assert found.share_scaled == pytest.approx(0.5, abs=0.02)


def test_units_that_never_move_and_nothing_at_all() -> None:
    still = np.ones((50, 3))
    assert components(still).share == 0.0
    moving = still + np.random.default_rng(4).normal(size=(50, 1)) * [1.0, 0.0, 0.0]
    assert components(moving).share_scaled == pytest.approx(1.0)


def test_nineteen_units_of_many() -> None:
    states = np.random.default_rng(5).normal(size=(2000, 64))
    found = components(states)
    assert found.share_of_19 > found.share          # fewer units, a larger share each
    assert found.share_of_19 == pytest.approx(1 / 19, abs=0.02)
    assert components(states) == found
    assert participation_ratio(np.ones(5)) == 5.0
    assert first_share(np.zeros(3)) == 0.0
