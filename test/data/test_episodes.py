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
"""A bag becomes the arrays that a robot would have seen, or an error that says why not."""

from __future__ import annotations

from collections.abc import Callable
import math
import os
from pathlib import Path
import shutil
import time
from typing import Any

import cv2
from ltc_control.core.errors import BagError, ImageError, LtcError
from ltc_control.core.imaging import decode_image, ImageSpec, prepare
from ltc_control.core.imu import imu_features, ImuBuffer, ImuSpec
from ltc_control.core.timing import classify, TimingRules
from ltc_control.data import messages
from ltc_control.data.episodes import Episode, read_episode
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import BagWriter
from ltc_control.data.topics import TopicMap
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as RosbagsWriter
from rosbags.typesys import get_typestore, Stores

NATIVE = ImageSpec(6, 8)
GYRO = ImuSpec(('gyro_z', 'accel_z', 'valid'), (2.0, 1.0, 1.0))
IMAGE_TOPIC, COMMAND_TOPIC = '/camera/image_raw', '/expert/command'


def read(bag: Path, **settings: Any) -> Episode:
    return read_episode(bag, **{'image': NATIVE, 'imu': GYRO, **settings})


class Mixed:
    """Writes a bag message by message, to make ones that no sound recorder would."""

    def __init__(self, path: Path) -> None:
        self.bag = BagWriter(path)
        self.clock = 0

    def put(self, topic: str, message: Any, *, log_ns: int | None = None,
            type_name: str | None = None) -> None:
        self.clock += 1
        self.bag.write(topic, type_name or message.__msgtype__, messages.serialize(message),
                       log_ns=self.clock if log_ns is None else log_ns)

    def image(self, stamp_ns: int, k: int = 0) -> None:
        rgb = np.full((6, 8, 3), k, np.uint8)
        self.put(IMAGE_TOPIC, messages.image(stamp_ns, rgb, 'camera'))

    def close(self) -> Path:
        self.bag.close()
        return self.bag.path


def test_everything_recorded_is_read(record: Any) -> None:
    episode = read(record(frames=12))
    assert len(episode) == 12
    assert episode.attributes == {'track': '7'}
    assert episode.notes == ()
    assert episode.stamps_ns.tolist() == [record.stamp(k) for k in range(12)]
    assert np.array_equal(episode.images, np.stack([record.picture(k) for k in range(12)]))
    assert np.allclose(episode.commands, [[0.01 * k, 5.0 + k] for k in range(12)])
    assert episode.valid.all()
    assert episode.fresh.tolist() == [True] + [False] * 11
    assert np.allclose(episode.dt, 1 / 30, atol=1e-6)
    # mean of k + 0, 1/4, 2/4, 3/4, by scale 2; of 9.81 + 0, 1, 2, 3 without gravity
    assert np.allclose(episode.imu, [[(k + 0.375) / 2, 1.5, 1.0] for k in range(12)])


def test_training_sees_the_bytes_that_a_node_sees(record: Any) -> None:
    """The node's way (a buffer filled by callbacks, frame by frame) gives equal arrays."""
    bag, spec, rules = record(frames=9), ImageSpec(4, 5, crop_top=0.3), TimingRules(0.03, 0.5)
    images, features, steps = [], [], []
    buffer, last = ImuBuffer(), None
    with Recording(bag) as recording:
        for topic, _, message in recording.messages([IMAGE_TOPIC, '/imu/data']):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            if topic == '/imu/data':
                gyro, accel = message.angular_velocity, message.linear_acceleration
                buffer.append(stamp, (gyro.x, gyro.y, gyro.z), (accel.x, accel.y, accel.z))
                continue
            rgb = decode_image(data=message.data.tobytes(), height=message.height,
                               width=message.width, encoding=message.encoding, step=message.step)
            images.append(prepare(rgb, spec))
            features.append(imu_features(buffer.window(after_ns=last, until_ns=stamp), GYRO))
            steps.append(classify(stamp, last, rules)[1])
            last = stamp
    episode = read(bag, image=spec, timing=rules)
    assert episode.images.tobytes() == np.stack(images).tobytes()
    assert episode.imu.tobytes() == np.stack(features).tobytes()
    assert episode.dt.tobytes() == np.array(steps, np.float32).tobytes()


