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
"""Pushes on the wheel: seeded, bounded in what they shift, as wide as was asked."""

from __future__ import annotations

from itertools import groupby

from ltc_control.core.contracts import Command
from ltc_control.training.disturbance import Disturbance, DisturbanceConfig
import numpy as np
import pytest

DT_S = 1 / 30
SPEED = 8.0
BURSTS_ONLY = DisturbanceConfig(wander=0.0, burst_interval_s=1.0, speed_factor=(1.0, 1.0))
WANDER_ONLY = DisturbanceConfig(burst_interval_s=1e9, wander=0.004, wander_seconds=0.7)


def pushes(config: DisturbanceConfig, *, seed: int, frames: int) -> np.ndarray:
    """Return the curvature (frames,) that is added to a straight drive."""
    disturbance = Disturbance(config, rng=np.random.default_rng(seed), dt_s=DT_S)
    return np.array([disturbance.apply(Command(0, 0.0, SPEED)).curvature for _ in range(frames)])


def test_one_seed_one_stream() -> None:
    first = pushes(DisturbanceConfig(), seed=4, frames=400)
    assert pushes(DisturbanceConfig(), seed=4, frames=400).tobytes() == first.tobytes()
    assert pushes(DisturbanceConfig(), seed=5, frames=400).tobytes() != first.tobytes()


def test_it_adds_to_the_command_and_keeps_its_stamp() -> None:
    still, turning = (Disturbance(DisturbanceConfig(), rng=np.random.default_rng(1), dt_s=DT_S)
                      for _ in range(2))
    for frame in range(200):
        a, b = still.apply(Command(frame, 0.0, SPEED)), turning.apply(Command(frame, 0.03, SPEED))
        assert b.curvature - a.curvature == pytest.approx(0.03)
        assert (a.stamp_ns, b.stamp_ns) == (frame, frame)
        assert a.speed == b.speed


def test_a_burst_shifts_the_car_by_no_more_than_asked() -> None:
    curvature = pushes(BURSTS_ONLY, seed=2, frames=20_000)
    shifts, lengths = [], []
    for pushed, run in groupby(curvature, key=lambda value: value):
        if pushed:
            # lateral motion of a car at SPEED, summed step by step from rest
            rate = shift = 0.0
            for value in (run := list(run)):
                rate += value * SPEED ** 2 * DT_S
                shift += rate * DT_S
            shifts.append(abs(shift))
            lengths.append(len(run) * DT_S)
    assert len(shifts) > 200
    # a burst lasts whole frames, so the shortest of 0.2 s may last one more: (7/6)^2, and the sum
    # overshoots the integral by one step in seven
    assert max(shifts) < BURSTS_ONLY.burst_shift_m * (7 / 6) ** 2 * (8 / 7)
    assert max(shifts) > 0.7 * BURSTS_ONLY.burst_shift_m
    assert np.abs(curvature).max() <= 0.06
    assert min(lengths) >= 0.2 - 1e-9
    assert max(lengths) <= 1.0 + DT_S + 1e-9


def test_bursts_push_to_both_sides_as_often_as_asked() -> None:
    curvature = pushes(BURSTS_ONLY, seed=3, frames=60_000)
    starts = np.flatnonzero((curvature[1:] != 0) & (curvature[:-1] == 0))
    # a mean pause of 1 s and a mean burst of 0.6 s
    assert len(starts) == pytest.approx(60_000 * DT_S / 1.6, rel=0.1)
    left = (curvature[starts + 1] > 0).mean()
    assert left == pytest.approx(0.5, abs=0.06)


def test_wander_has_the_width_and_the_memory_of_its_process() -> None:
    wander = pushes(WANDER_ONLY, seed=6, frames=100_000)
    assert wander.std() == pytest.approx(0.004, rel=0.1)
    one_step = np.corrcoef(wander[1:], wander[:-1])[0, 1]
    assert one_step == pytest.approx(np.exp(-DT_S / 0.7), abs=0.01)


def test_speed_is_scaled_once_and_for_all() -> None:
    factors = set()
    for seed in range(40):
        disturbance = Disturbance(DisturbanceConfig(speed_factor=(0.8, 1.2)),
                                  rng=np.random.default_rng(seed), dt_s=DT_S)
        speeds = {disturbance.apply(Command(0, 0.0, SPEED)).speed for _ in range(20)}
        assert len(speeds) == 1
        factors.add(speeds.pop() / SPEED)
    assert 0.8 <= min(factors) < 0.85 < 1.15 < max(factors) <= 1.2
