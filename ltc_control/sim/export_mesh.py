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
The world's triangles and pictures as files that other programs read: OBJ, MTL and PNG.

The same soups and textures that the embedded renderer draws, gathered by material, one mesh each.
OBJ counts texture rows from below, a soup from above, hence the flip; every triangle brings its
own normal, so faces are flat as in the embedded renderer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
from ltc_control.core.errors import SimulationError
from ltc_control.sim import road_mesh, scenery, solids, textures
from ltc_control.sim.looks import Look
from ltc_control.sim.solids import Piece, Soup
from ltc_control.sim.track import Track
import numpy as np

SKY_BEYOND = 1.7                           # half side of the sky cube, in half sides of the land


@dataclass(frozen=True)
class Surface:
    """One material of the world: its triangles and, where it wears one, its picture."""

    name: str
    soup: Soup
    texture: np.ndarray | None             # (rows, cols, 3) uint8


def surfaces(track: Track, look: Look) -> tuple[Surface, ...]:
    """Return the road of ``track`` and all around it as ``look`` paints it; sky last."""
    things, windows, shades = scenery.roadside(track)
    pieces = [*scenery.ground_pieces(track), *road_mesh.road_pieces(track),
              *solids.by_cell(things, 'things'), *solids.by_cell(windows, 'window'),
              *solids.by_cell(shades, 'shade')]
    pictures = {'road': textures.road(look.road), 'verge': textures.verge(look.ground),
                'ground': textures.ground(look.ground), 'things': textures.atlas(look),
                'window': None, 'shade': None}
    land = [Surface(name, _of_material(pieces, name), picture)
            for name, picture in pictures.items()
            if name != 'shade' or look.light.shade > 0.0]
    sky = sky_soup(_of_material(pieces, 'ground'))
    return (*land, Surface('sky', sky, textures.sky(look.sky)))


def _of_material(pieces: list[Piece], material: str) -> Soup:
    return solids.join([piece.soup for piece in pieces if piece.material == material])


def sky_soup(land: Soup) -> Soup:
    """Return a cube around ``land`` that shows the six stacked faces of the sky inwards."""
    low, high = land.corner.min(axis=(0, 1)), land.corner.max(axis=(0, 1))
    middle = np.array([*(0.5 * (low + high))[:2], 0.0])
    half = SKY_BEYOND * 0.5 * float(np.ptp(np.stack([low, high])[:, :2], axis=0).max())
    corners, places = [], []
    inset = 0.5 / textures.SKY_SHAPE[1]
    for number in range(6):
        a = np.array([[-1.0, 1.0], [-1.0, 1.0]])
        b = np.array([[1.0, 1.0], [-1.0, -1.0]])               # row 0 is the upper edge
        corner = solids.quads(middle + half * _face(number, a, b))
        u = np.clip(0.5 * (a + 1.0), inset, 1.0 - inset)
        v = (number + np.clip(0.5 * (1.0 - b), inset, 1.0 - inset)) / 6.0
        place = solids.quads(np.stack([u, v], axis=2))
        if _outwards(corner, middle):
            corner, place = corner[:, ::-1], place[:, ::-1]
        corners.append(corner)
        places.append(place)
    return Soup(np.concatenate(corners), np.concatenate(places))


def _face(number: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the directions (2, 2, 3) of a face of the sky, in the order of ``textures.sky``."""
    one = np.ones_like(a)
    return np.stack(((one, -a, b), (-one, a, b), (-b, a, one), (b, a, -one), (a, one, b),
                     (-a, -one, b))[number], axis=-1)


def _outwards(corner: np.ndarray, middle: np.ndarray) -> bool:
    return bool(np.sum(normals(corner)[0] * (corner[0, 0] - middle)) > 0.0)


def normals(corner: np.ndarray) -> np.ndarray:
    """Return vectors (T, 3) of length 1, normal to triangles (T, 3, 3); up if one has no area."""
    cross = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    size = np.linalg.norm(cross, axis=1, keepdims=True)
    return np.where(size > 1e-9, cross / np.maximum(size, 1e-9), (0.0, 0.0, 1.0))


def write_surface(surface: Surface, folder: Path) -> None:
    """Write NAME.obj, NAME.mtl and, where there is a picture, NAME.png into ``folder``."""
    name = surface.name
    material = [f'newmtl {name}', 'Ka 1 1 1', 'Kd 1 1 1', 'Ks 0 0 0', 'illum 1']
    if surface.texture is not None:
        material.append(f'map_Kd {name}.png')
        _write_png(folder / f'{name}.png', surface.texture)
    (folder / f'{name}.mtl').write_text('\n'.join(material) + '\n', encoding='utf-8')
    (folder / f'{name}.obj').write_text(obj_text(surface), encoding='utf-8')


def _write_png(path: Path, rgb: np.ndarray) -> None:
    if not cv2.imwrite(str(path), rgb[..., ::-1]):
        raise SimulationError(f'{str(path)!r} cannot be written; is the disk full?')


def obj_text(surface: Surface) -> str:
    """Return a surface as Wavefront OBJ: to 0.1 mm, counter-clockwise faces, v from below."""
    corner = surface.soup.corner.reshape(-1, 3)
    texture = surface.soup.texture.reshape(-1, 2) * (1.0, -1.0) + (0.0, 1.0)
    points, point = np.unique(corner.round(4), axis=0, return_inverse=True)
    places, place = np.unique(texture.round(5), axis=0, return_inverse=True)
    facing, face = np.unique(normals(surface.soup.corner).round(4), axis=0, return_inverse=True)
    rows = np.stack([point.reshape(-1, 3), place.reshape(-1, 3),
                     np.repeat(face.reshape(-1, 1), 3, axis=1)], axis=2) + 1
    lines = [f'mtllib {surface.name}.mtl', f'o {surface.name}', f'usemtl {surface.name}']
    lines += [f'v {x:.4f} {y:.4f} {z:.4f}' for x, y, z in points.tolist()]
    lines += [f'vt {u:.5f} {v:.5f}' for u, v in places.tolist()]
    lines += [f'vn {x:.4f} {y:.4f} {z:.4f}' for x, y, z in facing.tolist()]
    lines += ['f ' + ' '.join('/'.join(map(str, index)) for index in triangle)
              for triangle in rows.tolist()]
    return '\n'.join(lines) + '\n'
