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
What a bag tells of one moment: the frame, and the state from which the policy stepped on it.

Pictures stay undecoded but for the one that is wanted. Where the bag holds no neurons, the policy
is driven through the recorded frames again from the first on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.contracts import Frame, ImuWindow, InputCase
from ltc_control.core.engine import Engine
from ltc_control.core.errors import BagError, ImageError
from ltc_control.core.imu import ImuBuffer, slice_window
from ltc_control.core.model_file import ModelSpec
from ltc_control.core.policy import Policy
from ltc_control.core.timing import classify, TimingRules
from ltc_control.data.bag_camera import pixels
from ltc_control.data.raw import RawMessage, RawRecording
import numpy as np

COMPRESSED = f'{bringup.CAMERA}/compressed'
Vector = tuple[float, float, float]
Sample = tuple[int, Vector, Vector]            # stamp, angular velocity, linear acceleration
NOT_ESTIMATED = -1.0                           # sensor_msgs/Imu: element 0 of a covariance


@dataclass(frozen=True, eq=False)
class Step:
    """
    One step of the policy as the bag has it: frame, IMU samples, state before, dt [s].

    ``after`` (N,) is what was recorded after the step; None where it was recomputed, which
    ``origin`` ('recorded' or 'recomputed') says too. ``case`` is the policy's word for the input.
    """

    frame: Frame
    seconds: float                             # after the first frame
    before: np.ndarray                         # (N,)
    after: np.ndarray | None
    dt: float
    imu: ImuWindow
    case: str
    origin: str


@dataclass
class _Scan:
    stamps: list[int] = field(default_factory=list)
    states: dict[int, np.ndarray] = field(default_factory=dict)
    imu: list[Sample] = field(default_factory=list)


def read_step(bag: Path | str, spec: ModelSpec, *, at_s: float | None = None) -> Step:
    """
    Return the step on the frame nearest to ``at_s`` [s] after the first; None is half-way.

    Raises BagError without camera frames, for a time outside the recording, for a frame that is
    no image, and for neurons of another model.
    """
    with RawRecording(bag) as recording:
        topic = _camera(recording)
        scan = _read(recording, topic)
        stamps = sorted(scan.stamps)
        stamp = _nearest(stamps, at_s, bag)
        _check_size(scan, spec, bag)
        seconds = (stamp - stamps[0]) * 1e-9
        if not scan.states:
            return _recomputed(recording, topic, scan, spec, (stamp, seconds))
        last = max((s for s in scan.states if s < stamp), default=None)
        case, before, dt = _start(spec, stamp, last, scan.states.get(last, np.zeros(0)))
        window = slice_window(*_arrays(scan.imu), after_ns=last, until_ns=stamp)
        return Step(_picture(recording, topic, stamp), seconds, before, scan.states.get(stamp),
                    dt, window, case, 'recorded')


def _arrays(imu: list[Sample]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    stamps, gyro, accel = zip(*imu, strict=True) if imu else ((), (), ())
    return (np.array(stamps, np.int64), np.array(gyro, float).reshape(-1, 3),
            np.array(accel, float).reshape(-1, 3))


def _camera(recording: RawRecording) -> str:
    for topic in (bringup.CAMERA, COMPRESSED):
        if recording.counts.get(topic):
            return topic
    raise BagError(f'{str(recording.path)!r} holds no image on {bringup.CAMERA}; there is no '
                   f'moment to explain, it holds {", ".join(sorted(recording.counts)) or "none"}')


def _read(recording: RawRecording, camera: str) -> _Scan:
    scan = _Scan()
    for message in recording.raw({camera, bringup.IMU, bringup.NEURONS}):
        if message.topic == camera:
            scan.stamps.append(message.time_ns)
        elif message.topic == bringup.IMU:
            fields: Any = recording.decode(message)
            scan.imu.append((message.time_ns, _vector(
                fields.angular_velocity, fields.angular_velocity_covariance), _vector(
                fields.linear_acceleration, fields.linear_acceleration_covariance)))
        else:
            neurons: Any = recording.decode(message)
            scan.states[message.time_ns] = np.array(neurons.position, float)
    return scan


def _vector(vector: Any, covariance: Any) -> Vector:
    if covariance[0] == NOT_ESTIMATED:
        return (float('nan'),) * 3
    return vector.x, vector.y, vector.z


def _nearest(stamps: list[int], at_s: float | None, bag: Path | str) -> int:
    length = (stamps[-1] - stamps[0]) * 1e-9
    at_s = 0.5 * length if at_s is None else at_s
    if not 0.0 <= at_s <= length + 0.02:       # what a person reads off as the end is rounded
        raise BagError(f'time {at_s:g} s is outside of {str(bag)!r}: its frames go from 0 to '
                       f'{length:.2f} s')
    wanted = stamps[0] + round(at_s * 1e9)
    return min(stamps, key=lambda stamp: abs(stamp - wanted))


def _check_size(scan: _Scan, spec: ModelSpec, bag: Path | str) -> None:
    sizes = {len(state) for state in scan.states.values()} - {spec.neurons}
    if sizes:
        raise BagError(f'{str(bag)!r} holds {min(sizes)} neurons, model {spec.name!r} has '
                       f'{spec.neurons}; name the model that drove with --model')


def _picture(recording: RawRecording, topic: str, stamp_ns: int) -> Frame:
    message = next(m for m in recording.raw({topic}) if m.time_ns == stamp_ns)
    return _decoded(recording, message)


def _decoded(recording: RawRecording, message: RawMessage) -> Frame:
    try:
        return Frame(message.time_ns, pixels(recording.decode(message)))
    except ImageError as error:
        raise BagError(f'the frame at stamp {message.time_ns} is no image: {error}') from error


def _recomputed(recording: RawRecording, topic: str, scan: _Scan, spec: ModelSpec,
                wanted: tuple[int, float]) -> Step:
    """Drive the policy through the frames before; the window of an IMU ends at each stamp."""
    policy, (stamp, seconds) = Policy(Engine(spec)), wanted
    imu = sorted(scan.imu, key=lambda sample: sample[0])
    buffer, fed, last = ImuBuffer(), 0, None
    for message in recording.raw({topic}):
        if message.time_ns > stamp:
            continue
        while fed < len(imu) and imu[fed][0] <= message.time_ns:
            buffer.append(*imu[fed])
            fed += 1
        window = buffer.window(after_ns=last, until_ns=message.time_ns)
        if message.time_ns == stamp:
            case, before, dt = _start(spec, stamp, policy.state.stamp_ns, policy.state.neurons)
            return Step(_decoded(recording, message), seconds, before, None, dt, window, case,
                        'recomputed')
        policy.step(_decoded(recording, message), window)
        last = message.time_ns
    raise BagError(f'{str(recording.path)!r} lost its frame at stamp {stamp} while it was read')


def _start(spec: ModelSpec, stamp_ns: int, last_ns: int | None,
           neurons: np.ndarray) -> tuple[str, np.ndarray, float]:
    """Return the case of a frame, the state its step began from, and its dt [s]."""
    case, dt = classify(stamp_ns, last_ns, TimingRules(spec.dt_nominal_s, spec.longest_step_s))
    fresh = case in (InputCase.FIRST_FRAME, InputCase.GAP, InputCase.JUMP_BACK)
    return case.value, np.zeros(spec.neurons) if fresh else np.asarray(neurons, float), dt
