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
"""Offered qualities of service as the text that a bag keeps, so that playing offers them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import HistoryPolicy, QoSProfile
import yaml


def offered(publishers: Sequence[Any]) -> str:
    """Return the YAML text of metadata version 8: one profile a publisher, numbers for names."""
    return yaml.safe_dump([_plain(item.qos_profile) for item in publishers], sort_keys=False)


def _plain(profile: QoSProfile) -> dict[str, object]:
    # the graph does not tell history and depth; "unknown" and 0 are what rosbag2 writes then
    history = profile.history
    return {
        'history': int(HistoryPolicy.UNKNOWN if history is None else history),
        'depth': profile.depth or 0,
        'reliability': int(profile.reliability),
        'durability': int(profile.durability),
        'deadline': _span(profile.deadline),
        'lifespan': _span(profile.lifespan),
        'liveliness': int(profile.liveliness),
        'liveliness_lease_duration': _span(profile.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': bool(profile.avoid_ros_namespace_conventions)}


def _span(duration: Duration) -> dict[str, int]:
    seconds, nanoseconds = divmod(duration.nanoseconds, 1_000_000_000)
    return {'sec': seconds, 'nsec': nanoseconds}
