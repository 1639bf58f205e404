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
Seeded roads: a lane centre line by arc length, and where a pose lies along it.

A closed loop is a polygon with rounded corners, smoothed as one periodic curve, so that the
curvature is continuous; an open road integrates a smoothed curvature profile. The line is the
centre of the driven (right) lane; the other lane lies on its left. Frenet conventions: ``arc``
grows along the road, ``offset`` and ``heading_error`` are positive to the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ltc_control.core.errors import SimulationError
import numpy as np

LANE_WIDTH_M = 3.5
ROAD_RIGHT_M = -LANE_WIDTH_M / 2           # edge line on the right of the driven lane
ROAD_LEFT_M = 1.5 * LANE_WIDTH_M           # edge line beyond the oncoming lane
MIN_RADIUS_M = 20.0
CLEARANCE_M = 26.0                         # between lane centres of different stretches
SPACING_M = 0.25                           # nominal, of the stored samples
SMOOTHING_M = 3.0                          # Gaussian sigma that turns corners into transitions
BOTH_WAYS, TIGHT = 0.08, 0.2               # least share bent either way; with R < 40 m
ATTEMPTS = 4000


class Frenet(NamedTuple):
    """A pose relative to the lane: arc [m], offset [m, left], heading error [rad, left]."""

    arc: float
    offset: float
    heading_error: float


class RoadPose(NamedTuple):
    """Points of the lane centre: x, y [m], heading [rad], curvature [1/m]; any shape."""

    x: np.ndarray
    y: np.ndarray
    heading: np.ndarray
    curvature: np.ndarray


