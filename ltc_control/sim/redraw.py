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
A recorded drive drawn again: the same road from the same places, in any look.

Odometry of the simulated car holds its exact place; how its body leans is not recorded, but
follows from the measured acceleration: the body is a mass on springs (``sim.car``), so it leans by
mass * height / (stiffness - mass * gravity * height), with a lag of damping / stiffness.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.errors import SimulationError
from ltc_control.sim.camera import Camera, CameraSpec
from ltc_control.sim.looks import find_look
from ltc_control.sim.scene import road_scene
from ltc_control.sim.track import make_track
import numpy as np

_MOMENT = 1300.0 * 0.2                     # mass of the body by the height of its centre [kg m]
_ROLL, _PITCH = (60e3, 6e3), (90e3, 15e3)  # stiffness [Nm/rad], damping [Nm s/rad]
_GRAVITY = 9.81


@dataclass(frozen=True)
class Placed:
    """A car that stands where it is told: pose x, y [m], yaw [rad]; tilt roll, pitch [rad]."""

    pose: tuple[float, float, float]
    tilt: tuple[float, float]
    height: float = 0.0


class Redrawer:
    """Draws a track in one season at a time; close it before the interpreter ends."""

    def __init__(self, *, track: int, season: str, spec: CameraSpec, seed: int = 0) -> None:
        if track < 0:
            raise SimulationError(f'a track is a number from 0 on, got {track!r}')
        self._camera = Camera(spec, road_scene(make_track(track, closed=True), find_look(season),
                                               mount=spec.mount))
        self._camera.reset(np.random.default_rng([seed, 3]))

    def draw(self, place: Placed, *, season: str) -> np.ndarray:
        """Return the picture from ``place``, (H, W, 3) uint8."""
        self._camera.set_season(season)
        return self._camera.capture(place)

    def close(self) -> None:
        """Free the renderer."""
        self._camera.close()


def lean(stamps_ns: np.ndarray, accelerations: np.ndarray) -> np.ndarray:
    """
    Return roll and pitch (K, 2) [rad] of the body at ``stamps_ns`` (K,), rising.

    ``accelerations`` (K, 2) are forward and left [m/s^2], as the car's IMU measures them.
    """
    tilt = np.zeros((len(stamps_ns), 2))
    for column, axis, (stiffness, damping), sign in ((0, 1, _ROLL, 1.0), (1, 0, _PITCH, -1.0)):
        gain = sign * _MOMENT / (stiffness - _MOMENT * _GRAVITY)
        lagged = float(accelerations[0, axis]) if len(accelerations) else 0.0
        before = int(stamps_ns[0]) if len(stamps_ns) else 0
        for index, stamp in enumerate(stamps_ns.tolist()):
            share = 1.0 - math.exp(-max(0, stamp - before) * 1e-9 * stiffness / damping)
            lagged += share * (float(accelerations[index, axis]) - lagged)
            tilt[index, column], before = gain * lagged, stamp
    return tilt
