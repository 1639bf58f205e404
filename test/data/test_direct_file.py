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
"""What is written past the cache is in the file, byte for byte, on every kind of disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path
import random

from ltc_control.data import direct_file
from ltc_control.data.direct_file import BLOCK, DirectFile
import pytest

SHARED_MEMORY = Path('/dev/shm')           # a disk of its own kind: it may refuse direct writes


def pieces(seed: int) -> list[bytes]:
    """Return pieces of all sizes, some longer than a block, some that end at one."""
    rng = random.Random(seed)
    sizes = [0, 1, 4095, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5]
    rng.shuffle(sizes)
    return [rng.randbytes(size) for size in sizes]


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('elsewhere', [False, True])
def test_every_byte_is_there(tmp_path: Path, seed: int, elsewhere: bool) -> None:
    if elsewhere and not SHARED_MEMORY.is_dir():
        pytest.skip('no /dev/shm here')
    path = SHARED_MEMORY / f'direct_file_{os.getpid()}' if elsewhere else tmp_path / 'file'
    try:
        file = DirectFile(path)
        for piece in pieces(seed):
            file.write(memoryview(piece))
        file.sync()
        file.close()
        assert path.read_bytes() == b''.join(pieces(seed))
    finally:
        path.unlink()


def test_a_disk_that_writes_in_part_or_refuses(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.write, [0]

    def grudging(number: int, data: memoryview) -> int:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(errno.EINVAL, 'not so')
        return real(number, data[:5000] if calls[0] % 2 == 0 else data)

    file = DirectFile(tmp_path / 'file')
    monkeypatch.setattr(direct_file.os, 'write', grudging)
    for piece in pieces(9):
        file.write(piece)
    file.sync()
    monkeypatch.undo()
    file.close()
    file.close()
    assert (tmp_path / 'file').read_bytes() == b''.join(pieces(9))


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, 'No space left on device')

    file = DirectFile(tmp_path / 'file')
    monkeypatch.setattr(direct_file.os, 'write', full)
    file.write(bytes(BLOCK))
    with pytest.raises(OSError, match='No space left'):
        file.sync()
    monkeypatch.undo()
    file.close()
