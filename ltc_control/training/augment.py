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
Make summer images look like other days, so that a network cannot lean on summer's colours.

One set of parameters a window and row, so that time stays consistent inside it; noise is fresh in
each frame. All is 8-bit OpenCV on one frame at a time: about 0.1 ms each, beside 0.5 ms of
network. What the evaluation's looks are made of (snow, lamps, leaves, noise) has a rough
counterpart here, written by people who have seen summer, autumn, winter and night: those are
held-out data, not held-out knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from ltc_control.core.errors import ConfigError
from ltc_control.training.fields import ground_bank, light_bank, noise_bank
import numpy as np


@dataclass(frozen=True)
class AugmentConfig:
    """Chances per window and strengths; all zero chances leave images as they are."""

    plain: float = 0.2                     # chance that a window stays as recorded
    recolour: float = 0.6                  # what is green takes another colour
    colour: float = 0.7                    # hue, saturation, channel gains
    hue_std: float = 0.5                   # [rad] about the grey axis; little, where colour means
    least_saturation: float = 0.0          # something
    tone: float = 0.7                      # gamma, contrast, brightness
    patches: float = 0.5                   # snow, leaves, puddles on the ground
    light: float = 0.4                     # lamps, shadows, slopes
    haze: float = 0.25                     # paler towards the horizon
    blur: float = 0.2
    noise: float = 0.5
    noise_std: float = 0.36                # strongest, on [0, 1]; a variance of 0.13
    fault: float = 0.3                     # chance of a camera fault in a window
    fault_seconds: float = 1.2             # longest fault
    fault_frozen: float = 0.35             # share of faults that freeze instead of going black

    def __post_init__(self) -> None:
        for name in ('plain', 'recolour', 'colour', 'tone', 'patches', 'light', 'haze', 'blur',
                     'noise', 'fault', 'fault_frozen'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f'augment.{name} is a chance, must lie in [0, 1], '
                                  f'got {getattr(self, name)!r}')


class Augmenter:
    """Frames in, frames out; all randomness comes from the generator given with each call."""

    def __init__(self, config: AugmentConfig, *, height: int, width: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 7])
        self._config = config
        self._noise = noise_bank(height, width, rng=rng)
        self._ground = ground_bank(height, width, rng=rng)
        self._light = light_bank(height, width, rng=rng)
        slope = np.linspace(1.0, 0.0, height) ** 2
        self._haze = np.broadcast_to((255 * slope)[:, None], (height, width)).astype(np.uint8)

    def apply(self, images: np.ndarray, *, rng: np.random.Generator, dt_s: float) -> np.ndarray:
        """Return new (T, H, W, 3) uint8 images; ``dt_s`` turns fault lengths into frames."""
        look = None if rng.random() < self._config.plain else _Look(self._config, rng)
        out = np.empty_like(images)
        for t, image in enumerate(images):
            out[t] = image if look is None else self._one(image, look, t, rng)
        if rng.random() < self._config.fault:
            _lose_camera(out, self._config, rng=rng, dt_s=dt_s)
        return out

    def _one(self, image: np.ndarray, look: _Look, t: int,
             rng: np.random.Generator) -> np.ndarray:
        if look.recolour is not None:
            image = _recolour_green(image, look.recolour)
        if look.matrix is not None:
            image = cv2.transform(image, look.matrix)
        if look.patch is not None:
            field = self._ground[(look.patch_start + t) % len(self._ground)]
            image = _lay_over(image, cv2.LUT(field, look.patch_levels), look.patch)
        if look.haze is not None:
            image = _lay_over(image, cv2.multiply(self._haze, look.haze_strength), look.haze)
        if look.light is not None:
            light = self._light[look.light]
            image = cv2.multiply(image, cv2.merge([light, light, light]), scale=1 / 255)
        if look.tone is not None:
            image = cv2.LUT(image, look.tone)
        if look.blur:
            image = cv2.GaussianBlur(image, (look.blur, look.blur), 0)
        if look.noise_std > 0:
            noise = self._noise[rng.integers(len(self._noise))]
            shift = int(rng.integers(noise.shape[0]))
            image = _add_noise(image, noise, shift, 255.0 * look.noise_std)
        return image


class _Look:
    """One day's look: the parameters of a window, drawn once."""

    def __init__(self, config: AugmentConfig, rng: np.random.Generator) -> None:
        def chance(p: float) -> bool:
            return bool(rng.random() < p)

        self.recolour = rng.uniform(20, 255, 3) if chance(config.recolour) else None
        if self.recolour is not None and chance(0.4):           # snow, dust, stone: no colour
            self.recolour = np.full(3, rng.uniform(60, 250)) + rng.uniform(-10, 10, 3)
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


def _recolour_green(image: np.ndarray, colour: np.ndarray) -> np.ndarray:
    excess = cv2.transform(image, np.array([[-3.0, 6.0, -3.0]], np.float32))   # saturates at 0
    # keep the shading: the colour is scaled by the image's own light (its green channel)
    paint = np.zeros((3, 3), np.float32)
    paint[:, 1] = colour / 130.0
    painted = cv2.transform(image, paint)
    alpha = cv2.merge([excess, excess, excess])
    kept = cv2.multiply(image, cv2.bitwise_not(alpha), scale=1 / 255)
    return cv2.add(kept, cv2.multiply(painted, alpha, scale=1 / 255))


def _lay_over(image: np.ndarray, alpha: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the image under a layer of one colour with an (H, W) uint8 opacity."""
    inverse = cv2.bitwise_not(alpha)
    kept = cv2.multiply(image, cv2.merge([inverse, inverse, inverse]), scale=1 / 255)
    paint = cv2.merge([cv2.convertScaleAbs(alpha, alpha=float(c) / 255) for c in colour])
    return cv2.add(kept, paint)


def _add_noise(image: np.ndarray, noise: np.ndarray, shift: int, std: float) -> np.ndarray:
    noisy = np.empty(image.shape, np.float32)
    rows = len(noise) - shift
    np.multiply(noise[shift:], std, out=noisy[:rows])
    np.multiply(noise[:shift], std, out=noisy[rows:])
    return cv2.add(noisy, image, dtype=cv2.CV_8U)


def _lose_camera(images: np.ndarray, config: AugmentConfig, *, rng: np.random.Generator,
                 dt_s: float) -> None:
    """Blacken or freeze a stretch of the window in place; the labels go on."""
    longest = max(1, min(len(images), round(config.fault_seconds / dt_s)))
    length = int(rng.integers(1, longest + 1))
    start = int(rng.integers(1 - length // 2, len(images)))
    stretch = slice(max(start, 0), min(start + length, len(images)))
    if rng.random() < config.fault_frozen and stretch.start > 0:
        images[stretch] = images[stretch.start - 1]
    else:
        images[stretch] = 0
