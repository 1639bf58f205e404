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
"""A floor under the free space of a disk: a recording stops above it and never fills one."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path

MB = 1_000_000


@dataclass(frozen=True)
class DiskFloor:
    """``folder`` (or the nearest one above it that exists) keeps ``bytes`` free."""

    folder: Path
    bytes: int  # noqa: A003

    def free(self) -> int:
        """Return the free bytes that are ours to use; 0 where the disk cannot be asked."""
        place = self.folder
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            status = os.statvfs(place)
        except OSError:
            return 0
        return status.f_bavail * status.f_frsize

    def refusal(self, *, spooled: int = 0) -> str:
        """
        Return why nothing more may be recorded, in words; empty where there is room.

        ``spooled`` bytes are needed once more while a spool is made into a bag, and count as used.
        """
        free = self.free()
        if free - spooled >= self.bytes:
            return ''
        beside = f' and {spooled / MB:.0f} MB to finish the recording' if spooled else ''
        return (f'{free / MB:.0f} MB are free under {str(self.folder)!r}, and '
                f'{self.bytes / MB:.0f} MB{beside} must stay so; remove recordings or lower '
                'floor_mb')
