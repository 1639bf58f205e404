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
"""The grove as it is drawn: what stands there, the target, its look-alikes, and the drone."""

from __future__ import annotations

import math

from ltc_control.sim import solids
from ltc_control.sim.graphics import mujoco
from ltc_control.sim.grove import Decoy, Place, RED, TARGET_RADIUS_M
from ltc_control.sim.looks import Look
from ltc_control.sim.scene import Mount, Scene, Vehicle
import numpy as np

FORWARD = Mount(ahead=0.12, high=0.0, pitch=0.0, fovy=50.0)   # about 79 degrees across at 192x108

BODY = """
    <body name="drone" mocap="true">
      <geom name="drone" type="mesh" mesh="drone" material="things" group="1" contype="0"
            conaffinity="0"/>
      <light name="lamp" pos="0.2 0 0" dir="1 0 -0.05" cutoff="48" exponent="6"
             attenuation="1 0.02 0.0016" castshadow="false"/>
      <camera name="front" pos="{ahead} 0 {high}" fovy="{fovy}" xyaxes="0 -1 0 {sin} 0 {cos}"/>
      <camera name="chase" pos="-3.2 -0.3 1.1" fovy="55" xyaxes="0 -1 0 0.2 0 0.98"/>
      <camera name="top" pos="0 0 45" fovy="50" xyaxes="0 -1 0 1 0 0"/>
    </body>
    <body name="target" mocap="true">
      {target}
    </body>
"""
DECOY = ('<geom name="decoy{number}" type="{shape}" size="{size}" pos="{x:.3f} {y:.3f} {z:.3f}" '
         'rgba="{colour}" contype="0" conaffinity="0"/>')


PART = ('<geom {name}type="{shape}" size="{size}" pos="{at}" rgba="{colour}" contype="0" '
        'conaffinity="0"/>')
SKIN, DARK = (0.80, 0.62, 0.50), (0.12, 0.12, 0.16)


def ball() -> str:
    """Return the target that hangs still."""
    return PART.format(name='name="target0" ', shape='sphere', size=TARGET_RADIUS_M, at='0 0 0',
                       colour=_colour(RED))


def walker(coat: tuple[float, float, float], *, name: str = '', x: float = 0.0, y: float = 0.0,
           z: float = 0.0) -> str:
    """Return a person in a coat of this colour; the origin is the middle of the coat."""
    parts = (('ellipsoid', '0.30 0.30 0.45', 0.0, coat), ('sphere', '0.16', 0.60, SKIN),
             ('capsule', '0.13 0.30', -0.75, DARK))
    return '\n'.join(
        PART.format(name=f'name="{name}{i}" ' if name else '', shape=shape, size=size,
                    at=f'{x:.3f} {y:.3f} {z + high:.3f}', colour=_colour(colour))
        for i, (shape, size, high, colour) in enumerate(parts))


def drone_soup() -> solids.Soup:
    """Return the drone for views from outside; its origin is base_link."""
    parts = [solids.dressed(solids.box((0.22, 0.16, 0.08), (0.0, 0.0, -0.04)), 'tyre'),
             solids.dressed(solids.box((0.05, 0.05, 0.05), (0.12, 0.0, -0.03)), 'lamp')]
    for x in (-0.17, 0.17):
        for y in (-0.17, 0.17):
            rotor = solids.cone(0.13, 0.03, 0.03, sides=10) + (x, y, 0.0)
            parts += [solids.dressed(rotor, 'chrome'),
                      solids.dressed(rotor[:, ::-1], 'chrome'),
                      solids.dressed(solids.box((0.03, 0.03, 0.06), (x, y, -0.03)), 'band')]
    return solids.join(parts)


def _colour(rgb: tuple[float, float, float]) -> str:
    return ' '.join(f'{c:.3f}' for c in (*rgb, 1.0))


def _decoy(number: int, decoy: Decoy) -> str:
    if decoy.shape == 'walker':
        return walker(decoy.colour, x=decoy.x, y=decoy.y, z=decoy.z)
    size = {'sphere': f'{decoy.size:.3f}', 'box': ' '.join([f'{decoy.size:.3f}'] * 3),
            'cylinder': f'{decoy.size:.3f} {decoy.size:.3f}'}[decoy.shape]
    return DECOY.format(number=number, shape=decoy.shape, size=size, x=decoy.x, y=decoy.y,
                        z=decoy.z, colour=_colour(decoy.colour))


class FlightScene(Scene):
    """A drawn place, with a target that can be put anywhere."""

    def __init__(self, place: Place, look: Look, *, mount: Mount = FORWARD) -> None:
        body = BODY.format(ahead=mount.ahead, high=mount.high, fovy=mount.fovy,
                           sin=math.sin(mount.pitch), cos=math.cos(mount.pitch),
                           target=walker(RED, name='target') if place.walks else ball())
        decoys = '\n'.join(_decoy(i, decoy) for i, decoy in enumerate(place.decoys))
        vehicle = Vehicle(body + decoys, (solids.Piece('drone', 'things', drone_soup()),))
        super().__init__(list(place.pieces), vehicle, look, mount=mount)
        names = [self.model.geom(i).name for i in range(self.model.ngeom)]
        self.target_geoms = np.array([i for i, one in enumerate(names)
                                      if one.startswith('target')])

    def hang_target(self, where: tuple[float, float, float]) -> None:
        """Put the middle of the target at x, y, z [m]; drawn from the next ``put`` on."""
        self.data.mocap_pos[1] = where
        mujoco.mj_kinematics(self.model, self.data)
