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
A seeded road as a world for Gazebo: Harmonic and newer, or Fortress.

The road, all beside it and the sky are the embedded world's own triangles and pictures; the car
stands at the start of the road, the quadrotor on the meadow beside it. Paths are relative to the
world file, so it runs wherever the folder is put. What Gazebo cannot do is fog; wheels roll on a
plane at z = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
import math
from pathlib import Path
import re

from ltc_control.sim import export_car, export_quadrotor
from ltc_control.sim.export_mesh import Surface, surfaces, write_surface
from ltc_control.sim.export_sensors import for_fortress, plugin, Rates
from ltc_control.sim.looks import find_look, Look
from ltc_control.sim.track import make_track, Track
import numpy as np

SDF = '1.9'                                # the newest that Fortress reads
STEP_S = 0.002                             # divides the 33 ms and 8 ms of the sensors nearly
BESIDE_M, AHEAD_M = 6.5, 8.0               # the quadrotor, from the lane centre at the start
GRIP = 1.0
SYSTEMS = (('physics', 'Physics'), ('user-commands', 'UserCommands'),
           ('scene-broadcaster', 'SceneBroadcaster'), ('imu', 'Imu'))

WORLD = """<?xml version="1.0"?>
<sdf version="{sdf}">
<world name="{name}">
  <physics name="step" type="ignored">
    <max_step_size>{step}</max_step_size>
    <real_time_factor>1.0</real_time_factor>
  </physics>{systems}
  <gravity>0 0 -9.81</gravity>
  <scene>
    <ambient>{ambient} 1</ambient>
    <background>{horizon} 1</background>
    <shadows>false</shadows>
    <grid>false</grid>
  </scene>
  <light name="sun" type="directional">
    <pose>0 0 90 0 0 0</pose>
    <cast_shadows>false</cast_shadows>
    <diffuse>{sun} 1</diffuse>
    <specular>{shine} 1</specular>
    <direction>{direction}</direction>
  </light>
  <model name="road">
    <static>true</static>
    <link name="land">
      <collision name="plane">
        <geometry><plane><normal>0 0 1</normal><size>2000 2000</size></plane></geometry>
        <surface><friction><ode><mu>{grip}</mu><mu2>{grip}</mu2></ode></friction></surface>
      </collision>{visuals}
    </link>
  </model>
  {models}
</world>
</sdf>
"""
VISUAL = """
      <visual name="{name}">
        <cast_shadows>false</cast_shadows>{transparency}
        <geometry><mesh><uri>{uri}</uri></mesh></geometry>
        <material>
          <ambient>{ambient} 1</ambient>
          <diffuse>{diffuse} 1</diffuse>
          <specular>{specular} 1</specular>
          <emissive>{emissive} 1</emissive>{pbr}
        </material>
      </visual>"""
PBR = """
          <pbr><metal><albedo_map>{uri}</albedo_map>{glow}<roughness>{roughness}</roughness>\
<metalness>0</metalness></metal></pbr>"""
CONFIG = """<?xml version="1.0"?>
<model>
  <name>{name}</name>
  <version>1.0</version>
  <sdf version="{sdf}">model.sdf</sdf>
  <author><name>The ltc_control authors</name></author>
  <description>{text}</description>
</model>
"""


@dataclass(frozen=True)
class WorldSpec:
    """Which road, in which season, with which sensors on the car, and whose plugin names."""

    track: int
    season: str = 'summer'
    rates: Rates = field(default_factory=Rates)
    fortress: bool = False                 # names for Fortress instead of Harmonic and newer

    @property
    def name(self) -> str:
        """Name of the world, of its file and of the folder of its meshes."""
        return f'track{self.track}'


def write_meshes(spec: WorldSpec, folder: Path) -> list[Surface]:
    """Write every surface of the world into ``folder`` as OBJ, MTL and PNG; return them."""
    made = list(surfaces(make_track(spec.track), find_look(spec.season)))
    folder.mkdir(parents=True, exist_ok=True)
    for surface in made:
        write_surface(surface, folder)
    return made


