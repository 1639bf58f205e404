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
"""Pictures on the disk: the same to the bit, no memory taken, nothing left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import re
import subprocess
import sys

from ltc_control.core.errors import BagError
from ltc_control.data.episodes import Episode
from ltc_control.data.pictures import keep_on_disk
from ltc_control.data.windows import WindowStream
import numpy as np
import pytest


def drive(seed: int, *, frames: int = 50, height: int = 6, width: int = 10) -> Episode:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (frames, height, width, 3), np.uint8)
    return Episode(f'drive_{seed}', {}, np.arange(frames, dtype=np.int64), images,
                   np.zeros((frames, 0), np.float32), np.full(frames, 1 / 30, np.float32),
                   np.zeros((frames, 2), np.float32), np.ones(frames, bool),
                   np.arange(frames) == 0)


def anonymous_bytes() -> int:
    """Return what the system cannot drop of this process's memory without swapping."""
    status = Path('/proc/self/status').read_text()
    found = re.search(r'RssAnon:\s+(\d+) kB', status)
    assert found is not None
    return 1024 * int(found[1])


def test_pictures_are_the_same_and_no_file_is_left(tmp_path: Path) -> None:
    drives = [drive(seed, frames=7 * seed + 5) for seed in range(5)]
    last = drive(9)
    drives.append(replace(last, images=last.images[:, ::-1]))    # not in one piece
    kept = keep_on_disk(iter(drives), tmp_path / 'not' / 'there')
    for one, mapped in zip(drives, kept, strict=True):
        np.testing.assert_array_equal(one.images, mapped.images)
        assert (one.name, one.images.dtype) == (mapped.name, mapped.images.dtype)
        np.testing.assert_array_equal(one.images[2:5, ::-1], mapped.images[2:5, ::-1])
    assert not list(tmp_path.iterdir())


def test_windows_are_the_same(tmp_path: Path) -> None:
    drives = [drive(seed) for seed in range(4)]
    streams = [WindowStream(episodes, batch=3, length=8, seed=2, longest_run=40, strides=(1,))
               for episodes in (drives, keep_on_disk(drives, tmp_path))]
    for _ in range(20):
        plain, mapped = (stream.next_batch()['images'] for stream in streams)
        np.testing.assert_array_equal(plain, mapped)


def test_pictures_take_no_memory_of_the_process(tmp_path: Path) -> None:
    each = 40 * 200 * 400 * 3
    keep_on_disk([drive(0, frames=2)], tmp_path)
    before = anonymous_bytes()
    kept = keep_on_disk((drive(seed, frames=40, height=200, width=400) for seed in range(12)),
                        tmp_path)
    read = sum(int(one.images.max()) for one in kept)            # every page is touched
    assert read == 12 * 255
    assert anonymous_bytes() - before < 3 * each                 # of 12


FULL_DISK = """
from pathlib import Path
import resource
import sys

from ltc_control.core.errors import BagError
from ltc_control.data.episodes import Episode
from ltc_control.data.pictures import keep_on_disk
import numpy as np

many = [Episode(f'drive_{at}', {}, np.arange(100), np.zeros((100, 6, 10, 3), np.uint8),
                np.zeros((100, 0)), np.zeros(100), np.zeros((100, 2)), np.ones(100, bool),
                np.zeros(100, bool)) for at in range(4, 100)]
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    keep_on_disk(many, Path(sys.argv[1]))
except BagError as err:
    print(err)
"""


def test_a_full_disk_is_said_with_the_recording_and_the_folder(tmp_path: Path) -> None:
    # a limit to all files of a process stands for the disk. Not of this process: where its output
    # goes to a file that is longer by now, the tests themselves could say no more
    ran = subprocess.run([sys.executable, '-c', FULL_DISK, str(tmp_path)], text=True,
                         capture_output=True, timeout=60, check=True)
    assert "keep the pictures of 'drive_7'" in ran.stdout    # 18 kB each: the fourth
    assert str(tmp_path) in ran.stdout
    assert 'free space there, or train into a folder on another disk' in ran.stdout


def test_a_place_that_takes_no_file_is_said() -> None:
    with pytest.raises(BagError, match=r"cannot keep pictures in '/proc'.*can be written to"):
        keep_on_disk([drive(1)], Path('/proc/nowhere/model'))