def test_frames_recorded_late_are_sorted_and_repeats_dropped(record: Any) -> None:
    plain = read(record('plain', frames=6))
    mixed = read(record('mixed', order=[0, 2, 1, 3, 3, 5, 4]))
    assert np.array_equal(mixed.stamps_ns, plain.stamps_ns)
    assert np.array_equal(mixed.images, plain.images)
    assert np.array_equal(mixed.imu, plain.imu)
    assert np.array_equal(mixed.commands, plain.commands)
    assert '2 of 7 images were recorded after a later one' in mixed.notes[0]
    assert '1 of 7 images repeat a stamp' in mixed.notes[1]


def test_a_clock_that_was_set_back_is_refused(record: Any) -> None:
    bag = record(order=[*range(40, 50), *range(9)])
    with pytest.raises(BagError, match=r'jump back by 1\.\d+ s at frame 10.*split it'):
        read(bag)


def test_a_camera_without_stamps_is_refused(tmp_path: Path) -> None:
    bag = Mixed(tmp_path / 'bag')
    for _ in range(5):
        bag.image(0)
        bag.put(COMMAND_TOPIC, messages.twist_stamped(0, 1.0, 0.0, ''))
    with pytest.raises(BagError, match=r'4 of 5 images .* repeat the stamp'):
        read(bag.close())


def test_a_gap_starts_the_state_anew_and_a_late_frame_does_not(record: Any) -> None:
    order = [0, 1, 2, 5, 6, 30, 31]
    episode = read(record(order=order), timing=TimingRules(1 / 30, 0.3))
    assert episode.fresh.tolist() == [k in (0, 30) for k in order]
    assert np.allclose(episode.dt * 30, [1, 1, 1, 3, 1, 1, 1], atol=1e-4)
    assert len(episode.part(2, 6)) == 4
    assert episode.part(2, 6).fresh.tolist() == [True, False, False, True]
    assert episode.fresh.tolist()[2] is False                  # the whole keeps its own flags


def test_a_bag_without_imu_has_features_zero(record: Any) -> None:
    assert not read(record('without', imu=False)).imu.any()
    assert not read(record('with'), topics=TopicMap(use_imu=False)).imu.any()
    assert read(record('none')).imu.any()
    assert read(record('no_features'), imu=ImuSpec()).imu.shape == (12, 0)


@pytest.mark.parametrize(('kind', 'settings'), [
    (messages.TWIST, {}),
    (messages.TWIST_STAMPED, {}),
    (messages.ACKERMANN, {'wheelbase_m': 2.5}),
    (messages.ACKERMANN_STAMPED, {'wheelbase_m': 2.5}),
    ('geometry_msgs/msg/Vector3Stamped', {'turn_kind': 'curvature', 'turn_field': 'vector.y',
                                          'speed_field': 'vector.x', 'turn_scale': -0.5}),
])
def test_one_curve_in_every_command_type(kind: str, settings: dict[str, Any],
                                         tmp_path: Path) -> None:
    curvature, speed = 0.125, 4.0
    angle = math.atan(curvature * 2.5)
    make: dict[str, Callable[[int], Any]] = {
        messages.TWIST: lambda at: messages._twist(speed, speed * curvature),
        messages.TWIST_STAMPED:
            lambda at: messages.twist_stamped(at, speed, speed * curvature, 'base_link'),
        messages.ACKERMANN: lambda at: messages.ackermann_stamped(at, speed, angle, '').drive,
        messages.ACKERMANN_STAMPED: lambda at: messages.ackermann_stamped(at, speed, angle, ''),
        'geometry_msgs/msg/Vector3Stamped': lambda at: messages._make(
            'geometry_msgs/msg/Vector3Stamped', header=messages._header(at, ''),
            vector=messages._vector(speed, -curvature / 0.5, 0.0)),
    }
    bag = Mixed(tmp_path / 'bag')
    for at in range(0, 10**9, 10**8):
        bag.clock = at
        bag.image(at)
        bag.put('/wheel', make[kind](at), log_ns=at)
    episode = read(bag.close(), topics=TopicMap(command='/wheel', **settings))
    assert episode.valid.all()
    assert np.allclose(episode.commands, [curvature, speed], atol=1e-6)


def test_a_standing_car_turns_nowhere(tmp_path: Path) -> None:
    bag = Mixed(tmp_path / 'bag')
    for at in (1, 2, 3):
        bag.image(at)
        bag.put('/cmd_vel', messages.twist_stamped(at, 0.01, 0.5, ''))
    assert np.allclose(read(bag.close()).commands, [0.0, 0.01])


