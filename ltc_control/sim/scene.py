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
The drawn world: one MuJoCo model a road, that wears any look without being compiled again.

The scene holds no physics: the car is a mocap body that carries the cameras and the head lamps.
Meshes out of sight are moved to a geom group that is not drawn, because MuJoCo itself draws all
it is given.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import NamedTuple

from ltc_control.sim import car_shape, road_mesh, scenery, solids, textures
from ltc_control.sim.graphics import mujoco
from ltc_control.sim.looks import Look
from ltc_control.sim.track import Track
import numpy as np

SHOWN, OUTSIDE, SHADE, HIDDEN = 0, 1, 2, 5                # geom groups
FOG_LIMIT_M = 320.0                        # nothing farther is drawn in the car's camera

HEAD = """
<mujoco>
  <statistic extent="1" center="0 0 0" meansize="1"/>
  <visual>
    <map znear="0.15" zfar="600" fogstart="60" fogend="600"/>
    <quality offsamples="0" shadowsize="2048"/>
    <headlight diffuse="0 0 0" specular="0 0 0" ambient="0.4 0.4 0.4"/>
    <global offwidth="640" offheight="480"/>
  </visual>
  <asset>
    <texture name="sky" type="skybox" builtin="flat" width="{sky[1]}" height="{sky[0]}"/>
    <texture name="road" type="2d" builtin="flat" width="{road[1]}" height="{road[0]}"/>
    <texture name="verge" type="2d" builtin="flat" width="{verge[1]}" height="{verge[0]}"/>
    <texture name="ground" type="2d" builtin="flat" width="{ground[1]}" height="{ground[0]}"/>
    <texture name="things" type="2d" builtin="flat" width="{atlas[1]}" height="{atlas[0]}"/>
    <material name="road" texture="road" specular="0"/>
    <material name="verge" texture="verge" specular="0"/>
    <material name="ground" texture="ground" specular="0"/>
    <material name="things" texture="things" specular="0"/>
    <material name="window" rgba="0.2 0.24 0.3 1" specular="0"/>
    <material name="shade" rgba="0 0 0 0" specular="0"/>
"""
WORLD = """
  </asset>
  <worldbody>
    <light name="sun" directional="true" pos="0 0 90" dir="0 0 -1" castshadow="true"/>
"""
BODY = """
    <body name="car" mocap="true">
      <geom name="car" type="mesh" mesh="car" material="things" group="1" contype="0"
            conaffinity="0"/>
      <geom name="car_shade" type="mesh" mesh="car_shade" material="shade" group="1" contype="0"
            conaffinity="0"/>
      <light name="lamp" pos="1.6 0 1.1" dir="1 0 -0.09" cutoff="48" exponent="6"
             attenuation="1 0.02 0.0016" castshadow="false"/>
      <camera name="front" pos="{ahead} 0 {high}" fovy="{fovy}" xyaxes="0 -1 0 {sin} 0 {cos}"/>
      <camera name="chase" pos="-7.5 -0.3 3.1" fovy="48" xyaxes="0 -1 0 0.17 0 0.985"/>
      <camera name="top" pos="0 0 60" fovy="50" xyaxes="0 -1 0 1 0 0"/>
    </body>
"""


@dataclass(frozen=True)
class Mount:
    """Where the front camera sits on the car and how wide it sees."""

    ahead: float = 0.4                     # of base_link [m]
    high: float = 1.3                      # above the road [m]
    pitch: float = math.radians(10.0)      # downwards
    fovy: float = 55.0                     # [degrees]; about 115 across at 200x66


class Pose(NamedTuple):
    """Where the vehicle is drawn: x, y [m], yaw, roll, pitch [rad], height [m]."""

    x: float
    y: float
    yaw: float
    roll: float = 0.0
    pitch: float = 0.0
    z: float = 0.0


