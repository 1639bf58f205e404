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
"""CRC-32, that of zlib and MCAP, by carry-less multiplication where isal is installed."""

from __future__ import annotations

try:
    from isal.isal_zlib import crc32
except ImportError:                        # the system's zlib says the same, three times slower
    from zlib import crc32

__all__ = ['crc32']
