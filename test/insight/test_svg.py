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
"""Charts as SVG: what stands where, checked by reading the picture back."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ltc_control.insight import svg
import numpy as np
import pytest

VALUES = st.floats(-1e3, 1e3, allow_subnormal=False)


@given(arrays(float, st.integers(1, 4000), elements=VALUES))
def test_a_thinned_line_keeps_ends_and_extremes(values: np.ndarray) -> None:
    times = np.arange(len(values)) / 30
    kept_times, kept = svg.thinned(times, values)
    assert len(kept) <= 2 * svg.MOST_BINS
    assert (np.diff(kept_times) > 0).all()
    assert (kept_times[0], kept_times[-1]) == (times[0], times[-1])
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    where = np.searchsorted(times, kept_times)
    np.testing.assert_array_equal(values[where], kept)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(2, 12))
def test_ticks_are_few_round_and_inside(low: float, span: float, count: int) -> None:
    ticks = svg.nice(low, low + span, count)
    assert len(ticks) <= count + 1
    assert (ticks >= low - 1e-6 * span).all()
    assert (ticks <= low + span + 1e-6 * span).all()
    if len(ticks) > 1:
        step = np.diff(ticks)[0]
        assert step / 10.0 ** np.floor(np.log10(step) + 1e-9) == pytest.approx(
            round(step / 10.0 ** np.floor(np.log10(step) + 1e-9)), abs=1e-6)


def test_a_line_is_where_its_values_are_and_breaks_where_there_are_none() -> None:
    times = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    values = np.array([0.0, 10.0, np.nan, 10.0, 0.0])
    drawn = svg.chart([svg.Line(times, values, 'asked', 'asked')], seconds=4.0, label='a < b',
                      low=0.0, high=10.0, height=100.0)
    tree = ET.fromstring(drawn)
    lines = [[tuple(map(float, point.split(','))) for point in line.get('points').split()]
             for line in tree.iter('polyline')]
    assert [len(line) for line in lines] == [2, 2]
    assert lines[0][0][0] == svg.LEFT
    assert lines[1][1][0] == svg.WIDTH - svg.RIGHT
    assert lines[0][0][1] == lines[1][1][1] == 100.0 - svg.BOTTOM
    assert lines[0][1][1] == lines[1][0][1] < 20.0
    assert tree.get('aria-label') == 'a < b'