def write_world(spec: WorldSpec, folder: Path) -> Path:
    """
    Write ``trackN.sdf``, its meshes and both vehicles as models of their own; return the world.

    Raises SimulationError for an unknown season or a track that does not exist.
    """
    made = write_meshes(spec, folder / spec.name)
    track, look = make_track(spec.track), find_look(spec.season)
    path = folder / f'{spec.name}.sdf'
    named = for_fortress if spec.fortress else str
    path.write_text(named(world_text(spec, track, look, made)), encoding='utf-8')
    _write_model(folder / 'models' / 'ltc_car', named(export_car.car_model(
        light=look.light, rates=spec.rates)), 'A car that steers as Ackermann did')
    _write_model(folder / 'models' / 'ltc_quadrotor', named(export_quadrotor.quadrotor_model()),
                 'A quadrotor that takes a velocity')
    return path


def _write_model(folder: Path, model: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'model.sdf').write_text(
        f'<?xml version="1.0"?>\n<sdf version="{SDF}">\n  {model}\n</sdf>\n', encoding='utf-8')
    (folder / 'model.config').write_text(
        CONFIG.format(name=folder.name, sdf=SDF, text=text), encoding='utf-8')


def world_text(spec: WorldSpec, track: Track, look: Look, made: Sequence[Surface]) -> str:
    """Return the world file; meshes are expected in the folder ``spec.name`` beside it."""
    light = look.light
    direction = np.asarray(light.direction) / np.linalg.norm(light.direction)
    models = [export_car.car_model(pose=_pose(track, 0.0, 0.0, 0.0), light=light,
                                   rates=spec.rates),
              export_quadrotor.quadrotor_model(pose=_pose(track, AHEAD_M, BESIDE_M, 0.1))]
    text = WORLD.format(
        sdf=SDF, name=spec.name, step=STEP_S, systems=_systems(), ambient=_colour(light.ambient),
        horizon=_colour(look.sky.horizon), sun=_colour(light.sun), grip=GRIP,
        shine=_colour(np.asarray(light.sun) * look.road.shine), direction=_colour(direction),
        visuals=''.join(_visual(surface, look, spec.name) for surface in made),
        models='\n  '.join(models))
    return re.sub(r'[ \t]+\n', '\n', text)


def _pose(track: Track, arc: float, offset: float, height: float) -> str:
    x, y, yaw = track.place(arc, offset=offset)
    yaw = math.remainder(yaw, 2.0 * math.pi)
    return f'{x:.4f} {y:.4f} {height} 0 0 {yaw:.6f}'


def _systems() -> str:
    text = ''.join(plugin(file, name) for file, name in SYSTEMS)
    return text + plugin('sensors', 'Sensors', {'render_engine': 'ogre2'})


def _colour(values: Sequence[float] | np.ndarray) -> str:
    return ' '.join(f'{float(value):.4g}' for value in values)


def _visual(surface: Surface, look: Look, folder: str) -> str:
    """Return a surface as its embedded material looks: matt, except a wet road and lit panes."""
    name, light = surface.name, look.light
    white, black = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    colour, glow, transparency = white, black, ''
    if name == 'sky':                      # shines by itself, whatever the light
        colour, glow = black, white
    elif name == 'window':
        glow = tuple(light.windows * part for part in (1.0, 0.83, 0.5))
        colour = (0.2, 0.24, 0.3)
    elif name == 'shade':
        colour = black
        transparency = f'\n        <transparency>{1.0 - light.shade:.2f}</transparency>'
    shine = look.road.shine if name == 'road' else 0.0
    uri = f'{folder}/{name}'
    pbr = '' if surface.texture is None else PBR.format(
        uri=f'{uri}.png', roughness=round(1.0 - 0.8 * shine, 2),
        glow=f'<emissive_map>{uri}.png</emissive_map>' if name == 'sky' else '')
    return VISUAL.format(name=name, uri=f'{uri}.obj', ambient=_colour(colour),
                         diffuse=_colour(colour), specular=_colour((shine,) * 3),
                         emissive=_colour(glow), transparency=transparency, pbr=pbr)
