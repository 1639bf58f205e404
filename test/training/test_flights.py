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
"""Flights recorded, learned from and judged: rows against hand-made truths, and end to end."""

from __future__ import annotations

from dataclasses import replace
import json
import math
from pathlib import Path

from ltc_control.cli.main import main
from ltc_control.core.errors import ConfigError
from ltc_control.core.flight_tasks import STAND_OFF_M
from ltc_control.core.model_file import load_spec
from ltc_control.sim.observation import FlightTruth
from ltc_control.training.flights import (
    FlightConfig,
    FlightRecording,
    FlightResult,
    fly,
    FOLLOWED_ERROR_M,
    judge,
    REACHED_M,
    record_flight,
    Rescue,
    summarise_flights,
)
import pytest
from rosbags.highlevel import AnyReader
import yaml

RATE = 30
DRONE_MODEL = Path(__file__).resolve().parents[2] / 'models' / 'drone_target'


def truth(k: int, distance: float, *, in_view: bool = True, collided: bool = False,
          ) -> FlightTruth:
    return FlightTruth(k * 10**9 // RATE, 0.0, 0.0, 2.0, 0.0, distance, 0.0, 0.0, 0.0, 0.0,
                       in_view, 0.0, collided)


def approach(seconds: float, *, start: float = 12.0, speed: float = 2.0, stop: float = 1.5,
             ) -> list[FlightTruth]:
    return [truth(k, max(start - speed * (k + 1) / RATE, stop))
            for k in range(round(seconds * RATE))]


def test_reaching_is_being_within_two_metres_without_a_collision() -> None:
    row = judge(approach(10.0), FlightConfig(1), in_view=True)
    assert row.success
    assert row.time_s == pytest.approx((12.0 - REACHED_M) / 2.0, abs=1.5 / RATE)
    assert (row.final_distance_m, row.nearest_m, row.collisions) == (1.5, 1.5, 0)
    short = judge(approach(4.9), FlightConfig(1), in_view=True)
    assert (short.success, short.time_s) == (False, None)
    hit = judge([*approach(10.0), truth(300, 1.5, collided=True)], FlightConfig(1), in_view=False)
    assert (hit.success, hit.collisions, hit.starts_in_view) == (False, 1, False)


@pytest.mark.parametrize(('error', 'lost', 'success'), [
    (0.9 * FOLLOWED_ERROR_M, 0, True), (1.1 * FOLLOWED_ERROR_M, 0, False),
    (0.0, 59, True), (0.0, 61, False),
])
def test_following_is_in_view_and_near_the_stand_off(error: float, lost: int,
                                                     success: bool) -> None:
    truths = [truth(k, 3.0 + error * (-1) ** k, in_view=k >= lost) for k in range(600)]
    row = judge(truths, FlightConfig(1, task='follow'), in_view=True)
    assert row.success is success
    assert row.rms_distance_error_m == pytest.approx(error, abs=1e-3)
    assert row.in_view == pytest.approx(1 - lost / 600, abs=1e-3)


def test_the_summary_counts_by_hand() -> None:
    rows = [FlightResult(seed, 'reach', season, success, 5.0 + seed if success else None, 1.5,
                         0.5, 0, in_view, 1.0, 1.5)
            for seed, season, success, in_view in (
                (1, 'summer', True, True), (2, 'summer', False, False), (3, 'summer', True, False),
                (1, 'winter', False, True))]
    summary = summarise_flights(rows)
    assert list(summary) == ['summer', 'winter']
    assert summary['summer']['success_rate'] == pytest.approx(2 / 3, abs=1e-4)
    assert (summary['summer']['out_of_view_successes'],
            summary['summer']['out_of_view_episodes']) == (1, 2)
    assert summary['summer']['median_time_s'] == 7.0
    assert summary['summer']['median_final_distance_m'] == 1.5
    assert summary['winter']['median_final_distance_m'] is None
    assert summary['winter']['median_time_s'] is None


@pytest.mark.parametrize(('task', 'stand_off'), [('reach', 1.5), ('follow', 3.0)])
def test_the_pilot_takes_over_near_the_target_and_gives_back_further_out(
        task: str, stand_off: float) -> None:
    rescue = Rescue(task)
    shares = [2.0, 1.0, 0.7, 0.6, 0.8, 0.89, 0.91, 0.7, 0.3]
    assert [rescue.needed(share * stand_off) for share in shares] == [
        False, False, False, True, True, True, False, False, True]


def test_the_pilot_flies_the_same_twice_and_hovers_to_the_end() -> None:
    row = fly(FlightConfig(5001))
    assert row == fly(FlightConfig(5001))
    assert row.success
    assert row.time_s is not None
    assert row.time_s < 20.0
    assert row.final_distance_m == pytest.approx(STAND_OFF_M['reach'], abs=0.1)
    assert row.rms_distance_error_m == pytest.approx(
        fly(FlightConfig(5001, seconds=80.0)).rms_distance_error_m * math.sqrt(2.0), rel=0.05)


def test_a_target_that_is_never_there_is_searched_for_and_not_reached() -> None:
    row = fly(FlightConfig(5001, hidden_s=math.inf, seconds=15.0))
    assert (row.success, row.in_view, row.collisions) == (False, 0.0, 0)


