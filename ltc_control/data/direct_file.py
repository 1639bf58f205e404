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
A file that is written once, from the first byte to the last, past the cache of the system.

A bag is not read again soon, so its pages in the cache are work for nothing: taking a fresh page
for every 4 KB can cost more processor time than compressing what stands in it. Whole blocks go to
the disk from two buffers, by a thread of its own while the next is filled; the rest at the end,
and everything on a file system that cannot do it, goes the usual way.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
import errno
import fcntl
import mmap
import os
from pathlib import Path

BLOCK = 1 << 20                            # a multiple of every disk's sectors
_DIRECT = getattr(os, 'O_DIRECT', 0)


class DirectFile:
    """
    Writes ``path`` anew; what is written is in the file after ``sync``.

    Raises OSError, at the latest in ``sync``.
    """

    def __init__(self, path: Path) -> None:
        self._number = _opened(path)
        # each begins at a page, as direct writes need
        self._blocks = deque(memoryview(mmap.mmap(-1, BLOCK)) for _ in range(2))
        self._filled = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix='file')
        self._underway: Future[None] | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``; it is not needed any longer afterwards."""
        rest = memoryview(data).cast('B')
        while rest:
            size = min(len(rest), BLOCK - self._filled)
            self._blocks[0][self._filled:self._filled + size] = rest[:size]
            self._filled += size
            rest = rest[size:]
            if self._filled == BLOCK:
                self._hand_over()

    def sync(self) -> None:
        """Bring everything to the disk; nothing may be written afterwards."""
        self._wait()
        self._go_by_cache()                # what is left is no whole block
        self._put_out(self._blocks[0][:self._filled])
        self._filled = 0
        os.fsync(self._number)

    def close(self) -> None:
        """Close the file as it is."""
        if self._number >= 0:
            self._writer.shutdown()
            os.close(self._number)
            self._number = -1

    def _hand_over(self) -> None:
        """Let the thread write the block that is full, and go on in the other."""
        self._wait()
        self._underway = self._writer.submit(self._put_out, self._blocks[0])
        self._blocks.rotate()
        self._filled = 0

    def _wait(self) -> None:
        underway, self._underway = self._underway, None
        if underway is not None:
            underway.result()

    def _put_out(self, block: memoryview) -> None:
        at = 0
        while at < len(block):
            try:
                at += os.write(self._number, block[at:])
            except OSError as error:
                if error.errno != errno.EINVAL or not self._is_direct():
                    raise
                self._go_by_cache()        # it opened, but cannot do it
            else:
                if at % mmap.PAGESIZE and at < len(block):
                    self._go_by_cache()    # written in part: no longer at a block

    def _is_direct(self) -> bool:
        return bool(fcntl.fcntl(self._number, fcntl.F_GETFL) & _DIRECT)

    def _go_by_cache(self) -> None:
        flags = fcntl.fcntl(self._number, fcntl.F_GETFL)
        fcntl.fcntl(self._number, fcntl.F_SETFL, flags & ~_DIRECT)


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        return os.open(path, flags | _DIRECT, 0o644)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.open(path, flags, 0o644)
