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
"""Small recordings made on the spot."""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.contracts import Command, Odometry
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
import numpy as np
import pytest


class Recorder:
    """Records ``frames`` frames, each different, with four IMU samples each; knows the truth."""

    step_ns = 33_333_333
    start_ns = 1_700_000_000_000_000_000

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stamp(self, k: int) -> int:
        return self.start_ns + k * self.step_ns

    def picture(self, k: int) -> np.ndarray:
        return np.random.default_rng(k).integers(0, 256, (6, 8, 3), dtype=np.uint8)

    def samples(self, k: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
        return [(self.stamp(k) - (3 - part) * self.step_ns // 4,
                 np.array([0.1, 0.2, k + part / 4]), np.array([1.0, -1.0, 9.81 + part]))
                for part in range(4)]

    def __call__(self, name: str = 'drive', *, frames: int = 12, label: bool = True,
                 order: list[int] | None = None, imu: bool = True) -> Path:
        with EpisodeWriter(self.folder / name, attributes={'track': '7'}) as bag:
            for turn, k in enumerate(order or range(frames)):
                if imu:
                    for sample in self.samples(k):
                        bag.imu('/imu/data', *sample)
                self._image(bag, k, received_ns=self.stamp(turn))
                bag.odometry('/odom', Odometry(self.stamp(k), 1.0 * k, 2.0, 0.3, 4.0, 0.1))
                bag.twist('/cmd_vel', self.stamp(k), Command(self.stamp(k), -0.5, 5.0))
                if label:
                    bag.twist('/expert/command', self.stamp(k),
                              Command(self.stamp(k), 0.01 * k, 5.0 + k))
        return self.folder / name

    def _image(self, bag: EpisodeWriter, k: int, *, received_ns: int) -> None:
        message = messages.image(self.stamp(k), self.picture(k), 'camera_optical')
        bag._bag.write('/camera/image_raw', messages.IMAGE, messages.serialize(message),
                       log_ns=received_ns)


@pytest.fixture
def record(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)
