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
Pictures on the world's surfaces, computed from a look: pure functions, (rows, cols, 3) uint8.

Noise is made with fixed seeds and repeats without a seam; results are cached, not to be written
to. The road's texture is 8 times finer across than along: that is how a camera near the ground
squeezes it, so mipmaps, which blur both ways alike, keep the lane lines sharp in the distance.
"""

from __future__ import annotations

from functools import lru_cache

from ltc_control.sim.looks import Colour, Ground, Look, Road, Sky
from ltc_control.sim.track import ROAD_LEFT_M, ROAD_RIGHT_M
import numpy as np

ROAD_FROM_M, ROAD_TO_M = ROAD_RIGHT_M - 0.5, ROAD_LEFT_M + 0.5     # with a paved shoulder
ROAD_TILE_M = 32.0                         # along
ROAD_SHAPE = (256, 512)                    # rows along, columns across
GROUND_TILE_M = 12.0
GROUND_SHAPE = (512, 512)
VERGE_SHAPE = (256, 64)
VERGE_TILE_M = 16.0
SKY_SHAPE = (6 * 256, 256)
ATLAS_TILES, ATLAS_TILE_PX = 8, 64
ATLAS_SHAPE = (ATLAS_TILES * ATLAS_TILE_PX,) * 2
ATLAS_NAMES = ('crown0', 'crown1', 'crown2', 'crown3', 'conifer', 'cap', 'bush', 'hill',
               'hill_far', 'trunk', 'wall0', 'wall1', 'wall2', 'roof0', 'roof1', 'kerb', 'post',
               'band', 'reflector', 'paint', 'glass', 'tyre', 'lamp', 'tail', 'chrome')
LINE_M, DASH_M = 0.22, 4.0


@lru_cache(maxsize=64)
def noise(shape: tuple[int, int], size: tuple[float, float], seed: int) -> np.ndarray:
    """Return repeating noise, mean 0, deviation 1, with blobs of ``size`` pixels (rows, cols)."""
    white = np.random.default_rng(seed).standard_normal(shape)
    rows, cols = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    low_pass = np.exp(-2.0 * ((size[0] * rows) ** 2 + (size[1] * cols) ** 2))
    soft = np.fft.ifft2(np.fft.fft2(white) * low_pass).real
    return (soft - soft.mean()) / soft.std()


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Return [0, 1] as uint8, rounded."""
    return np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)


def _mix(image: np.ndarray, colour: Colour, weight: np.ndarray) -> np.ndarray:
    """Lay a colour over an image with ``weight`` (rows, cols) in [0, 1]."""
    return image + (np.asarray(colour) - image) * weight[..., None]


def _cover(share: float, field: np.ndarray, softness: float) -> np.ndarray:
    """Return soft patches in [0, 1] over ``share`` of a field of noise."""
    if share <= 0.0:
        return np.zeros_like(field)
    level = np.quantile(field, 1.0 - share)
    return np.clip((field - level) / softness + 0.5, 0.0, 1.0)


@lru_cache(maxsize=16)
def road(look: Road) -> np.ndarray:
    """Return one tile of road, column 0 on its right edge; see ROAD_* for the extent."""
    rows, cols = ROAD_SHAPE
    per_m = (rows / ROAD_TILE_M, cols / (ROAD_TO_M - ROAD_FROM_M))
    across = ROAD_FROM_M + (np.arange(cols) + 0.5) / per_m[1]          # (cols,) offset [m]
    along = (np.arange(rows) + 0.5) / per_m[0]
    image = np.ones((rows, cols, 3)) * np.asarray(look.asphalt)
    image += look.grain * (0.6 * noise(ROAD_SHAPE, (0.5, 2.0), 11)
                           + 0.4 * noise(ROAD_SHAPE, (8.0, 60.0), 12))[..., None]
    tracks = np.zeros(cols)
    for lane in (0.0, -2.0 * ROAD_RIGHT_M):
        for wheel in (-0.8, 0.8):
            tracks += np.exp(-0.5 * ((across - lane - wheel) / 0.22) ** 2)
    image += look.wheel_tracks * tracks[None, :, None]
    image = _mix(image, look.paint, _lines(across, along) * look.paint_cover
                 * np.clip(0.95 + 0.08 * noise(ROAD_SHAPE, (1.0, 6.0), 13), 0.0, 1.0))
    size = (max(look.litter_size * per_m[0], 0.5), look.litter_size * per_m[1])
    field = noise(ROAD_SHAPE, size, 14) + 0.35 * noise(ROAD_SHAPE, (0.5, 3.0), 15)
    field = field - 0.9 * tracks           # wheels sweep their tracks clean
    return to_bytes(_mix(image, look.litter_colour, 0.8 * _cover(look.litter, field, 0.5)))


