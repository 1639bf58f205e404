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
Policy: the state rules around the engine, frame after frame.

Here alone a recurrent state lives on between calls. ``timing`` says what a stamp means; beyond it:

* A bad image makes no step. The last command is held, under its own stamp, for up to ``hold_s``
  of frame stamps; after that, or with nothing to hold, the decision is a stop and invalid.
* A repeated frame makes no step and gives the same decision again, so its command ages too.
* Bad IMU samples step with all features and ``valid`` at zero.
* A state out of the envelope that the model file guarantees, or any number that is not finite,
  is corruption: state to zero, stop, invalid.

Every case is counted in ``counts`` and named in the decision, never silent.
"""

from __future__ import annotations

from dataclasses import replace
import math
from pathlib import Path

from ltc_control.core.commanding import command_maker, COMMANDS
from ltc_control.core.contracts import Decision, Frame, ImuWindow, InputCase, PolicyState
from ltc_control.core.engine import Engine
from ltc_control.core.errors import ImageError
from ltc_control.core.imaging import prepare
from ltc_control.core.imu import checked_features
from ltc_control.core.model_file import load_spec
from ltc_control.core.timing import classify, TimingRules
import numpy as np

ENVELOPE_TOLERANCE = 1e-5                      # float32 rounding of a weighted mean of order 1
# Worst first: what a decision is called when several cases apply.
_SEVERITY = (
    InputCase.BAD_STATE, InputCase.BAD_IMAGE, InputCase.JUMP_BACK, InputCase.GAP,
    InputCase.REPEATED_FRAME, InputCase.LONG_STEP, InputCase.BAD_IMU, InputCase.FIRST_FRAME,
)
_RESETS = (InputCase.FIRST_FRAME, InputCase.JUMP_BACK, InputCase.GAP)


class Policy:
    """
    An engine with the state it carries; ``step`` is called once a frame, in order.

    ``reset_every_step`` zeroes the state before each step: the ablation that shows what memory is
    worth. ``cruise_speed`` [m/s] serves models that command curvature only. ``hold_s`` bounds how
    long a bad image may be bridged.
    """

    def __init__(
        self, engine: Engine, *, reset_every_step: bool = False,
        cruise_speed: float | None = None, hold_s: float = 0.2,
    ) -> None:
        """Read ranges and envelope off the engine's spec; ModelError if it drives nothing."""
        spec = engine.spec
        self._command = command_maker(spec, cruise_speed=cruise_speed)
        self._kind = COMMANDS[spec.vehicle]
        self.engine, self.spec, self.hold_s = engine, spec, hold_s
        self.reset_every_step = reset_every_step
        self.counts: dict[InputCase, int] = dict.fromkeys(InputCase, 0)
        self._rules = TimingRules(spec.dt_nominal_s, spec.longest_step_s)
        self._low, self._high = _envelope(spec.envelope_low, spec.envelope_high, spec.neurons)
        self._no_tau = np.full(spec.neurons, np.nan, np.float32)
        self.reset()

    @classmethod
    def load(
        cls, folder: str | Path, *, reset_every_step: bool = False,
        cruise_speed: float | None = None, hold_s: float = 0.2, threads: int = 1,
        vehicle: str = 'car',
    ) -> Policy:
        """Load a model folder made for this vehicle; ModelError says what does not fit."""
        engine = Engine(load_spec(folder, expect_vehicle=vehicle), threads=threads)
        return cls(engine, reset_every_step=reset_every_step, cruise_speed=cruise_speed,
                   hold_s=hold_s)

    def reset(self) -> None:
        """Start a new drive: zero state, no last frame. Counts go on."""
        self.state = PolicyState(self.engine.zero_state())
        self._last: Decision | None = None

    def step(self, frame: Frame, imu: ImuWindow) -> Decision:
        """Return the decision for a frame and the IMU samples since the frame before."""
        case, dt_s = classify(frame.stamp_ns, self.state.stamp_ns, self._rules)
        if case is InputCase.REPEATED_FRAME and self._last is not None:
            return self._decided(self._last, [case], dt_s=0.0)
        try:
            image = prepare(frame.rgb, self.spec.image)
        except ImageError:
            return self._without_image(frame.stamp_ns, case)
        features, imu_usable = checked_features(imu, self.spec.imu)
        cases = [case] if imu_usable else [case, InputCase.BAD_IMU]
        fresh = self.reset_every_step or case in _RESETS
        before = self.engine.zero_state() if fresh else self.state.neurons
        values, after, tau = self.engine.step(image, features, before, dt_s)
        if not self._is_sound(values, after, tau):
            return self._corrupted(frame.stamp_ns, cases, dt_s)
        self.state = PolicyState(after, frame.stamp_ns)
        named = self._count(cases)
        command = self._command(values, frame.stamp_ns)
        self._last = Decision(command, after, tau, named[0], dt_s, cases=named)
        return self._last

    def _is_sound(self, values: np.ndarray, state: np.ndarray, tau: np.ndarray) -> bool:
        # NaN compares false and fails too; without an envelope only float32 itself bounds.
        inside = ((state >= self._low) & (state <= self._high)).all()
        return bool(inside) and all(map(math.isfinite, values.tolist())) and all(
            map(math.isfinite, tau.tolist()))

    def _without_image(self, stamp_ns: int, timing: InputCase) -> Decision:
        """Hold the last sound command while it is young, then stop; the state stays as it is."""
        cases = [InputCase.BAD_IMAGE] + ([timing] if timing is not InputCase.OK else [])
        last = self._last
        if last is not None and last.valid:
            age_s = (stamp_ns - last.command.stamp_ns) / 1e9
            if 0.0 <= age_s <= self.hold_s:
                return self._decided(last, cases, dt_s=0.0)
        return self._decided(self._stop(stamp_ns), cases, dt_s=0.0)

    def _corrupted(self, stamp_ns: int, cases: list[InputCase], dt_s: float) -> Decision:
        """Drop the state and stop; the next frame steps from zero."""
        self.state = PolicyState(self.engine.zero_state(), stamp_ns)
        self._last = self._decided(
            self._stop(stamp_ns), [InputCase.BAD_STATE, *cases], dt_s=dt_s)
        return self._last

    def _stop(self, stamp_ns: int) -> Decision:
        return Decision(self._kind.stop(stamp_ns), self.state.neurons, self._no_tau, InputCase.OK,
                        0.0, valid=False)

    def _decided(self, decision: Decision, cases: list[InputCase], *, dt_s: float) -> Decision:
        named = self._count(cases)
        return replace(decision, case=named[0], cases=named, dt_s=dt_s)

    def _count(self, cases: list[InputCase]) -> tuple[InputCase, ...]:
        """Count the cases and return them worst first; OK only where it is alone."""
        special = sorted((c for c in cases if c is not InputCase.OK), key=_SEVERITY.index)
        named = tuple(special) or (InputCase.OK,)
        for case in named:
            self.counts[case] += 1
        return named


def _envelope(
    low: tuple[float, ...] | None, high: tuple[float, ...] | None, neurons: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of a sound state, (N,) each, widened by the tolerance."""
    if low is None or high is None:
        most = np.finfo(np.float32).max
        return np.full(neurons, -most), np.full(neurons, most)
    return (np.array(low, np.float32) - np.float32(ENVELOPE_TOLERANCE),
            np.array(high, np.float32) + np.float32(ENVELOPE_TOLERANCE))
