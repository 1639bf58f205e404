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
"""
The control of everything that looks inside: the same head, other neurons.

Recurrent weights put elsewhere leave VisualBackProp as it is, to the bit, and must change all that
claims to speak of the neurons: gradient map, trees, lesions, causal ratio. Likewise responses
that were shuffled over time; those controls stand with the metrics (test_disentangle).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

torch = pytest.importorskip('torch')
pytest.importorskip('ltc_control.sim.graphics')   # mujoco itself would want a screen
pytest.importorskip('sklearn')

from ltc_control.cli.cause_runs import measure_pairs, PairsJob  # noqa: E402
from ltc_control.cli.lesion_runs import close_worlds, drive_lesion, LesionJob  # noqa: E402
from ltc_control.cli.tree_drives import TruthReader  # noqa: E402
from ltc_control.core.imaging import prepare  # noqa: E402
from ltc_control.core.model_file import load_spec  # noqa: E402
from ltc_control.core.policy import Policy  # noqa: E402
from ltc_control.insight.attention import Attention  # noqa: E402
from ltc_control.insight.causes import judge  # noqa: E402
from ltc_control.insight.lesions import Lesion, same  # noqa: E402
from ltc_control.insight.tree_explanation import grow_neurons  # noqa: E402
from ltc_control.insight.tree_samples import divided, Samples  # noqa: E402
from ltc_control.insight.tree_variables import CAR  # noqa: E402
from ltc_control.nets.export import attach_attention, export_policy, WEIGHTS_FILE  # noqa: E402
from ltc_control.nets.policy_net import load_policy  # noqa: E402
from ltc_control.sim.closed_loop import Start  # noqa: E402
from ltc_control.sim.environment import Environment, EnvironmentSpec  # noqa: E402

pytestmark = pytest.mark.gl
MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
FRAMES = 320


class Seen(NamedTuple):
    """What the expert's drive showed: pictures, and the true states (T, V)."""

    frames: list
    windows: list
    states: np.ndarray


@pytest.fixture(scope='module')
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped model with its recurrent weights put elsewhere."""
    spec, net = load_spec(MODEL), load_policy(MODEL / WEIGHTS_FILE)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in net.core.parameters():
            parameter.copy_(parameter[torch.randperm(len(parameter))])
    folder = tmp_path_factory.mktemp('shuffled') / 'model'
    export_policy(net, folder, name='shuffled', image=spec.image, imu=spec.imu,
                  commands=spec.commands, longest_step_s=spec.longest_step_s)
    if not (folder / 'attention.onnx').is_file():
        attach_attention(folder)
    return folder


@pytest.fixture(scope='module')
def seen() -> Seen:
    frames, windows, states = [], [], []
    with Environment(EnvironmentSpec(track=1003, season='summer')) as env:
        reader, now = TruthReader(env, CAR), env.reset(seed=3)
        for _ in range(FRAMES):
            frames.append(type(now.frame)(now.frame.stamp_ns, now.frame.rgb.copy()))
            windows.append(now.imu)
            states.append(reader.row(now))
            now = env.step(env.expert.command(now.truth, now.odometry))
    return Seen(frames, windows, np.array(states))


def test_visual_backprop_stays_and_the_gradient_moves(shuffled: Path, seen: Seen) -> None:
    ours, theirs = Attention(MODEL), Attention(shuffled)
    image = prepare(seen.frames[-1].rgb, ours.spec.image)
    state = np.zeros(ours.spec.neurons)
    assert (ours.visual_backprop(image).values.tobytes()
            == theirs.visual_backprop(image).values.tobytes())
    maps = [one.gradient(image, state, 1 / 30, target='curvature').values
            for one in (ours, theirs)]
    assert np.abs(maps[0] / maps[0].max() - maps[1] / max(maps[1].max(), 1e-30)).max() > 0.05


def responses(folder: Path, seen: Seen) -> Samples:
    policy = Policy.load(folder)
    said = [policy.step(frame, window)
            for frame, window in zip(seen.frames, seen.windows, strict=True)]
    return Samples(CAR, tuple(f'n_{i}' for i in range(policy.spec.neurons)), seen.states,
                   np.array([one.state for one in said], float),
                   np.array([(one.command.curvature, one.command.speed) for one in said]),
                   np.zeros(FRAMES, int), np.arange(FRAMES) / 30, ('summer',))


def test_trees_change(shuffled: Path, seen: Seen) -> None:
    few = slice(0, 6)                      # of the neurons: motors and commands
    ours, again, theirs = (
        [one.tree.to_dict() for one in grow_neurons(
            samples.with_neurons(samples.names[few], samples.neurons[:, few]), divided(samples))]
        for samples in (responses(folder, seen) for folder in (MODEL, MODEL, shuffled)))
    assert ours == again                   # replay: the same recording, the same model
    assert all(a != b for a, b in zip(ours, theirs, strict=True))


def test_lesions_change(shuffled: Path) -> None:
    def ratio(folder: Path) -> float:
        whole, cut = (drive_lesion(LesionJob(folder, neuron, Lesion.CUT, 1001, 'summer',
                                             (Start(0, 1.0),))) for neuron in (None, 'command_0'))
        assert not same(whole, cut)
        return cut[0].rms_offset_m / whole[0].rms_offset_m

    try:
        assert ratio(MODEL) != pytest.approx(ratio(shuffled), rel=1e-3)
    finally:
        close_worlds()


def test_the_causal_ratio_changes(shuffled: Path) -> None:
    effects, asked = measure_pairs(PairsJob((MODEL, shuffled), 1001, 'summer', 3, 0, ('sky',)))
    rms = np.sqrt((asked**2).mean(axis=0)).tolist()
    ours, theirs = (judge(found, expert_rms=rms)['curvature'] for found in effects)
    assert ours['causal_ratio'] != pytest.approx(theirs['causal_ratio'], abs=0.01)
    assert ours['slope'] > 0.3             # the shipped model turns with the lane
    assert abs(theirs['slope']) < 0.5 * ours['slope']
