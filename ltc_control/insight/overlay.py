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
An attention map laid over the camera picture, for people.

Colour is strength by square root, because a product of five layers spans decades; the numbers
stay linear. A gradient map has two colours: what steered left (raised the value) and what steered
right (lowered it). An empty map leaves the picture as it is, but for a darker tone.
"""

from __future__ import annotations

from functools import cache

import cv2
from ltc_control.core.imaging import crop_box, ImageSpec
from ltc_control.insight import palette
from ltc_control.insight.attention import AttentionMap, GRADIENT
import numpy as np

DIM = 0.55                                     # of the picture under the map
STRONGEST = 0.85                               # opacity of the map where it is 1


def overlay(rgb: np.ndarray, found: AttentionMap, spec: ImageSpec) -> np.ndarray:
    """Return the whole picture (H, W, 3) uint8 with the map over the part the policy sees."""
    top, bottom, left, right = crop_box(rgb.shape[:2], spec)
    picture = (rgb * np.float32(DIM)).astype(np.uint8)
    part = picture[top:bottom, left:right]
    size = (right - left, bottom - top)
    strength = np.sqrt(cv2.resize(found.scaled(), size, interpolation=cv2.INTER_LINEAR))
    alpha = (STRONGEST * strength)[..., None]
    part[...] = (part * (1.0 - alpha) + _colours(found, strength, size) * alpha).astype(np.uint8)
    return picture


def _colours(found: AttentionMap, strength: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the colour of each place, (h, w, 3) float32."""
    if found.method != GRADIENT or found.planes is None:
        return _warm()[np.clip(255 * strength, 0, 255).astype(np.uint8)]
    raises = found.planes[0] / np.maximum(found.planes.sum(0), np.finfo(np.float32).tiny)
    share = cv2.resize(raises, size, interpolation=cv2.INTER_LINEAR)[..., None]
    left, right = (np.float32(palette.rgb(colour)) for colour in (palette.LEFT, palette.RIGHT))
    return share * left + (1.0 - share) * right


@cache
def _warm() -> np.ndarray:
    ramp = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)
    return ramp[:, 0, ::-1].astype(np.float32)
