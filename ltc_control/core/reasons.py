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
"""Why the gate did what it did, in words for people."""

from __future__ import annotations

import math

from ltc_control.core.contracts import InCommand, Verdict
from ltc_control.core.gate import GateState

_WORDS = {
    Verdict.PASS: 'the policy drives, as it asks',
    Verdict.LIMITED: 'the policy drives, inside the limits',
    Verdict.HUMAN: 'a person drives, inside the limits',
    Verdict.OBSTACLE_SLOW: 'slower, so that the car can stop before an obstacle',
    Verdict.NO_REQUEST: 'nobody has asked for anything yet',
    Verdict.STALE: 'the newest request is too old',
    Verdict.INVALID: 'the request is not finite or out of range',
    Verdict.NO_TELEMETRY: 'odometry is missing, not finite or too old',
    Verdict.SEARCH_OVER: 'turned round and round on the spot and found nothing to fly to',
    Verdict.OBSTACLE_BLIND: 'a sensor that watches the path is silent or covered',
    Verdict.OBSTACLE_STOP: 'an obstacle is close ahead',
    Verdict.TAKE_OVER: 'a person has taken over and sends no fresh command',
    Verdict.E_STOP: 'emergency stop, until it is released',
}


def in_words(verdict: Verdict) -> str:
    """Return what a verdict means, of a car or of a drone."""
    return _WORDS[verdict]


def reason(state: GateState) -> str:
    """Return one line on the last tick of the car's gate."""
    words = in_words(state.verdict)
    if state.verdict in (Verdict.OBSTACLE_SLOW, Verdict.OBSTACLE_STOP):
        words += f': {state.distance_m:.1f} m from the bumper along the path'
        if state.in_command is InCommand.HUMAN:
            words += ', for a person too'
    if state.hand_back is not None and math.isinf(state.distance_m):
        words += '; a person has just let go'
    return words
