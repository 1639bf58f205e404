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
What the policy would have asked for under other conditions, frame by frame, open loop.

The recorded drive goes on as it went; only what the policy sees of it changes. So the numbers say
how far one decision after the other leaves the recorded one, and where: not where the car would
have ended up. Lost frames cost as on the car: the newest command stands until the next one, and
the next step in time is longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltc_control.core.contracts import Command, Frame, PolicyState
from ltc_control.core.errors import BagError, ConfigError
from ltc_control.core.geometry import command_from_twist, twist_from_command
from ltc_control.core.policy import Policy
from ltc_control.insight.replay_bag import ImuFeed, ReplayBag, Said, SeenFrame
import numpy as np

Redraw = Callable[[SeenFrame], np.ndarray]


@dataclass(frozen=True)
class Conditions:
    """
    What is changed; as delivered, nothing.

    ``drop`` is the share of frames that get lost, ``rate_hz`` the most frames a second,
    ``noise_var`` the variance of Gaussian noise on images scaled to 0 ... 1.
    """

    drop: float = 0.0
    rate_hz: float | None = None
    noise_var: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.drop < 1.0:
            raise ConfigError(f'--drop is the share of frames that are lost, in [0, 1), got '
                              f'{self.drop!r}')
        if self.rate_hz is not None and not 0.1 <= self.rate_hz <= 1000.0:
            raise ConfigError(f'--rate is frames a second, 0.1 ... 1000, got {self.rate_hz!r}')
        if not 0.0 <= self.noise_var <= 1.0:
            raise ConfigError(f'--noise is a variance on images scaled to 0 ... 1, got '
                              f'{self.noise_var!r}')
        if self.seed < 0:
            raise ConfigError(f'--seed must not be negative, got {self.seed!r}')


@dataclass(frozen=True)
class WhatIf:
    """
    K recorded decisions and what stood at their time under the conditions.

    ``recorded`` and ``other`` are (K, 2): curvature [1/m], speed [m/s]. ``stepped`` (K,) says on
    which frames the policy stepped. ``states`` (K, 2, N) holds the recorded neurons and the
    other's, (K, 2, 0) where they are not comparable.
    """

    stamps_ns: np.ndarray
    recorded: np.ndarray
    other: np.ndarray
    stepped: np.ndarray
    states: np.ndarray
    names: tuple[str, ...]

    @property
    def seconds(self) -> np.ndarray:
        """Since the first decision, (K,)."""
        return np.asarray((self.stamps_ns - self.stamps_ns[0]) * 1e-9)


def what_if(bag: ReplayBag, policy: Policy, conditions: Conditions, *,
            redraw: Redraw | None = None,
            advance: Callable[..., None] | None = None) -> WhatIf:
    """
    Replay the frames that the policy saw under ``conditions``, from the first recorded state.

    ``redraw`` gives other pixels for a frame. Raises BagError where fewer than two decisions have
    their frame.
    """
    run = _Run(bag, policy, conditions)
    numbers = {index: number for number, index in enumerate(bag.frames_of_decisions())
               if index is not None}
    for frame in bag.frames():
        run.feed.advance(frame)
        if frame.index in numbers and frame.rgb is not None:
            run.take(frame, bag.said[numbers[frame.index]], redraw)
        if advance is not None:
            advance()
    return run.result()


