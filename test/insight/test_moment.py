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
"""A moment of a bag: the step that was recorded comes out again, and what is missing is said."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

import cv2
from ltc_control import bringup
from ltc_control.cli.main import main
from ltc_control.core.contracts import Decision, Frame, ImuWindow
from ltc_control.core.errors import BagError
from ltc_control.core.model_file import load_spec, write_spec
from ltc_control.core.neurons import neuron_names
from ltc_control.core.policy import Policy
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.messages import serialize, typestore
from ltc_control.insight.moment import explain_moment
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
FRAMES, STEP_NS, START_NS = 12, 33_333_333, 7_000_000_000


def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [cv2.resize(rng.integers(0, 256, (7, 20, 3), dtype=np.uint8), (200, 66),
                       interpolation=cv2.INTER_CUBIC) for _ in range(FRAMES)]


def write(bag: Path, *, neurons: bool = True, images: bool = True,
          keep: int = 19) -> list[Decision]:
    """Write what a drive of the shipped model over made-up pictures says; return its decisions."""
    policy, said = Policy.load(MODEL), []
    names = neuron_names(policy.spec.roles, policy.spec.neurons)
    kind = typestore().types['sensor_msgs/msg/JointState']
    with EpisodeWriter(bag, attributes={'model': str(MODEL)}) as episode:
        for index, rgb in enumerate(pictures()):
            stamp = START_NS + index * STEP_NS
            decision = policy.step(Frame(stamp, rgb), ImuWindow.empty())
            said.append(decision)
            if images:
                episode.image(bringup.CAMERA, stamp, rgb)
            episode.twist(bringup.POLICY_COMMAND, stamp, decision.command)
            if neurons:
                header = messages.twist_stamped(stamp, 0.0, 0.0, 'base_link').header
                message = kind(header=header, name=list(names[:keep]), velocity=np.empty(0),
                               position=decision.state[:keep].astype(float),
                               effort=decision.tau[:keep].astype(float))
                episode._bag.write(bringup.NEURONS, message.__msgtype__, serialize(message),
                                   log_ns=stamp)
    return said


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Decision]]:
    bag = tmp_path_factory.mktemp('moment') / 'bag'
    return bag, write(bag)


@pytest.fixture(scope='module')
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same drive without neurons."""
    bag = tmp_path_factory.mktemp('moment') / 'bare'
    write(bag, neurons=False)
    return bag


@pytest.mark.parametrize('index', [0, 5, FRAMES - 1])
def test_the_recorded_step_comes_out_again(drive: tuple[Path, list[Decision]], bare: Path,
                                           index: int) -> None:
    bag, said = drive
    for source, origin in ((bag, 'recorded'), (bare, 'recomputed')):
        moment = explain_moment(source, MODEL, at_s=index * STEP_NS * 1e-9)
        assert moment.step.origin == origin
        assert moment.step.frame.stamp_ns == START_NS + index * STEP_NS
        np.testing.assert_array_equal(moment.step.frame.rgb, pictures()[index])
        np.testing.assert_allclose(moment.state, said[index].state, atol=1e-5)
        np.testing.assert_allclose(moment.tau, said[index].tau, rtol=1e-4)
        assert moment.command[0] == pytest.approx(said[index].command.curvature, abs=1e-6)
        assert moment.flow is not None
        np.testing.assert_allclose(moment.flow.sums(), moment.state, rtol=0, atol=1e-12)
        assert not [note for note in moment.notes if 'differ' in note]


def test_control_the_same_bag_gives_the_same_moment(drive: tuple[Path, list[Decision]]) -> None:
    one, two = (explain_moment(drive[0], MODEL, at_s=0.2) for _ in range(2))
    assert json.dumps(one.to_dict()) == json.dumps(two.to_dict())
    for a, b in zip((one.visual_backprop, *one.gradients), (two.visual_backprop, *two.gradients),
                    strict=True):
        assert a.values.tobytes() == b.values.tobytes()


def test_another_model_than_the_one_that_drove_is_noticed(tmp_path: Path) -> None:
    bag = tmp_path / 'bag'
    write(bag, keep=4)
    with pytest.raises(BagError, match='holds 4 neurons'):
        explain_moment(bag, MODEL, at_s=0.1)


def test_the_command_writes_picture_and_numbers(drive: tuple[Path, list[Decision]],
                                                tmp_path: Path, capsys: object) -> None:
    out, numbers = tmp_path / 'moment.png', tmp_path / 'moment.json'
    assert main(['explain', 'moment', str(drive[0]), '--at', '0.2', '--out', str(out),
                 '--json', str(numbers)]) == 0
    assert cv2.imread(str(out)).shape[0] > 500
    told = json.loads(numbers.read_text())
    flow = told['flow']['curvature']
    assert flow['neuron'] == 'motor_0'
    assert flow['memory'] + flow['leak'] + flow['synapses'] == pytest.approx(flow['state'],
                                                                             abs=1e-12)
    assert flow['memory_share'] + flow['leak_share'] + flow['synapse_share'] == pytest.approx(
        1.0, abs=1e-6)
    assert len(flow['largest']) == 3           # all that reach this motor neuron
    assert flow['upstream'][-1]['source'].startswith('feature_')
    assert len(told['neurons']) == 19


@pytest.mark.parametrize(('at', 'said'), [('99', 'outside of'), ('-1', 'outside of')])
def test_a_time_outside_is_said(drive: tuple[Path, list[Decision]], at: str, said: str,
                                capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(['explain', 'moment', str(drive[0]), f'--at={at}', '--out',
                 str(tmp_path / 'x.png')])
    line, = capsys.readouterr().err.splitlines()
    assert (code, line.startswith('ltc explain: time')) == (2, True)
    assert said in line
    assert '0 to 0.37 s' in line


def test_no_image_and_no_attention_graph_are_said(tmp_path: Path, drive: tuple[Path, object],
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    blind = tmp_path / 'blind'
    write(blind, images=False)
    folder = tmp_path / 'car'
    shutil.copytree(MODEL, folder)
    (folder / 'attention.onnx').unlink()
    write_spec(folder, replace(load_spec(MODEL), files={}))
    for bag, model, said in ((blind, MODEL, 'holds no image'),
                             (drive[0], folder, 'ltc explain attach')):
        assert main(['explain', 'moment', str(bag), '--model', str(model)]) == 2
        assert said in capsys.readouterr().err
