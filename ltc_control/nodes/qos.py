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
"""Qualities of service by what a topic is for; in lockstep nothing may be lost."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
# depth counts over all writers together: with 1, of three nodes that are ready two are forgotten
LATCHED_MANY = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE,
                          durability=DurabilityPolicy.TRANSIENT_LOCAL)
EVENT = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
REPORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


def sensor(depth: int, *, lockstep: bool) -> QoSProfile:
    """Return best effort with ``depth``: newest wins; reliable, nothing dropped, in lockstep."""
    if lockstep:
        return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=max(depth, 200),
                          reliability=ReliabilityPolicy.RELIABLE)
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)


def command(*, lockstep: bool) -> QoSProfile:
    """Return reliable with depth 1: an old command is worth nothing; deeper in lockstep."""
    return QoSProfile(depth=200 if lockstep else 1, reliability=ReliabilityPolicy.RELIABLE)
