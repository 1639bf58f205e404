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
A drive whose every number is known in closed form: round a left circle, a constant way off.

Lane centre: radius 40 m about the origin, counter-clockwise, started at (40, 0). The car keeps
``OFFSET_M`` to the left of it (nearer to the centre of the circle) at ``SPEED_MPS``.
"""

from __future__ import annotations

from collections.abc import Callable
import math
from pathlib import Path

from ltc_control import bringup
from ltc_control.core.contracts import Command, Odometry
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.messages import serialize, typestore
import numpy as np
import pytest

RADIUS_M, OFFSET_M, SPEED_MPS, RATE_HZ = 40.0, 0.25, 8.0, 30
LATENCY_NS = 7_000_000
NEURONS = ('inter_0', 'inter_1', 'command_0', 'motor_0')


def make(kind: str, /, **fields: object) -> object:
    return typestore().types[kind](**fields)


def header(stamp_ns: int) -> object:
    return messages.twist_stamped(stamp_ns, 0.0, 0.0, 'base_link').header


def vector_stamped(stamp_ns: int, x: float, y: float, z: float) -> object:
    return make('geometry_msgs/msg/Vector3Stamped', header=header(stamp_ns),
                vector=make('geometry_msgs/msg/Vector3', x=x, y=y, z=z))


def point_stamped(stamp_ns: int, x: float, y: float) -> object:
    return make('geometry_msgs/msg/PointStamped', header=header(stamp_ns),
                point=make('geometry_msgs/msg/Point', x=x, y=y, z=0.0))


def neurons(stamp_ns: int, state: np.ndarray) -> object:
    return make('sensor_msgs/msg/JointState', header=header(stamp_ns), name=list(NEURONS),
                position=state.astype(float), velocity=np.empty(0), effort=np.ones(len(state)))


def verdict(stamp_ns: int, word: str) -> object:
    status = make('diagnostic_msgs/msg/DiagnosticStatus', level=0, name='safety_node: verdict',
                  message=word, hardware_id='', values=[])
    return make('diagnostic_msgs/msg/DiagnosticArray', header=header(stamp_ns), status=[status])


def scene(height: int = 66, width: int = 200) -> np.ndarray:
    """Return a picture with a sky, a road and one red pixel row to recognise it by."""
    picture = np.full((height, width, 3), (150, 190, 230), np.uint8)
    picture[height // 2:] = (70, 74, 80)
    picture[-1] = (255, 0, 0)
    return picture


def write_circle(bag: Path, *, frames: int = 91, truth: bool = True) -> Path:
    """Write the circle's bag: ``frames`` camera frames and all that nodes publish with them."""
    attributes = {'track': '1001', 'season': 'summer'}
    with EpisodeWriter(bag, attributes=attributes) as episode:
        for index in range(frames):
            _write_moment(episode, index, truth)
        if frames:
            _write_end(episode, frames)
    return bag


def _write_end(episode: EpisodeWriter, frames: int) -> None:
    """Write the zeros that safety goes on publishing once the camera has stopped."""
    for index in range(frames, frames + 5):
        stamp = round(index * 1e9 / RATE_HZ)
        write(episode, bringup.VERDICT, verdict(stamp, 'stale'), stamp)
        write(episode, bringup.COMMAND, messages.twist_stamped(stamp, 0.0, 0.0, 'base_link'),
              stamp)


def _write_moment(episode: EpisodeWriter, index: int, truth: bool) -> None:
    stamp = round(index * 1e9 / RATE_HZ)
    driven = SPEED_MPS * index / RATE_HZ                     # by the car, on its smaller circle
    turn = driven / (RADIUS_M - OFFSET_M)
    x, y = ((RADIUS_M - OFFSET_M) * f(turn) for f in (math.cos, math.sin))
    episode.image(bringup.CAMERA, stamp, scene())
    episode.odometry(bringup.ODOMETRY, Odometry(stamp, x, y, turn + math.pi / 2, SPEED_MPS,
                                                SPEED_MPS / (RADIUS_M - OFFSET_M)))
    request = Command(stamp, 1 / RADIUS_M, 9.0)
    episode.twist(bringup.POLICY_COMMAND, stamp, request)
    if truth:
        write(episode, bringup.LANE_TRUTH, vector_stamped(stamp, RADIUS_M * turn, OFFSET_M, 0.0),
              stamp)
    write(episode, bringup.NEURONS, neurons(stamp, np.array([0.5, -0.5, 1.0, 0.0])), stamp)
    write(episode, bringup.VERDICT, verdict(stamp, 'limited' if index % 3 else 'pass'), stamp)
    if index == 45 and truth:
        write(episode, bringup.DEPARTURE, point_stamped(stamp, x, y), stamp)
    write(episode, bringup.COMMAND,
          messages.twist_stamped(stamp, SPEED_MPS, SPEED_MPS / RADIUS_M, 'base_link'),
          stamp + LATENCY_NS)


def write(episode: EpisodeWriter, topic: str, message: object, received_ns: int) -> None:
    episode._bag.write(topic, message.__msgtype__, serialize(message), log_ns=received_ns)


@pytest.fixture(scope='session')
def circle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_circle(tmp_path_factory.mktemp('bags') / 'circle')


@pytest.fixture
def circle_writer() -> Callable[..., Path]:
    return write_circle
