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
"""The road as triangles: asphalt and verges, marker posts and kerbs, in stretches of 24 m."""

from __future__ import annotations

from itertools import pairwise

from ltc_control.sim import textures
from ltc_control.sim.solids import box, dressed, join, moved, Piece, quads, Soup
from ltc_control.sim.track import ROAD_LEFT_M, ROAD_RIGHT_M, Track
import numpy as np

CHUNK_M = 24.0                             # of road in one mesh
ROAD_Z = 0.02
VERGE_M = 5.75


def ribbon(track: Track, arcs: np.ndarray, offsets: np.ndarray, height: np.ndarray | float
           ) -> np.ndarray:
    """Return the grid of points (len(arcs), len(offsets), 3) that follows the road."""
    pose = track.at(arcs)
    x = pose.x[:, None] - offsets * np.sin(pose.heading)[:, None]
    y = pose.y[:, None] + offsets * np.cos(pose.heading)[:, None]
    return np.stack([x, y, np.broadcast_to(height, x.shape)], axis=2)


def chunks(track: Track) -> list[np.ndarray]:
    """Return the arcs of each stretch of road, about 1.5 m apart, ends shared."""
    count = max(round(track.length / CHUNK_M), 1)
    edges = np.linspace(0.0, track.length, count + 1)
    return [np.linspace(a, b, 17) for a, b in pairwise(edges)]


def strip(track: Track, arcs: np.ndarray, offsets: np.ndarray, *, tile: float, height: float,
          mirror: bool = False) -> Soup:
    """Return a textured ribbon: u from the first offset to the last, v along by whole tiles."""
    tiles = max(round(track.length / tile), 1) / track.length
    corner = quads(ribbon(track, arcs, offsets, height))
    u = (offsets - offsets[0]) / (offsets[-1] - offsets[0])
    u = 1.0 - u if mirror else u
    uv = np.stack(np.broadcast_arrays(u[None, :], (arcs * tiles)[:, None]), axis=2)
    return Soup(corner, quads(uv))


def road_pieces(track: Track) -> list[Piece]:
    """Return asphalt and verges, one mesh each per stretch."""
    lane = np.linspace(textures.ROAD_FROM_M, textures.ROAD_TO_M, 8)
    right = np.linspace(textures.ROAD_FROM_M - VERGE_M, textures.ROAD_FROM_M, 5)
    left = np.linspace(textures.ROAD_TO_M, textures.ROAD_TO_M + VERGE_M, 5)
    pieces = []
    for number, arcs in enumerate(chunks(track)):
        asphalt = strip(track, arcs, lane, tile=textures.ROAD_TILE_M, height=ROAD_Z)
        sides = [strip(track, arcs[::2], side, tile=textures.VERGE_TILE_M, height=0.0,
                       mirror=side is right) for side in (left, right)]
        pieces += [Piece(f'road{number}', 'road', asphalt),
                   Piece(f'verge{number}', 'verge', join(sides))]
    return pieces


def posts(track: Track) -> list[Soup]:
    """Return the white marker posts, every 24 m on both sides."""
    parts = [dressed(box((0.12, 0.12, 0.95), (0.0, 0.0, 0.0)), 'post'),
             dressed(box((0.13, 0.13, 0.2), (0.0, 0.0, 0.65)), 'band'),
             dressed(box((0.14, 0.07, 0.12), (0.0, 0.0, 0.69)), 'reflector')]
    post = join(parts)
    places = []
    for arcs in chunks(track):
        for offset in (ROAD_RIGHT_M - 1.3, ROAD_LEFT_M + 1.3):
            x, y, yaw = track.place(arcs[0], offset=offset)
            places.append(Soup(moved(post.corner, x, y, yaw), post.texture))
    return places


def kerbs(track: Track, rng: np.random.Generator) -> list[Soup]:
    """Return kerb stones along about a third of the stretches, just beyond the asphalt."""
    profile = np.array([0.0, 0.0, 0.25, 0.25]), np.array([0.0, 0.12, 0.12, 0.0])
    soups = []
    for arcs in chunks(track):
        if rng.random() > 0.35:
            continue
        for start, way in ((textures.ROAD_TO_M, 1.0), (textures.ROAD_FROM_M, -1.0)):
            grid = ribbon(track, arcs[::2], start + way * profile[0], profile[1])
            corner = quads(grid)
            soups.append(dressed(corner if way > 0.0 else corner[:, ::-1], 'kerb'))
    return soups
