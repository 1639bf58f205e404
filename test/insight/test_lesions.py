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
"""Damage by hand, and lesions of the shipped network against its own graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ltc_control.core.engine import Engine
from ltc_control.insight.held_engine import HeldEngine
from ltc_control.insight.lesions import damage, Outcome, reference_means, same, single_points
from ltc_control.insight.lesions_picture import draw_criticality
from ltc_control.insight.liquid_engine import LiquidEngine
import numpy as np
import pytest

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
NAMES = ('motor_0', 'command_0')
WHOLE = Outcome(track=1, seed=0, seconds=10.0, distance_m=100.0, departures=0,
                first_departure_s=None, rms_offset_m=0.1, rms_lateral_jerk=2.0,
                state_mean=(0.0, 1.0), tau_mean_s=(0.1, 0.2), outside=0)
BASE = [replace(WHOLE, seed=seed) for seed in range(4)]


def test_damage_by_hand() -> None:
    hurt = [replace(BASE[0], departures=3, first_departure_s=2.0, rms_offset_m=0.4),
            replace(BASE[1], rms_offset_m=0.2, tau_mean_s=(0.1, 0.4)),
            replace(BASE[2], departures=1, first_departure_s=4.0, distance_m=100.0), BASE[3]]
    found = damage('command_0', BASE, hurt, names=NAMES)
    assert (found.success, found.success_drop) == (0.5, 0.5)
    assert found.departures_per_km == pytest.approx(10.0)
    assert found.departures_per_km_more == pytest.approx(10.0)
    low, high = found.departures_per_km_more_95
    assert 0.0 <= low < 10.0 < high <= 30.0
    assert found.rms_ratio == pytest.approx(np.sqrt((16 + 4 + 1 + 1) / 4))
    assert found.first_departure_s == 3.0
    assert found.jerk_ratio == pytest.approx(1.0)
    assert found.tau_ratio == {'command_0': pytest.approx(1.25)}


def test_no_lesion_no_damage() -> None:
    found = damage('command_0', BASE, list(BASE), names=NAMES)
    assert same(BASE, list(BASE))
    assert (found.success_drop, found.departures_per_km_more, found.rms_ratio) == (0.0, 0.0, 1.0)
    assert found.rms_ratio_95 == (1.0, 1.0)
    assert not same(BASE, [replace(BASE[0], outside=1), *BASE[1:]])


def test_single_points_of_failure() -> None:
    good, bad = (replace_success(share) for share in (1.0, 0.5))
    assert single_points([good, bad], base_success=1.0, release=0.9) == ['x0.5']
    # a network that does not reach the threshold whole has no neuron to blame
    assert single_points([good, bad], base_success=0.8, release=0.9) == []
    np.testing.assert_allclose(reference_means(BASE), [0.0, 1.0])


def replace_success(share: float) -> object:
    return replace(damage('x', BASE, list(BASE), names=NAMES), neuron=f'x{share}', success=share)


@pytest.fixture(scope='module')
def moment() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an image, IMU features and a state that the network gets into."""
    spec = Engine(MODEL).spec
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (spec.image.height, spec.image.width, 3), dtype=np.uint8)
    imu = np.zeros(len(spec.imu.features), np.float32)
    state = Engine(MODEL).step(image, imu, np.zeros(spec.neurons, np.float32), 0.5)[1]
    return image, imu, state


def test_a_motor_neuron_can_be_cut_without_change(moment: tuple) -> None:
    whole = LiquidEngine(MODEL).step(*moment, 1 / 30)
    cut = LiquidEngine(MODEL, cut=['motor_0']).step(*moment, 1 / 30)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a, b)


def test_holding_nothing_is_the_graph_itself(moment: tuple) -> None:
    held, graph = (engine.step(*moment, 1 / 30)
                   for engine in (HeldEngine(MODEL, held={}), Engine(MODEL)))
    for a, b in zip(held, graph, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_a_held_neuron_stays_and_the_others_hear_of_it(moment: tuple) -> None:
    free = HeldEngine(MODEL, held={})
    place = free.core.index('command_0')
    _, after, _ = HeldEngine(MODEL, held={'command_0': 0.7}).step(*moment, 1 / 30)
    _, whole, _ = free.step(*moment, 1 / 30)
    assert after[place] == np.float32(0.7)
    heard = {int(target) for source, target in zip(free.core.inner.source, free.core.inner.target,
                                                   strict=True) if source == place}
    assert all(after[i] != whole[i] for i in heard)
    low, high = (np.array(bound) for bound in (free.spec.envelope_low, free.spec.envelope_high))
    assert ((after >= low - 1e-5) & (after <= high + 1e-5)).all()


def test_clamping_to_zero_is_no_silence(moment: tuple) -> None:
    """A synapse whose source is held at 0 still conducts w s(-sigma mu)."""
    clamped = HeldEngine(MODEL, held={'command_0': 0.0}).step(*moment, 1 / 30)[1]
    cut = LiquidEngine(MODEL, cut=['command_0']).step(*moment, 1 / 30)[1]
    core = LiquidEngine(MODEL).core
    targets = core.inner.target[core.inner.source == core.index('command_0')]
    assert np.abs(clamped[targets] - cut[targets]).max() > 1e-4


def test_the_map_is_drawn(tmp_path: Path) -> None:
    import cv2
    from ltc_control.insight.circuit import Circuit
    circuit = Circuit.of(LiquidEngine(MODEL).spec)
    hurt = [replace(damage('x', BASE, list(BASE), names=NAMES), neuron=name, rms_ratio=1.0 + k)
            for k, name in enumerate(circuit.names[2:])]
    draw_criticality(circuit, hurt, tmp_path / 'map.png', title='map', critical=['inter_3'])
    assert cv2.imread(str(tmp_path / 'map.png')).std() > 10
