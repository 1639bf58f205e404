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
"""Closed loop: who drives clean, what the numbers mean, and that they repeat."""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path
from types import ModuleType
from typing import Any

from ltc_control.core.contracts import Command
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.nets.policy_net import build_policy, PolicyNet
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.training.evaluate import (
    drive,
    DriveConfig,
    DriveResult,
    START_SPEED,
    summarise,
    to_rows,
)
from ltc_control.training.train import export_with_card
import numpy as np
import pytest
import torch

FACTS = {'score': {'r2_curvature': 0.0, 'r2_speed': 0.0}, 'episodes': 0, 'frames': 0,
         'tracks': [], 'seasons': [], 'steps': 0, 'held_out_episodes': 0, 'held_out_frames': 0}


def export(net: PolicyNet, tiny: ModuleType, folder: Path, **settings: Any) -> Path:
    config = tiny.tiny_config(**settings)
    export_with_card(net, config, out=folder, name='tiny',
                     facts={**FACTS, 'config': config.to_dict()})
    return folder


@pytest.fixture(scope='module')
def constant(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that always asks for a curvature of 0.05 at 6 m/s."""
    settings = {'policy': {'kind': 'cnn', 'command_offset': [0.05, 6.0]}}
    net = build_policy(tiny.tiny_config(**settings).policy)
    with torch.no_grad():
        net.core.readout.weight.zero_()
        net.core.readout.bias.zero_()
    return export(net, tiny, tmp_path_factory.mktemp('constant'), **settings)


def liquid(tiny: ModuleType, folder: Path, kind: str) -> Path:
    """Return an untrained model, which steers by what it sees and, if liquid, has seen."""
    torch.manual_seed(4)
    settings = {'policy': {'kind': kind, 'cm_init': [5.0, 30.0]}}
    return export(build_policy(tiny.tiny_config(**settings).policy), tiny, folder, **settings)


def by_hand(*, track: int, seconds: float, curvature: float, speed: float) -> dict[str, float]:
    """Drive a constant request through the gate and count as a person would."""
    offsets, lateral, speeds, wishes, departures, was_off = [], [], [], [], 0, False
    with Environment(EnvironmentSpec(track=track, render=False)) as env:
        seen, gate = env.reset(seed=0, speed=START_SPEED), GateState()
        for _ in range(round(seconds * 30)):
            stamp = seen.odometry.stamp_ns
            wishes.append(env.expert.command(seen.truth, seen.odometry).speed)
            gate, command, _ = gate_step(gate, now_ns=stamp, odometry=seen.odometry,
                                         request=Command(stamp, curvature, speed),
                                         config=GateConfig())
            seen = env.step(command)
            offsets.append(abs(seen.truth.offset_m))
            lateral.append(seen.truth.lateral_acceleration)
            speeds.append(seen.odometry.speed)
            if seen.truth.departed and not was_off:
                departures += 1
                env.place()
            was_off = seen.truth.departed
    offsets.sort()
    place = 0.95 * (len(offsets) - 1)
    low = math.floor(place)
    p95 = offsets[low] + (place - low) * (offsets[min(low + 1, len(offsets) - 1)] - offsets[low])
    jerks = [(b - a) / 0.2 for a, b in zip(lateral[::6], lateral[6::6], strict=False)]
    mean_speed = sum(speeds) / len(speeds)
    mean_wish = sum(wishes) / len(wishes)
    unexplained = sum((speed - wish) ** 2 for wish in wishes)
    return {'distance_m': seen.truth.lap_m, 'departures': departures,
            'interventions_per_km': departures / (seen.truth.lap_m / 1000),
            'mean_abs_offset_m': sum(offsets) / len(offsets), 'p95_abs_offset_m': p95,
            'max_abs_offset_m': offsets[-1],
            'rms_lateral_jerk': math.sqrt(sum(j * j for j in jerks) / len(jerks)),
            'mean_speed': mean_speed,
            'speed_std': math.sqrt(sum((v - mean_speed) ** 2 for v in speeds) / len(speeds)),
            'speed_r2': 1 - unexplained / sum((wish - mean_wish) ** 2 for wish in wishes)}


def test_the_expert_drives_clean() -> None:
    result = drive(DriveConfig(model=None, track=1001, seconds=40.0))
    assert result.departures == 0
    assert result.mean_abs_offset_m < 0.05
    assert result.distance_m == pytest.approx(40 * result.mean_speed, rel=0.02)
    assert 4.0 < result.mean_speed < 12.0


@pytest.mark.gl
def test_the_numbers_are_those_of_a_count_by_hand(constant: Path) -> None:
    result = drive(DriveConfig(model=constant, track=1002, seconds=6.0))
    expected = by_hand(track=1002, seconds=6.0, curvature=0.05, speed=6.0)
    assert result.departures >= 2
    for name, value in expected.items():
        assert getattr(result, name) == pytest.approx(value, rel=1e-3, abs=2e-4), name


@pytest.mark.gl
def test_memory_counts_only_where_it_is_kept(tiny: ModuleType, tmp_path: Path) -> None:
    for kind, matters in (('ltc', True), ('cnn', False)):
        config = DriveConfig(model=liquid(tiny, tmp_path / kind, kind), track=1001, seconds=1.5,
                             blackout_s=0.3, blackout_interval_s=0.5)
        kept, zeroed = drive(config), drive(replace(config, reset_state=True))
        assert (kept != zeroed) is matters


@pytest.mark.gl
def test_noise_season_and_faults_reach_the_camera(tiny: ModuleType, tmp_path: Path) -> None:
    plain = DriveConfig(model=liquid(tiny, tmp_path, 'cnn'), track=1001, seconds=1.0)
    results = [drive(replace(plain, **change)) for change in (
        {}, {}, {'season': 'night'}, {'noise_var': 0.1}, {'noise_var': 0.1, 'seed': 1},
        {'blackout_s': 0.5, 'blackout_interval_s': 0.2},
        {'blackout_s': 0.5, 'blackout_interval_s': 0.2, 'blackout_kind': 'frozen'})]
    driven = [(one.mean_abs_offset_m, one.rms_lateral_jerk) for one in results]
    assert driven[0] == driven[1]
    assert len(set(driven)) == len(driven) - 1


ROW = DriveResult(track=1002, season='summer', seconds=60.0, distance_m=500.0, departures=0,
                  interventions_per_km=0.0, mean_abs_offset_m=0.02, p95_abs_offset_m=0.05,
                  max_abs_offset_m=0.1, rms_lateral_jerk=1.0, mean_speed=8.0, speed_std=1.0)


def test_a_summary_by_hand() -> None:
    rows = [ROW, replace(ROW, track=1001, departures=3, distance_m=700.0, mean_abs_offset_m=0.10),
            replace(ROW, season='autumn', p95_abs_offset_m=0.3)]
    found = summarise(rows)
    summer, autumn = found['summer'], found['autumn']
    assert (summer['runs'], summer['clean_runs'], summer['departures']) == (2, 1, 3)
    assert summer['distance_m'] == 1200.0
    assert summer['interventions_per_km'] == pytest.approx(2.5)      # 3 in 1.2 km
    assert summer['mean_abs_offset_m'] == pytest.approx(0.06)
    assert summer['worst_run_mean_abs_offset_m'] == 0.10
    assert (autumn['runs'], autumn['p95_abs_offset_m']) == (1, 0.3)
    assert [(row['season'], row['track']) for row in to_rows(rows)] == [
        ('autumn', 1002), ('summer', 1001), ('summer', 1002)]
    assert np.isclose(to_rows(rows)[1]['mean_abs_offset_m'], 0.10)
