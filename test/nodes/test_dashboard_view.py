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
"""What the live page is told: newest values, latency by answered requests, a path by stretches."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control.core.contracts import Command, Odometry, Velocity, Verdict
from ltc_control.core.limits import Limits
from ltc_control.insight import words
from ltc_control.nodes.dashboard_path import DrivenPath, LONGEST, NEWEST
from ltc_control.nodes.dashboard_picture import encode, Picture, WIDEST
from ltc_control.nodes.dashboard_vehicle import DRONE
from ltc_control.nodes.dashboard_view import EVENTS, LiveView

SECOND = 1_000_000_000
WALL = 1_800_000_000 * SECOND              # a stamp of the wall clock
PICTURE = {'kind': 'none', 'words': '', 'number': 0}


def view(**given: object) -> LiveView:
    return LiveView(title={}, circuit=None, **given)


def test_nothing_heard_is_told_as_nothing() -> None:
    told = view().tick(PICTURE)
    assert (told['asked'], told['passed'], told['car'], told['neurons'], told['latency']) == (
        None,) * 5
    assert told['verdict_words'] == told['why'] == told['driver_words'] == ''
    json.dumps(told, allow_nan=False)


def test_a_drone_has_its_own_numbers_and_words() -> None:
    seen = view(shown=DRONE)
    seen.on_request(Velocity(WALL, 1.5, -0.5, 0.02, 0.5))
    seen.on_command(Velocity(WALL, 1.0, -0.5, 0.0, 0.25), sent_ns=WALL + SECOND // 100)
    seen.on_odometry(Odometry(WALL, 1.0, 2.0, 0.5, 1.2, 0.3, z=3.0, speed_left=-0.4,
                              speed_up=0.1))
    seen.on_verdict('limited')
    seen.on_verdict('e_stop')
    seen.on_departure()
    told = seen.tick(PICTURE)
    assert told['asked'] == [1.5, -0.5, 0.02, 0.5]
    assert told['passed'] == [1.0, -0.5, 0.0, 0.25]
    assert told['driven'] == [1.2, -0.4, 0.1, 0.3]
    assert told['words'] == 'forward 1.5 m/s, right 0.5 m/s, turns left 29°/s'
    # time, then driven, asked and passed on: forward, and the yaw rate
    assert told['at'] == [0.0, 1.2, 1.5, 1.0, 0.3, 0.5, 0.25]
    assert told['car'] == [1.0, 2.0, 0.5, 1.2, 3.0]
    assert told['driver_words'] == 'Nobody flies: held at zero'
    assert 'car' not in json.dumps([told['events'], told['verdict_words']])
    hello = seen.hello()
    assert (hello['vehicle'], hello['counted']) == ('drone', 'collisions')
    assert hello['charts'] == ['forward [m/s]', 'yaw rate [rad/s], left is up']
    assert words.velocity_words(0.0, 0.0, -0.04, 0.0) == 'hovers'


def test_every_verdict_has_words_and_a_level() -> None:
    for verdict in Verdict:
        assert words.VERDICT_WORDS[verdict.value].endswith('.'), verdict
        assert words.verdict_level(verdict.value) in ('good', 'warn', 'person', 'stop')
    assert words.verdict_words('some_new_case') == 'some new case'
    assert words.verdict_level('some_new_case') == 'stop'      # unknown is never shown as good


def test_latency_is_from_the_frame_to_its_first_command() -> None:
    seen, rng = view(), np.random.default_rng(1)
    waits = rng.integers(4_000_000, 40_000_000, 300)
    for index, wait in enumerate(waits):
        stamp = WALL + index * SECOND // 30
        seen.on_request(Command(stamp, 0.0, 5.0))
        seen.on_command(Command(stamp, 0.0, 5.0), sent_ns=stamp + int(wait))
        seen.on_command(Command(stamp, 0.0, 5.0), sent_ns=stamp + int(wait) + 20_000_000)
        # a zero of safety carries a stamp of its own: it answers nobody
        seen.on_command(Command.stop(stamp + 1), sent_ns=stamp + 1)
    told = seen.tick(PICTURE)['latency']
    assert told['p50'] == pytest.approx(np.percentile(waits, 50) * 1e-6, abs=0.01)
    assert told['p99'] == pytest.approx(np.percentile(waits, 99) * 1e-6, abs=0.01)


def test_with_a_simulated_clock_the_simulator_tells_the_latency() -> None:
    seen = view()
    seen.on_request(Command(5 * SECOND, 0.0, 5.0))
    seen.on_command(Command(5 * SECOND, 0.0, 5.0), sent_ns=WALL)
    assert seen.tick(PICTURE)['latency'] is None
    seen.on_health({'latency_ms_p50': '7.5', 'latency_ms_p99': '12.0'})
    assert seen.tick(PICTURE)['latency'] == {'p50': 7.5, 'p99': 12.0, 'of': 'simulator'}


def test_bounds_are_those_of_the_speed_driven() -> None:
    seen = view()
    seen.limits = Limits(max_speed=9.0)
    seen.on_odometry(Odometry(WALL, 0.0, 0.0, 0.0, 8.0, 0.0))
    bounds = seen.tick(PICTURE)['bounds']
    assert bounds['speed'] == 9.0
    assert bounds['curvature'] == pytest.approx((3.0 + 0.06 * 9.81) / 64, abs=1e-4)


def test_values_that_are_not_finite_become_nothing() -> None:
    seen = view()
    seen.on_odometry(Odometry(WALL, math.nan, 0.0, 0.0, math.inf, 0.0))
    seen.on_request(Command(WALL, math.nan, 5.0))
    seen.on_neurons([0.5, math.nan], [0.1, math.inf])
    told = json.loads(json.dumps(seen.tick(PICTURE), allow_nan=False))
    assert told['asked'] == [None, 5.0]
    assert told['car'] == [None, 0.0, 0.0, None, 0.0]
    assert told['neurons'] == {'state': [0.5, None], 'tau': [0.1, None]}


def test_limits_that_come_and_go_are_a_share_and_no_event() -> None:
    seen = view()
    for index in range(40):
        seen.on_verdict('limited' if index % 4 == 0 else 'pass')
        told = seen.tick(PICTURE)
    assert told['shares'] == [['pass', 0.75, 'good'], ['limited', 0.25, 'good']]
    assert len(told['events']) == 1
    seen.on_verdict('stale')
    assert seen.tick(PICTURE)['events'][0]['text'] == words.VERDICT_WORDS['stale']
    for _ in range(20):
        seen.on_departure()
    told = seen.tick(PICTURE)
    assert (told['departures'], len(told['events'])) == (20, EVENTS)


def test_history_lasts_a_minute() -> None:
    seen = view(rate_hz=10.0)
    for index in range(900):
        seen.on_request(Command(WALL + index * SECOND // 10, 0.01, 5.0))
        seen.tick(PICTURE)
    history = seen.hello()['history']
    assert len(history) == 600
    assert history[-1][0] == pytest.approx(89.9)


def test_a_minute_is_one_of_the_drive_however_slow_it_goes() -> None:
    seen = view(rate_hz=10.0)
    for index in range(2700):              # a lockstep drive at a third of the clock's speed
        seen.on_request(Command(WALL + index * SECOND // 30, 0.01, 5.0))
        assert seen.tick(PICTURE)['at'][0] == pytest.approx(index / 30, abs=0.006)
    history = seen.hello()['history']
    assert history[-1][0] - history[0][0] > 59.0


def test_the_path_breaks_where_the_car_was_put_elsewhere() -> None:
    path = DrivenPath()
    for x in (0.0, 0.1, 0.6, 1.2, 40.0, math.nan, 40.7):
        path.append(x, 0.0)
    assert path.whole()['points'] == [[0.0, 0.0], [0.6, 0.0], [1.2, 0.0], None, [40.0, 0.0],
                                      [40.7, 0.0]]


def test_a_long_path_thins_out_and_pages_keep_count() -> None:
    path, known = DrivenPath(), 0
    for index in range(3 * LONGEST):
        path.append(float(index), 0.0)
        newest = path.newest()
        assert newest['from'] <= known     # nothing is skipped by a page that takes every tick
        known = newest['from'] + len(newest['points'])
    whole = path.whole()
    assert len(whole['points']) <= LONGEST
    assert len(newest['points']) == NEWEST
    assert whole['points'][0] == [0.0, 0.0]
    assert whole['points'][-1] == [3.0 * LONGEST - 1, 0.0]
    assert whole['from'] + len(whole['points']) == 3 * LONGEST


def test_no_image_yet_is_said() -> None:
    picture = Picture()
    assert 'nobody publishes' in picture.newest(camera=False)[1]['words']
    assert 'waiting' in picture.newest(camera=True)[1]['words']
    picture.refused = 'the image cannot be shown: encoding'
    assert picture.newest(camera=True)[1]['words'].endswith('encoding')


def test_a_picture_is_encoded_once_and_made_no_wider_than_a_page_needs() -> None:
    from ltc_control.core.contracts import Frame
    from ltc_control.core.imaging import decode_compressed
    picture, rgb = Picture(), np.zeros((720, 1280, 3), np.uint8)
    rgb[:, 640:] = (250, 120, 10)
    picture.on_frame(Frame(1, rgb))
    first, told = picture.newest(camera=True)
    again, same = picture.newest(camera=True)
    assert first is again
    assert told == same == {'kind': 'camera', 'words': '', 'number': 1}
    shown = decode_compressed(first)
    assert shown.shape == (360, WIDEST, 3)
    assert np.abs(shown[:, 400:].reshape(-1, 3).mean(0) - (250, 120, 10)).max() < 4
    assert encode(rgb[:66, :200])[:2] == b'\xff\xd8'


def test_an_overlay_goes_before_the_camera() -> None:
    from ltc_control.core.contracts import Frame
    picture = Picture()
    picture.on_frame(Frame(1, np.zeros((66, 200, 3), np.uint8)))
    picture.on_overlay(b'jpeg bytes')
    jpeg, told = picture.newest(camera=True)
    assert (jpeg, told['kind']) == (b'jpeg bytes', 'attention')
