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
Pictures of many recordings, on the disk instead of in memory.

Four hundred flights are 16 GB of pictures, more than a laptop has. Written once and mapped, the
system keeps as many in memory as it has room for; windows are read in stretches that a disk likes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
import tempfile
from typing import IO

from ltc_control.core.errors import BagError
from ltc_control.data.episodes import Episode
import numpy as np


def keep_on_disk(episodes: Iterable[Episode], folder: Path) -> list[Episode]:
    """
    Return ``episodes`` with their pictures in a nameless file on the disk of ``folder``, mapped.

    The folder need not exist yet. The file is gone with the process, however that ends. One
    mapping serves all: each holds a file descriptor, of which there are not many. Raises BagError
    when the disk is full or cannot be written to.
    """
    with _nameless_file(folder) as file:
        kept = [_written(one, file, folder) for one in episodes]
        if not kept:
            return []
        # copy on write: a network's library wants arrays that could be written to
        pixels = np.asarray(np.memmap(file, dtype=np.uint8, mode='c'))
    ends = np.cumsum([one.images.nbytes for one in kept])
    return [replace(one, images=pixels[end - one.images.nbytes:end].reshape(one.images.shape))
            for one, end in zip(kept, ends, strict=True)]


def _nameless_file(folder: Path) -> IO[bytes]:
    above = (folder.absolute(), *folder.absolute().parents)
    place = next(one for one in above if one.is_dir())
    try:
        return tempfile.TemporaryFile(dir=place, buffering=0)
    except OSError as err:
        raise BagError(f'cannot keep pictures in {str(place)!r}: {err.strerror}; train into a '
                       'folder that can be written to') from err


def _written(episode: Episode, file: IO[bytes], folder: Path) -> Episode:
    """Return the episode with pictures that take no memory and are not to be looked at."""
    images = np.ascontiguousarray(episode.images)
    before = file.tell()
    try:
        images.tofile(file)
    except OSError as err:
        raise BagError(
            f'cannot keep the pictures of {episode.name!r} ({images.nbytes / 1e6:.1f} MB, after '
            f'{before / 1e6:.1f} MB of others) in {str(folder)!r}: {err}; free space there, or '
            'train into a folder on another disk') from err
    return replace(episode, images=np.broadcast_to(np.uint8(0), images.shape))
