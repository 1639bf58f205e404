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
Recordings of other systems -> rosbag2, all through one door.

A new format is a function and a ``register(Format(...))``; ``door`` says what the function gets
and gives, docs/importing.md shows one.
"""

from __future__ import annotations

from ltc_control.data.importers.donkey import TUB
from ltc_control.data.importers.door import (
    Format,
    formats,
    Imported,
    Option,
    register,
    SourceError,
)
from ltc_control.data.importers.frames import FRAMES, import_frames
from ltc_control.data.importers.mapping import load_mapping, TableMapping
from ltc_control.data.importers.video import import_video, VIDEO

__all__ = ['FRAMES', 'TUB', 'VIDEO', 'Format', 'Imported', 'Option', 'SourceError',
           'TableMapping', 'formats', 'import_frames', 'import_video', 'load_mapping', 'register']