class _Run:

    def __init__(self, bag: ReplayBag, policy: Policy, conditions: Conditions) -> None:
        self._bag, self._policy, self._conditions = bag, policy, conditions
        self.feed = ImuFeed(bag.samples)
        self._drops = np.random.default_rng([conditions.seed, 0])
        self._due_ns: float | None = None
        steps = np.diff(bag.stamps)
        self._step_ns = float(np.median(steps)) if len(steps) else 0.0
        self._last_ns: int | None = None   # of the last frame stepped on
        self._now: tuple[float, float] | None = None
        self._rows: list[tuple[int, tuple[float, float], tuple[float, float], bool]] = []
        self._states: list[tuple[np.ndarray, np.ndarray]] = []
        policy.reset()

    def take(self, frame: SeenFrame, said: Said, redraw: Redraw | None) -> None:
        """Take in the next frame that the policy saw, with what it said."""
        recorded = _curvature_speed(said.speed, said.yaw_rate)
        if self._now is None and self._load(said):
            self._now = recorded
            self._note(said, recorded, stepped=True)
            return
        kept = self._keeps(frame.stamp_ns) or self._now is None
        if kept:
            self._step(frame, redraw)
        assert self._now is not None
        self._note(said, recorded, stepped=kept)

    def result(self) -> WhatIf:
        """Return all of it."""
        if len(self._rows) < 2:
            raise BagError(f'{len(self._rows)} decisions in {str(self._bag.path)!r} have their '
                           'frame; two are needed to compare anything')
        stamps, recorded, other, stepped = zip(*self._rows, strict=True)
        states = (np.array(self._states) if len(self._states) == len(self._rows)
                  else np.empty((len(self._rows), 2, 0)))
        return WhatIf(np.array(stamps, np.int64), np.array(recorded), np.array(other),
                      np.array(stepped), states, self._bag.names)

    def _load(self, said: Said) -> bool:
        """Begin with the recorded state, where there is one that fits."""
        if said.state is None or said.state.shape != self._policy.state.neurons.shape:
            return False
        self._policy.state = PolicyState(said.state.astype(np.float32), said.stamp_ns)
        self._last_ns = said.stamp_ns
        self._due_ns = said.stamp_ns + self._period_ns
        return True

    @property
    def _period_ns(self) -> float:
        rate = self._conditions.rate_hz
        return 1e9 / rate if rate else 0.0

    def _keeps(self, stamp_ns: int) -> bool:
        """Thin out to the rate, then lose some of what is left."""
        slack_ns = 0.5 * self._step_ns     # the frame nearest to when one is due
        if self._period_ns and self._due_ns is not None:
            if stamp_ns + slack_ns <= self._due_ns:
                return False
            late = stamp_ns - self._due_ns > self._period_ns
            self._due_ns = (stamp_ns if late else self._due_ns) + self._period_ns
        return bool(self._drops.random() >= self._conditions.drop)

    def _step(self, frame: SeenFrame, redraw: Redraw | None) -> None:
        rgb = frame.rgb if redraw is None else redraw(frame)
        assert rgb is not None
        if self._conditions.noise_var:
            rgb = noisy(rgb, self._conditions.noise_var,
                        np.random.default_rng([self._conditions.seed, 1, frame.index]))
        window = self.feed.buffer.window(after_ns=self._last_ns, until_ns=frame.stamp_ns)
        decision = self._policy.step(Frame(frame.stamp_ns, rgb), window)
        self._last_ns = frame.stamp_ns
        if self._due_ns is None:
            self._due_ns = frame.stamp_ns + self._period_ns
        # by way of a message, so that an unchanged decision equals the recorded one exactly
        self._now = _curvature_speed(*twist_from_command(decision.command))

    def _note(self, said: Said, recorded: tuple[float, float], *, stepped: bool) -> None:
        assert self._now is not None
        self._rows.append((said.stamp_ns, recorded, self._now, stepped))
        ours = self._policy.state.neurons
        if said.state is not None and said.state.shape == ours.shape:
            self._states.append((said.state, ours.astype(np.float64)))


def noisy(rgb: np.ndarray, variance: float, rng: np.random.Generator) -> np.ndarray:
    """Return (H, W, 3) uint8 with Gaussian noise of ``variance`` on the scale 0 ... 1."""
    sigma = np.float32(255.0 * variance**0.5)
    image = rgb + sigma * rng.standard_normal(rgb.shape, dtype=np.float32)
    return np.rint(np.clip(image, 0.0, 255.0)).astype(np.uint8)


def _curvature_speed(speed: float, yaw_rate: float) -> tuple[float, float]:
    command: Command = command_from_twist(stamp_ns=0, speed=speed, yaw_rate=yaw_rate)
    return command.curvature, command.speed
