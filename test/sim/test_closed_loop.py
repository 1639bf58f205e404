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
"""The loop for any driver against a count by hand."""

from __future__ import annotations

import math

from ltc_control.core.contracts import Command
from ltc_control.sim.closed_loop import drive_with, Start
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.observation import Observation
import numpy as np
import pytest


@pytest.fixture
def env() -> Environment:
    with Environment(EnvironmentSpec(track=1001, render=False)) as env:
        yield env


def test_the_expert_stays_in_its_lane_from_any_start(env: Environment) -> None:
    runs = [drive_with(env, lambda seen: env.expert.command(seen.truth, seen.odometry),
                       Start(seed, 6.0)) for seed in (0, 1)]
    assert all(run.clean and run.per_km == 0.0 and run.first_departure_s is None for run in runs)
    assert runs[0].distance_m != runs[1].distance_m
    assert all(0.0 < run.mean_abs_offset_m <= run.rms_offset_m < 0.25 for run in runs)


def test_departures_and_errors_are_those_counted_by_hand(env: Environment) -> None:
    def turn(seen: Observation) -> Command:
        return Command(seen.frame.stamp_ns, 0.06, 7.0)

    noted: list[Observation] = []
    run = drive_with(env, turn, Start(3, 8.0), note=noted.append)
    assert len(noted) == 240
    away = [seen.truth.departed for seen in noted[1:]]
    count = sum(now and not before for before, now in zip([False, *away], away, strict=False))
    assert run.departures in (count, count + 1)      # the last frame is answered by nobody
    first = away.index(True) + 1
    assert run.first_departure_s == pytest.approx(first / 30.0)
    offsets = np.array([seen.truth.offset_m for seen in noted[1:]])
    assert run.rms_offset_m == pytest.approx(math.sqrt((offsets**2).mean()), rel=0.02)
    assert run.per_km == pytest.approx(1e3 * run.departures / run.distance_m)


def test_the_same_seed_is_the_same_run(env: Environment) -> None:
    def straight(seen: Observation) -> Command:
        return Command(seen.frame.stamp_ns, 0.0, 6.0)

    first, again = (drive_with(env, straight, Start(5, 3.0)) for _ in range(2))
    assert first == again
