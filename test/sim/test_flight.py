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
"""Episodes of flight: seeded, seen as geometry says, and flown by a pilot who does not crash."""

from __future__ import annotations

from dataclasses import replace
import math

from ltc_control.core.contracts import Velocity
from ltc_control.core.errors import SimulationError
from ltc_control.core.flight_tasks import STAND_OFF_M
from ltc_control.sim.flight import FlightEnvironment, FlightSpec
from ltc_control.sim.grove import make_place, TARGET_RADIUS_M
from ltc_control.sim.observation import FlightTruth, Observation
from ltc_control.sim.pilot import Pilot
from ltc_control.sim.target import RATE_HZ, wander
from ltc_control.sim.thicket import Obstacle, Thicket
from ltc_control.sim.wind import Wind
import numpy as np
import pytest

EPISODE = 4001


def flown(spec: FlightSpec, seconds: float) -> list[Observation]:
    with FlightEnvironment(spec) as env:
        seen = [env.reset()]
        for _ in range(round(seconds * spec.rate_hz)):
            seen.append(env.step(env.expert.command(seen[-1].truth)))
        return seen


def test_an_episode_is_a_function_of_its_seed() -> None:
    spec = FlightSpec(EPISODE, gusts=4.0)
    one, two = flown(spec, 0.5), flown(spec, 0.5)
    for a, b in zip(one, two, strict=True):
        assert a.truth == b.truth
        assert a.odometry == b.odometry
        assert np.array_equal(a.frame.rgb, b.frame.rgb)
        assert np.array_equal(a.imu.linear_acceleration, b.imu.linear_acceleration)
    other = flown(replace(spec, episode=EPISODE + 1), 0.0)
    assert not np.array_equal(one[0].frame.rgb, other[0].frame.rgb)


@pytest.mark.parametrize('episode', range(4000, 4006))
def test_the_pilot_reaches_the_target_and_stands_off(episode: int) -> None:
    truths = [seen.truth for seen in flown(FlightSpec(episode, render=False), 30.0)]
    assert not any(truth.collided for truth in truths)
    assert truths[-1].distance == pytest.approx(STAND_OFF_M['reach'], abs=0.1)
    assert truths[-1].in_view


def test_the_pilot_follows_a_walking_target() -> None:
    """Not in each: in some episodes it goes behind trees for longer than is allowed."""
    followed = 0
    for episode in range(4000, 4005):
        spec = FlightSpec(episode, task='follow', render=False)
        truths = [seen.truth for seen in flown(spec, 30.0)]
        error = np.array([truth.distance for truth in truths]) - STAND_OFF_M['follow']
        assert not any(truth.collided for truth in truths)
        followed += bool(np.mean([truth.in_view for truth in truths]) > 0.9
                         and np.sqrt(np.mean(error ** 2)) < 1.5)
    assert followed >= 4


@pytest.mark.parametrize(('task', 'slope', 'pace'), [('reach', 0.7, 1.0), ('follow', 1.0, 0.6)])
def test_the_pilot_asks_as_much_backwards_as_forwards(task: str, slope: float, pace: float,
                                                      ) -> None:
    pilot = Pilot(task, Thicket([]))
    where = STAND_OFF_M[task]

    def forward(gap: float, speed: float = 0.0) -> float:
        return pilot.command(FlightTruth(0, 0.0, 0.0, 2.0, 0.0, where + gap, 0.0, 0.0, speed, 0.0,
                                         True, 0.0, False)).forward

    assert forward(0.0) == 0.0
    assert forward(0.5) == pytest.approx(0.5 * slope) == -forward(-0.5)
    assert forward(0.5, 1.0) == pytest.approx(0.5 * slope + pace)


def test_the_drawn_target_is_where_the_truth_says() -> None:
    """A pinhole camera puts the ball's middle where the level drone's geometry does."""
    spec = FlightSpec(EPISODE)
    with FlightEnvironment(spec) as env:
        truth = env.reset().truth
        for _ in range(200):               # search, if it is not in view yet
            if truth.in_view and truth.distance < 12.0:
                break
            truth = env.step(env.expert.command(truth)).truth
        for _ in range(90):                # hover, level
            truth = env.step(Velocity.stop(0)).truth
        rows, columns = np.nonzero(env.target_mask())
        focal = 0.5 * spec.camera.height / math.tan(math.radians(0.5 * spec.camera.mount.fovy))
        ahead = truth.target_ahead - spec.camera.mount.ahead
        assert truth.in_view
        assert columns.mean() + 0.5 == pytest.approx(
            0.5 * spec.camera.width - focal * truth.target_left / ahead, abs=1.0)
        assert rows.mean() + 0.5 == pytest.approx(
            0.5 * spec.camera.height - focal * truth.target_up / ahead, abs=1.5)
        assert len(rows) == pytest.approx(math.pi * (focal * TARGET_RADIUS_M / ahead) ** 2,
                                          rel=0.2)


