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
What happens to time between a camera and its policy: frames get lost, or time is not told.

Both leave the policy itself as it is. A lost frame never reaches it: the request stays the last
one, and the IMU samples wait for the next frame. ``ConstantTime`` hands over frames whose stamps
are one nominal step apart whatever the truth is, as a policy without a clock would see them.
"""

from __future__ import annotations

from dataclasses import replace

from ltc_control.core.contracts import Command, Frame, ImuWindow
from ltc_control.core.errors import ConfigError
from ltc_control.core.imu import slice_window
from ltc_control.core.policy import Policy
import numpy as np


class FrameLoss:
    """Loses each frame with the chance ``share``; equal seeds lose equal frames for everyone."""

    def __init__(self, share: float, *, seed: int, track: int) -> None:
        if not 0.0 <= share < 1.0:
            raise ConfigError(f'cannot lose a share of {share!r} of all frames; give a number '
                              'from 0 up to, not including, 1')
        self.share = share
        self._rng = np.random.default_rng([seed, track, 5])
        self._waiting: list[ImuWindow] = []
        self._last_ns: int | None = None   # stamp of the last frame that arrived

    def pass_on(self, frame: Frame, imu: ImuWindow) -> ImuWindow | None:
        """Return the IMU samples since the last frame that arrived, None when this one is lost."""
        if self.share == 0.0:
            return imu
        self._waiting.append(imu)
        if self._rng.random() < self.share:
            return None
        window = slice_window(
            *(np.concatenate([getattr(one, name) for one in self._waiting])
              for name in ('stamps_ns', 'angular_velocity', 'linear_acceleration')),
            after_ns=self._last_ns, until_ns=frame.stamp_ns)
        self._waiting, self._last_ns = [], frame.stamp_ns
        return window


class TrueTime:
    """A policy that is told when its frames were taken."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def step(self, frame: Frame, imu: ImuWindow) -> Command:
        """Return the command for a frame."""
        return self._policy.step(frame, imu).command


class ConstantTime:
    """A policy that is told each frame came one nominal step after the one before."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._step_ns = round(policy.spec.dt_nominal_s * 1e9)
        self._frames = 0

    def step(self, frame: Frame, imu: ImuWindow) -> Command:
        """Return the command for a frame, under the frame's true stamp."""
        pretended = replace(frame, stamp_ns=self._frames * self._step_ns)
        self._frames += 1
        return replace(self._policy.step(pretended, imu).command, stamp_ns=frame.stamp_ns)