@dataclass(frozen=True)
class Track:
    """A lane centre line sampled every ``spacing`` metres; (N,) arrays, closed roads wrap."""

    seed: int
    closed: bool
    length: float
    spacing: float
    x: np.ndarray
    y: np.ndarray
    heading: np.ndarray                    # unwrapped
    curvature: np.ndarray

    @property
    def arc(self) -> np.ndarray:
        """Arc length of each sample, (N,) [m]."""
        return self.spacing * np.arange(len(self.x))

    def wrap(self, arc: float) -> float:
        """Return the arc inside [0, length): wrapped on a loop, clipped on an open road."""
        if self.closed:
            return float(arc % self.length)
        return float(min(max(arc, 0.0), self.length))

    def _blend(self, arc: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the indices before and after ``arc`` and the weight of the latter."""
        position = np.asarray(arc, dtype=np.float64) / self.spacing
        count = len(self.x)
        if self.closed:
            position = position % count
            low = np.minimum(np.floor(position).astype(np.int64), count - 1)
            return low, (low + 1) % count, position - low
        low = np.clip(np.floor(position).astype(np.int64), 0, count - 2)
        return low, low + 1, np.clip(position - low, 0.0, 1.0)

    def curvature_at(self, arc: np.ndarray | float) -> np.ndarray:
        """Return the curvature [1/m] at ``arc``, linear between samples; any shape."""
        low, high, weight = self._blend(arc)
        return (1.0 - weight) * self.curvature[low] + weight * self.curvature[high]

    def at(self, arc: np.ndarray | float) -> RoadPose:
        """Return the lane centre at ``arc`` (any shape); position to 1e-5 m between samples."""
        low, _, weight = self._blend(arc)
        along = weight * self.spacing
        curvature = self.curvature_at(arc)
        mean_curvature = 0.5 * (self.curvature[low] + curvature)
        heading = self.heading[low] + along * mean_curvature
        middle = self.heading[low] + 0.5 * along * self.curvature[low]
        x = self.x[low] + along * np.cos(middle)
        y = self.y[low] + along * np.sin(middle)
        return RoadPose(x, y, heading, curvature)

    def place(self, arc: float, *, offset: float = 0.0, heading_error: float = 0.0
              ) -> tuple[float, float, float]:
        """Return (x, y, yaw) of a pose given relative to the lane: the inverse of ``frenet``."""
        pose = self.at(arc)
        heading = float(pose.heading)
        x = float(pose.x) - offset * float(np.sin(heading))
        y = float(pose.y) + offset * float(np.cos(heading))
        return x, y, heading + heading_error

    def nearest(self, x: float, y: float, *, near: float | None = None) -> int:
        """
        Return the index of the sample nearest to (x, y).

        With ``near`` (the arc where the point was last) only 12 m to either side are searched;
        the whole road is searched when the best of them lies on the border.
        """
        count = len(self.x)
        if near is not None:
            reach = int(12.0 / self.spacing)
            window = np.arange(-reach, reach + 1) + int(near / self.spacing)
            window = window % count if self.closed else np.clip(window, 0, count - 1)
            best = int(np.argmin((self.x[window] - x) ** 2 + (self.y[window] - y) ** 2))
            if 0 < best < 2 * reach:
                return int(window[best])
        return int(np.argmin((self.x - x) ** 2 + (self.y - y) ** 2))

    def frenet(self, x: float, y: float, yaw: float, *, near: float | None = None) -> Frenet:
        """Return the pose relative to the lane centre; ``near`` makes it fast (see nearest)."""
        index = self.nearest(x, y, near=near)
        heading = float(self.heading[index])
        curvature = float(self.curvature[index])
        cos, sin = np.cos(heading), np.sin(heading)
        dx, dy = x - float(self.x[index]), y - float(self.y[index])
        along, across = dx * cos + dy * sin, dy * cos - dx * sin
        scale = max(1.0 - curvature * across, 0.1)
        shift = along / scale              # arc between the sample and the foot of the point
        arc = self.wrap(index * self.spacing + shift)
        offset = across - 0.5 * curvature * along * along / scale
        error = yaw - heading - shift * curvature
        return Frenet(arc, float(offset), float((error + np.pi) % (2.0 * np.pi) - np.pi))


def make_track(seed: int, *, closed: bool = True) -> Track:
    """
    Return the road of this seed: 350 to 1000 m, radius never below 20 m, curves both ways.

    Raises SimulationError for a negative seed, and if no road of this seed passes the checks.
    """
    if seed < 0:
        raise SimulationError(f'a track is a number from 0 on, got {seed!r}; use 0 to 999 for '
                              'training and 1001 upwards for evaluation')
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([seed, attempt, int(closed)])
        track = _loop(seed, rng) if closed else _open_road(seed, rng)
        if track is not None and _fits(track):
            return track
    raise SimulationError(f'no road of seed {seed} kept {CLEARANCE_M} m between its stretches '
                          f'in {ATTEMPTS} attempts; use another seed')


def _fits(track: Track) -> bool:
    """Say whether radius, clearance, length and variety are as promised."""
    sharpest = np.abs(track.curvature).max()
    if not 1.0 / 25.0 < sharpest < 1.0 / MIN_RADIUS_M or not 350.0 <= track.length <= 1000.0:
        return False
    left, right = np.mean(track.curvature > 0.01), np.mean(track.curvature < -0.01)
    if min(left, right) < BOTH_WAYS or np.mean(np.abs(track.curvature) > 1.0 / 40.0) < TIGHT:
        return False
    step = int(2.0 / track.spacing)
    points = np.stack([track.x, track.y], axis=1)[::step]              # (M, 2)
    arc = track.arc[::step]
    gap = np.abs(arc[:, None] - arc[None, :])
    gap = np.minimum(gap, track.length - gap) if track.closed else gap
    distance = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    return bool(distance[gap > 70.0].min() > CLEARANCE_M)


def _polygon(rng: np.random.Generator) -> np.ndarray:
    """Return the corners (K, 2) of a star-shaped polygon whose sides total 400 to 1050 m."""
    count = int(rng.integers(7, 13))
    angle = 2.0 * np.pi * (np.arange(count) + rng.uniform(-0.3, 0.3, count)) / count
    radius = rng.uniform(0.35, 1.25, count)
    corner = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    corner[:, 1] *= rng.uniform(0.6, 1.0) * rng.choice([-1.0, 1.0])    # either way round
    perimeter = np.linalg.norm(np.roll(corner, -1, axis=0) - corner, axis=1).sum()
    return corner * rng.uniform(450.0, 1050.0) / perimeter


def _rounded(corner: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """Return the polygon with arcs for corners as points 5 cm apart (complex), or None."""
    z = corner[:, 0] + 1j * corner[:, 1]
    leg_in, leg_out = z - np.roll(z, 1), np.roll(z, -1) - z
    turn = np.angle(leg_out / leg_in)                                  # (K,) left positive
    reach = 0.47 * np.minimum(np.abs(leg_in), np.abs(leg_out))
    widest = reach / np.maximum(np.tan(np.abs(turn) / 2.0), 1e-6)
    wish = np.where(rng.random(len(z)) < 0.5, rng.uniform(21.5, 26.0, len(z)),
                    rng.uniform(26.0, 80.0, len(z)))
    if widest.min() < 21.5 or np.abs(turn).max() > 2.4:
        return None
    radius = np.minimum(wish, widest)
    pieces = []
    for k in range(len(z)):
        tangent = radius[k] * np.tan(abs(turn[k]) / 2.0)
        direction = leg_in[k] / abs(leg_in[k])
        steps = np.arange(max(int(radius[k] * abs(turn[k]) / 0.05), 2)) * 0.05 / radius[k]
        side = 1j * np.sign(turn[k])
        start = z[k] - tangent * direction
        pieces.append(start + radius[k] * direction * side * (1.0 - np.exp(side * steps)))
        following = (k + 1) % len(z)
        end = z[k] + tangent * leg_out[k] / abs(leg_out[k])
        other = radius[following] * np.tan(abs(turn[following]) / 2.0)
        line = z[following] - other * leg_out[k] / abs(leg_out[k]) - end
        pieces.append(end + line * np.arange(0.0, 1.0, 0.05 / max(abs(line), 0.1)))
    return np.concatenate(pieces)


def _loop(seed: int, rng: np.random.Generator) -> Track | None:
    """Return a closed road, or None where the drawn polygon has too sharp a corner."""
    line = _rounded(_polygon(rng), rng)
    if line is None:
        return None
    arc = np.r_[0.0, np.cumsum(np.abs(np.diff(np.r_[line, line[0]])))]
    count = int(arc[-1] / SPACING_M)
    sample = np.linspace(0.0, arc[-1], count, endpoint=False)
    closed = np.r_[line, line[0]]
    raw = np.interp(sample, arc, closed.real) + 1j * np.interp(sample, arc, closed.imag)
    omega = 2.0 * np.pi * np.fft.fftfreq(count, arc[-1] / count)
    spectrum = np.fft.fft(raw) * np.exp(-0.5 * (SMOOTHING_M * omega) ** 2)
    z, dz, ddz = (np.fft.ifft(spectrum * (1j * omega) ** k) for k in range(3))
    speed = np.abs(dz)
    curvature = (np.conj(dz) * ddz).imag / speed**3
    heading = np.unwrap(np.angle(dz))
    return resampled(seed, z, heading, curvature, speed * arc[-1] / count)


def resampled(seed: int, z: np.ndarray, heading: np.ndarray, curvature: np.ndarray,
              pace: np.ndarray) -> Track:
    """Return the loop at equal arc steps; ``pace`` (N,) is the length per sample [m]."""
    along = np.r_[0.0, np.cumsum(0.5 * (pace + np.roll(pace, -1)))]    # (N + 1,)
    count = int(along[-1] / SPACING_M)
    arc = np.linspace(0.0, along[-1], count, endpoint=False)
    turns = 2.0 * np.pi * np.round((heading[-1] - heading[0]) / (2.0 * np.pi))
    low = np.clip(np.searchsorted(along, arc, side='right') - 1, 0, len(z) - 1)
    bend = np.interp(arc, along, np.r_[curvature, curvature[0]])
    direction = np.interp(arc, along, np.r_[heading, heading[0] + turns])
    rest = arc - along[low]
    point = z[low] + rest * np.exp(1j * (heading[low] + 0.5 * rest * curvature[low]))
    return Track(seed, True, float(along[-1]), float(along[-1]) / count, point.real, point.imag,
                 direction, bend)


def _open_road(seed: int, rng: np.random.Generator) -> Track:
    """Return an open road of alternating straights and arcs, 450 to 900 m long."""
    length = float(rng.uniform(450.0, 900.0))
    pieces: list[np.ndarray] = [np.zeros(int(30.0 / SPACING_M))]
    while sum(map(len, pieces)) * SPACING_M < length:
        radius = rng.uniform(20.5, 26.0) if rng.random() < 0.5 else rng.uniform(26.0, 90.0)
        arc = radius * rng.uniform(0.4, 1.6)
        sign = rng.choice([-1.0, 1.0])
        pieces.append(np.full(int(arc / SPACING_M), sign / radius))
        pieces.append(np.zeros(int(rng.uniform(5.0, 60.0) / SPACING_M)))
    raw = np.concatenate(pieces)
    reach = np.arange(-4.0 * SMOOTHING_M, 4.0 * SMOOTHING_M + SPACING_M, SPACING_M)
    kernel = np.exp(-0.5 * (reach / SMOOTHING_M) ** 2)
    curvature = np.convolve(raw, kernel / kernel.sum(), mode='same')
    step = 0.5 * (curvature[1:] + curvature[:-1]) * SPACING_M
    heading = np.r_[0.0, np.cumsum(step)]
    middle = 0.5 * (heading[1:] + heading[:-1])
    x = np.r_[0.0, np.cumsum(np.cos(middle) * SPACING_M)]
    y = np.r_[0.0, np.cumsum(np.sin(middle) * SPACING_M)]
    return Track(seed, False, SPACING_M * (len(x) - 1), SPACING_M, x, y, heading, curvature)