def test_a_target_at_25_m_is_more_than_a_few_pixels() -> None:
    spec = FlightSpec(EPISODE)
    focal = 0.5 * spec.camera.height / math.tan(math.radians(0.5 * spec.camera.mount.fovy))
    assert focal * 2.0 * TARGET_RADIUS_M / 25.0 > 5.0


def test_some_episodes_begin_with_the_target_out_of_view() -> None:
    starts = []
    for episode in range(4000, 4040):
        with FlightEnvironment(FlightSpec(episode, render=False)) as env:
            truth = env.reset().truth
            starts.append(env.place.starts_in_view)
            bearing = abs(math.atan2(truth.target_left, truth.target_ahead))
            assert (bearing < env.half_view) is env.place.starts_in_view
    assert 4 <= starts.count(False) <= 22


def test_unseen_time_counts_until_the_pilot_searches_to_the_left() -> None:
    with FlightEnvironment(FlightSpec(EPISODE, render=False)) as env:
        truth = env.reset().truth
        while not truth.in_view:
            truth = env.step(Velocity(0, 0.0, 0.0, 0.0, 0.8)).truth
        assert truth.unseen_s == 0.0
        while truth.in_view:
            truth = env.step(Velocity(0, 0.0, 0.0, 0.0, 0.8)).truth
        for _ in range(29):
            truth = env.step(Velocity.stop(0)).truth
        assert truth.unseen_s == pytest.approx(1.0)
        assert env.expert.command(truth).yaw_rate < 0.0          # it still knows: to the right
        for _ in range(60):
            truth = env.step(Velocity.stop(0)).truth
        search = env.expert.command(truth)
        assert search.yaw_rate > 0.0
        assert (search.forward, search.left, search.up) == (0.0, 0.0, 0.0)


def test_bad_words_are_refused() -> None:
    with pytest.raises(SimulationError, match='reach or follow'):
        FlightSpec(1, task='loop')
    with FlightEnvironment(FlightSpec(1, render=False)) as env:
        with pytest.raises(SimulationError, match='reset'):
            env.step(Velocity.stop(0))
        env.reset()
        with pytest.raises(SimulationError, match='finite'):
            env.step(Velocity(0, math.nan, 0.0, 0.0, 0.0))
        with pytest.raises(SimulationError, match='render=False'):
            env.target_mask()


def test_a_walk_keeps_a_walker_s_pace_and_stays_in_the_arena() -> None:
    for seed in range(4000, 4005):
        walk = wander(make_place(seed, half_view=0.7, walks=True), seconds=60.0)
        step = np.hypot(*np.diff(walk.places[:, :2], axis=0).T) * RATE_HZ
        assert step.max() <= 2.8 + 1e-6
        assert np.hypot(*walk.places[:, :2].T).max() < 45.0
        halfway = np.add(walk.at(1.0), walk.at(1.0 + 1.0 / RATE_HZ)) / 2.0
        assert walk.at(1.0 + 0.5 / RATE_HZ) == pytest.approx(halfway)


def test_a_thicket_answers_as_plain_geometry_does() -> None:
    rng = np.random.default_rng(5)
    things = [Obstacle(*rng.uniform(-8, 8, 2), rng.uniform(0.2, 2.0),
                       *sorted(rng.uniform(0, 6, 2))) for _ in range(30)]
    thicket = Thicket(things)
    for _ in range(300):
        eye, target = rng.uniform(-10, 10, (2, 3)) * (1, 1, 0.3) + (0, 0, 3)
        line = eye + np.linspace(0, 1, 4001)[:, None] * (target - eye)
        # sampled along the line; only clear cases, away from edges, can be told by samples
        margins = []
        for o in things:
            flat = np.hypot(line[:, 0] - o.x, line[:, 1] - o.y)
            nearest = int(np.argmin(flat))
            margins.append((o.radius - flat[nearest], line[nearest, 2] - o.low,
                            o.high - line[nearest, 2], 0 < nearest < 4000))
        sure = all(abs(m) > 0.01 for margin in margins for m in margin[:3])
        if sure:
            assert thicket.hides(tuple(eye), tuple(target)) == any(
                min(a, b, c) > 0 and inside for a, b, c, inside in margins)
        x, y, z = eye
        assert thicket.touches(x, y, z, reach=0.4) == any(
            math.hypot(x - o.x, y - o.y) < o.radius + 0.4 and o.low - 0.4 < z < o.high + 0.4
            for o in things)


def test_gusts_rise_to_their_peak_and_fall_to_nothing() -> None:
    wind = Wind(4.0, np.random.default_rng(1))
    speed = np.array([math.hypot(*wind.at(t)[:2]) for t in np.arange(0.0, 120.0, 0.01)])
    assert speed.max() == pytest.approx(4.0, abs=0.01)
    assert speed.min() == 0.0
    assert np.abs(np.diff(speed)).max() <= 0.01 * 4.0 * math.pi   # no jumps: slope of 1 s gusts
    assert Wind(0.0, np.random.default_rng(1)).at(3.0) == (0.0, 0.0, 0.0)
