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
Memory for large messages that is used again instead of being given back after each.

glibc maps anew whatever is larger than 128 KB and returns it to the system when it is freed: each
image then costs a page fault for every 4 KB, twice. That was half of a recorder's processor time.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of mallopt(3)
LARGEST = 32 << 20                         # the most that glibc allows
KEPT = 512 << 20                           # free memory at the end of the heap that stays ours


def keep_memory() -> bool:
    """Tell the allocator to keep memory; False where it is not glibc's, and nothing changes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGEST) and mallopt(_TRIM_THRESHOLD, KEPT))
