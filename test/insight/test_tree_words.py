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
"""Words against what a person would say of the same numbers."""

from __future__ import annotations

import math

from ltc_control.insight.tree_variables import CAR, Variable
from ltc_control.insight.tree_words import condition, sentence, steering
from ltc_control.insight.trees import Interval
import pytest

INF = math.inf
BY_KEY = {variable.key: variable for variable in CAR}


def test_the_sentence_of_the_issue() -> None:
    """Left where the road bends left ahead and the car points right."""
    box = {4: Interval(0.04, INF), 1: Interval(-INF, math.radians(-3.0))}
    assert sentence(0.05, box, CAR) == (
        'steers left: road curves left 10 m ahead > 0.04 1/m, heading right > 3°')


@pytest.mark.parametrize(('key', 'low', 'high', 'words'), [
    ('curvature_0m', 0.01, 0.03, 'road curves left here 0.01 to 0.03 1/m'),
    ('curvature_5m', -INF, -0.02, 'road curves right 5 m ahead > 0.02 1/m'),
    ('curvature_10m', -0.03, -0.01, 'road curves right 10 m ahead 0.01 to 0.03 1/m'),
    ('curvature_0m', -0.01, 0.02, 'curvature here between 0.01 1/m right and 0.02 1/m left'),
    ('curvature_0m', -INF, 0.02, 'curvature here at most 0.02 1/m left'),
    ('offset', 0.2, INF, 'car left of the lane centre > 0.2 m'),
    ('offset', -0.1, INF, 'offset at most 0.1 m right'),
    ('yaw_rate', -INF, -0.3, 'turning right > 0.3 rad/s'),
    ('speed', 6.0, 8.0, 'speed 6 to 8 m/s'),
    ('speed', -INF, 8.0, 'speed <= 8 m/s'),
    ('speed', 6.5, INF, 'speed > 6.5 m/s'),
])
def test_each_kind_of_interval(key: str, low: float, high: float, words: str) -> None:
    assert condition(BY_KEY[key], Interval(low, high)) == words


def test_seasons_and_memory() -> None:
    night = Variable('season:night', 'season', '', name='night')
    assert condition(night, Interval(0.5, INF)) == 'it is night'
    assert condition(night, Interval(-INF, 0.5)) == 'it is not night'
    ago = Variable('speed_0.5s_ago', 'speed', 'm/s', ago_s=0.5)
    assert condition(ago, Interval(6.0, INF)) == 'speed > 6 m/s 0.5 s ago'


def test_the_wheel() -> None:
    assert [steering(k) for k in (0.03, -0.03, 0.001)] == [
        'steers left', 'steers right', 'goes straight']
    assert sentence(-0.03, {}, CAR) == 'steers right: always'


def test_a_sentence_keeps_to_the_first_conditions() -> None:
    box = {k: Interval(0.1, INF) for k in (5, 0, 1, 6)}
    said = sentence(0.03, box, CAR)
    assert said.startswith('steers left: speed > 0.1 m/s, car left of the lane centre')
    assert 'turning' not in said
