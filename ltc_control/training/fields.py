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
Banks of grey fields that the augmentation lays over images: noise, patches on the ground, light.

Made once from a seed; a window picks from them. Noise per frame by a generator would cost more
than the network's own step.
"""

from __future__ import annotations

import cv2
import numpy as np

NOISE_FIELDS = 48
GROUND_FIELDS = 96
LIGHT_FIELDS = 64


def noise_bank(height: int, width: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return (K, H, W, 3) float32 standard normal fields."""
    return rng.standard_normal((NOISE_FIELDS, height, width, 3)).astype(np.float32)


def ground_bank(height: int, width: int, *, rng: np.random.Generator) -> np.ndarray:
    """
    Return (K, H, W) uint8 patches on a ground plane that moves towards the camera.

    Successive fields are successive moments of one ride over a patchy plane, so that a window
    sees patches come closer as snow, leaves or puddles would; above the horizon they are zero.
    """
    plane = _patchy_plane(rng)
    horizon = int(height * rng.uniform(0.30, 0.45))
    rows = np.arange(height)[:, None]
    depth = 1.0 / np.maximum((rows - horizon) / height, 0.02)        # (H, 1), far is large
    across = (np.arange(width)[None, :] / width - 0.5) * depth       # (H, W)
    map_x = (across * 110.0 + 256.0).astype(np.float32) % 512
    fields = np.zeros((GROUND_FIELDS, height, width), np.uint8)
    for k in range(GROUND_FIELDS):
        map_y = np.broadcast_to(depth * 60.0 + 5.3 * k, (height, width)).astype(np.float32) % 512
        fields[k] = cv2.remap(plane, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        fields[k, :horizon] = 0
    return fields


def _patchy_plane(rng: np.random.Generator) -> np.ndarray:
    """Return (512, 512) uint8: smooth noise of several sizes, stretched to patches with edges."""
    total = np.zeros((512, 512), np.float32)
    for cells in (8, 16, 32, 64, 128):
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        total += cv2.resize(grid, (512, 512), interpolation=cv2.INTER_CUBIC) / np.sqrt(cells)
    total = (total - total.mean()) / total.std()
    return np.clip(128 + 160 * (total - 0.3), 0, 255).astype(np.uint8)


def light_bank(height: int, width: int, *, rng: np.random.Generator) -> np.ndarray:
    """Return (K, H, W) uint8 lights: cones of a lamp ahead, shadows across, plain slopes."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    fields = np.empty((LIGHT_FIELDS, height, width), np.uint8)
    for k in range(LIGHT_FIELDS):
        kind = k % 3
        if kind == 0:                                                # a lamp that lights the road
            centre_x, centre_y = rng.uniform(0.4, 0.6), rng.uniform(0.5, 1.1)
            spread_x, spread_y = rng.uniform(0.15, 0.7), rng.uniform(0.15, 0.6)
            light = np.exp(-((x - centre_x) / spread_x) ** 2 - ((y - centre_y) / spread_y) ** 2)
            floor = rng.uniform(0.0, 0.35)
        elif kind == 1:                                              # a soft-edged shadow
            angle, where = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4)
            side = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - where
            light = 1.0 / (1.0 + np.exp(-side * rng.uniform(8, 60)))
            floor = rng.uniform(0.3, 0.8)
        else:                                                        # brighter on one side
            angle = rng.uniform(0, 2 * np.pi)
            light = 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
            floor = rng.uniform(0.2, 0.7)
        fields[k] = np.clip(255 * (floor + (1 - floor) * light), 0, 255).astype(np.uint8)
    return fields
