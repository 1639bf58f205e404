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
A bag -> the arrays of one episode, through the same code that a robot runs.

Images go through ``core.imaging``, IMU samples through ``core.imu``, intervals through
``core.timing``: what a policy sees in training is what it sees on the car.

Frames are put in the order of their header stamps when only the recording order differs (said in
``notes``); equal stamps are dropped. A clock that jumps back is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import logging
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import InputCase
from ltc_control.core.errors import BagError, ImageError
from ltc_control.core.imaging import decode_compressed, decode_image, ImageSpec, prepare
from ltc_control.core.imu import imu_features, ImuSpec, LONGEST_WINDOW_NS, slice_window
from ltc_control.core.timing import classify, TimingRules
from ltc_control.data import messages
from ltc_control.data.labels import Commands, labels_at
from ltc_control.data.recording import Recording
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.data.topics import command_reader, find_topics, TopicMap
import numpy as np

log = logging.getLogger(__name__)

_LONGEST_REORDER_NS = 1_000_000_000        # further back is a clock that was set, not a late frame
_LONGEST_STEP_S = 0.5                      # without rules from outside: longer is a gap
_LONE_FRAME_S = 1.0 / 30.0                 # nominal interval of a bag with one frame
_FRESH = (InputCase.FIRST_FRAME, InputCase.GAP, InputCase.JUMP_BACK)


@dataclass(frozen=True)
class Episode:
    """One unbroken drive, T frames by rising stamp."""

    name: str
    attributes: dict[str, str]
    stamps_ns: np.ndarray                  # (T,) int64, header stamps
    images: np.ndarray                     # (T, h, w, 3) uint8
    imu: np.ndarray                        # (T, F) float32
    dt: np.ndarray                         # (T,) float32 [s] since the frame before
    commands: np.ndarray                   # (T, M) float32: see data/topics.py
    valid: np.ndarray                      # (T,) bool: the frame has a label
    fresh: np.ndarray                      # (T,) bool: the state starts anew (first, after a gap)
    notes: tuple[str, ...] = field(default=())   # what was odd about the recording
    # (T,) int64, when the frames were recorded; messages without a header are placed by it
    received_ns: np.ndarray | None = None
    weight: np.ndarray | None = None       # (T,) float32, what a label counts; None: 1

    def __len__(self) -> int:
        return len(self.stamps_ns)

    def part(self, start: int, stop: int) -> Episode:
        """Return frames ``start:stop`` (views) as an episode of its own, its first one fresh."""
        cut = slice(start, stop)
        fresh = self.fresh[cut].copy()
        fresh[:1] = True
        return replace(self, name=f'{self.name}[{start}:{stop}]', stamps_ns=self.stamps_ns[cut],
                       images=self.images[cut], imu=self.imu[cut], dt=self.dt[cut],
                       commands=self.commands[cut], valid=self.valid[cut], fresh=fresh,
                       received_ns=None if self.received_ns is None else self.received_ns[cut],
                       weight=None if self.weight is None else self.weight[cut])


def read_episode(bag: Path | str, *, topics: TopicMap | None = None, image: ImageSpec,
                 imu: ImuSpec, timing: TimingRules | None = None) -> Episode:
    """
    Return the episode in ``bag``.

    Without ``timing`` the nominal interval is the median of the bag's own. Raises BagError (no
    image or command topic, no label that fits a frame, stamps that cannot be ordered) and
    ImageError (an encoding or size that cannot be read), both naming the bag.
    """
    topics = topics or TopicMap()
    bag = Path(bag)
    with Recording(bag) as recording:
        raw = _read(recording, topics, image)
    kept, notes = _in_order(raw.stamps_ns, bag)
    stamps, images, received = (values if kept is None else values[kept] for values in (
        raw.stamps_ns, raw.images, raw.received_ns))
    rules = timing or _own_rules(stamps)
    dt, fresh = _intervals(stamps, rules)
    features = _imu_features(stamps, raw, imu)
    commands, valid = labels_at(stamps, raw.commands, topics)
    if not valid.any():
        raise BagError(f'no frame of {str(bag)!r} has a command within '
                       f'{topics.longest_command_age_s} s: {raw.commands.describe()}, frames from '
                       f'{stamps[0]} to {stamps[-1]} ns; check the clocks or raise '
                       'longest_command_age_s')
    for note in notes + raw.commands.notes:
        log.warning('%s: %s', bag, note)
    return Episode(bag.name, raw.attributes, stamps, images, features, dt, commands, valid, fresh,
                   notes + raw.commands.notes, received_ns=received)


@dataclass
class _Raw:
    """What the messages said, in the order of recording."""

    attributes: dict[str, str]
    stamps_ns: np.ndarray                  # (K,)
    received_ns: np.ndarray                # (K,)
    images: np.ndarray                     # (K, h, w, 3)
    imu_stamps_ns: np.ndarray              # (S,)
    imu_samples: np.ndarray                # (S, 6) gyro, accelerometer
    commands: Commands


