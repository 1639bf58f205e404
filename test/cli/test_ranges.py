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
"""Lists and bars of the command line."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.cli.progress import progress_bar
from ltc_control.cli.ranges import parse_numbers, parse_seasons
from ltc_control.core.errors import ConfigError
import pytest


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 12)), min_size=1, max_size=5))
def test_ranges_count_both_ends(parts: list[tuple[int, int]]) -> None:
    text = ','.join(f'{low}:{low + more}' if more else str(low) for low, more in parts)
    expected: list[int] = []
    for low, more in parts:
        number = low
        while number <= low + more:
            expected.append(number)
            number += 1
    assert parse_numbers(text) == expected


@pytest.mark.parametrize(('text', 'said'), [
    ('', "not a number or a range: ''"), ('a', "'a'"), ('3,', "''"), ('1:2:3', "'1:2:3'"),
    (':5', "':5'"), ('1.5', "'1.5'"), ('5:3', "range runs backwards: '5:3'; write 3:5"),
])
def test_what_is_no_range_is_shown_and_a_right_one_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_numbers(text)
    assert said in str(caught.value)
    assert '; write ' in str(caught.value)


def test_seasons() -> None:
    assert parse_seasons('summer, night,') == ['summer', 'night']
    with pytest.raises(ConfigError, match=r"unknown season 'monsoon'; use some of .*winter"):
        parse_seasons('summer,monsoon')
    with pytest.raises(ConfigError, match="no season in ' ,'"):
        parse_seasons(' ,')


def test_a_log_gets_a_first_and_a_last_line_and_few_between(
        capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar('working', total=500) as advance:
        for number in range(100):
            advance(f'item {number}', steps=5)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('working 5/500 after ')
    assert lines[0].endswith('item 0')
    assert lines[1].startswith('working 500/500 after ')
    assert lines[1].endswith('item 99')
