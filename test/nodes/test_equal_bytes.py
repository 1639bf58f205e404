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
"""One bag through the node and through training: the network is fed equal bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control.core.contracts import Command
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import load_spec, write_spec
from ltc_control.core.timing import TimingRules
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.episodes import read_episode
from ltc_control.data.topics import TopicMap
from ltc_control.nodes.policy_node import PolicyNode
from rclpy.serialization import deserialize_message
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage, Image, Imu

pytestmark = pytest.mark.ros

FRAMES = 24
TYPES = {'/camera/image_raw': Image, '/camera/image_raw/compressed': CompressedImage,
         '/imu/data': Imu}


def record(path: Path, *, compressed: bool) -> None:
    """Write a drive with a late frame and a gap; each second frame precedes its last sample."""
    rng = np.random.default_rng(3)
    steps = rng.integers(25_000_000, 40_000_000, FRAMES)
    steps[9], steps[15] = 210_000_000, 900_000_000
    with EpisodeWriter(path) as bag:
        for k, stamp in enumerate((10**18 + np.cumsum(steps)).tolist()):
            picture = cv2.resize(rng.integers(0, 256, (9, 16, 3), dtype=np.uint8), (261, 131))
            samples = [(stamp - before, rng.normal(size=3), rng.normal(size=3) * 3)
                       for before in (17_000_000, 9_000_000, 0)]
            for sample in samples[:2] if k % 2 else samples:
                bag.imu('/imu/data', *sample)
            if compressed:
                bag.compressed_image('/camera/image_raw/compressed', stamp,
                                     cv2.imencode('.jpg', picture)[1].tobytes())
            else:
                bag.image('/camera/image_raw', stamp, picture)
            if k % 2:
                bag.imu('/imu/data', *samples[2])
            bag.twist('/expert/command', stamp, Command(stamp, 0.01, 5.0))


class Listening:
    """The node's engine, which also notes down what it was given."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.spec, self.given = engine, engine.spec, []

    def zero_state(self) -> np.ndarray:
        return self.engine.zero_state()

    def step(self, image: np.ndarray, imu: np.ndarray, state: np.ndarray, dt_s: float) -> Any:
        self.given.append((image.copy(), imu.copy(), state.copy(), dt_s))
        return self.engine.step(image, imu, state, dt_s)


@pytest.mark.parametrize('compressed', [False, True])
def test_node_and_training_see_equal_bytes(stage: Any, model: Path, tmp_path: Path,
                                           compressed: bool) -> None:
    folder = tmp_path / 'model'
    folder.mkdir()
    (folder / 'policy.onnx').write_bytes((model / 'policy.onnx').read_bytes())
    spec = replace(load_spec(model), image=ImageSpec(66, 200, crop_top=0.3, crop_left=0.1),
                   imu=ImuSpec(('gyro_z', 'accel_z'), (0.7, 2.3)), files={})
    write_spec(folder, spec)
    record(tmp_path / 'bag', compressed=compressed)

    node = stage.add(PolicyNode, model=str(folder),
                     image_transport='compressed' if compressed else 'raw')
    node._policy.engine = engine = Listening(node._policy.engine)
    hand_over = {Image: node._on_image, CompressedImage: node._on_compressed, Imu: node._on_imu}
    with AnyReader([tmp_path / 'bag']) as reader:
        for connection, _, raw in reader.messages():
            if kind := TYPES.get(connection.topic):
                hand_over[kind](deserialize_message(bytes(raw), kind))

    episode = read_episode(tmp_path / 'bag', topics=TopicMap(), image=spec.image, imu=spec.imu,
                           timing=TimingRules(spec.dt_nominal_s, spec.longest_step_s))
    assert len(engine.given) == len(episode) == FRAMES
    images, imu, states, dt = zip(*engine.given, strict=True)
    assert np.stack(images).tobytes() == episode.images.tobytes()
    assert np.stack(imu).tobytes() == episode.imu.tobytes()
    assert np.array(dt, np.float32).tobytes() == episode.dt.tobytes()
    assert [not state.any() for state in states] == episode.fresh.tolist()
    assert episode.fresh.nonzero()[0].tolist() == [0, 15]
    assert np.unique(episode.imu, axis=0).shape == (FRAMES, 2)   # no window was empty or repeated
