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
"""Made-up networks of which it is known what moves them, and statistics that scipy knows too."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.insight.causes import (
    CALIPER,
    causal_ratio,
    CAUSE,
    DISTRACTOR,
    Effect,
    judge,
    matched_pairs,
    regression,
)
from ltc_control.insight.resampling import bootstrap, sign_test
import numpy as np
import pytest
from scipy.stats import binomtest, linregress

COUNT = 120


def effects(*, lane: float, scenery: float, noise: float = 0.0, seed: int = 0) -> list[Effect]:
    """Return what a network does that follows the lane, and the scenery, so strongly."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(4):
        cause = number < 2
        expert = 0.02 * rng.normal(size=(COUNT, 2)) * cause
        moved = lane * expert + scenery * 0.02 * rng.normal(size=(COUNT, 2)) * (not cause)
        pixels = np.exp(rng.normal(-4.0 if cause else -3.0, 0.8, COUNT))
        found.append(Effect(f'{number}', CAUSE if cause else DISTRACTOR, '', moved
                            + noise * rng.normal(size=(COUNT, 2)), expert, pixels))
    return found


def test_who_follows_the_lane_alone_has_ratio_and_slope_one() -> None:
    found = judge(effects(lane=1.0, scenery=0.0), expert_rms=(0.03, 1.0))
    for name in ('curvature', 'speed'):
        assert found[name]['causal_ratio'] == pytest.approx(1.0)
        assert found[name]['slope'] == pytest.approx(1.0)
        assert found[name]['slope_r2'] == pytest.approx(1.0)
        assert found[name]['distractor_error'] == 0.0
        assert found[name]['sign_test_p'] < 1e-30
    assert found['pairs'] == {CAUSE: 240, DISTRACTOR: 240}
    assert found['curvature']['matched']['causal_ratio'] == pytest.approx(1.0)


def test_who_follows_the_scenery_has_neither() -> None:
    found = judge(effects(lane=0.0, scenery=1.0), expert_rms=(0.03, 1.0))['curvature']
    assert found['causal_ratio'] == pytest.approx(0.0)
    assert found['slope'] == pytest.approx(0.0, abs=1e-9)
    assert found['distractor_error'] == pytest.approx(0.02 * np.sqrt(2 / np.pi) / 0.03, rel=0.1)


def test_the_wrong_sign_shows_in_the_slope_only() -> None:
    found = judge(effects(lane=-1.0, scenery=0.0), expert_rms=(0.03, 1.0))['curvature']
    assert found['causal_ratio'] == pytest.approx(1.0)
    assert found['slope'] == pytest.approx(-1.0)


def test_random_answers_have_ratio_one_half() -> None:
    """As of a network with randomised recurrent weights: it moves, but not with the cause."""
    found = judge(effects(lane=0.0, scenery=0.0, noise=0.01), expert_rms=(0.03, 1.0))['curvature']
    low, high = found['causal_ratio_95']
    assert low < 0.5 < high
    assert high - low < 0.1
    assert found['slope_95'][0] < 0.0 < found['slope_95'][1]
    assert found['sign_test_p'] > 0.01


def test_matching_takes_contrast_out() -> None:
    """A network that answers to changed pixels alone: raw far from one half, matched near."""
    rng = np.random.default_rng(1)
    found = []
    for role, level in ((CAUSE, -5.0), (DISTRACTOR, -3.0)):
        pixels = np.exp(rng.normal(level, 1.2, 600))
        change = np.repeat(np.sqrt(pixels)[:, None], 2, axis=1)
        found.append(Effect(role, role, '', change, np.zeros((600, 2)), pixels))
    judged = judge(found, expert_rms=(1.0, 1.0))['curvature']
    assert judged['causal_ratio'] < 0.35
    assert judged['matched']['pairs'] > 100
    assert judged['matched']['causal_ratio'] == pytest.approx(0.5, abs=0.02)


@given(seed=st.integers(0, 1000), shift=st.floats(-2.0, 2.0))
@settings(max_examples=25, deadline=None)
def test_matched_pairs_are_alike_and_used_once(seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = np.exp(rng.normal(size=30)), np.exp(rng.normal(shift, size=40))
    pairs = matched_pairs(a, b)
    for i, j in pairs:
        assert max(a[i] / b[j], b[j] / a[i]) <= CALIPER * (1 + 1e-9)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def test_regression_is_that_of_scipy() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=50)
    y = 0.7 * x + 0.2 + 0.1 * rng.normal(size=50)
    judge_ = linregress(x, y)
    assert regression(x, y) == pytest.approx((judge_.slope, judge_.intercept, judge_.rvalue**2))
    assert regression(np.ones(5), np.arange(5.0)) == (0.0, 2.0, 0.0)
    assert causal_ratio(0.0, 0.0) == 0.5


@given(positive=st.integers(0, 60), negative=st.integers(0, 60), zeros=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_the_sign_test_is_that_of_scipy(positive: int, negative: int, zeros: int) -> None:
    differences = [1.0] * positive + [-1.0] * negative + [0.0] * zeros
    expected = binomtest(positive, positive + negative).pvalue if positive + negative else 1.0
    assert sign_test(differences) == pytest.approx(expected, rel=1e-6)


def test_the_bootstrap_of_a_mean_is_the_interval_of_theory() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    low, high = bootstrap(lambda chosen: float(values[chosen].mean()), 400)
    error = values.std() / 20.0
    assert (low, high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.1 * error * 2)
    assert bootstrap(lambda chosen: 1.0, 1) is None