def _read(recording: Recording, topics: TopicMap, spec: ImageSpec) -> _Raw:
    bag = recording.path
    attributes = read_attributes(bag)
    image_topic, imu_topic, command_topic = find_topics(topics, recording.types, bag=str(bag))
    wheelbase = topics.wheelbase_m or _number(attributes.get('wheelbase_m'))
    read_command = command_reader(recording.types[command_topic], topics, wheelbase_m=wheelbase)
    images: list[np.ndarray] = []
    stamps: list[int] = []
    received: list[int] = []
    samples: list[tuple[float, ...]] = []
    sample_stamps: list[int] = []
    commands: list[tuple[float, ...]] = []
    wanted = [topic for topic in (image_topic, imu_topic, command_topic) if topic]
    for topic, log_ns, message in recording.messages(wanted):
        if topic == image_topic:
            images.append(_image(message, spec, bag, len(stamps)))
            stamps.append(stamp_of(message))
            received.append(log_ns)
        elif topic == imu_topic:
            samples.append(_sample(message))
            sample_stamps.append(stamp_of(message))
        else:
            stamp = stamp_of(message) if hasattr(message, 'header') else log_ns
            commands.append((stamp, log_ns, *read_command(message)))
    if not stamps:
        raise BagError(f'{str(bag)!r} holds no image on {image_topic!r}; record the camera too')
    if not commands:
        raise BagError(f'{str(bag)!r} holds no command on {command_topic!r}; record while '
                       'somebody drives, or name another topic')
    return _Raw(attributes, np.array(stamps, np.int64), np.array(received, np.int64),
                np.stack(images), np.array(sample_stamps, np.int64),
                np.array(samples, np.float64).reshape(len(samples), 6), Commands.of(commands))


def stamp_of(message: Any) -> int:
    """Return the header stamp [ns] of a message."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _image(message: Any, spec: ImageSpec, bag: Path, number: int) -> np.ndarray:
    """Return the (h, w, 3) uint8 that a policy of ``spec`` sees of an image message."""
    try:
        if message.__msgtype__ == messages.COMPRESSED_IMAGE:
            return prepare(decode_compressed(message.data), spec)
        return prepare(decode_image(
            data=message.data, height=message.height, width=message.width,
            encoding=message.encoding, step=message.step,
            is_bigendian=bool(message.is_bigendian)), spec)
    except ImageError as error:
        raise ImageError(f'image {number} of {str(bag)!r}: {error}') from error


def _sample(message: Any) -> tuple[float, ...]:
    gyro, accel = message.angular_velocity, message.linear_acceleration
    return gyro.x, gyro.y, gyro.z, accel.x, accel.y, accel.z


def _in_order(stamps: np.ndarray, bag: Path) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """
    Return which frames make the stamps rise strictly, and what had to be done for it.

    None instead of indices where all is in order: a drive's images are not copied for nothing.
    """
    back = np.maximum.accumulate(stamps) - stamps
    if back.max() > _LONGEST_REORDER_NS:
        where = int(np.argmax(back > _LONGEST_REORDER_NS))
        raise BagError(f'image stamps of {str(bag)!r} jump back by {back[where] / 1e9:.3f} s at '
                       f'frame {where}: a clock was set, or two drives are in one bag; split it '
                       'there')
    order = np.argsort(stamps, kind='stable')
    rising = np.diff(stamps[order], prepend=stamps[order[0]] - 1) > 0
    late, repeated = int((back > 0).sum()), int((~rising).sum())
    if repeated > len(stamps) // 2:
        raise BagError(f'{repeated} of {len(stamps)} images of {str(bag)!r} repeat the stamp of '
                       f'another (first {stamps[0]} ns); the driver must stamp each image with '
                       'its time of acquisition')
    notes = []
    if late:
        notes.append(f'{late} of {len(stamps)} images were recorded after a later one; sorted by '
                     'header stamp')
    if repeated:
        notes.append(f'{repeated} of {len(stamps)} images repeat a stamp; dropped')
    if not notes:
        return None, ()
    return order[rising], tuple(notes)


def _own_rules(stamps: np.ndarray) -> TimingRules:
    nominal_s = float(np.median(np.diff(stamps))) / 1e9 if len(stamps) > 1 else _LONE_FRAME_S
    return TimingRules(nominal_s, max(_LONGEST_STEP_S, 2.0 * nominal_s))


def _intervals(stamps: np.ndarray, rules: TimingRules) -> tuple[np.ndarray, np.ndarray]:
    """Return (dt (T,) float32 [s], fresh (T,) bool) as ``Policy`` would see them."""
    dt = np.empty(len(stamps), np.float32)
    fresh = np.zeros(len(stamps), bool)
    last = None
    for k, stamp in enumerate(stamps.tolist()):
        case, dt[k] = classify(stamp, last, rules)
        fresh[k] = case in _FRESH
        last = stamp
    return dt, fresh


def _imu_features(stamps: np.ndarray, raw: _Raw, spec: ImuSpec) -> np.ndarray:
    """Return (T, F) float32."""
    order = np.argsort(raw.imu_stamps_ns, kind='stable')
    times, samples = raw.imu_stamps_ns[order], raw.imu_samples[order]
    features = np.zeros((len(stamps), len(spec.features)), np.float32)
    starts = np.searchsorted(times, stamps - LONGEST_WINDOW_NS, side='left').tolist()
    stops = np.searchsorted(times, stamps, side='right').tolist()
    last = None
    for k, stamp in enumerate(stamps.tolist()):
        near = slice(starts[k], stops[k])              # all that the window may hold, for speed
        window = slice_window(times[near], samples[near, :3], samples[near, 3:],
                              after_ns=last, until_ns=stamp)
        features[k] = imu_features(window, spec)
        last = stamp
    return features


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
