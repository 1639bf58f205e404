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
"""What came of a replay: how many decisions came out again, and the first that did not."""

from __future__ import annotations

from dataclasses import dataclass, field

MISSING_FRAME = 'its frame is not in the bag'
NO_CHECKPOINT = ('the recording begins in the middle of a drive and holds no /policy/neurons to '
                 'begin from')
ROUNDING = 1e-4                            # of a state or a command: no other cause is so small


@dataclass(frozen=True)
class Difference:
    """
    One recorded decision that did not come out; None where there was nothing to compare.

    ``neuron`` is the one that differs most, by ``state_error``; errors are absolute.
    """

    number: int                            # of the decision in the recording, from 0
    frame: int | None                      # of the frame in the recording, from 0
    stamp_ns: int
    seconds: float                         # after the first frame
    reason: str                            # '' where only the numbers differ
    recorded: tuple[float, float] | None = None     # speed [m/s], yaw rate [rad/s]
    replayed: tuple[float, float] | None = None
    neuron: str = ''
    state_error: float = 0.0
    case: str = ''                         # of the policy's input


@dataclass
class ReplayReport:
    """What came of a replay; ``begun`` is 'zero state', 'checkpoint' or '' (nowhere)."""

    frames: int
    decisions: int
    begun: str = ''
    skipped: int = 0                       # decisions before the replay began
    equal: int = 0
    different: int = 0
    missing: int = 0                       # decisions without their frame: also different
    unseen: int = 0                        # frames that no decision came from
    first: Difference | None = None
    worst: float = 0.0                     # largest error of a command or a state
    cases: dict[str, int] = field(default_factory=dict)
    explained: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many decisions were held against the recording."""
        return self.equal + self.different

    @property
    def exact(self) -> bool:
        """Say whether every one of them, and at least one, came out bit for bit."""
        return self.equal > 0 and not self.different and self.first is None
