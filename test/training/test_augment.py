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
"""Banks of fields and augmented windows: seeded, bounded, and only as asked."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.training.augment import Augmenter
from ltc_control.training.augment_config import AugmentConfig
from ltc_control.training.fields import ground_bank, light_bank, noise_bank
import numpy as np
import pytest

HEIGHT, WIDTH, DT_S = 24, 40, 1 / 30
NOTHING = AugmentConfig(plain=0.0, recolour=0.0, colour=0.0, tone=0.0, patches=0.0, light=0.0,
                        haze=0.0, blur=0.0, noise=0.0, fault=0.0)
EVERYTHING = AugmentConfig(plain=0.0, recolour=1.0, colour=1.0, tone=1.0, patches=1.0, light=1.0,
                           haze=1.0, blur=1.0, noise=1.0, fault=1.0)


def augmenter(config: AugmentConfig, seed: int = 3) -> Augmenter:
    return Augmenter(config, height=HEIGHT, width=WIDTH, seed=seed)


def window(frames: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_banks_are_seeded_and_as_large_as_said() -> None:
    for bank, kind in ((noise_bank, np.float32), (ground_bank, np.uint8), (light_bank, np.uint8)):
        first, again, other = (bank(HEIGHT, WIDTH, rng=np.random.default_rng(seed))
                               for seed in (1, 1, 2))
        assert first.dtype == kind
        assert first.shape[1:3] == (HEIGHT, WIDTH)
        assert first.tobytes() == again.tobytes()
        assert first.tobytes() != other.tobytes()


def test_noise_is_standard_normal() -> None:
    noise = noise_bank(HEIGHT, WIDTH, rng=np.random.default_rng(0))
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert (np.abs(noise) < 1.0).mean() == pytest.approx(0.6827, abs=0.01)


def test_patches_lie_on_the_ground_and_come_closer() -> None:
    fields = ground_bank(HEIGHT, WIDTH, rng=np.random.default_rng(0))
    assert not fields[:, :int(0.30 * HEIGHT) - 1].any()              # sky
    assert fields[:, -1].any()
    # what is at some height in one field is further down in the next: the match of a row with the
    # next field's rows is better below than above
    near, below = fields[:-1, -8].astype(float), fields[1:, -7:].astype(float)
    above = fields[1:, -15:-8].astype(float)

    def mismatch(rows: np.ndarray) -> float:
        return float(np.abs(rows - near[:, None]).mean(axis=(0, 2)).min())

    assert mismatch(below) < mismatch(above)


def test_the_same_generator_gives_the_same_images_and_leaves_the_source() -> None:
    images = window()
    kept = images.copy()
    runs = [augmenter(EVERYTHING).apply(images, rng=np.random.default_rng(seed), dt_s=DT_S)
            for seed in (5, 5, 6)]
    assert images.tobytes() == kept.tobytes()
    assert runs[0].shape == images.shape
    assert runs[0].dtype == np.uint8
    assert runs[0].tobytes() == runs[1].tobytes()
    assert runs[0].tobytes() != runs[2].tobytes()


def test_no_chance_no_change() -> None:
    images = window()
    for seed in range(5):
        out = augmenter(NOTHING).apply(images, rng=np.random.default_rng(seed), dt_s=DT_S)
        assert out.tobytes() == images.tobytes()
        assert not np.shares_memory(out, images)


def test_a_plain_window_stays_plain_whatever_else_is_likely() -> None:
    images = window()
    config = replace(EVERYTHING, plain=1.0, fault=0.0)
    out = augmenter(config).apply(images, rng=np.random.default_rng(0), dt_s=DT_S)
    assert out.tobytes() == images.tobytes()


@pytest.mark.parametrize('one', ['recolour', 'colour', 'tone', 'patches', 'light', 'haze', 'blur',
                                 'noise', 'fault'])
def test_each_chance_alone_changes_something(one: str) -> None:
    images = window()
    images[..., 1] |= 128                                            # greenish: can be recoloured
    images[..., ::2] //= 4
    config = replace(NOTHING, **{one: 1.0})
    machine = augmenter(config)
    changed = [(machine.apply(images, rng=np.random.default_rng(seed), dt_s=DT_S) != images).any()
               for seed in range(8)]
    assert sum(changed) >= 6


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100_000))
def test_dead_leaves_are_yellow_red_or_brown_and_of_more_than_one_colour(seed: int) -> None:
    images = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    images[..., 1] = np.linspace(60, 150, WIDTH)                     # green, darker on the left
    images[0, 0, 0] = (220, 20, 15)                                  # the target
    config = replace(NOTHING, recolour=1.0, leaves=1.0)
    out = augmenter(config).apply(images, rng=np.random.default_rng(seed), dt_s=DT_S)[0]
    assert out[0, 0].tolist() == [220, 20, 15]
    red, green, blue = out[5].astype(float).T
    bright = red > 40.0
    assert (red >= green).all()
    assert (green >= blue - 1.0).all()
    assert np.ptp((green / np.maximum(red, 1.0))[bright]) > 0.02


def test_one_paint_keeps_the_shading() -> None:
    images = np.zeros((1, HEIGHT, WIDTH, 3), np.uint8)
    images[..., 1] = np.linspace(60, 120, WIDTH)
    for seed in range(6):
        out = augmenter(replace(NOTHING, recolour=1.0)).apply(
            images, rng=np.random.default_rng(seed), dt_s=DT_S)[0, 0].astype(float)
        light = images[0, 0, :, 1]
        shade = out[-1] / light[-1]                                  # of the brightest
        unclipped = out[-1] < 255
        np.testing.assert_allclose(out[:, unclipped], np.outer(light, shade[unclipped]), atol=2.0)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 100_000), st.integers(1, 30), st.sampled_from([0.0, 1.0]))
def test_a_fault_takes_one_stretch_and_nothing_else(seed: int, frames: int,
                                                    frozen: float) -> None:
    images = window(frames)                                          # no pixel is 0 beforehand
    config = replace(NOTHING, fault=1.0, fault_seconds=0.4, fault_frozen=frozen)
    out = augmenter(config).apply(images, rng=np.random.default_rng(seed), dt_s=DT_S)
    changed = np.flatnonzero((out != images).any(axis=(1, 2, 3)))
    assert len(changed) > 0
    assert len(changed) <= 12                                        # 0.4 s at 30 Hz
    assert np.diff(changed).tolist() == [1] * (len(changed) - 1)
    first = changed[0]
    if frozen and first > 0:
        assert (out[changed] == images[first - 1]).all()
    else:
        assert not out[changed].any()


def test_noise_is_as_strong_as_asked_and_fresh_in_each_frame() -> None:
    grey = np.full((6, HEIGHT, WIDTH, 3), 128, np.uint8)
    config = replace(NOTHING, noise=1.0, noise_std=0.1)              # 25 grey levels: no clipping
    machine = augmenter(config)
    strengths = []
    for seed in range(150):
        out = machine.apply(grey, rng=np.random.default_rng(seed), dt_s=DT_S).astype(float) / 255
        assert out.mean() == pytest.approx(128 / 255, abs=0.004)
        strengths.append(out.std())
        if strengths[-1] > 0.05:
            flat = (out - out.mean()).reshape(6, -1)
            between = np.corrcoef(flat)[np.triu_indices(6, 1)]
            # the bank is finite: some pairs may share a field, no pair is equal
            assert np.median(np.abs(between)) < 0.06
    # drawn between nothing and what was asked
    assert max(strengths) == pytest.approx(0.1, rel=0.05)
    assert min(strengths) < 0.01
    assert np.mean(strengths) == pytest.approx(0.05, rel=0.15)


@pytest.mark.parametrize(('name', 'value'), [('plain', -0.1), ('noise', 1.01), ('fault', 7)])
def test_a_chance_outside_0_to_1_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f'augment.{name} .*{value}'):
        AugmentConfig(**{name: value})
