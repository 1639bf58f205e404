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
"""``ltc explain tree|lesions|components|causes`` as a person calls them, small."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
import json
from pathlib import Path

from ltc_control.cli.main import main
import pytest

pytest.importorskip('ltc_control.sim.graphics')   # mujoco itself would want a screen
pytest.importorskip('sklearn')
ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / 'models' / 'car_lane'


def write_known_drive(bag: Path, **options: object) -> Path:
    path = ROOT / 'test' / 'insight' / 'known_drive.py'
    spec = spec_from_file_location('known_drive', path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_known_drive(bag, **options)


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_known_drive(tmp_path_factory.mktemp('why') / 'bag')


def test_trees_of_a_bag_drive_alone(bag: Path, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / 'tree.json'
    assert main(['explain', 'tree', str(bag), '--json', str(out), '--tracks', '1002',
                 '--seconds', '2', '--jobs', '1']) == 0
    said = capsys.readouterr()
    assert 'steers left: road curves left' in said.out
    assert 'little to grow trees on' in said.err
    assert 'no model to label with' in said.err
    document = json.loads(out.read_text())
    rows = document['facts']['policy']['closed_loop']['after']
    assert [row['depth'] for row in rows] == list(range(1, 9))
    # the command is 0.05 times 20 times the curvature here: a deep tree knows it
    assert document['facts']['policy']['fidelity'][-1]['r2_curvature'] > 0.98
    assert document['facts']['metrics']['explained'] == 3
    assert (tmp_path / 'tree.png').stat().st_size > 10_000


@pytest.mark.gl
def test_trees_are_saved_with_the_model_that_labels_them(
        bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'model'
    folder.mkdir()
    for file in MODEL.iterdir():
        if file.name != 'tree.json':
            (folder / file.name).write_bytes(file.read_bytes())
    call = ['explain', 'tree', str(bag), '--model', str(folder), '--out',
            str(tmp_path / 'tree.png'), '--tracks', '1002', '--seconds', '0.5', '--rounds', '1',
            '--round-seconds', '0.5', '--jobs', '1']
    assert main(call) == 0
    assert 'replaying its frames' in capsys.readouterr().err
    facts = json.loads((folder / 'tree.json').read_text())['facts']
    assert facts['policy']['frames_added'] == 8 * 15
    assert facts['policy']['closed_loop']['network']['runs'] == 1
    assert len(facts['policy']['closed_loop']['before']) == 8
    assert main(['info', str(folder)]) == 0        # the model itself is as it was


def test_neurons_of_an_older_model_are_not_told_of_this_one(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = write_known_drive(tmp_path / 'bag', seconds=12.0, model=str(MODEL), digest='0' * 64)
    out = tmp_path / 'tree.json'
    assert main(['explain', 'tree', str(bag), '--no-drive', '--no-save', '--json',
                 str(out)]) == 0
    assert 'recorded with another model, replaying its frames' in capsys.readouterr().err
    assert len(json.loads(out.read_text())['neurons']) == 19   # the bag holds four


def test_a_bag_that_cannot_be_explained_says_why(tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    blind = write_known_drive(tmp_path / 'blind', seconds=0.3, truth=False)
    assert main(['explain', 'tree', str(blind)]) == 2
    assert 'ground_truth/lane' in capsys.readouterr().err
    silent = write_known_drive(tmp_path / 'silent', seconds=0.3, neurons=False)
    assert main(['explain', 'tree', str(silent)]) == 2
    assert 'give --model' in capsys.readouterr().err
    short = write_known_drive(tmp_path / 'short', seconds=2.0)
    assert main(['explain', 'tree', str(short)]) == 2
    assert 'too few' in capsys.readouterr().err
    assert main(['explain', 'tree', str(tmp_path / 'nothing')]) == 2


@pytest.mark.gl
def test_lesions_know_that_a_motor_neuron_leads_nowhere(tmp_path: Path) -> None:
    out = tmp_path / 'les.json'
    assert main(['explain', 'lesions', str(MODEL), '--neurons', 'motor_0,command_0', '--tracks',
                 '1001', '--starts', '2', '--seconds', '1.5', '--jobs', '1', '--json',
                 str(out)]) == 0
    found = json.loads(out.read_text())
    assert found['motors']['motor_0']['no_change'] is True
    assert found['motors']['motor_0']['rms_ratio'] == 1.0
    assert [row['neuron'] for row in found['neurons']] == ['command_0']
    assert found['neurons'][0]['rms_ratio'] != 1.0
    assert found['outside_envelope'] == 0
    assert found['whole']['runs'] == 2
    assert (tmp_path / 'les.png').is_file()


@pytest.mark.gl
def test_causes_give_one_ratio_a_model(tmp_path: Path) -> None:
    out = tmp_path / 'causes.json'
    assert main(['explain', 'causes', str(MODEL), '--pairs', '3', '--pair-tracks', '1001',
                 '--distractors', 'sky,light', '--no-drive', '--jobs', '1', '--json',
                 str(out)]) == 0
    (row,) = json.loads(out.read_text())['models']
    assert 0.5 < row['causal_ratio'] < 1.0          # the shipped model follows the lane
    assert row['open_loop']['curvature']['slope'] > 0.3
    names = [one['name'] for one in row['open_loop']['interventions']]
    assert {'sky', 'light', 'lane +0.4 m', 'lane -0.4 m'} <= set(names)
    assert 'autumn' not in names
    assert all(one['pixel_change'] > 0 for one in row['open_loop']['interventions'])


@pytest.mark.gl
def test_components_stand_beside_the_paper(tmp_path: Path) -> None:
    out = tmp_path / 'components.json'
    assert main(['explain', 'components', str(MODEL), '--tracks', '1001', '--seconds', '1',
                 '--untrained', '0', '--jobs', '1', '--json', str(out)]) == 0
    found = json.loads(out.read_text())
    assert found['paper'] == {'LSTM': 0.51, 'CT-RNN': 0.6, 'CNN': 0.83, 'NCP': 0.92}
    assert found['models'][0]['units'] == 19
    assert 0.0 < found['models'][0]['share'] <= 1.0


@pytest.mark.parametrize('call', [
    ['lesions', 'MODEL', '--neurons', 'inter_99'], ['lesions', 'MODEL', '--starts', '0'],
    ['causes', 'MODEL', '--pairs', '1'],
    ['causes', 'MODEL', '--distractors', 'moon'],
    ['components', 'MODEL', '--seconds', '0'],
    ['components', 'nowhere'], ['tree', 'nowhere', '--rounds', '-1']])
def test_what_makes_no_sense_is_refused(call: list[str]) -> None:
    assert main(['explain', *(str(MODEL) if word == 'MODEL' else word for word in call)]) == 2
