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
"""The neurons that a bag does not hold: its frames go through a policy once more."""

from __future__ import annotations

from typing import Any

from ltc_control import bringup
from ltc_control.core.contracts import InputCase
from ltc_control.core.imu import slice_window
from ltc_control.core.neurons import neuron_names
from ltc_control.core.policy import Policy
from ltc_control.data.recording import Recording
from ltc_control.insight.recorded_drive import camera_frames, RecordedDrive, Trace
import numpy as np

NO_STEP = {InputCase.BAD_IMAGE, InputCase.REPEATED_FRAME, InputCase.BAD_STATE}


def replayed_neurons(drive: RecordedDrive, policy: Policy,
                     ) -> tuple[tuple[str, ...], Trace, Trace]:
    """
    Return names, states (K, N) and commands (K, 2; curvature, speed) of ``policy`` on a bag.

    It steps on the recorded frames in order, its own state carried: what it would have said
    while something else drove. Frames that it makes no step on are left out.
    """
    stamps = {int(stamp) for stamp in drive.frames.stamps_ns}
    imu_stamps, imu = _imu(drive) if policy.spec.imu.features else (np.empty(0, np.int64),
                                                                    np.empty((0, 6)))
    policy.reset()
    rows, last = [], None
    for frame in camera_frames(drive.bag, stamps_ns=stamps):
        window = slice_window(imu_stamps, imu[:, :3], imu[:, 3:], after_ns=last,
                              until_ns=frame.stamp_ns)
        decision = policy.step(frame, window)
        last = frame.stamp_ns
        if not NO_STEP & set(decision.cases):
            command = (decision.command.curvature, decision.command.speed)
            rows.append((frame.stamp_ns, decision.state.astype(float), command))
    seen = np.array([row[0] for row in rows], np.int64)
    names = neuron_names(policy.spec.roles, policy.spec.neurons)
    return (names, Trace(seen, seen, np.array([row[1] for row in rows]).reshape(len(rows), -1)),
            Trace(seen, seen, np.array([row[2] for row in rows]).reshape(len(rows), 2)))


def _imu(drive: RecordedDrive) -> tuple[np.ndarray, np.ndarray]:
    """Return stamps (S,) and gyro and accelerometer (S, 6) of a bag, by stamp."""
    with Recording(drive.bag) as recording:
        rows = [(_stamp(message), *_sample(message))
                for _, _, message in recording.messages({bringup.IMU} & set(recording.counts))]
    rows.sort(key=lambda row: row[0])
    stamps = np.array([row[0] for row in rows], np.int64)
    return stamps, np.array([row[1:] for row in rows], float).reshape(len(rows), 6)


def _stamp(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _sample(message: Any) -> tuple[float, ...]:
    gyro, accel = message.angular_velocity, message.linear_acceleration
    return gyro.x, gyro.y, gyro.z, accel.x, accel.y, accel.z
