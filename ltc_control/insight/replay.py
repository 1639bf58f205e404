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
The recorded frames through the same policy: whether each recorded command comes out again.

The state is carried from the first recorded checkpoint (or from zero, where the recording holds
the start of the drive) from frame to frame, as on the car. Where something else comes out the
reasons that a recording cannot show are tried one by one: the policy may have begun anew, have
stepped on a frame whose IMU it could not use and kept silent, or have had the IMU only in part.
One of them that gives the recorded bits is an explanation, not a difference. After a difference
the replay goes on from the state that was recorded, so that one is not taken for thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import copy

from ltc_control.core.contracts import Decision, Frame, ImuWindow, PolicyState
from ltc_control.core.geometry import twist_from_command
from ltc_control.core.policy import Policy
from ltc_control.insight.replay_bag import ImuFeed, ReplayBag, Said, SeenFrame
from ltc_control.insight.replay_compare import parts_of, same, speed_scale, state_error, usable
from ltc_control.insight.replay_report import (
    Difference,
    MISSING_FRAME,
    NO_CHECKPOINT,
    ReplayReport,
)
import numpy as np


def replay(bag: ReplayBag, policy: Policy, *,
           advance: Callable[..., None] | None = None) -> ReplayReport:
    """Replay ``bag`` through ``policy``, which is reset; ``advance()`` is called each frame."""
    run = _Replay(bag, policy)
    for frame in bag.frames():
        run.take(frame)
        if advance is not None:
            advance()
    return run.end()


