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
"""The expert keeps the centre, comes back to it, and drives as fast as the road allows."""

from __future__ import annotations

import math

from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.expert import ExpertStyle, speed_profile
from ltc_control.sim.observation import Observation
from ltc_control.sim.track import make_track
import numpy as np
import pytest


def drive(environment: Environment, start: Observation, frames: int) -> list[Observation]:
    seen = [start]
    for _ in range(frames):
        command = environment.expert.command(seen[-1].truth, seen[-1].odometry)
        seen.append(environment.step(command))
    return seen


@pytest.mark.parametrize('track', [1, 5, 1001, 1006])
def test_keeps_the_centre_on_loops(track: int) -> None:
    environment = Environment(EnvironmentSpec(track=track, render=False))
    seen = drive(environment, environment.reset(seed=track), 30 * 60)
    offset = np.abs([o.truth.offset_m for o in seen])
    assert offset.mean() <= 0.02
    assert offset.max() <= 0.06
    assert not any(o.truth.departed for o in seen)
    assert np.std([o.odometry.speed for o in seen]) > 1.0
    assert max(abs(o.truth.lateral_acceleration) for o in seen) < 2.9


@pytest.mark.parametrize(('offset', 'degrees'), [
    (0.9, 0.0), (-0.9, 0.0), (0.9, 8.0), (-0.9, -8.0), (0.9, -8.0), (1.2, 0.0), (-1.2, 0.0)])
def test_recovers_anywhere_on_the_road(offset: float, degrees: float) -> None:
    environment = Environment(EnvironmentSpec(track=4, render=False))
    for arc in np.arange(0.0, environment.track.length, 60.0):
        start = environment.reset(seed=0, arc_m=float(arc), offset_m=offset,
                                  heading_error=math.radians(degrees))
        track = [o.truth.offset_m for o in drive(environment, start, 120)]
        assert max(map(abs, track)) < 1.6
        assert abs(track[-1]) < 0.1
        assert max(-o * math.copysign(1.0, offset) for o in track) < 0.15, 'little overshoot'


def test_the_command_depends_only_on_what_is_handed_in() -> None:
    environment = Environment(EnvironmentSpec(track=2, render=False))
    seen = drive(environment, environment.reset(seed=0), 90)
    expert = environment.expert
    there = [expert.command(o.truth, o.odometry) for o in seen]
    back = [expert.command(o.truth, o.odometry) for o in reversed(seen)]
    assert there == back[::-1]
    assert there[5].stamp_ns == seen[5].truth.stamp_ns


def test_an_offset_to_the_left_is_steered_to_the_right() -> None:
    environment = Environment(EnvironmentSpec(track=2, render=False))
    curvature = []
    for offset in (-0.5, 0.0, 0.5):
        start = environment.reset(seed=0, offset_m=offset)
        curvature.append(environment.expert.command(start.truth, start.odometry).curvature)
    assert curvature[0] > curvature[1] + 0.005 > curvature[2] + 0.01


@pytest.mark.parametrize('closed', [True, False])
def test_the_speed_profile_respects_all_three_accelerations(closed: bool) -> None:
    track, style = make_track(9, closed=closed), ExpertStyle()
    speed = speed_profile(track, style)
    assert speed.max() <= style.top_speed
    assert (speed**2 * np.abs(track.curvature)).max() <= style.lateral_acceleration + 1e-9
    following = np.roll(speed, -1) if closed else np.r_[speed[1:], speed[-1]]
    along = (following**2 - speed**2) / (2.0 * track.spacing)
    assert along.max() <= style.acceleration + 1e-9
    assert along.min() >= -style.braking - 1e-9
    touching = np.isclose(speed**2 * np.abs(track.curvature), style.lateral_acceleration)
    assert touching.sum() > 10, 'as fast as allowed somewhere in the curves'