def test_episodes_kept_for_evaluation_are_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match='1001 is kept for evaluation'):
        FlightRecording(tmp_path, (3, 1001))


@pytest.fixture(scope='module')
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('flights') / 'bags'
    assert main(['collect', str(folder), '--vehicle', 'drone', '--tracks', '0:3', '--seconds',
                 '2.5', '--jobs', '1']) == 0
    return folder


def test_a_recorded_flight_holds_what_the_pilot_would_do_and_what_was_done(
        recorded: Path) -> None:
    bags = sorted(recorded.iterdir())
    assert [bag.name.split('_')[0] for bag in bags] == ['follow', 'follow', 'reach', 'reach']
    for bag in bags:
        with AnyReader([bag]) as reader:
            counts = {one.topic: one.msgcount for one in reader.connections}
            label, done = ([[m.twist.linear.x, m.twist.linear.y, m.twist.angular.z]
                            for m in (reader.deserialize(raw, one.msgtype) for one, _, raw in
                                      reader.messages([c for c in reader.connections
                                                       if c.topic == topic]))]
                           for topic in ('/expert/command', '/cmd_vel'))
        assert counts['/camera/image_raw'] == counts['/expert/command'] == 75
        assert counts['/imu/data'] >= 74 * 4 - 4           # 120 Hz or so, from the second frame
        assert label != done                           # pushed, while the label is clean


def test_how_long_a_recorded_flight_stays_before_the_ball(tmp_path: Path) -> None:
    """The pilot's ends soon, a policy's later, and one that nothing pushes hovers to the end."""
    still = FlightRecording(tmp_path / 'still', (0,), tasks=('reach',), seconds=30.0,
                            disturbed=False, policy=DRONE_MODEL)
    pilot = replace(still, out=tmp_path / 'pilot', policy=None)
    assert pilot.stay_s < replace(still, disturbed=True).stay_s < still.stay_s == 30.0
    frames = {}
    for config in (still, pilot):
        [row] = record_flight(config, 0)
        assert not row.lost
        frames[config.out.name] = row.frames
    assert frames['still'] == 30 * RATE
    assert frames['pilot'] < 15 * RATE


def test_from_flights_to_a_model_that_flies(
        recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip('torch')
    recipe = yaml.safe_load((Path(__file__).parents[2] / 'config/train_drone.yaml').read_text())
    recipe |= {'steps': 2, 'batch': 2, 'window': 4, 'validate_every': 2, 'hold_out': 0.3,
               'core': recipe['core'] | {'steps': 2, 'batch': 2, 'window': 4}}
    (tmp_path / 'train.yaml').write_text(yaml.safe_dump(recipe))
    model, table = tmp_path / 'model', tmp_path / 'table.json'
    assert main(['train', str(recorded), '--config', str(tmp_path / 'train.yaml'), '--out',
                 str(model)]) == 0
    spec = load_spec(model, expect_vehicle='drone')
    assert [command.name for command in spec.commands] == ['forward', 'left', 'up', 'yaw_rate']
    assert spec.neurons == 19
    assert (spec.training['tracks'], spec.training['seasons']) == ([0, 1, 2, 3], ['summer'])
    for task in ('reach', 'follow'):
        assert main(['eval', str(model), '--task', task, '--episodes', '2001:2002', '--seasons',
                     'winter', '--seconds', '1', '--gusts', '4', '--hide', '2', '--noise', '0.1',
                     '--jobs', '1', '--card', '--json', str(table)]) == 0
        rows = json.loads(table.read_text())['rows']
        assert [(row['seed'], row['task'], row['season']) for row in rows] == [
            (2001, task, 'winter'), (2002, task, 'winter')]
        assert {'success', 'time_s', 'final_distance_m', 'in_view', 'collisions'} <= rows[0].keys()
    card = (model / 'card.md').read_text()
    for task in ('reach', 'follow'):
        assert (f'## Closed loop, {task}, groves 2001:2002, noise variance 0.1, gusts of 4.0 m/s, '
                'target hidden for up to 2.0 s\n') in card
    assert '| winter | 0 of 2 |' in card
    assert 'docs/flight.md' in card
    assert ', groves 0 to 3, seen in summer' in card
    assert load_spec(model).vehicle == 'drone'         # and its hashes fit
    assert 'was trained on' not in capsys.readouterr().err
    assert main(['eval', str(model), '--episodes', '2,3,4', '--seconds', '1', '--jobs', '1']) == 0
    assert f'{model} was trained on 2 of these 3 seeds (2 the first)' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'said'), [
    (['--drop', '0.2'], '--drop 0.2 is for a car'), (['--constant-dt'], '--constant-dt'),
    (['--rate', '10'], 'is for a car'),
    (['--seed', '3'], '--seed 3'),
    (['--tracks', '1'], '--tracks'), (['--card'], 'the expert has no card'),
    (['--gusts', 'nan'], '--gusts must not be below 0'), (['--seconds', '0'], 'above 0')])
def test_options_that_a_flight_cannot_heed_are_refused(
        words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['eval', 'expert', '--task', 'reach', '--episodes', '2001', *words]) == 2
    assert said in capsys.readouterr().err
