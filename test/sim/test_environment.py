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
"""The loop: time, determinism, interventions, departures, and clear refusals."""

from __future__ import annotations

from itertools import pairwise
import math

from ltc_control.core.contracts import Command
from ltc_control.core.errors import SimulationError
from ltc_control.sim.camera import CameraSpec
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.observation import Observation
import numpy as np
import pytest


def blind(track: int = 1, *, closed: bool = True, rate_hz: float = 30.0) -> Environment:
    return Environment(EnvironmentSpec(track=track, closed=closed, rate_hz=rate_hz, render=False))


def drive(environment: Environment, *, seed: int, frames: int) -> list[Observation]:
    seen = [environment.reset(seed=seed)]
    for _ in range(frames):
        command = environment.expert.command(seen[-1].truth, seen[-1].odometry)
        seen.append(environment.step(command))
    return seen


@pytest.mark.gl
def test_equal_seeds_give_equal_bytes_in_two_worlds_and_in_one_twice() -> None:
    spec = EnvironmentSpec(track=2, season='rain', camera=CameraSpec(noise_var=0.02))
    runs = []
    with Environment(spec) as first:
        runs += [drive(first, seed=5, frames=25), drive(first, seed=5, frames=25)]
        other = drive(first, seed=6, frames=2)
    with Environment(spec) as second:
        runs.append(drive(second, seed=5, frames=25))
    for again in runs[1:]:
        for a, b in zip(runs[0], again, strict=True):
            assert a.frame.rgb.tobytes() == b.frame.rgb.tobytes()
            assert a.imu.linear_acceleration.tobytes() == b.imu.linear_acceleration.tobytes()
            assert (a.odometry, a.truth) == (b.odometry, b.truth)
    assert other[0].frame.rgb.tobytes() != runs[0][0].frame.rgb.tobytes()
    assert other[1].odometry != runs[0][1].odometry


@pytest.mark.parametrize('rate', [30.0, 20.0, 10.0])
def test_stamps_and_imu_windows_line_up(rate: float) -> None:
    seen = drive(blind(rate_hz=rate), seed=0, frames=30)
    for number, each in enumerate(seen):
        expected = round(number * (240 / rate) * 1e9 / 240)
        assert each.frame.stamp_ns == each.truth.stamp_ns == each.odometry.stamp_ns == expected
        stamps = each.imu.stamps_ns
        assert stamps[-1] == expected
        assert len(stamps) == (120 / rate if number else 1)
    every = np.concatenate([each.imu.stamps_ns for each in seen])
    assert np.abs(np.diff(every) - 1e9 / 120).max() <= 1.0


@pytest.mark.parametrize('rate', [7.0, 80.0, 0.0, -30.0])
def test_a_rate_that_misses_the_imu_is_refused(rate: float) -> None:
    with pytest.raises(SimulationError, match=str(rate)):
        blind(rate_hz=rate)


def test_motion_agrees_between_truth_odometry_and_imu() -> None:
    seen = drive(blind(), seed=0, frames=600)
    length = sum(math.hypot(b.odometry.x - a.odometry.x, b.odometry.y - a.odometry.y)
                 for a, b in pairwise(seen))
    assert seen[-1].truth.lap_m == pytest.approx(length, rel=0.01)
    turned = sum(float(o.imu.angular_velocity[:, 2].sum()) / 120.0 for o in seen[1:])
    bias = 600 / 30.0 * 0.02
    assert turned == pytest.approx(seen[-1].odometry.yaw - seen[0].odometry.yaw, abs=bias)


def test_laps_count_across_the_seam() -> None:
    environment = blind(track=1003)
    seen = drive(environment, seed=0, frames=2000)
    lap = [o.truth.lap_m for o in seen]
    assert lap[-1] > environment.track.length
    assert np.diff(lap).min() > 0.0
    arc = np.array([o.truth.arc_m for o in seen])
    assert ((arc >= 0.0) & (arc < environment.track.length)).all()


@pytest.mark.parametrize(('offset', 'gone'), [(0.80, False), (-0.80, False), (0.90, True),
                                              (-0.90, True)])
def test_departure_is_any_wheel_off_the_lane(offset: float, gone: bool) -> None:
    environment = blind(track=3, closed=False)                         # begins straight
    assert environment.reset(seed=0, arc_m=8.0, offset_m=offset).truth.departed is gone


def test_a_turned_car_departs_with_a_corner() -> None:
    environment = blind(track=3, closed=False)
    for degrees, gone in ((0.0, False), (50.0, True)):                 # 1.61 m to the corner
        turn = math.radians(degrees)
        truth = environment.reset(seed=0, arc_m=8.0, offset_m=0.4, heading_error=turn).truth
        assert truth.departed is gone


def test_place_keeps_the_clock_and_the_lap() -> None:
    environment = blind()
    before = drive(environment, seed=0, frames=30)[-1].truth
    environment.place(offset_m=0.4)
    after = environment.step(Command(before.stamp_ns, 0.0, 8.0)).truth
    assert after.stamp_ns - before.stamp_ns == pytest.approx(1e9 / 30, abs=1)
    assert after.offset_m == pytest.approx(0.4, abs=0.05)
    assert 0.0 < after.lap_m - before.lap_m < 0.6
    environment.place(arc_m=200.0)
    far = environment.step(Command(after.stamp_ns, 0.0, 8.0)).truth
    assert far.arc_m == pytest.approx(200.3, abs=0.4)
    assert far.lap_m - after.lap_m < 0.6


def test_an_open_road_says_that_it_ends() -> None:
    environment = blind(track=3, closed=False)
    assert not environment.reset(seed=0).truth.at_end
    assert environment.reset(seed=0, arc_m=environment.track.length - 10.0).truth.at_end


@pytest.mark.parametrize('command', [Command(0, math.nan, 5.0), Command(0, 0.0, math.inf)])
def test_a_command_must_be_finite(command: Command) -> None:
    environment = blind()
    environment.reset(seed=0)
    with pytest.raises(SimulationError, match='finite'):
        environment.step(command)


def test_a_step_before_the_reset_is_refused() -> None:
    with pytest.raises(SimulationError, match='reset'):
        blind().step(Command.stop(0))


def test_unknown_seasons_are_refused_at_once_and_later() -> None:
    with pytest.raises(SimulationError, match='monsoon'):
        Environment(EnvironmentSpec(track=1, season='monsoon', render=False))
    environment = blind()
    with pytest.raises(SimulationError, match='monsoon'):
        environment.set_season('monsoon')
    assert environment.season == 'summer'


def test_without_a_renderer_frames_are_black_and_masks_refused() -> None:
    environment = blind()
    assert not environment.reset(seed=0).frame.rgb.any()
    with pytest.raises(SimulationError, match='render=False'):
        environment.road_mask()
    with pytest.raises(SimulationError, match='render=False'):
        environment.view()


@pytest.mark.gl
def test_a_closed_environment_says_so() -> None:
    environment = Environment(EnvironmentSpec(track=1, camera=CameraSpec(width=32, height=16)))
    environment.reset(seed=0)
    environment.close()
    with pytest.raises(SimulationError, match='closed'):
        environment.reset(seed=0)
