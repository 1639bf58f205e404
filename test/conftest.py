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
"""What this machine cannot run is left out, and said at the top of the output with what to do."""

from __future__ import annotations

import contextlib
import importlib.util
from pathlib import Path

NEEDS = {                                  # folder of tests -> package, and where it comes from
    'nets': ('torch', 'make setup-train, or pip install -r requirements/train.txt'),
    'training': ('torch', 'make setup-train, or pip install -r requirements/train.txt'),
    'nodes': ('rclpy', 'make setup, or source a ROS 2 install'),
    'system': ('rclpy', 'make setup, or source a ROS 2 install'),
    'sim': ('mujoco', 'make setup, or pip install -r requirements/sim.txt'),
    'data': ('rosbags', 'make setup, or pip install -r requirements/sim.txt'),
    'insight': ('rosbags', 'make setup, or pip install -r requirements/sim.txt'),
}
HERE = Path(__file__).resolve().parent
MISSING = {folder: need for folder, need in NEEDS.items()
           if (HERE / folder).is_dir() and importlib.util.find_spec(need[0]) is None}
collect_ignore = sorted(MISSING)

with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    # an example is not wrong because another process had the machine while it was drawn or tried
    settings.register_profile('any machine', deadline=None,
                              suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile('any machine')


def pytest_report_header() -> list[str]:
    return [f'NOT RUN: test/{folder}, because {package} is not installed; {advice}'
            for folder, (package, advice) in MISSING.items()]