def _numbers(values: np.ndarray, digits: int) -> str:
    """Return numbers as MJCF text."""
    return ' '.join(f'{v:.{digits}f}' for v in values.reshape(-1).tolist())


def _mesh(piece: solids.Piece) -> str:
    """Return a mesh element; every triangle has its own corners, so faces are flat."""
    faces = np.arange(piece.soup.corner.shape[0] * 3)
    return (f'<mesh name="{piece.name}" inertia="shell" '
            f'vertex="{_numbers(piece.soup.corner, 3)}" '
            f'texcoord="{_numbers(piece.soup.texture, 4)}" '
            f'face="{_numbers(faces, 0)}"/>')


def _mjcf(pieces: list[solids.Piece], vehicle: Vehicle) -> str:
    """Return the scene as MJCF."""
    head = HEAD.format(sky=textures.SKY_SHAPE, road=textures.ROAD_SHAPE,
                       verge=textures.VERGE_SHAPE, ground=textures.GROUND_SHAPE,
                       atlas=textures.ATLAS_SHAPE)
    geoms = [f'<geom name="{p.name}" type="mesh" mesh="{p.name}" material="{p.material}" '
             'contype="0" conaffinity="0"/>' for p in pieces]
    return '\n'.join([head, *map(_mesh, [*vehicle.meshes, *pieces]), WORLD, vehicle.body, *geoms,
                      '</worldbody></mujoco>'])


@dataclass(frozen=True)
class Vehicle:
    """What moves: a body (MJCF, mocap 0) with its cameras and lamp, the meshes it is made of."""

    body: str
    meshes: tuple[solids.Piece, ...]


def drawn_car(mount: Mount) -> Vehicle:
    """Return the car with its camera at ``mount``."""
    body = BODY.format(ahead=mount.ahead, high=mount.high, fovy=mount.fovy,
                       sin=math.sin(mount.pitch), cos=math.cos(mount.pitch))
    return Vehicle(body, (
        solids.Piece('car', 'things', car_shape.car_soup()),
        solids.Piece('car_shade', 'shade', solids.disc(2.5, 1.15, at=(0.1, 0.0)))))


def road_scene(track: Track, look: Look, *, mount: Mount | None = None,
               others: Vehicle | None = None, scenery_seed: int | None = None,
               road: Track | None = None) -> Scene:
    """
    Return the scene of a road with all that stands beside it, and the car.

    ``others`` are bodies that stand on the road; whoever brings them moves them. ``scenery_seed``
    plants other scenery along the same road, ``road`` lays another road through the same scenery.
    """
    mount = mount or Mount()
    car = drawn_car(mount)
    if others is not None:
        car = Vehicle(car.body + others.body, car.meshes + others.meshes)
    things, windows, shade = scenery.roadside(track, scenery_seed=scenery_seed, road=road)
    pieces = [*scenery.ground_pieces(track, scenery_seed=scenery_seed),
              *road_mesh.road_pieces(road or track),
              *solids.by_cell(things, 'things'), *solids.by_cell(windows, 'window'),
              *solids.by_cell(shade, 'shade')]
    return Scene(pieces, car, look, mount=mount)


