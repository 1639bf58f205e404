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
Type hashes as REP-2016 defines them, from the text of a type and without ROS.

``ros2 bag play`` and the graph tools compare them, so that two layouts of one name do not meet.
"""

from __future__ import annotations

import functools

from ltc_control.data.messages import definition
from rosbags.typesys import get_types_from_msg
from rosbags.typesys.store import Typestore


@functools.lru_cache(maxsize=512)
def hash_of_text(type_name: str, text: str, encoding: str = 'ros2msg') -> str:
    """
    Return ``RIHS01_...`` of a type whose definition, and all that it contains, is ``text``.

    Empty for a definition that is not ``ros2msg`` or cannot be parsed: no hash is no claim.
    """
    if encoding != 'ros2msg':
        return ''
    try:
        store = Typestore({})
        store.register(get_types_from_msg(text, type_name))
        return str(store.hash_rihs01(type_name))
    except Exception:                      # of a text from a damaged file the parser raises all
        return ''


def type_hash(type_name: str) -> str:
    """Return ``RIHS01_...`` of a type that this machine knows; raises BagError otherwise."""
    return hash_of_text(type_name, definition(type_name))
