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
"""The policy node: what it sends for a frame, and how it refuses a model folder."""

from __future__ import annotations

import math
from pathlib import Path
import shutil
import subprocess
import sys
import time
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.core.errors import ModelError
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.policy_node import PolicyNode
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from sensor_msgs.msg import CompressedImage, JointState

pytestmark = pytest.mark.ros

STEP_NS = 1_000_000_000 // 30
NUMBER = np.float32(0.01), 5.0             # what the test's model commands
LONGEST_WAIT_S = 1.0                       # that the node takes: a busy machine hears the IMU late


def ready(stage: Any, vehicle: Any) -> None:
    stage.spin_until(lambda: vehicle.image_out.get_subscription_count() == 1
                     and vehicle.imu_out.get_subscription_count() == 1
                     and vehicle.count_publishers(bringup.POLICY_COMMAND) == 2)
    stage.spin(0.2)


def neurons_of(vehicle: Any) -> list[JointState]:
    neurons: list[JointState] = []
    vehicle.create_subscription(JointState, bringup.NEURONS, neurons.append, QoSProfile(depth=50))
    return neurons


def test_each_frame_gets_one_request_with_its_stamp_and_neurons(stage: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), imu_wait_s=LONGEST_WAIT_S)
    vehicle = stage.vehicle()
    neurons = neurons_of(vehicle)
    ready(stage, vehicle)
    start = time.time_ns()
    stamps = [start, start + STEP_NS, start + 3 * STEP_NS]      # the third is two steps late
    for index, stamp in enumerate(stamps):
        vehicle.send_imu(stamp, (0.0, 0.0, 0.25 * (index + 1)))
        vehicle.image_out.publish(vehicle.good_image(stamp))
        stage.spin_until(lambda: len(neurons) == index + 1)     # noqa: B023
    stage.spin_until(lambda: len(vehicle.requests) == len(stamps))
    assert [convert.stamp_ns(m.header.stamp) for m in vehicle.requests] == stamps
    for message in vehicle.requests:
        assert message.twist.linear.x == NUMBER[1]
        assert message.twist.angular.z == pytest.approx(NUMBER[0] * NUMBER[1])
    # the model's state counts nominal steps and holds the newest gyro_z
    assert [m.position[0] for m in neurons] == pytest.approx([1.0, 2.0, 4.0], rel=1e-5)
    assert [m.position[1] for m in neurons] == pytest.approx([0.25, 0.5, 0.75])
    assert list(neurons[0].name) == ['motor_0', 'inter_0']
    assert neurons[0].effort.tolist() == pytest.approx([1 / 30, 1 / 30])


def test_a_frame_waits_for_its_imu(stage: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), imu_wait_s=LONGEST_WAIT_S)
    vehicle = stage.vehicle()
    neurons = neurons_of(vehicle)
    ready(stage, vehicle)
    start, took_s = time.time_ns(), math.inf
    while took_s > LONGEST_WAIT_S:         # a busy machine had it wait as long as it may
        begun, number = time.monotonic(), len(neurons)
        stamp = start + number * STEP_NS
        vehicle.send_imu(stamp - 8_000_000, (0.0, 0.0, 0.25))
        vehicle.image_out.publish(vehicle.good_image(stamp))
        stage.spin(0.15)
        vehicle.send_imu(stamp, (0.0, 0.0, 0.75))
        stage.spin_until(lambda: len(neurons) > number)          # noqa: B023
        took_s = time.monotonic() - begun
    assert neurons[-1].position[1] == pytest.approx(0.5)         # the mean gyro_z: it knew both


def test_a_frame_waits_no_longer_than_it_may(stage: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), imu_wait_s=0.05)
    vehicle = stage.vehicle()
    ready(stage, vehicle)
    stamp = time.time_ns()
    vehicle.send_imu(stamp - 8_000_000)    # belongs to the frame, but does not reach its stamp
    vehicle.image_out.publish(vehicle.good_image(stamp))
    stage.spin_until(lambda: len(vehicle.requests) == 1)
    assert convert.stamp_ns(vehicle.requests[0].header.stamp) == stamp


def test_compressed_images_drive_too_and_broken_ones_do_not(stage: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), image_transport='compressed',
              imu_wait_s=LONGEST_WAIT_S)
    vehicle = stage.vehicle()
    out = vehicle.create_publisher(CompressedImage, bringup.CAMERA + '/compressed',
                                   qos_profile_sensor_data)
    stage.spin_until(lambda: out.get_subscription_count() == 1
                     and vehicle.imu_out.get_subscription_count() == 1
                     and vehicle.count_publishers(bringup.POLICY_COMMAND) == 2)
    stage.spin(0.2)
    jpeg = cv2.imencode('.jpg', np.zeros((66, 200, 3), np.uint8))[1].tobytes()
    start = time.time_ns()
    for index, data in enumerate((jpeg[:200], b'', jpeg)):
        stamp = start + index * STEP_NS
        vehicle.send_imu(stamp)
        message = CompressedImage(format='jpeg', data=data)
        message.header.stamp = convert.time_message(stamp)
        out.publish(message)
        stage.spin_until(lambda: vehicle.requests or vehicle.health.get(
            'policy_node: input', {}).get('refused_image') == str(index + 1))  # noqa: B023
    assert [convert.stamp_ns(m.header.stamp) for m in vehicle.requests] == [start + 2 * STEP_NS]


def without_graph(folder: Path) -> None:
    (folder / 'policy.onnx').unlink()


def without_yaml(folder: Path) -> None:
    (folder / 'policy.yaml').unlink()


def one_byte_changed(folder: Path) -> None:
    path = folder / 'policy.onnx'
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize('harm', [without_graph, without_yaml, one_byte_changed, shutil.rmtree])
def test_a_harmed_model_folder_ends_the_process_with_code_2_and_one_line(
        tmp_path: Path, model: Path, harm: Any) -> None:
    folder = tmp_path / 'model'
    shutil.copytree(model, folder)
    harm(folder)
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.nodes.policy_node', '--ros-args',
         '-p', f'model:={folder}'], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2
    line, = [text for text in done.stderr.splitlines() if text.strip()]
    assert line.startswith('error: ')
    assert str(folder) in line


def test_a_graph_of_another_input_size_is_refused(stage: Any, tmp_path: Path, model: Path,
                                                  ) -> None:
    from dataclasses import replace

    from ltc_control.core.imaging import ImageSpec
    from ltc_control.core.model_file import load_spec, write_spec
    folder = tmp_path / 'model'
    shutil.copytree(model, folder)
    write_spec(folder, replace(load_spec(folder), image=ImageSpec(120, 160)))
    with pytest.raises(ModelError, match=r'66.*120'):
        stage.add(PolicyNode, model=str(folder))


def test_no_model_is_refused_in_words(stage: Any) -> None:
    with pytest.raises(ModelError, match='no model folder'):
        stage.add(PolicyNode)
