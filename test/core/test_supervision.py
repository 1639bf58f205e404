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
"""When a manager acts, when it waits, and when it gives up: told as stories with a clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.supervision import (
    ACTIVE,
    AWAY,
    INACTIVE,
    SupervisionRules,
    UNCONFIGURED,
    Watched,
)

RULES = SupervisionRules(answer_s=1.0, patience_s=15.0, most_deaths=2, window_s=60.0)


def test_a_node_is_led_to_active_once() -> None:
    watched = Watched(RULES, since=0.0)
    assert watched.check(now=0.1) == ''
    watched.hear(UNCONFIGURED, now=0.2)
    assert watched.check(now=0.2) == 'configure'
    watched.hear(INACTIVE, now=0.4)
    assert watched.check(now=0.4) == 'activate'
    watched.hear(ACTIVE, now=0.6)
    assert watched.check(now=0.6) == ''
    assert (watched.deaths, watched.given_up) == (0, '')


def test_who_makes_it_inactive_means_it() -> None:
    watched = Watched(RULES, since=0.0)
    watched.hear(ACTIVE, now=0.0)
    for second in range(1, 100):
        watched.hear(INACTIVE, now=float(second))
        assert watched.check(now=float(second)) == ''
    assert not watched.given_up


def test_a_node_that_comes_back_in_time_is_led_again() -> None:
    watched = Watched(RULES, since=0.0)
    watched.hear(ACTIVE, now=0.0)
    assert watched.check(now=0.9) == ''
    assert watched.state == ACTIVE
    watched.check(now=1.1)
    assert (watched.state, watched.deaths) == (AWAY, 1)
    watched.hear(UNCONFIGURED, now=4.0)
    assert watched.check(now=4.0) == 'configure'
    watched.hear(INACTIVE, now=4.2)
    assert watched.check(now=4.2) == 'activate'
    watched.hear(ACTIVE, now=4.4)
    watched.check(now=4.4)
    assert (watched.deaths, watched.given_up) == (1, '')


def test_a_new_process_that_answers_at_once_is_a_death_too() -> None:
    watched = Watched(RULES, since=0.0)
    watched.hear(ACTIVE, now=0.0)
    watched.hear(UNCONFIGURED, now=0.5)
    assert watched.deaths == 1
    assert watched.check(now=0.5) == 'configure'


def test_a_watcher_that_had_no_turn_does_not_blame_whom_it_watches() -> None:
    watched = Watched(RULES, since=0.0)
    watched.hear(ACTIVE, now=0.0)
    watched.excuse(20.0)
    watched.check(now=20.9)
    assert (watched.state, watched.deaths, watched.given_up) == (ACTIVE, 0, '')
    watched.check(now=21.1)                # silence on top of it counts
    assert (watched.state, watched.deaths) == (AWAY, 1)


def test_away_too_long_is_given_up_for_good() -> None:
    watched = Watched(RULES, since=0.0)
    watched.check(now=14.9)
    assert not watched.given_up
    watched.check(now=15.1)
    assert 'away for 15 s' in watched.given_up
    watched.hear(ACTIVE, now=16.0)
    watched.check(now=16.0)
    assert watched.given_up


def test_one_that_never_becomes_active_is_given_up_though_it_answers() -> None:
    watched = Watched(RULES, since=0.0)
    for tenth in range(160):
        watched.hear(UNCONFIGURED, now=0.1 * tenth)
        assert watched.check(now=0.1 * tenth) == 'configure'
    assert 'unconfigured' in watched.given_up


@given(st.lists(st.floats(0.5, 50.0), min_size=1, max_size=12))
def test_deaths_within_the_window_are_counted_as_by_hand(gaps: list[float]) -> None:
    watched, now, died, expected = Watched(RULES, since=0.0), 0.0, [], False
    for gap in gaps:
        watched.hear(ACTIVE, now=now)
        now += gap
        watched.hear(ACTIVE, now=now)
        watched.hear(UNCONFIGURED, now=now)
        died.append(now)
        watched.check(now=now)
        expected |= sum(now - time <= RULES.window_s for time in died) > RULES.most_deaths
        assert bool(watched.given_up) == expected
    assert watched.deaths == len(gaps)