class Scene:
    """The model and data that a renderer draws; the look may change at any time."""

    def __init__(self, pieces: list[solids.Piece], vehicle: Vehicle, look: Look, *,
                 mount: Mount) -> None:
        self.mount = mount
        self.model = mujoco.MjModel.from_xml_string(_mjcf(pieces, vehicle))
        self.data = mujoco.MjData(self.model)
        corners = [piece.soup.corner.reshape(-1, 3) for piece in pieces]
        self._geoms = np.array([self.model.geom(piece.name).id for piece in pieces])
        self._middle = np.array([0.5 * (c.min(axis=0) + c.max(axis=0))[:2] for c in corners])
        self._reach = np.array([np.linalg.norm(np.ptp(c, axis=0)[:2]) / 2.0 for c in corners])
        self._always = np.array([piece.name in ('meadow', 'hills') for piece in pieces])
        self._group = np.array([SHADE if p.material == 'shade' else SHOWN for p in pieces])
        self.road_geoms = self._geoms[[piece.material == 'road' for piece in pieces]]
        self.wear(look)
        self.put(Pose(0.0, 0.0, 0.0))

    def wear(self, look: Look) -> None:
        """Change surfaces, light and fog in the model; a renderer must upload them afterwards."""
        self.look = look
        self._texture('sky', textures.sky(look.sky))
        self._texture('road', textures.road(look.road))
        self._texture('verge', textures.verge(look.ground))
        self._texture('ground', textures.ground(look.ground))
        self._texture('things', textures.atlas(look))
        model, light = self.model, look.light
        sun, lamp = model.light('sun').id, model.light('lamp').id
        model.light_dir[sun] = np.asarray(light.direction) / np.linalg.norm(light.direction)
        model.light_diffuse[sun] = light.sun
        model.light_specular[sun] = np.asarray(light.sun) * look.road.shine
        model.light_diffuse[lamp] = light.lamp * np.array([1.0, 0.95, 0.85])
        model.light_specular[lamp] = 0.0
        model.light_active[lamp] = light.lamp > 0.0
        model.vis.headlight.ambient[:] = light.ambient
        window, road = model.material('window').id, model.material('road').id
        glow = np.array([1.0, 0.83, 0.50]) * light.windows
        model.mat_rgba[window, :3] = np.maximum(glow, (0.2, 0.24, 0.3))
        model.mat_emission[window] = light.windows
        model.mat_rgba[model.material('shade').id, 3] = light.shade
        model.mat_specular[road] = look.road.shine
        model.mat_shininess[road] = 0.4
        model.vis.map.fogstart, model.vis.map.fogend = look.sky.fog_start, look.sky.fog_end
        model.vis.rgba.fog[:] = (*look.sky.horizon, 1.0)
        mujoco.mj_forward(self.model, self.data)

    def put(self, pose: Pose) -> None:
        """Move the vehicle, its cameras and its lamps."""
        half = 0.5 * np.array([pose.yaw, pose.roll, pose.pitch])
        (cy, cr, cp), (sy, sr, sp) = np.cos(half), np.sin(half)
        self.data.mocap_pos[0] = pose.x, pose.y, pose.z
        self.data.mocap_quat[0] = (cy * cr * cp - sy * sr * sp, cy * sr * cp - sy * cr * sp,
                                   cy * cr * sp + sy * sr * cp, sy * cr * cp + cy * sr * sp)
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_camlight(self.model, self.data)
        self._pose = pose

    def cull(self, *, aspect: float) -> None:
        """Hide what the front camera cannot see from here: behind it, beside it, far away."""
        to = self._middle - (self._pose.x, self._pose.y)               # (P, 2)
        distance = np.hypot(to[:, 0], to[:, 1])
        wide = math.atan(aspect * math.tan(math.radians(self.mount.fovy) / 2.0)) + 0.1
        bearing = np.abs(np.angle(np.exp(1j * (np.arctan2(to[:, 1], to[:, 0])
                                               - self._pose.yaw))))
        margin = np.arcsin(np.minimum((self._reach + 2.0) / np.maximum(distance, 1e-3), 1.0))
        seen = (bearing - margin < wide) & (distance - self._reach < FOG_LIMIT_M)
        seen |= (distance < self._reach + 3.0) | self._always
        self.model.geom_group[self._geoms] = np.where(seen, self._group, HIDDEN)

    def show_all(self) -> None:
        """Undo ``cull``."""
        self.model.geom_group[self._geoms] = self._group

    def _texture(self, name: str, pixels: np.ndarray) -> None:
        """Write pixels of the compiled size into the model."""
        start = self.model.tex_adr[self.model.tex(name).id]
        self.model.tex_data[start:start + pixels.size] = pixels.reshape(-1)
