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
"""Batches ahead of time: what batch k holds depends on the seed and k, on nothing else."""

from __future__ import annotations

from itertools import islice
from types import ModuleType
from typing import Any

from ltc_control.data.windows import WindowStream
from ltc_control.training.augment import Augmenter
from ltc_control.training.augment_config import AugmentConfig
from ltc_control.training.feeder import Feeder
import numpy as np

DT_S = 1 / 30
ALWAYS_A_FAULT = AugmentConfig(fault=1.0)


def stream_of(tiny: ModuleType) -> WindowStream:
    return WindowStream(tiny.tiny_drives()[0], batch=3, length=8, seed=1, longest_run=30)


def feed(tiny: ModuleType, *, seed: int = 1, count: int, state: dict[str, Any] | None = None,
         config: AugmentConfig | None = ALWAYS_A_FAULT) -> list[tuple[Any, Any]]:
    stream = stream_of(tiny)
    if state is not None:
        stream.load_state_dict(state)
    machine = None if config is None else Augmenter(config, height=tiny.HEIGHT, width=tiny.WIDTH,
                                                    seed=1)
    return list(islice(Feeder(stream, machine, seed=seed, dt_s=DT_S), count))


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_equal_seeds_equal_batches(tiny: ModuleType) -> None:
    first, again, other = feed(tiny, count=5), feed(tiny, count=5), feed(tiny, count=5, seed=2)
    for (a, where_a), (b, where_b), (c, _) in zip(first, again, other, strict=True):
        assert same(a, b)
        assert where_a == where_b
        assert a['images'].tobytes() != c['images'].tobytes()


def test_going_on_anywhere_gives_the_batches_that_would_have_come(tiny: ModuleType) -> None:
    whole = feed(tiny, count=7)
    for done in (1, 3, 6):
        rest = feed(tiny, count=7 - done, state=whole[done - 1][1])
        for (a, where_a), (b, where_b) in zip(whole[done:], rest, strict=True):
            assert same(a, b)
            assert where_a == where_b


def test_only_images_change(tiny: ModuleType) -> None:
    plain = feed(tiny, count=6, config=None)
    changed = feed(tiny, count=6)
    straight = stream_of(tiny)
    for (a, _), (b, _) in zip(plain, changed, strict=True):
        assert same(a, straight.next_batch())
        assert a['images'].tobytes() != b['images'].tobytes()
        for name in set(a) - {'images'}:
            assert a[name].tobytes() == b[name].tobytes()


def test_rows_are_augmented_each_in_its_own_way(tiny: ModuleType) -> None:
    drive = tiny.tiny_drive(5, frames=8)
    stream = WindowStream([drive], batch=4, length=8, seed=1, longest_run=8)
    noisy = AugmentConfig(plain=0.0, recolour=0.0, colour=0.0, tone=1.0, patches=0.0, light=0.0,
                          haze=0.0, blur=0.0, noise=0.0, fault=0.0)
    machine = Augmenter(noisy, height=tiny.HEIGHT, width=tiny.WIDTH, seed=1)
    batch, _ = next(iter(Feeder(stream, machine, seed=1, dt_s=DT_S)))
    means = batch['images'].astype(float).mean(axis=(0, 2, 3, 4))
    assert len(np.unique(means.round(6))) == 4
