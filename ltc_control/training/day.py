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
What a day looks like: light, colours, weather and dirt, drawn once for a window.

What the evaluation's looks are made of (snow, lamps, leaves, noise) has a rough counterpart here,
written by people who have seen summer, autumn, winter and night: those are held-out data, not
held-out knowledge.
"""

from __future__ import annotations

from ltc_control.training.augment_config import AugmentConfig
import numpy as np


class Day:
    """How one window looks: None where a change is left out."""

    def __init__(self, config: AugmentConfig, rng: np.random.Generator) -> None:
        def chance(p: float) -> bool:
            return bool(rng.random() < p)

        self.paint = _one_paint(rng) if chance(config.recolour) else None
        if config.leaves and self.paint is not None and chance(config.leaves):
            self.paint = _leaves_paint(rng)
        self.matrix = _colour_matrix(config, rng) if chance(config.colour) else None
        self.patch = _pale_or_any(rng) if chance(config.patches) else None
        self.patch_start = int(rng.integers(1 << 16))
        self.patch_levels = _patch_levels(rng)
        self.haze = np.full(3, rng.uniform(60, 240)) if chance(config.haze) else None
        self.haze_strength = float(rng.uniform(0.2, 0.9))
        self.light = int(rng.integers(64)) if chance(config.light) else None
        self.tone = _tone_curve(rng) if chance(config.tone) else None
        self.blur = int(rng.choice([3, 5])) if chance(config.blur) else 0
        self.noise_std = 0.0
        if chance(config.noise):
            # in the dark the same noise would leave nothing to learn from
            dark = self.light is not None or (self.tone is not None and self.tone[-1] < 160)
            self.noise_std = float(config.noise_std * rng.random() * (0.3 if dark else 1.0))


def _one_paint(rng: np.random.Generator) -> np.ndarray:
    """Return a (256, 1, 3) table from how light green is to one colour, as light as that."""
    colour = rng.uniform(20, 255, 3)
    if rng.random() < 0.4:                                      # snow, dust, stone: no colour
        colour = np.full(3, rng.uniform(60, 250)) + rng.uniform(-10, 10, 3)
    return _shaded(np.broadcast_to(colour, (256, 3)))


def _leaves_paint(rng: np.random.Generator) -> np.ndarray:
    """Return a table with yellow, red and brown by turns: lighter trees take other colours."""
    knots = np.linspace(30.0, 170.0, 6)
    red = rng.uniform(90.0, 250.0, 6)
    green, blue = red * rng.uniform(0.3, 0.9, 6), red * rng.uniform(0.02, 0.25, 6)
    level = np.arange(256.0)
    return _shaded(np.stack([np.interp(level, knots, c) for c in (red, green, blue)], 1))


def _shaded(colours: np.ndarray) -> np.ndarray:
    # keep the shading: a colour is scaled by the image's own light (its green channel)
    light = np.arange(256.0)[:, None] / 130.0
    return np.clip(np.rint(colours * light), 0, 255).astype(np.uint8)[:, None]


def _pale_or_any(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.6:
        return np.full(3, rng.uniform(120, 255)) + rng.uniform(-12, 12, 3)
    return rng.uniform(10, 240, 3)


def _patch_levels(rng: np.random.Generator) -> np.ndarray:
    """Return a (256,) table: how much ground the patches cover and how opaque they are."""
    threshold, softness = rng.uniform(0, 200), rng.uniform(10, 120)
    opacity = rng.uniform(0.25, 0.9)
    return np.clip(255 * opacity * (np.arange(256) - threshold) / softness,
                   0, 255 * opacity).astype(np.uint8)


def _colour_matrix(config: AugmentConfig, rng: np.random.Generator) -> np.ndarray:
    """Return (3, 3): saturation about grey, a hue turn about the grey axis, channel gains."""
    saturation = rng.uniform(config.least_saturation, 1.6)
    angle = rng.normal(0.0, config.hue_std)
    grey = np.full((3, 3), 1.0 / 3.0)
    axis = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3.0)
    turn = np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * axis + grey   # Rodrigues
    gains = np.diag(rng.uniform(0.7, 1.3, 3))
    return (gains @ (grey + saturation * (np.eye(3) - grey)) @ turn).astype(np.float32)


def _tone_curve(rng: np.random.Generator) -> np.ndarray:
    """Return a (256,) table of gamma, contrast and brightness, dark days included."""
    level = np.linspace(0, 1, 256)
    gain = np.exp(rng.uniform(np.log(0.25), np.log(1.5)))
    curve = gain * level ** np.exp(rng.uniform(-0.7, 0.7)) + rng.uniform(-0.1, 0.15)
    return np.clip(255 * curve, 0, 255).astype(np.uint8)
