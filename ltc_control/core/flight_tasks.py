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
"""What a drone is asked to do, stated once for the pilot, the judge and the reader of a bag."""

from __future__ import annotations

STAND_OFF_M = {'reach': 1.5, 'follow': 3.0}    # to the middle of the target, by task
TASKS = tuple(STAND_OFF_M)
REACHED_M = 2.0                            # a target this near counts as reached