class _Replay:

    def __init__(self, bag: ReplayBag, policy: Policy) -> None:
        self._bag, self._policy = bag, policy
        self._policy.reset()
        self._where = bag.frames_of_decisions()
        self._next = 0                     # decision that is waited for
        self._imu = ImuFeed(bag.samples)
        self._uses_imu = bool(policy.spec.imu.features)
        self._last_ns: int | None = None   # stamp of the last frame that the node stepped on
        self._silent: Policy | None = None            # as if all unseen frames had been stepped on
        self._silent_ns: int | None = None
        self.report = ReplayReport(len(bag.stamps), len(bag.said))

    def take(self, frame: SeenFrame) -> None:
        """Go on by one recorded frame."""
        self._imu.advance(frame)
        target = self._target()
        if target is not None and self._where[target] == frame.index:
            while self._next < target:
                self._miss()
            self._answer(frame)
        elif not self._hold(frame):
            self._pass_by(frame)

    def end(self) -> ReplayReport:
        """Count what never came and return the report."""
        while self._next < len(self._bag.said):
            self._miss()
        self.report.cases = {case.value: count for case, count in self._policy.counts.items()
                             if count}
        return self.report

    def _target(self) -> int | None:
        """Return the next decision whose frame is in the bag."""
        for number in range(self._next, len(self._where)):
            if self._where[number] is not None:
                return number
        return None

    def _answer(self, frame: SeenFrame) -> None:
        """Step on a frame from which a decision came, and compare."""
        said = self._bag.said[self._next]
        if not self.report.begun:
            self._begin(frame, said)
        elif self._policy.state.stamp_ns == frame.stamp_ns and self._at_checkpoint:
            self._compare(frame, said, None)          # said again: hold what was recorded
        elif not self._step(frame, said):
            self._pass_by(frame)           # its twin of the same stamp comes later
            return
        self._forget_unseen()
        self._last_ns = frame.stamp_ns
        self._next += 1

    _at_checkpoint = False
    _held: Said | None = None

    def _begin(self, frame: SeenFrame, said: Said) -> None:
        """Start from zero where that gives the recorded bits, else from the checkpoint."""
        trial = self._trial(self._policy)
        decision = self._decide(trial, frame, after_ns=None)
        scale = None if decision is None else speed_scale(decision, said)
        if decision is not None and (scale or same(decision, said)):
            self._policy = trial
            self.report.begun = 'zero state'
            self.report.equal += 1
        elif self._load(said):
            self.report.begun = 'checkpoint'
            self.report.skipped += 1
        else:
            self.report.skipped += 1
            if self.report.first is None:
                self._differ(frame.index, said, decision, NO_CHECKPOINT, count=False)

    def _load(self, said: Said) -> bool:
        """Take over a recorded state; False where there is none that fits."""
        if said.state is None or said.state.shape != self._policy.state.neurons.shape:
            return False
        self._policy.reset()
        self._policy.state = PolicyState(said.state.astype(np.float32), said.stamp_ns)
        self._at_checkpoint, self._held = True, said
        return True

    def _step(self, frame: SeenFrame, said: Said) -> bool:
        """Step and compare; False where the decision must have come from a later frame."""
        before = self._trial(self._policy)
        decision = self._decide(self._policy, frame, after_ns=self._last_ns)
        self._at_checkpoint = False
        if decision is not None and same(decision, said):
            self.report.equal += 1
            return True
        if decision is not None and (scale := speed_scale(decision, said)):
            self._explain(f'speeds were asked for times {scale:g}, by parameter')
            return True
        for reason, trial, other in self._explanations(before, frame):
            if other is not None and same(other, said):
                self._policy = trial
                self._explain(reason)
                return True
        if self._realign(frame):
            self._policy = before
            return False
        self._differ(frame.index, said, decision, '')
        self._load(said)
        return True

    def _realign(self, frame: SeenFrame) -> bool:
        """Let the decision come from a later frame of the same stamp, where all still fits."""
        if self._bag.frames_stamped(frame.stamp_ns) < 2:
            return False
        other = self._bag.frames_of_decisions(first=self._next, after=frame.index)
        if other.count(None) > self._where[self._next:].count(None):
            return False
        self._where[self._next:] = other
        return True

    def _explain(self, reason: str) -> None:
        self.report.equal += 1
        self.report.explained[reason] = self.report.explained.get(reason, 0) + 1

    def _compare(self, frame: SeenFrame, said: Said, decision: None) -> None:
        held = self._held
        if held is not None and (held.speed, held.yaw_rate) == (said.speed, said.yaw_rate):
            self.report.equal += 1
        else:
            self._differ(frame.index, said, decision, 'a held command was not the one before')

    def _decide(self, policy: Policy, frame: SeenFrame, *, after_ns: int | None,
                window: ImuWindow | None = None) -> Decision | None:
        """Return what the node would do with the frame; None where it gives it up."""
        if frame.rgb is None:
            return None
        if window is None:
            window = self._imu.buffer.window(after_ns=after_ns, until_ns=frame.stamp_ns)
        return policy.step(Frame(frame.stamp_ns, frame.rgb), window)

    def _explanations(self, before: Policy, frame: SeenFrame,
                      ) -> Iterator[tuple[str, Policy, Decision | None]]:
        """Yield what else may have happened, with the policy and what it would have said."""
        for after_ns in (self._last_ns, None):
            anew = self._trial(before)
            anew.reset()
            yield 'the policy began anew', anew, self._decide(anew, frame, after_ns=after_ns)
        if not self._uses_imu:
            return
        starts = [(before, self._last_ns, '')]
        if self._silent is not None:
            starts.append((self._silent, self._silent_ns,
                           'frames without usable IMU were stepped on in silence'))
        for policy, after_ns, reason in starts:
            if reason:
                trial = self._trial(policy)
                yield reason, trial, self._decide(trial, frame, after_ns=after_ns)
            window = self._imu.buffer.window(after_ns=after_ns, until_ns=frame.stamp_ns)
            for part in parts_of(window):
                trial = self._trial(policy)
                yield ('the policy had not all IMU samples of the frame', trial,
                       self._decide(trial, frame, after_ns=after_ns, window=part))

    def _pass_by(self, frame: SeenFrame) -> None:
        """Note a frame from which no command came: not seen, or seen with an unusable IMU."""
        if not self.report.begun or self._next >= len(self._bag.said):
            return
        self.report.unseen += 1
        if self._uses_imu and frame.rgb is not None:
            self._silent = self._silent or self._trial(self._policy)
            self._decide(self._silent, frame, after_ns=None, window=ImuWindow.empty())
            self._silent_ns = frame.stamp_ns

    def _forget_unseen(self) -> None:
        self._silent, self._silent_ns = None, None

    def _hold(self, frame: SeenFrame) -> bool:
        """Say whether a decision without a frame came from this one, which no policy can use."""
        if (not self.report.begun or self._next >= len(self._bag.said)
                or self._where[self._next] is not None or frame.rgb is None
                or usable(frame.rgb, self._policy)):
            return False
        trial = self._trial(self._policy)
        decision = self._decide(trial, frame, after_ns=self._last_ns)
        if decision is None or not same(decision, self._bag.said[self._next]):
            return False
        self._policy, self._last_ns = trial, frame.stamp_ns
        self.report.equal += 1
        self._next += 1
        return True

    def _miss(self) -> None:
        """Count a decision whose frame is not there; go on from the state recorded with it."""
        said = self._bag.said[self._next]
        if self.report.begun:
            self.report.missing += 1
            self._differ(None, said, None, MISSING_FRAME)
        else:
            self.report.skipped += 1
        if self._load(said):
            self.report.begun = self.report.begun or 'checkpoint'
            self._last_ns = said.stamp_ns
            self._forget_unseen()
        self._next += 1

    def _differ(self, frame: int | None, said: Said, decision: Decision | None, reason: str, *,
                count: bool = True) -> None:
        self.report.different += int(count)
        replayed = None if decision is None else twist_from_command(decision.command)
        error, worst = state_error(decision, said)
        if replayed is not None:
            self.report.worst = max(self.report.worst, error, abs(replayed[0] - said.speed),
                                    abs(replayed[1] - said.yaw_rate))
        if self.report.first is None:
            self.report.first = Difference(
                self._next, frame, said.stamp_ns,
                (said.stamp_ns - int(self._bag.stamps[0])) / 1e9, reason,
                (said.speed, said.yaw_rate), replayed, self._name(worst), error,
                '' if decision is None else decision.case.value)

    def _name(self, neuron: int) -> str:
        names = self._bag.names
        return '' if neuron < 0 else names[neuron] if neuron < len(names) else str(neuron)

    @staticmethod
    def _trial(policy: Policy) -> Policy:
        """Return a policy in the same state, whose steps do not touch ``policy``."""
        trial = copy.copy(policy)          # states are never changed in place
        trial.counts = dict(policy.counts)
        return trial
