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
Whether a process that is watched is well: what a manager knows of it, without middleware.

A node is told to configure and to activate until it has been active once; whoever makes it
inactive afterwards means it. One that is away longer than it may be, or that dies again and again,
is given up, and stays so: the vehicle is to stand until a person has looked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = 'unconfigured', 'inactive', 'active', 'finalized'
AWAY = 'away'


@dataclass(frozen=True)
class SupervisionRules:
    """How patient a manager is; seconds."""

    answer_s: float = 1.0                  # silent for longer: away
    patience_s: float = 15.0               # not active for longer: given up
    most_deaths: int = 5                   # more within the window: given up
    window_s: float = 60.0


@dataclass
class Watched:
    """One node under watch; times are those of one monotonic clock [s]."""

    rules: SupervisionRules
    since: float                           # when the watch began
    state: str = AWAY
    deaths: int = 0                        # in all
    given_up: str = ''                     # why, for good
    _heard: float = float('-inf')
    _well: float = field(init=False)
    _was_active: bool = False              # since it last came up
    _recent: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._well = self.since

    def hear(self, state: str, *, now: float) -> None:
        """Take in a state that the node has told."""
        if self._was_active and state in (UNCONFIGURED, FINALIZED):
            self._die(now)                 # it is another one, or was taken down
        self.state, self._heard = state, now
        self._was_active |= state == ACTIVE
        if state == ACTIVE or (state == INACTIVE and self._was_active):
            self._well = now

    def excuse(self, seconds: float) -> None:
        """Leave out so much time, in which the watcher itself had no turn and heard nobody."""
        self._heard += seconds
        self._well += seconds

    def check(self, *, now: float) -> str:
        """
        Return the transition to ask for now, 'configure' or 'activate', or ''.

        Notes on the way that the node is away, or given up.
        """
        if now - self._heard > self.rules.answer_s and self.state != AWAY:
            if self._was_active:
                self._die(now)
            self.state = AWAY
        while self._recent and now - self._recent[0] > self.rules.window_s:
            self._recent.popleft()
        if not self.given_up:
            self.given_up = self._despair(now)
        if self.state == UNCONFIGURED:
            return 'configure'
        return 'activate' if self.state == INACTIVE and not self._was_active else ''

    def _die(self, now: float) -> None:
        self.deaths += 1
        self._recent.append(now)
        self._was_active = False

    def _despair(self, now: float) -> str:
        if len(self._recent) > self.rules.most_deaths:
            return f'died {len(self._recent)} times within {self.rules.window_s:g} s'
        if now - self._well > self.rules.patience_s:
            return f'{self.state} for {now - self._well:.0f} s'
        return ''
