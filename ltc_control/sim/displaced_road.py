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
The same road, moved sideways a little here and there: what a lane does to a driver, alone.

A smooth offset along the road shifts the lane and bends it, while scenery that stands along the
old road stays where it is. Only a closed road can be displaced: the offset must meet itself.
"""

from __future__ import annotations

from ltc_control.core.errors import SimulationError
from ltc_control.sim.track import resampled, Track
import numpy as np

WAVES = 4
LONGEST_M, SHORTEST_M = 90.0, 40.0             # wavelengths: curves, no kinks


def displaced(track: Track, *, rms_m: float, seed: int) -> Track:
    """
    Return ``track`` with its lane moved by a random smooth offset of ``rms_m`` (sign counts).

    Positive and negative ``rms_m`` move it by the same amount to the one and the other side.
    Raises SimulationError for an open road.
    """
    if not track.closed:
        raise SimulationError(f'track {track.seed} is open; only a closed road can be displaced')
    offset, slope = _profile(track, rms_m, seed)
    normal = 1j * np.exp(1j * track.heading)
    z = track.x + 1j * track.y + normal * offset
    along = 1.0 - track.curvature * offset     # dz/ds = e^(i heading) (along + i slope)
    heading = track.heading + np.arctan2(slope, along)
    pace = track.spacing * np.hypot(along, slope)
    turns = 2.0 * np.pi * np.round((heading[-1] - heading[0]) / (2.0 * np.pi))
    before = np.r_[heading[-1] - turns, heading[:-1]]
    after = np.r_[heading[1:], heading[0] + turns]
    curvature = (after - before) / (0.5 * (np.roll(pace, 1) + np.roll(pace, -1)) + pace)
    return resampled(track.seed, z, heading, curvature, pace)


def _profile(track: Track, rms_m: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return offset (N,) [m] and its slope: waves that fit the loop a whole number of times."""
    rng = np.random.default_rng([seed, track.seed, 9])
    fewest, most = int(np.ceil(track.length / LONGEST_M)), int(track.length / SHORTEST_M)
    cycles = rng.integers(fewest, max(most, fewest) + 1, WAVES)
    phase = rng.uniform(0.0, 2.0 * np.pi, WAVES)
    angle = 2.0 * np.pi * cycles[:, None] * track.arc / track.length + phase[:, None]
    offset = np.sin(angle).sum(axis=0)
    slope = (2.0 * np.pi * cycles[:, None] / track.length * np.cos(angle)).sum(axis=0)
    scale = rms_m / offset.std()
    return scale * (offset - offset.mean()), scale * slope
