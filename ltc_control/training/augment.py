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
network. What there is to draw stands in day.py.
"""

from __future__ import annotations

import cv2
from ltc_control.training.augment_config import AugmentConfig
from ltc_control.training.day import Day
from ltc_control.training.fields import ground_bank, light_bank, noise_bank
import numpy as np


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
        look = None if rng.random() < self._config.plain else Day(self._config, rng)
        out = np.empty_like(images)
        for t, image in enumerate(images):
            out[t] = image if look is None else self._one(image, look, t, rng)
        if rng.random() < self._config.fault:
            _lose_camera(out, self._config, rng=rng, dt_s=dt_s)
        return out

    def _one(self, image: np.ndarray, look: Day, t: int,
             rng: np.random.Generator) -> np.ndarray:
        if look.paint is not None:
            image = _recolour_green(image, look.paint)
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


def _recolour_green(image: np.ndarray, paint: np.ndarray) -> np.ndarray:
    excess = cv2.transform(image, np.array([[-3.0, 6.0, -3.0]], np.float32))   # saturates at 0
    green = image[..., 1]
    painted = cv2.LUT(cv2.merge([green, green, green]), paint)
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
    start = int(rng.integers(min(1 - length // 2, len(images) - 1), len(images)))
    stretch = slice(max(start, 0), min(start + length, len(images)))
    if rng.random() < config.fault_frozen and stretch.start > 0:
        images[stretch] = images[stretch.start - 1]
    else:
        images[stretch] = 0
