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
"""``ltc train`` and ``ltc eval`` from bags on disk to tables, twice the same."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip('torch')

from ltc_control.cli.main import main
from ltc_control.core.contracts import Command
from ltc_control.core.model_file import load_spec
from ltc_control.data.bags import EpisodeWriter
import yaml

TRAINING_TESTS = Path(__file__).parents[1] / 'training'


@pytest.fixture(scope='module')
def tiny() -> ModuleType:
    spec = spec_from_file_location('tiny_drives', TRAINING_TESTS / 'tiny_drives.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def bags(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of four short drives."""
    folder = tmp_path_factory.mktemp('bags')
    record(tiny, folder)
    return folder


def record(tiny: ModuleType, folder: Path, *, constant_speed: float | None = None) -> None:
    for seed in range(4):
        drive = tiny.tiny_drive(seed, frames=40)
        with EpisodeWriter(folder / f'drive_{seed}', attributes={'track': str(seed)}) as bag:
            for stamp, image, (curvature, speed) in zip(
                    drive.stamps_ns.tolist(), drive.images, drive.commands.tolist(), strict=True):
                bag.image('/camera/image_raw', stamp, image)
                bag.twist('/expert/command', stamp,
                          Command(stamp, curvature, constant_speed or speed))


def recipe(tiny: ModuleType, folder: Path, **changes: Any) -> str:
    path = folder / 'train.yaml'
    path.write_text(yaml.safe_dump(tiny.settings(steps=6, validate_every=3, hold_out=0.25,
                                                 **changes)))
    return str(path)


