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
The IMU samples between two frames -> one feature vector, with a validity flag.

Robot, bag and simulator use the same two functions: ``slice_window`` decides which samples
belong to a frame, ``imu_features`` what the network gets of them. Axes are those of
``base_link`` (REP-103): x forward, y left, z up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any

from ltc_control.core.contracts import ImuWindow
from ltc_control.core.errors import ImuError
import numpy as np

GRAVITY = 9.81                                 # [m/s^2], taken off accel_z
FEATURES = ('gyro_x', 'gyro_y', 'gyro_z', 'accel_x', 'accel_y', 'accel_z', 'valid')
# A window never reaches further back than this before its frame: before a first frame or a long
# gap there may be minutes of samples, whose mean says nothing about now.
LONGEST_WINDOW_NS = 100_000_000
_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class ImuSpec:
    """
    Which features a model takes, in order, and the value of each that counts as 1.

    ``features`` are names of FEATURES, none twice, possibly none at all; ``scales`` (as many)
    are in rad/s and m/s^2, 1 for ``valid``.
    """

    features: tuple[str, ...] = ()
    scales: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse unknown or repeated features and scales that cannot divide."""
        object.__setattr__(self, 'features', tuple(self.features))
        object.__setattr__(self, 'scales', tuple(float(scale) for scale in self.scales))
        unknown = [name for name in self.features if name not in FEATURES]
        if unknown or len(set(self.features)) != len(self.features):
            raise ImuError(
                f'IMU features are {self.features!r}; use each at most once of {FEATURES!r}')
        if len(self.scales) != len(self.features):
            raise ImuError(
                f'{len(self.features)} IMU features have {len(self.scales)} scales; '
                'give one scale a feature')
        if not all(math.isfinite(scale) and scale > 0.0 for scale in self.scales):
            raise ImuError(f'IMU scales are {self.scales!r}; give finite numbers above 0')

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, fit for YAML and JSON."""
        return {'features': list(self.features), 'scales': list(self.scales)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImuSpec:
        """Build from ``to_dict`` output; ImuError names what is wrong."""
        if set(values) != {'features', 'scales'}:
            raise ImuError(
                f"IMU specification has keys {sorted(values)!r}; give 'features' and 'scales'")
        return cls(tuple(values['features']), tuple(values['scales']))


def imu_features(window: ImuWindow, spec: ImuSpec) -> np.ndarray:
    """
    Return (F,) float32: the mean of each named axis over the window, by its scale.

    Gravity is taken off ``accel_z``; ``valid`` is 1 by its scale. An empty window or one
    non-finite sample gives zeros throughout, ``valid`` too. Raises ImuError for shapes that
    disagree.
    """
    return checked_features(window, spec)[0]


def checked_features(window: ImuWindow, spec: ImuSpec) -> tuple[np.ndarray, bool]:
    """Return the features and whether the window could be used; always True without features."""
    count = len(window.stamps_ns)
    gyro, accel = window.angular_velocity, window.linear_acceleration
    if gyro.shape != (count, 3) or accel.shape != (count, 3):
        raise ImuError(
            f'IMU window has {count} stamps, angular velocity {gyro.shape!r} and linear '
            f'acceleration {accel.shape!r}; give (K,), (K, 3) and (K, 3)')
    size = len(spec.features)
    if not size or not count:
        return np.zeros(size, np.float32), not size
    # add.reduce is the sum without the wrapping of mean, at a third of its cost
    with np.errstate(over='ignore', invalid='ignore'):
        sums = (*np.add.reduce(gyro, dtype=float).tolist(),
                *np.add.reduce(accel, dtype=float).tolist())
    means = [total / count for total in sums]
    means[5] -= GRAVITY
    values = [1.0 if name == 'valid' else means[FEATURES.index(name)] for name in spec.features]
    features = [value / scale for value, scale in zip(values, spec.scales, strict=True)]
    # A sum with a non-finite sample is not finite; axes that the model does not use count too.
    if all(map(math.isfinite, means)) and all(abs(x) <= _FLOAT32_MAX for x in features):
        return np.array(features, np.float32), True
    return np.zeros(size, np.float32), False


def slice_window(
    stamps_ns: np.ndarray, gyro: np.ndarray, accel: np.ndarray, *,
    after_ns: int | None, until_ns: int,
) -> ImuWindow:
    """
    Return the samples with stamps in (after_ns, until_ns], oldest first.

    ``stamps_ns`` (K,), ``gyro`` and ``accel`` (K, 3), in any order. ``after_ns`` is the stamp of
    the frame before, None at the first; the window never starts more than LONGEST_WINDOW_NS
    before ``until_ns``.
    """
    start = until_ns - LONGEST_WINDOW_NS
    start = start if after_ns is None else max(start, after_ns)
    chosen = np.flatnonzero((stamps_ns > start) & (stamps_ns <= until_ns))
    chosen = chosen[np.argsort(stamps_ns[chosen], kind='stable')]
    return ImuWindow(stamps_ns[chosen], gyro[chosen], accel[chosen])


class ImuBuffer:
    """
    The newest samples of a running IMU, from which each frame takes its window.

    ``append`` is cheap, as it runs in a callback; length is bounded by ``capacity``. A stamp that
    falls behind the newest by more than a window means that the clock was set back: what was
    stored belongs to another time and is dropped.
    """

    def __init__(self, *, capacity: int = 1024) -> None:
        """Make an empty buffer of at most ``capacity`` samples."""
        if capacity < 1:
            raise ImuError(f'IMU buffer capacity is {capacity!r}; give a whole number >= 1')
        self._samples: deque[tuple[int, tuple[float, ...], tuple[float, ...]]] = deque(
            maxlen=capacity)

    def __len__(self) -> int:
        """Return the number of stored samples."""
        return len(self._samples)

    def append(self, stamp_ns: int, gyro: Sequence[float], accel: Sequence[float]) -> None:
        """Store one sample: ``gyro`` (3,) [rad/s], ``accel`` (3,) [m/s^2] with gravity."""
        if self._samples and stamp_ns < self._samples[-1][0] - LONGEST_WINDOW_NS:
            self._samples.clear()
        self._samples.append((stamp_ns, tuple(gyro), tuple(accel)))

    def window(self, *, after_ns: int | None, until_ns: int) -> ImuWindow:
        """Return what ``slice_window`` returns, and forget what no later frame can need."""
        while self._samples and self._samples[0][0] <= until_ns - LONGEST_WINDOW_NS:
            self._samples.popleft()
        if not self._samples:
            return ImuWindow.empty()
        stamps, gyro, accel = zip(*self._samples, strict=True)
        return slice_window(
            np.array(stamps, np.int64), np.array(gyro, float), np.array(accel, float),
            after_ns=after_ns, until_ns=until_ns)

    def clear(self) -> None:
        """Forget every sample."""
        self._samples.clear()
