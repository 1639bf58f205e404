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
"""Frames get lost, rates differ, time is told or not: what the policy sees of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from ltc_control.core.contracts import Command, Frame, ImuWindow
from ltc_control.core.errors import ConfigError
from ltc_control.data.bags import EpisodeWriter
from ltc_control.nets.policy_net import build_policy
from ltc_control.training.evaluate import drive, DriveConfig, summarise, to_rows
from ltc_control.training.feeder import Feeder
from ltc_control.training.frame_times import ConstantTime, FrameLoss
from ltc_control.training.train import export_with_card, read_episodes, train
from ltc_control.training.validate import replay
import numpy as np
import pytest
import torch

FACTS = {'score': {'r2_curvature': 0.0, 'r2_speed': 0.0}, 'episodes': 0, 'frames': 0,
         'tracks': [], 'seasons': [], 'steps': 0, 'held_out_episodes': 0, 'held_out_frames': 0}
BLACK = np.zeros((4, 6, 3), np.uint8)


def window(k: int) -> ImuWindow:
    """Return the four samples between frames k - 1 and k at 30 Hz, each telling its number."""
    stamps = np.arange(4 * k - 3, 4 * k + 1)
    return ImuWindow(stamps * 8_333_333, np.repeat(stamps[:, None], 3, axis=1).astype(float),
                     np.zeros((4, 3)))


def test_lost_frames_are_a_share_and_the_same_for_equal_seeds() -> None:
    def arrive(share: float, **seeds: int) -> list[bool]:
        loss = FrameLoss(share, **seeds)
        return [loss.pass_on(Frame(k, BLACK), ImuWindow.empty()) is not None
                for k in range(4000)]

    first = arrive(0.3, seed=1, track=7)
    assert np.mean(first) == pytest.approx(0.7, abs=0.03)      # 4 sigma
    assert first == arrive(0.3, seed=1, track=7)
    assert first != arrive(0.3, seed=2, track=7)
    assert first != arrive(0.3, seed=1, track=8)
    assert all(arrive(0.0, seed=1, track=7))
    for share in (-0.1, 1.0, float('nan')):
        with pytest.raises(ConfigError, match='cannot lose a share'):
            FrameLoss(share, seed=0, track=0)


def test_imu_samples_wait_for_the_next_frame_but_not_for_ever() -> None:
    loss = FrameLoss(0.6, seed=3, track=0)
    last = 0
    for k in range(1, 200):
        stamp = 4 * k * 8_333_333
        seen = loss.pass_on(Frame(stamp, BLACK), window(k))
        if seen is None:
            continue
        # as for the node's buffer: since the last frame that came, at most 0.1 s
        expected = [n for n in range(4 * last + 1, 4 * k + 1)
                    if n * 8_333_333 > stamp - 100_000_000]
        assert seen.angular_velocity[:, 0].tolist() == expected
        last = k


def test_constant_time_tells_nominal_steps_and_keeps_the_true_stamp() -> None:
    told: list[int] = []

    def step(frame: Frame, _: ImuWindow) -> Any:
        told.append(frame.stamp_ns)
        return SimpleNamespace(command=Command(frame.stamp_ns, 0.1, 2.0))

    policy = SimpleNamespace(step=step, spec=SimpleNamespace(dt_nominal_s=0.05))
    pretending = ConstantTime(policy)
    commands = [pretending.step(Frame(stamp, BLACK), ImuWindow.empty())
                for stamp in (7, 200_000_000, 900_000_000)]
    assert told == [0, 50_000_000, 100_000_000]
    assert [one.stamp_ns for one in commands] == [7, 200_000_000, 900_000_000]


@pytest.fixture(scope='module')
def slow(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an untrained policy with long time constants: time matters to it."""
    torch.manual_seed(4)
    config = tiny.tiny_config(policy={'cm_init': [5.0, 30.0]})
    folder = tmp_path_factory.mktemp('slow')
    export_with_card(build_policy(config.policy), config, out=folder, name='slow',
                     facts={**FACTS, 'config': config.to_dict()})
    return folder