def test_commands_without_stamps_use_their_receive_times(tmp_path: Path) -> None:
    bag = Mixed(tmp_path / 'bag')
    for k in range(1, 6):
        bag.image(k * 10**8)
        bag.put('/cmd_vel', messages.twist_stamped(0, float(k), 0.0, ''), log_ns=k * 10**8)
    episode = read(bag.close())
    assert episode.commands[:, 1].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert 'receive times' in episode.notes[0]


@pytest.mark.parametrize(('suffix', 'exact'), [('.png', True), ('.jpg', False)])
def test_compressed_images_are_read(suffix: str, exact: bool, tmp_path: Path) -> None:
    rgb = np.zeros((32, 48, 3), np.uint8)
    rgb[..., 0], rgb[:16, :, 2] = 200, 90
    data = cv2.imencode(suffix, rgb[..., ::-1])[1].tobytes()
    bag = Mixed(tmp_path / 'bag')
    for at in (1, 2):
        bag.put('/camera/image_raw/compressed',
                messages.compressed_image(at, data, 'camera', suffix[1:]))
        bag.put('/cmd_vel', messages.twist_stamped(at, 1.0, 0.0, ''))
    images = read(bag.close(), image=ImageSpec(32, 48)).images.astype(int)
    assert np.abs(images - rgb).mean() <= (0.0 if exact else 1.5)


