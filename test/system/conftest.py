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
"""What the tests of nodes use, used by whole systems too."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

_spec = spec_from_file_location(
    'conftest_of_nodes', Path(__file__).parents[1] / 'nodes' / 'conftest.py')
_nodes = module_from_spec(_spec)
_spec.loader.exec_module(_nodes)

model = _nodes.model
ros_environment = _nodes.ros_environment
stage = _nodes.stage
