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
"""Whether a decision is the recorded one, and the inputs that a recording cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import math

from ltc_control.core.contracts import Decision, ImuWindow
from ltc_control.core.errors import ImageError
from ltc_control.core.geometry import twist_from_command
from ltc_control.core.imaging import prepare
from ltc_control.core.policy import Policy
from ltc_control.insight.replay_bag import Said
import numpy as np

MOST_SAMPLES = 64                          # of one window, that are left out in turn


def same(decision: Decision, said: Said, *, scale: float = 1.0) -> bool:
    """
    Say whether a decision is the recorded one in every bit: command, states, time constants.

    ``scale`` is the node's parameter ``speed_scale``.
    """
    command = decision.command
    if scale != 1.0:
        command = replace(command, speed=command.speed * scale)
    if (command.stamp_ns != said.stamp_ns
            or not _equal_bits(twist_from_command(command), (said.speed, said.yaw_rate))):
        return False
    return all(recorded is None or _equal_bits(ours.astype(np.float64), recorded)
               for ours, recorded in ((decision.state, said.state), (decision.tau, said.tau)))


def speed_scale(decision: Decision, said: Said) -> float | None:
    """Return the ``speed_scale`` in 0 ... 1 that makes the decision the recorded one, if any."""
    if not decision.command.speed or not math.isfinite(said.speed):
        return None
    scale = round(said.speed / decision.command.speed, 6)
    return scale if 0.0 <= scale < 1.0 and same(decision, said, scale=scale) else None


def state_error(decision: Decision | None, said: Said) -> tuple[float, int]:
    """Return the largest error of a state and the neuron that has it; 0 where none compares."""
    if decision is None or said.state is None or said.state.shape != decision.state.shape:
        return 0.0, -1
    errors = np.abs(said.state - decision.state)
    worst = int(np.argmax(errors))
    return float(errors[worst]), worst


def _equal_bits(ours: object, recorded: object) -> bool:
    return np.asarray(ours, np.float64).tobytes() == np.asarray(recorded, np.float64).tobytes()


def usable(rgb: np.ndarray, policy: Policy) -> bool:
    """Say whether the policy can make its picture out of ``rgb`` (H, W, 3)."""
    try:
        prepare(rgb, policy.spec.image)
    except ImageError:
        return False
    return True


def parts_of(window: ImuWindow) -> Iterator[ImuWindow]:
    """Yield the window without its last samples, and without any one of them."""
    count = len(window.stamps_ns)
    if count > MOST_SAMPLES:
        return
    for kept in range(count - 1, 0, -1):
        yield _chosen(window, np.arange(kept))
    for lost in range(count - 1):
        yield _chosen(window, np.delete(np.arange(count), lost))


def _chosen(window: ImuWindow, index: np.ndarray) -> ImuWindow:
    return ImuWindow(window.stamps_ns[index], window.angular_velocity[index],
                     window.linear_acceleration[index])
