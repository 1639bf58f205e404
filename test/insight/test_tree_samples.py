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
"""Frames for trees: what the simulator knew, divided so that no neighbour judges another."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from ltc_control.core.errors import BagError, ModelError
from ltc_control.core.model_file import GRAPH_FILE, load_spec
from ltc_control.core.policy import Policy
from ltc_control.insight.recorded_drive import read_drive
from ltc_control.insight.tree_explanation import find_speaker, grow_neurons, judge_neurons
from ltc_control.insight.tree_file import Explanation, read_explanation, write_explanation
from ltc_control.insight.tree_picture import draw_trees
from ltc_control.insight.tree_replay import replayed_neurons
from ltc_control.insight.tree_samples import (
    divided,
    GROW,
    joined,
    JUDGE,
    PRUNE,
    read_samples,
    recorded_neurons,
    Samples,
)
from ltc_control.insight.tree_variables import CAR
from ltc_control.insight.whole_policy_tree import fidelity, grow_policy_trees
from ltc_control.sim.track import make_track
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'


def known_drive() -> ModuleType:
    spec = spec_from_file_location('known_drive', Path(__file__).with_name('known_drive.py'))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(bag: Path) -> Samples:
    return read_samples(bag, neurons=recorded_neurons, curvature_at=lambda drive: make_track(
        int(drive.attributes['track'])).curvature_at)


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return known_drive().write_known_drive(tmp_path_factory.mktemp('known') / 'bag')


@pytest.fixture(scope='module')
def samples(bag: Path) -> Samples:
    return joined([read(bag)])


@pytest.fixture(scope='module')
def explanation(samples: Samples) -> Explanation:
    use = divided(samples)
    neurons = grow_neurons(samples, use)
    trees = grow_policy_trees(samples.states, samples.commands)
    facts = {**judge_neurons(neurons, samples, use), 'policy': {'fidelity': [
        fidelity(tree, samples.states, samples.commands).__dict__ for tree in trees.values()]}}
    return Explanation('abc', 'known', len(samples), samples.variables, neurons,
                       find_speaker(samples, use), trees[3], facts)


def test_the_circle_in_closed_form(circle: Path) -> None:
    """Radius 40 m, 0.25 m left of the lane, 8 m/s: every column is known."""
    found = read_samples(circle, curvature_at=lambda _: lambda arc: 0.025 + 0.0 * arc,
                         neurons=recorded_neurons)
    assert len(found) == 91
    keys = [variable.key for variable in CAR]
    expected = {'offset': 0.25, 'heading': 0.0, 'curvature_0m': 0.025, 'curvature_10m': 0.025,
                'speed': 8.0, 'yaw_rate': 8.0 / 39.75}
    for key, value in expected.items():
        np.testing.assert_allclose(found.states[:, keys.index(key)], value, atol=1e-6)
    np.testing.assert_allclose(found.commands, [[0.025, 9.0]] * 91)
    np.testing.assert_allclose(found.neurons[0], [0.5, -0.5, 1.0, 0.0])


def test_without_ground_truth_it_says_so(circle_writer: Callable[..., Path],
                                         tmp_path: Path) -> None:
    blind = circle_writer(tmp_path / 'blind', frames=5, truth=False)
    with pytest.raises(BagError, match='ground_truth/lane'):
        read_samples(blind, curvature_at=lambda _: np.zeros_like, neurons=recorded_neurons)


def test_curvature_ahead_is_the_road_ahead(samples: Samples) -> None:
    """What lies 10 m ahead is here once 10 m have been driven."""
    keys = [variable.key for variable in samples.variables]
    here, ahead = (samples.states[:, keys.index(f'curvature_{k}m')] for k in (0, 10))
    way = np.cumsum(samples.states[:, keys.index('speed')]) / 30.0
    later = np.searchsorted(way, way + 10.0)
    inside = later < len(way)
    np.testing.assert_allclose(here[later[inside]], ahead[inside], atol=0.004)


def test_uses_are_segments_with_gaps(samples: Samples) -> None:
    use = divided(samples)
    assert {-1, GROW, PRUNE, JUDGE} == set(use.tolist())
    changes = np.flatnonzero(np.diff(use))
    assert len(changes) < 20                  # stretches of seconds, not single frames
    kinds = use[use >= 0]
    times = samples.time_s[use >= 0]
    border = np.flatnonzero(np.diff(kinds))
    assert (times[border + 1] - times[border] >= 0.5).all()


def test_too_few_frames_are_refused(samples: Samples) -> None:
    with pytest.raises(BagError, match='too few'):
        divided(samples.at(np.arange(100)))


def test_memory_is_the_same_variable_earlier(bag: Path) -> None:
    found = joined([read(bag)], memory=True)
    assert len(found.variables) == 3 * len(CAR)
    np.testing.assert_array_equal(found.states[15:, 2 * len(CAR):], found.states[:-15, :len(CAR)])


def test_trees_find_what_each_neuron_answers(explanation: Explanation) -> None:
    motor, command, inter, noise = explanation.neurons
    keys = [variable.key for variable in explanation.variables]
    assert keys[motor.tree.variable[0]].startswith('curvature')
    assert keys[command.tree.variable[0]] == 'offset'
    assert keys[inter.tree.variable[0]] == 'speed'
    assert len(noise.tree.leaf_nodes) == 1
    assert explanation.facts['metrics']['unexplained'] == ('inter_1',)
    assert explanation.facts['metrics']['mi_gap'] > 0.2
    assert abs(explanation.facts['shuffled_in_time']['mi_gap']) < 0.05
    assert explanation.speaker.neuron == 0
    assert explanation.speaker.gain == pytest.approx(0.05, rel=1e-6)


def test_the_sentence_is_true_of_the_road(explanation: Explanation, samples: Samples) -> None:
    bend = samples.states[:, 2]
    hard_left, hard_right = (int(f(bend)) for f in (np.argmax, np.argmin))
    assert explanation.why(samples.neurons[hard_left]).startswith(
        'steers left: road curves left')
    assert explanation.why(samples.neurons[hard_right]).startswith(
        'steers right: road curves right')


def test_the_file_gives_back_the_same_words(explanation: Explanation, samples: Samples,
                                            tmp_path: Path) -> None:
    write_explanation(explanation, tmp_path / 'tree.json')
    again = read_explanation(tmp_path)
    for row in samples.neurons[::50]:
        assert again.why(row) == explanation.why(row)
        assert again.path_words(2, row[2]) == explanation.path_words(2, row[2])
    assert not (tmp_path / 'tree.json.part').exists()


def test_files_of_other_models_and_damaged_ones_are_refused(
        explanation: Explanation, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match='ltc explain tree'):
        read_explanation(tmp_path)
    path = tmp_path / 'tree.json'
    write_explanation(explanation, path)
    spec = load_spec(MODEL)
    with pytest.raises(ModelError, match='another model'):
        read_explanation(path, spec=spec)
    path.write_text(path.read_text().replace('"abc"', f'"{spec.files[GRAPH_FILE]}"'))
    assert read_explanation(path, spec=spec).model == 'known'
    path.write_text(path.read_text()[:1000])
    with pytest.raises(ModelError, match='no file of trees'):
        read_explanation(path)


def test_the_picture_is_drawn(explanation: Explanation, tmp_path: Path) -> None:
    import cv2
    draw_trees(explanation, tmp_path / 'tree.png')
    picture = cv2.imread(str(tmp_path / 'tree.png'))
    assert picture.shape[1] > 1000
    assert picture.std() > 10


def test_a_replay_is_the_same_to_the_bit_and_needs_no_neurons(tmp_path: Path) -> None:
    silent = known_drive().write_known_drive(tmp_path / 'silent', seconds=0.6, neurons=False)
    drive = read_drive(silent)
    assert len(drive.neurons) == 0
    (names, states, commands), (_, again, _) = (
        replayed_neurons(drive, Policy.load(MODEL)) for _ in range(2))
    assert len(names) == 19
    np.testing.assert_array_equal(states.values, again.values)
    assert states.values.shape == (18, 19)
    assert commands.values[:, 1].max() <= 14.0
    assert np.ptp(states.values[:, 0]) > 0


@pytest.mark.parametrize('seconds', [(10.0,), (12.0,), (18.0,), (5.0, 7.0), (4.0, 4.0, 4.0)])
def test_a_short_drive_too_has_frames_to_grow_prune_and_judge(seconds: tuple[float, ...]) -> None:
    times = [np.arange(round(30 * length)) / 30 for length in seconds]
    count = sum(map(len, times))
    drive = np.repeat(np.arange(len(times)), [len(one) for one in times])
    samples = Samples((), ('a',), np.zeros((count, 0)), np.zeros((count, 1)),
                      np.zeros((count, 2)), drive, np.concatenate(times), ())
    use = divided(samples)
    assert all((use == kind).sum() > 10 for kind in (GROW, PRUNE, JUDGE))
