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
"""The attention node over real DDS: pictures with the stamp of their frame, and plain refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import shutil
from typing import Any

import cv2
from ltc_control import bringup
from ltc_control.core.errors import ConfigError, ModelError
from ltc_control.core.model_file import load_spec, write_spec
from ltc_control.insight.attention import Attention
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.attention_node import AttentionNode
import numpy as np
import pytest
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image, JointState

pytestmark = pytest.mark.ros
MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane'
STEP_NS = 33_333_333


class Audience:
    """What a person's tools would receive."""

    def __init__(self, stage: Any, vehicle: Any) -> None:
        self.pictures: list[Image] = []
        self.jpegs: list[CompressedImage] = []
        self.heats: list[Image] = []
        for kind, topic, heard in ((Image, bringup.ATTENTION_OVERLAY, self.pictures),
                                   (CompressedImage, bringup.OVERLAY, self.jpegs),
                                   (Image, bringup.ATTENTION_HEAT, self.heats)):
            vehicle.create_subscription(kind, topic, heard.append, qos_profile_sensor_data)
        self.neurons_out = vehicle.create_publisher(JointState, bringup.NEURONS, 10)
        self._stage, self._vehicle = stage, vehicle

    def show(self, stamp_ns: int, *, height: int = 66, width: int = 200) -> Image:
        """Publish a picture until its overlay has come; return the picture."""
        rng = np.random.default_rng(stamp_ns % 1000)
        small = rng.integers(0, 256, (8, 20, 3), dtype=np.uint8)
        rgb = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        message = convert.image_message(convert.Frame(stamp_ns, rgb), frame_id='eye')

        def came() -> bool:
            self._vehicle.image_out.publish(message)
            return all(heard and convert.stamp_ns(heard[-1].header.stamp) == stamp_ns
                       for heard in (self.pictures, self.jpegs, self.heats))

        self._stage.spin_until(came)
        return message


def heat(message: Image) -> np.ndarray:
    assert message.encoding == '32FC1'
    return np.frombuffer(message.data, '<f4').reshape(message.height, message.width)


def test_maps_carry_the_stamp_of_their_frame(stage: Any) -> None:
    audience = Audience(stage, stage.vehicle())
    node = stage.add(AttentionNode, model=str(MODEL), rate_hz=60.0)
    for stamp in (5 * STEP_NS, 6 * STEP_NS):
        sent = audience.show(stamp)
    picture, jpeg, found = audience.pictures[-1], audience.jpegs[-1], heat(audience.heats[-1])
    assert {m.header.frame_id for m in (picture, jpeg, audience.heats[-1])} == {'eye'}
    assert (picture.height, picture.width, picture.encoding) == (66, 200, 'rgb8')
    assert cv2.imdecode(np.frombuffer(jpeg.data, np.uint8), cv2.IMREAD_COLOR).shape == (66, 200, 3)
    expected = Attention(MODEL).visual_backprop(convert.frame_from_image(sent).rgb).scaled()
    np.testing.assert_array_equal(found, expected)
    assert node.get_name() == 'attention_node'


def test_a_larger_camera_is_overlaid_whole(stage: Any) -> None:
    audience = Audience(stage, stage.vehicle())
    stage.add(AttentionNode, model=str(MODEL), rate_hz=60.0)
    audience.show(STEP_NS, height=240, width=320)
    assert (audience.pictures[-1].height, audience.pictures[-1].width) == (240, 320)
    assert heat(audience.heats[-1]).shape == (66, 200)


def test_the_gradient_steps_from_the_state_of_the_frame_before(stage: Any) -> None:
    vehicle = stage.vehicle()
    audience = Audience(stage, vehicle)
    stage.add(AttentionNode, model=str(MODEL), method='gradient', target='command_2',
              rate_hz=60.0)
    stage.spin_until(lambda: audience.neurons_out.get_subscription_count() > 0)
    states = {k: np.linspace(-0.5, 0.5, 19) * k for k in (1, 2)}
    for k, state in states.items():            # frames 1 and 2 have been stepped
        message = JointState(name=[f'n{i}' for i in range(19)], position=state.tolist(),
                             effort=[0.1] * 19)
        message.header.stamp = convert.time_message(k * STEP_NS)
        audience.neurons_out.publish(message)
    stage.spin(0.1)
    sent = audience.show(2 * STEP_NS)          # frame 2 stepped from the state after frame 1
    frame = convert.frame_from_image(sent)
    expected = Attention(MODEL).gradient(frame.rgb, states[1], STEP_NS * 1e-9, target='command_2')
    np.testing.assert_allclose(heat(audience.heats[-1]), expected.scaled(), atol=1e-6)


def test_what_is_missing_is_said_in_diagnostics(stage: Any) -> None:
    vehicle = stage.vehicle()
    audience = Audience(stage, vehicle)
    stage.add(AttentionNode, model=str(MODEL), method='gradient', rate_hz=60.0)
    said = lambda: vehicle.warnings.get('attention_node: maps', '')      # noqa: E731
    stage.spin_until(lambda: 'no image yet' in said())
    rgb = np.zeros((66, 200, 3), np.uint8)

    def no_state() -> bool:
        vehicle.image_out.publish(convert.image_message(
            convert.Frame(STEP_NS, rgb), frame_id='eye'))
        return 'no state before this frame' in said()

    stage.spin_until(no_state)
    assert not audience.heats


def test_a_folder_without_graph_says_how_to_get_one(stage: Any, tmp_path: Path) -> None:
    folder = tmp_path / 'car'
    shutil.copytree(MODEL, folder)
    (folder / 'attention.onnx').unlink()
    write_spec(folder, replace(load_spec(MODEL), files={}))
    with pytest.raises(ModelError, match='ltc explain attach'):
        stage.add(AttentionNode, model=str(folder))
    with pytest.raises(ConfigError, match='choose one of curvature, speed'):
        stage.add(AttentionNode, model=str(MODEL), method='gradient', target='nose')


def test_it_looks_on_and_counts_for_nobody() -> None:
    nodes = bringup.simulated_car(model=str(MODEL), track=1)
    watcher, = bringup.attention(nodes, model=str(MODEL))
    assert watcher.watches
    assert watcher.parameters['wait_for'].split() == [node.name for node in nodes]
    assert not bringup.attention(nodes, model='nowhere')


@pytest.mark.parametrize('method', ['visual_backprop', 'gradient'])
def test_a_drone_is_looked_at_too(stage: Any, drone: Path, method: str) -> None:
    audience = Audience(stage, stage.vehicle())
    stage.add(AttentionNode, model=str(drone), method=method, target='yaw_rate', rate_hz=60.0)
    attention, state = Attention(drone), np.linspace(-0.4, 0.4, 19)
    if method == 'gradient':
        stage.spin_until(lambda: audience.neurons_out.get_subscription_count() > 0)
        message = JointState(name=list(attention.names), position=state.tolist(),
                             effort=[0.1] * 19)
        message.header.stamp = convert.time_message(STEP_NS)
        audience.neurons_out.publish(message)
        stage.spin(0.1)
    frame = convert.frame_from_image(audience.show(2 * STEP_NS, height=48, width=96))
    expected = (attention.visual_backprop(frame.rgb) if method == 'visual_backprop' else
                attention.gradient(frame.rgb, state, STEP_NS * 1e-9, target='yaw_rate'))
    np.testing.assert_allclose(heat(audience.heats[-1]), expected.scaled(), atol=1e-6)
