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
"""Frames of a simulator's bag drawn again in another season, for ``ltc replay --season``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.errors import BagError
from ltc_control.core.geometry import yaw_from_quaternion
from ltc_control.data.raw import RawRecording
from ltc_control.insight.replay_bag import ReplayBag, SeenFrame
import numpy as np

COMPARED = 20                              # frames that are drawn in their own look too
NEAR_NS = 20_000_000


class SeasonRedrawer:
    """
    Draws each recorded frame in ``season``; a context manager.

    ``error`` is the mean difference (of 255) between recorded frames and the same drawn again in
    their own look: what drawing alone costs. Raises BagError for a bag of no simulator, and
    SimulationError for an unknown season or a machine without OpenGL.
    """

    def __init__(self, bag: ReplayBag, season: str) -> None:
        from ltc_control.sim.looks import find_look
        self._bag, self._season = bag, find_look(season).name
        self._own = find_look(_attribute(bag, 'season')).name
        self._stamps, self._poses, self._tilts = _places(bag)
        self._redrawer: Any = None
        self.error: float | None = None

    def __enter__(self) -> SeasonRedrawer:
        """Build the road and measure ``error``."""
        from ltc_control.sim.camera import CameraSpec
        from ltc_control.sim.redraw import Redrawer
        first = next((frame for frame in self._bag.frames() if frame.rgb is not None), None)
        if first is None or first.rgb is None:
            raise BagError(f'no frame of {str(self._bag.path)!r} can be read')
        noise = float(self._bag.attributes.get('noise_var', 0.0) or 0.0)
        height, width = first.rgb.shape[:2]
        self._redrawer = Redrawer(
            track=int(_attribute(self._bag, 'track')), season=self._own,
            seed=int(self._bag.attributes.get('seed', 0)),
            spec=CameraSpec(width=width, height=height, noise_var=noise))
        try:
            self.error = self._own_error()
        except BaseException:
            self._redrawer.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._redrawer.close()

    def draw(self, frame: SeenFrame) -> np.ndarray:
        """Return the frame in the other season, (H, W, 3) uint8."""
        return self._draw(frame, self._season)

    def _draw(self, frame: SeenFrame, season: str) -> np.ndarray:
        from ltc_control.sim.redraw import Placed
        index = int(np.argmin(np.abs(self._stamps - frame.stamp_ns)))
        if abs(int(self._stamps[index]) - frame.stamp_ns) > NEAR_NS:
            raise BagError(f'{bringup.ODOMETRY} tells no place for the frame of '
                           f'{frame.stamp_ns} ns; it cannot be drawn again')
        x, y, yaw = self._poses[index].tolist()
        roll, pitch = self._tilts[index].tolist()
        return np.asarray(self._redrawer.draw(Placed((x, y, yaw), (roll, pitch)), season=season))

    def _own_error(self) -> float:
        """Return the mean absolute difference over some frames in their own look."""
        every = max(1, len(self._bag.stamps) // COMPARED)
        errors = [np.abs(self._draw(frame, self._own).astype(np.int16) - frame.rgb).mean()
                  for frame in self._bag.frames() if frame.index % every == 0
                  and frame.rgb is not None]
        return round(float(np.mean(errors)), 3)


def _attribute(bag: ReplayBag, name: str) -> str:
    if name not in bag.attributes:
        raise BagError(f'{str(bag.path)!r} does not name its {name}; only the bag of a simulated '
                       'drive can be drawn again, record one with `ltc drive`')
    return bag.attributes[name]


def _places(bag: ReplayBag) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return stamps (K,), poses (K, 3) and tilts (K, 2), as odometry and IMU tell them."""
    from ltc_control.sim.redraw import lean
    rows = sorted(_poses(bag.path, bag.topic(bringup.ODOMETRY)))
    if not rows:
        raise BagError(f'{str(bag.path)!r} holds no {bringup.ODOMETRY}, so nobody knows where the '
                       'camera was; record it too')
    samples = sorted((stamp, accel[0], accel[1]) for _, stamp, _, accel in bag.samples)
    stamps = np.array([row[0] for row in rows], np.int64)
    tilts = np.zeros((len(rows), 2))
    if samples:
        times = np.array([sample[0] for sample in samples], np.int64)
        leaning = lean(times, np.array([sample[1:] for sample in samples]))
        newest = np.searchsorted(times, stamps, side='right') - 1
        tilts = leaning[np.maximum(newest, 0)]
    return stamps, np.array([row[1:] for row in rows]), tilts


def _poses(path: Path, topic: str) -> list[tuple[int, float, float, float]]:
    rows = []
    with RawRecording(path) as recording:
        for message in recording.raw({topic}):
            odometry: Any = recording.decode(message)
            place, turn = odometry.pose.pose.position, odometry.pose.pose.orientation
            rows.append((message.time_ns, place.x, place.y,
                         yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w)))
    return rows