@pytest.mark.parametrize('plugin', [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_bags_of_other_writers_are_read(plugin: StoragePlugin, record: Any,
                                        tmp_path: Path) -> None:
    ours, store = record('ours'), get_typestore(Stores.ROS2_JAZZY)
    with Recording(ours) as recording, \
            RosbagsWriter(tmp_path / 'theirs', version=9, storage_plugin=plugin) as writer:
        links = {topic: writer.add_connection(topic, name, typestore=store)
                 for topic, name in recording.types.items()}
        for topic, log_ns, message in recording.messages(list(recording.types)):
            writer.write(links[topic], log_ns, bytes(
                store.serialize_cdr(message, recording.types[topic])))
    a, b = read(ours), read(tmp_path / 'theirs')
    for name in ('stamps_ns', 'images', 'imu', 'dt', 'commands', 'valid', 'fresh'):
        assert np.array_equal(getattr(a, name), getattr(b, name)), name
    assert b.attributes == {}


def test_a_bag_without_its_metadata_is_read_from_its_one_file(record: Any) -> None:
    bag = record()
    whole = read(bag)
    (bag / 'metadata.yaml').unlink()
    assert np.array_equal(read(bag).images, whole.images)
    assert np.array_equal(read(bag / 'drive_0.mcap').images, whole.images)
    shutil.copy(bag / 'drive_0.mcap', bag / 'drive_1.mcap')
    with pytest.raises(BagError, match=r'no metadata.yaml and 2 .*ros2 bag reindex'):
        read(bag)


def test_metadata_that_names_a_missing_file(record: Any) -> None:
    bag = record()
    (bag / 'drive_0.mcap').unlink()
    with pytest.raises(BagError, match='cannot be read: Some database files are missing'):
        read(bag)


@pytest.mark.parametrize('share', [0.0, 0.1, 0.6, 0.999])
def test_a_truncated_bag_says_how_far_it_reads(share: float, record: Any) -> None:
    bag = record()
    file = bag / 'drive_0.mcap'
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(BagError, match=r'truncated or damaged: \d+ whole messages can be read'):
        read(bag)


@pytest.mark.parametrize('seed', range(60))
def test_damage_anywhere_is_an_error_or_does_no_harm(seed: int, record: Any) -> None:
    bag, rng = record(frames=6), np.random.default_rng(seed)
    sound = read(bag)
    file = bag / 'drive_0.mcap'
    data = bytearray(file.read_bytes())
    for position in rng.integers(0, len(data), 3):
        data[position] ^= int(rng.integers(1, 256))
    file.write_bytes(data)
    try:
        outcome: Episode | str = read(bag)
    except LtcError as error:
        outcome = str(error)
    if isinstance(outcome, str):
        assert str(bag) in outcome
    else:
        assert np.array_equal(outcome.images, sound.images)


def test_an_empty_bag_says_so(tmp_path: Path, record: Any) -> None:
    empty = Mixed(tmp_path / 'bag').close()
    with pytest.raises(BagError, match='holds no messages'):
        read(empty)
    with pytest.raises(BagError, match='does not exist'):
        read(tmp_path / 'nowhere')
    (tmp_path / 'folder').mkdir()
    with pytest.raises(BagError, match='is not a bag'):
        read(tmp_path / 'folder')
    (tmp_path / 'text.mcap').write_text('hello')
    with pytest.raises(BagError, match=r'0 whole messages.*record it again'):
        read(tmp_path / 'text.mcap')


def test_without_a_label_the_only_command_is_one_too_many_or_none(record: Any,
                                                                  tmp_path: Path) -> None:
    bag = record(label=False)
    assert np.allclose(read(bag).commands[:, 0], -0.5)         # /cmd_vel is the only one left
    only_images = Mixed(tmp_path / 'images')
    only_images.image(1)
    with pytest.raises(BagError, match=r'no topic for the command.*/camera/image_raw \['):
        read(only_images.close())
    two = Mixed(tmp_path / 'two')
    two.image(1)
    for topic in ('/a', '/b'):
        two.put(topic, messages.twist_stamped(1, 1.0, 0.0, ''))
    with pytest.raises(BagError, match=r'2 topics for the command.*/a \[.*/b \[.*name one'):
        read(two.close())
    assert read(tmp_path / 'two', topics=TopicMap(command='/b')).valid.all()


@pytest.mark.parametrize(('topics', 'message'), [
    (TopicMap(image='/camera/left'), "no topic '/camera/left' for the image.*it holds /camera"),
    (TopicMap(image='/odom'), "'/odom' .* is 'nav_msgs/msg/Odometry'; the image is read from"),
    (TopicMap(command='/odom'), 'or by turn_kind'),
    (TopicMap(command='/odom', turn_field='twist.twist.angular.z'), 'no rule for commands'),
    (TopicMap(command='/odom', turn_kind='yaw_rate', turn_field='twist.angular.z',
              speed_field='twist.twist.linear.x'), 'no such field.*angular.*fields are'),
    (TopicMap(turn_kind='steering_angle'), 'needs wheelbase_m > 0'),
])
def test_a_map_that_does_not_fit_says_what_is_there(topics: TopicMap, message: str,
                                                    record: Any) -> None:
    with pytest.raises(BagError, match=message):
        read(record(), topics=topics)


def test_labels_too_old_for_every_frame(tmp_path: Path) -> None:
    bag = Mixed(tmp_path / 'bag')
    bag.put('/cmd_vel', messages.twist_stamped(1, 1.0, 0.0, ''))
    for k in range(3):
        bag.image(10**9 * (k + 1))
    with pytest.raises(BagError, match=r'no frame .* has a command within 0.2 s: 1 commands'):
        read(bag.close())


@pytest.mark.parametrize(('change', 'message'), [
    ({'encoding': '16UC1'}, "encoding is '16UC1'"),
    ({'step': 23}, 'step is 23'),
    ({'height': 7}, r'144 bytes of data, but step 24 \* height 7'),
])
def test_an_image_that_cannot_be_read_is_named(change: dict[str, Any], message: str,
                                               tmp_path: Path) -> None:
    bag = Mixed(tmp_path / 'bag')
    bag.image(1)
    broken = messages.image(2, np.zeros((6, 8, 3), np.uint8), 'camera')
    for name, value in change.items():
        setattr(broken, name, value)
    bag.put(IMAGE_TOPIC, broken)
    bag.put('/cmd_vel', messages.twist_stamped(1, 1.0, 0.0, ''))
    with pytest.raises(ImageError, match=f'image 1 of .*bag.*{message}'):
        read(bag.close())


def test_reading_is_quick(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rgb = np.repeat(rng.integers(0, 256, (66, 20, 3), dtype=np.uint8), 10, axis=1)
    bag = Mixed(tmp_path / 'bag')
    for k in range(400):
        bag.put(IMAGE_TOPIC, messages.image(k * 10**7, rgb, ''))
        bag.put('/cmd_vel', messages.twist_stamped(k * 10**7, 1.0, 0.0, ''))
    path, rates = bag.close(), []
    for _ in range(3):
        started = time.process_time()
        assert len(read(path, image=ImageSpec(66, 200))) == 400
        rates.append(400 / (time.process_time() - started))
    assert max(rates) > 1000.0, rates