@pytest.mark.gl
def test_rates_and_losses_drive_and_are_told_apart(slow: Path) -> None:
    plain = DriveConfig(model=slow, track=1001, seconds=2.0)
    changes = [{}, {'rate_hz': 10.0}, {'rate_hz': 10.0, 'constant_dt': True}, {'drop': 0.3},
               {'drop': 0.3, 'constant_dt': True}, {'drop': 0.3, 'seed': 1}]
    results = [drive(replace(plain, **change)) for change in changes]
    assert len({(one.mean_abs_offset_m, one.mean_speed) for one in results}) == len(results)
    assert list(summarise(results)) == [
        'summer', 'summer, 10 Hz', 'summer, 10 Hz, dt constant', 'summer, 30 % lost',
        'summer, 30 % lost, dt constant']
    rows = to_rows(results)
    assert {row['rate_hz'] for row in rows} == {10.0, 30.0}
    assert not {'rate_hz', 'drop', 'constant_dt'} & set(to_rows(results[:1])[0])
    assert drive(replace(plain, **changes[4])) == results[4]


def every(k: int) -> Callable[[int], list[int]]:
    return lambda frames: list(range(0, frames, k))


def seventy_percent(frames: int) -> list[int]:
    return np.flatnonzero(np.random.default_rng(0).random(frames) < 0.7).tolist()


@pytest.mark.parametrize('kept', [every(2), seventy_percent], ids=['15 Hz', '30 % lost'])
def test_a_thinned_bag_trains_as_it_is(kept: Callable[[int], list[int]], tiny: ModuleType,
                                       tmp_path: Path) -> None:
    """No flag: dt is the truth, labels are those of the frames left, and the policy learns."""
    frames = 240
    drives = [tiny.tiny_drive(seed, frames=frames) for seed in range(3)]
    for seed, full in enumerate(drives):
        stamps = 10**9 + np.arange(frames) * 33_333_333
        with EpisodeWriter(tmp_path / 'bags' / f'{seed}') as bag:
            for k in kept(frames):
                stamp = int(stamps[k])
                bag.image('/camera/image_raw', stamp, full.images[k])
            for k, stamp in enumerate(stamps.tolist()):        # commands keep their own rate
                bag.twist('/expert/command', stamp, Command(stamp, *full.commands[k].tolist()))
    config = tiny.tiny_config(steps=60, validate_every=60, augment={'plain': 1.0, 'fault': 0.0})
    episodes = read_episodes(sorted((tmp_path / 'bags').iterdir()), config, lambda *_: None)
    for episode, full in zip(episodes, drives, strict=True):
        chosen = kept(frames)
        assert episode.valid.all()
        assert episode.fresh.tolist() == [True] + [False] * (len(chosen) - 1)
        assert episode.dt[1:] == pytest.approx(np.diff(chosen) / 30, rel=1e-5)
        assert episode.commands == pytest.approx(full.commands[chosen], abs=1e-5)
    spec = train(config, episodes, out=tmp_path / 'model', name='m', report=lambda _: None)
    assert spec.training['score']['r2_curvature'] > 0.3        # the mean would score 0


def test_time_reaches_the_network_from_such_a_bag(tiny: ModuleType) -> None:
    torch.manual_seed(4)
    net = build_policy(tiny.tiny_config(policy={'cm_init': [5.0, 30.0]}).policy)
    full = tiny.tiny_drive(1, frames=60)
    chosen = seventy_percent(60)
    dt = np.diff(chosen, prepend=chosen[0] - 1).astype(np.float32) / 30
    thinned = replace(full, images=full.images[chosen], imu=full.imu[chosen], dt=dt,
                      stamps_ns=full.stamps_ns[chosen], commands=full.commands[chosen],
                      valid=full.valid[chosen], fresh=full.fresh[:len(chosen)])
    told, not_told = replay(net, thinned), replay(net, replace(
        thinned, dt=np.full_like(dt, 1 / 30)))
    assert np.abs(told - not_told).max() > 1e-4


def test_a_camera_fault_lasts_its_seconds_whatever_the_rate(tiny: ModuleType) -> None:
    """The augmentation is told the true interval of a window; steady ones stay nominal."""
    seen: list[float] = []

    class Watching:
        def apply(self, images: np.ndarray, *, rng: np.random.Generator,
                  dt_s: float) -> np.ndarray:
            seen.append(dt_s)
            return images

    for interval in (1 / 30 + 1e-9, 1 / 15):
        batch = {'images': np.zeros((4, 1, 2, 2, 3), np.uint8),
                 'dt': np.full((4, 1), interval, np.float32)}
        stream = SimpleNamespace(batches=0, next_batch=lambda batch=batch: batch,
                                 state_dict=dict)
        next(iter(Feeder(stream, Watching(), seed=1, dt_s=1 / 30)))
    assert 1 / 30 in seen
    assert any(value == pytest.approx(1 / 15) for value in seen)
    assert all(value == 1 / 30 or value == pytest.approx(1 / 15) for value in seen)