def _lines(across: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Return where paint is, (rows, cols) in [0, 1]: solid edges and a dashed middle."""
    def band(centre: float) -> np.ndarray:
        pixel = across[1] - across[0]
        return np.clip((0.5 * LINE_M - np.abs(across - centre)) / pixel + 0.5, 0.0, 1.0)

    dashes = (along % (2.0 * DASH_M) < DASH_M).astype(float)
    edges = band(ROAD_RIGHT_M) + band(ROAD_LEFT_M)
    return np.maximum(edges[None, :], dashes[:, None] * band(-ROAD_RIGHT_M)[None, :])


@lru_cache(maxsize=16)
def ground(look: Ground) -> np.ndarray:
    """Return one tile of meadow."""
    patches = np.clip(0.5 + 0.35 * noise(GROUND_SHAPE, (18.0, 18.0), 21), 0.0, 1.0)
    image = np.ones((*GROUND_SHAPE, 3)) * np.asarray(look.low)
    image = _mix(image, look.high, patches)
    image += 0.035 * noise(GROUND_SHAPE, (1.2, 1.2), 22)[..., None]
    specks = _cover(look.specks, noise(GROUND_SHAPE, (2.0, 2.0), 23), 0.4)
    return to_bytes(_mix(image, look.speck_colour, specks))


@lru_cache(maxsize=16)
def verge(look: Ground) -> np.ndarray:
    """Return the strip beside the asphalt: gravel at column 0, meadow at the last."""
    meadow = ground(look)[:VERGE_SHAPE[0], :VERGE_SHAPE[1]] / 255.0
    ragged = np.linspace(0.0, 1.0, VERGE_SHAPE[1])[None, :] + 0.04 * noise(VERGE_SHAPE, (3, 3), 31)
    gravel = np.clip((0.22 - ragged) / 0.08, 0.0, 1.0)
    grain = np.asarray(look.gravel) + 0.05 * noise(VERGE_SHAPE, (0.8, 0.8), 32)[..., None]
    return to_bytes(meadow + (grain - meadow) * gravel[..., None])


@lru_cache(maxsize=16)
def atlas(look: Look) -> np.ndarray:
    """Return the colours of all things, one tile each in the order of ATLAS_NAMES."""
    size = ATLAS_TILE_PX
    image = np.full((*ATLAS_SHAPE, 3), 0.5)
    leaves = noise((size, size), (2.0, 2.0), 41)[..., None]
    fine = noise((size, size), (1.0, 1.0), 42)[..., None]
    for number, name in enumerate(ATLAS_NAMES):
        row, col = divmod(number, ATLAS_TILES)
        base = np.asarray(look.things[name])
        leafy = name.startswith(('crown', 'conifer', 'bush', 'hill'))
        rough = look.speckle * 0.5 * leaves * base if leafy else 0.02 * fine
        image[row * size:(row + 1) * size, col * size:(col + 1) * size] = base + rough
    return to_bytes(image)


@lru_cache(maxsize=16)
def sky(look: Sky) -> np.ndarray:
    """Return the six faces of the sky, stacked: right, left, up, down, front, back."""
    side = SKY_SHAPE[1]
    u = (np.arange(side) + 0.5) / side * 2.0 - 1.0
    a, b = np.meshgrid(u, -u)                                          # b grows upwards
    one = np.ones_like(a)
    faces = ((one, -a, b), (-one, a, b), (-b, a, one), (b, a, -one), (a, one, b), (-a, -one, b))
    return to_bytes(np.concatenate([_sky_face(np.stack(face, -1), look) for face in faces]))


def _sky_face(direction: np.ndarray, look: Sky) -> np.ndarray:
    """Return the colour (n, n, 3) seen in each direction (n, n, 3)."""
    unit = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    height = np.clip(unit[..., 2], 0.0, 1.0)
    image = np.ones(unit.shape) * np.asarray(look.horizon)
    image = _mix(image, look.zenith, np.clip(height * 1.6, 0.0, 1.0) ** 0.6)
    swirl = np.zeros(height.shape)
    waves = np.random.default_rng(51)
    for scale in (2.0, 3.5, 6.0, 10.0, 17.0):
        for _ in range(3):
            axis = waves.standard_normal(3) * (1.0, 1.0, 2.5)
            swirl += np.sin(scale * unit @ axis + waves.uniform(0.0, 6.3)) / np.sqrt(scale)
    soft = np.clip((swirl - 2.2 * (0.5 - look.clouds)) / 3.0 + 0.1, 0.0, 0.85)
    image = _mix(image, look.cloud_colour, soft * np.clip(height * 5.0, 0.0, 1.0))
    if look.stars:
        points = np.random.default_rng(52).random(height.shape) > 0.9985
        image += look.stars * (points & (height > 0.05))[..., None]
    return image