@pytest.fixture(scope='module')
def model(tiny: ModuleType, bags: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('trained')
    assert main(['train', str(bags), '--config', recipe(tiny, folder), '--out',
                 str(folder / 'model')]) == 0
    return folder / 'model'


def failed(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_training_says_how_it_did_beside_others_and_nothing(
        tiny: ModuleType, bags: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ['train', str(bags), '--config', recipe(tiny, tmp_path, compare=['cnn']),
             '--out', str(tmp_path / 'model'), '--json', str(tmp_path / 'scores.json')]
    assert main(words) == 0
    said = capsys.readouterr().out
    scores = json.loads((tmp_path / 'scores.json').read_text())
    assert list(scores) == ['ltc', 'cnn', 'constant']
    for kind in scores:
        assert kind in said
        assert f'{scores[kind]["r2_curvature"]:.3f}' in said
    assert load_spec(tmp_path / 'model').kind == 'ltc'
    assert load_spec(tmp_path / 'model_cnn').kind == 'cnn'
    # the constant is the mean label of training: the held-out drive has another, so below zero
    held_out = load_spec(tmp_path / 'model').training['held_out_frames']
    assert {score['frames'] for score in scores.values()} == {held_out} == {40}
    assert -1.5 < scores['constant']['r2_curvature'] <= 0.0

    digest = load_spec(tmp_path / 'model').digest
    assert main(words) == 0                              # once more: it is done already
    assert load_spec(tmp_path / 'model').digest == digest


def test_a_speed_that_never_varies_has_no_score_and_a_model_all_the_same(
        tiny: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A throttle held still is how many a small car is driven; R² divides by its variance."""
    record(tiny, tmp_path / 'bags', constant_speed=7.5)
    assert main(['train', str(tmp_path / 'bags'), '--config', recipe(tiny, tmp_path), '--out',
                 str(tmp_path / 'model'), '--json', str(tmp_path / 'scores.json')]) == 0
    scores = json.loads((tmp_path / 'scores.json').read_text(), parse_constant=pytest.fail)
    assert [scores[kind]['r2_speed'] for kind in ('ltc', 'constant')] == [None, None]
    assert np.isfinite(scores['ltc']['r2_curvature'])
    assert 'of speed none, it does not vary' in (tmp_path / 'model' / 'card.md').read_text()
    assert load_spec(tmp_path / 'model').training['score']['r2_speed'] is None


def test_the_constants_score_by_hand(tiny: ModuleType, bags: Path, model: Path,
                                     tmp_path: Path) -> None:
    assert main(['train', str(bags / 'drive_2'), '--config', recipe(tiny, tmp_path), '--out',
                 str(tmp_path / 'model'), '--json', str(tmp_path / 'scores.json')]) == 0
    labels = tiny.tiny_drive(2, frames=40).commands[:, 0].astype(float)
    mean, last = labels[:30].mean(), labels[30:]         # a single drive: its end is held out
    expected = 1 - ((last - mean) ** 2).sum() / ((last - last.mean()) ** 2).sum()
    found = json.loads((tmp_path / 'scores.json').read_text())['constant']
    assert found['r2_curvature'] == pytest.approx(expected, rel=1e-4)
    assert found['frames'] == 10


def test_going_on_from_a_model(tiny: ModuleType, bags: Path, model: Path, tmp_path: Path,
                               capsys: pytest.CaptureFixture[str]) -> None:
    path = recipe(tiny, tmp_path)
    assert main(['train', str(bags), '--config', path, '--out', str(tmp_path / 'next'),
                 '--start', str(model), '--seed', '7', '--set', 'augment.noise=0.0']) == 0
    config = load_spec(tmp_path / 'next').training['config']
    assert (config['seed'], config['augment']['noise']) == (7, 0.0)
    capsys.readouterr()
    line = failed(capsys, 'train', bags, '--config', path, '--out', tmp_path / 'other',
                  '--start', model, '--set', 'policy.kind=cnn')
    assert str(model) in line
    assert 'built otherwise' in line


def test_what_training_cannot_use_is_said_in_one_line(
        tiny: ModuleType, bags: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = recipe(tiny, tmp_path), tmp_path / 'out'
    for words, said in (
            ((tmp_path / 'none', '--config', path), 'does not exist'),
            ((bags, '--config', tmp_path / 'none.yaml'), 'none.yaml'),
            ((bags, '--config', path, '--set', 'stepps=3'), "'stepps'"),
            ((bags, '--config', path, '--set', 'steps'), "--set takes NAME=VALUE, got 'steps'"),
            ((bags, '--config', path, '--compare', 'rnn'), "cannot compare with ['rnn']"),
            ((bags, '--config', path, '--set', 'topics.command=/joy'), "'/joy'")):
        line = failed(capsys, 'train', *words, '--out', out)
        assert line.startswith('ltc train: ')
        assert said in line
    assert not out.exists()


def evaluate(model: Path, out: Path, *words: str) -> list[dict[str, Any]]:
    assert main(['eval', str(model), '--tracks', '1001:1002', '--seconds', '0.5', '--noise',
                 '0.02', '--blackout', '0.2', '--blackout-interval', '0.3', '--json', str(out),
                 *words]) == 0
    return json.loads(out.read_text())['rows']


@pytest.mark.gl
def test_rows_repeat_whoever_drives_them(model: Path, tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    first = evaluate(model, tmp_path / '1.json', '--jobs', '1', '--seasons', 'summer,night')
    again = evaluate(model, tmp_path / '2.json', '--jobs', '1', '--seasons', 'summer,night')
    parallel = evaluate(model, tmp_path / '3.json', '--jobs', '2', '--seasons', 'summer,night')
    assert first == again == parallel
    assert [(row['season'], row['track']) for row in first] == [
        ('night', 1001), ('night', 1002), ('summer', 1001), ('summer', 1002)]
    assert len({row['mean_abs_offset_m'] for row in first}) == 4
    other = evaluate(model, tmp_path / '4.json', '--jobs', '1', '--seed', '1')
    assert [row for row in first if row['season'] == 'summer'] != other
    assert 'night' in capsys.readouterr().out


def test_the_file_says_what_was_asked_and_sums_up(tmp_path: Path) -> None:
    out = tmp_path / 'expert.json'
    assert main(['eval', 'expert', '--tracks', '1001', '--seconds', '3', '--jobs', '1', '--json',
                 str(out), '--require-clean']) == 0
    found = json.loads(out.read_text())
    row, = found['rows']
    assert found['options']['tracks'] == '1001'
    assert found['options']['seconds'] == 3.0
    assert row['departures'] == 0
    assert found['summary']['summer']['clean_runs'] == 1
    assert found['summary']['summer']['mean_abs_offset_m'] == row['mean_abs_offset_m']
    assert {'track', 'season', 'seconds', 'distance_m', 'departures', 'mean_abs_offset_m',
            'p95_abs_offset_m'} <= set(row)
    assert {'runs', 'clean_runs', 'departures', 'interventions_per_km',
            'mean_abs_offset_m'} <= set(found['summary']['summer'])
    assert np.isfinite([value for value in row.values() if isinstance(value, float)]).all()


@pytest.mark.gl
def test_a_model_that_leaves_its_lane_is_no_success_where_clean_is_required(
        model: Path, tmp_path: Path) -> None:
    words = ['eval', str(model), '--tracks', '1001', '--seconds', '8', '--jobs', '1', '--json',
             str(tmp_path / 'out.json')]
    left = main([*words, '--require-clean'])
    rows = json.loads((tmp_path / 'out.json').read_text())['rows']
    assert left == int(rows[0]['departures'] > 0)
    assert rows[0]['departures'] > 0                     # six steps of training teach nobody


@pytest.mark.gl
def test_collect_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, listed = tmp_path / 'bags', tmp_path / 'bags.json'
    assert main(['collect', str(out), '--tracks', '5', '--episodes', '2', '--seconds', '0.2',
                 '--jobs', '1', '--season', 'rain', '--json', str(listed)]) == 0
    episodes = json.loads(listed.read_text())['episodes']
    assert [one['frames'] for one in episodes] == [6, 6]
    assert sorted(path.name for path in out.iterdir()) == ['track_0005_000', 'track_0005_001']
    assert f'2 episodes, 12 frames in {out}' in capsys.readouterr().out
    line = failed(capsys, 'collect', out, '--tracks', '5', '--episodes', '1', '--seconds', '0.2',
                  '--jobs', '1')
    assert 'exists already' in line


@pytest.mark.gl
def test_from_a_take_over_to_a_corrected_model(
        tiny: ModuleType, bags: Path, model: Path, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    drives, path = tmp_path / 'drives', recipe(tiny, tmp_path)
    assert main(['collect', str(drives), '--tracks', '5', '--episodes', '1', '--seconds', '6',
                 '--jobs', '1', '--policy', str(model), '--human-takes-over', '--take-over-at',
                 '0.4', '--json', str(tmp_path / 'drives.json')]) == 0
    episode, = json.loads((tmp_path / 'drives.json').read_text())['episodes']
    assert episode['take_overs'] >= 1
    assert f'{episode["take_overs"]} take-overs, ' in capsys.readouterr().out
    words = ['train', str(bags), '--corrections', str(drives), '--config', path, '--start',
             str(model), '--out', str(tmp_path / 'better'), '--set', 'corrections.weight=7']
    assert main(words) == 0
    assert f'{episode["take_overs"]} take-overs in 1 drives' in capsys.readouterr().out
    training = load_spec(tmp_path / 'better').training
    assert training['corrections']['take_overs'] == episode['take_overs']
    assert training['config']['corrections']['weight'] == 7
    digest = load_spec(tmp_path / 'better').digest
    assert main(words) == 0                              # once more: it is done already
    assert load_spec(tmp_path / 'better').digest == digest

    capsys.readouterr()
    for extra, said in ((('--corrections', bags), 'does not say who was in command'),
                        (('--corrections', drives, '--set', 'corrections.weigth=2'), 'weigth')):
        assert said in failed(capsys, 'train', bags, '--config', path, '--out', tmp_path / 'x',
                              *extra)
    assert 'name one with --policy' in failed(capsys, 'collect', tmp_path / 'y', '--tracks', '5',
                                              '--human-takes-over')


@pytest.mark.gl
def test_rates_and_losses_stand_in_rows_and_summary(model: Path, tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'out.json'
    assert main(['eval', str(model), '--tracks', '1001', '--seconds', '0.5', '--jobs', '1',
                 '--rate', '10,30', '--drop', '0,0.2', '--constant-dt', '--json', str(out)]) == 0
    found = json.loads(out.read_text())
    assert [(row['rate_hz'], row['drop'], row['constant_dt']) for row in found['rows']] == [
        (10.0, 0.0, True), (30.0, 0.0, True), (10.0, 0.2, True), (30.0, 0.2, True)]
    assert 'summer, 10 Hz, 20 % lost, dt constant' in found['summary']
    capsys.readouterr()
    for words, said in ((('--rate', '25'), '25.0 Hz'), (('--rate', 'x'), "'x'"),
                        (('--rate', '0'), '0.0 Hz'), (('--drop', '1'), '[0, 1)'),
                        (('--gusts', '4'), '--gusts 4.0 is for a drone')):
        assert said in failed(capsys, 'eval', model, '--tracks', '1001', *words)
