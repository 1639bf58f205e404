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
"""A picture that stands still while the vehicle moves: counted in seconds of motion."""

from __future__ import annotations

from ltc_control.core.contracts import Odometry
from ltc_control.core.frozen import FrozenPicture, is_moving
import numpy as np
import pytest

PERIOD_NS = 33_333_333


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (108, 192, 3), np.uint8)


def shown(seeds: list[int], *, moving: bool = True) -> list[float]:
    watch = FrozenPicture()
    return [watch.see(picture(seed), k * PERIOD_NS, moving=moving)
            for k, seed in enumerate(seeds)]


def test_pictures_that_differ_count_nothing() -> None:
    assert shown(list(range(40))) == [0.0] * 40


def test_equal_pictures_count_their_time_until_another_comes() -> None:
    assert shown([1, 2, 2, 2, 3, 3]) == pytest.approx([0, 0, 1 / 30, 2 / 30, 0, 1 / 30])


def test_a_vehicle_that_stands_may_see_the_same_for_ever() -> None:
    assert shown([5] * 100, moving=False) == [0.0] * 100


def test_what_was_counted_stays_while_it_stands() -> None:
    watch = FrozenPicture()
    for k in range(31):
        watch.see(picture(1), k * PERIOD_NS, moving=True)
    assert watch.see(picture(1), 31 * PERIOD_NS, moving=False) == pytest.approx(1.0)
    assert watch.see(picture(2), 32 * PERIOD_NS, moving=False) == 0.0


def test_it_keeps_a_copy_of_what_it_was_shown() -> None:
    watch, one = FrozenPicture(), picture(1)
    watch.see(one, 0, moving=True)
    one[:] = picture(2)                    # the buffer of the driver is used again
    assert watch.see(one, PERIOD_NS, moving=True) == 0.0


def test_stamps_that_go_back_count_nothing() -> None:
    watch = FrozenPicture()
    watch.see(picture(1), PERIOD_NS, moving=True)
    assert watch.see(picture(1), 0, moving=True) == 0.0


@pytest.mark.parametrize(('odometry', 'wanted'), [
    (Odometry(0, 9.0, 9.0, 1.0, 0.0, 0.0, 3.0), False),
    (Odometry(0, 0.0, 0.0, 0.0, -0.5, 0.0), True),
    (Odometry(0, 0.0, 0.0, 0.0, 0.0, 0.3), True),
    (Odometry(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5), True),
    (Odometry(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.5), True),
    (Odometry(0, 0.0, 0.0, 0.0, float('nan'), 0.0), False),
])
def test_moving_is_any_speed_or_turn(odometry: Odometry, wanted: bool) -> None:
    assert is_moving(odometry) is wanted
