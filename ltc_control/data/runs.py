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
Where the recording of a run is: ``runs/latest``, a run folder, a bag folder or a .mcap file.

Every command that reads a drive finds its bag here, so that all take the same names.
"""

from __future__ import annotations

import os
from pathlib import Path

from ltc_control.core.errors import BagError
from ltc_control.data.rosbag2 import METADATA_FILE, PARTIAL_SUFFIX, SPOOL_SUFFIX

LATEST = 'latest'
BAG = 'bag'                                # of a run folder
_STORAGE = ('.mcap', '.db3')


def find_run_bag(path: Path | str) -> Path:
    """
    Return the bag folder or storage file to read for ``path``.

    ``path`` is a run folder (its ``bag`` counts, else the one bag in it), a bag folder, or a
    .mcap or .db3 file. Raises BagError where nothing is there, a link leads nowhere, a recording
    was not finished, or several bags are there to choose from.
    """
    path = Path(path)
    if not path.exists():
        raise BagError(_missing(path))
    if path.is_file():
        if path.suffix not in _STORAGE:
            raise BagError(f'{str(path)!r} is no recording; give a run folder, a bag folder or '
                           'a .mcap file')
        return path
    _refuse_unfinished(path)
    if _is_bag(path):
        return path
    if _is_bag(path / BAG):
        return path / BAG
    found = sorted(inner for inner in path.iterdir() if _is_bag(inner))
    if len(found) == 1:
        return found[0]
    if found:
        names = [inner.name for inner in found]
        raise BagError(f'{str(path)!r} holds {len(found)} bags: {names[:5]!r}'
                       f'{" ..." if len(names) > 5 else ""}; name one of them')
    for inner in (path / f'{BAG}{SPOOL_SUFFIX}', path / f'{BAG}{PARTIAL_SUFFIX}'):
        if inner.exists():
            _refuse_unfinished(inner)
    raise BagError(f'no bag in {str(path)!r}: no {BAG!r} folder, {METADATA_FILE} or .mcap file '
                   'there; record one with `ltc drive`')


def find_damaged(path: Path | str) -> Path:
    """
    Return what to recover for ``path``: of a run folder its spool, else its bag; else ``path``.

    A run whose recorder was killed holds ``bag.spool``. Raises BagError where nothing is there.
    """
    path = Path(path)
    if not path.exists():
        raise BagError(_missing(path))
    if path.is_file() or any(path.glob('*.mcap')):
        return path
    inner = [path / f'{BAG}{suffix}' for suffix in (SPOOL_SUFFIX, PARTIAL_SUFFIX, '')]
    return next((place for place in inner if place.is_dir()), path)


def link_latest(folder: Path | str) -> None:
    """
    Let ``latest`` beside the run ``folder`` lead to it, as a relative link.

    A file or folder that is really called so is left alone.
    """
    folder = Path(folder)
    link = folder.with_name(LATEST)
    if folder.name == LATEST or (link.exists() and not link.is_symlink()):
        return
    # made under another name and renamed, so that no reader ever finds the link missing
    fresh = folder.with_name(f'.{LATEST}.{os.getpid()}')
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name, target_is_directory=True)
    fresh.replace(link)


def _missing(path: Path) -> str:
    if path.is_symlink():
        return (f'{str(path)!r} is a link to {str(path.readlink())!r}, which is gone; drive '
                'again, or name a run folder')
    return (f'{str(path)!r} does not exist; give a run folder (like runs/{LATEST}), a bag folder '
            'or a .mcap file')


def _is_bag(path: Path) -> bool:
    if not path.is_dir() or path.suffix in (PARTIAL_SUFFIX, SPOOL_SUFFIX):
        return False
    return (path / METADATA_FILE).is_file() or any(
        file.suffix in _STORAGE for file in path.iterdir())


def _refuse_unfinished(path: Path) -> None:
    if path.suffix in (PARTIAL_SUFFIX, SPOOL_SUFFIX):
        raise BagError(f'{str(path)!r} is a recording that was not finished; '
                       f'`ltc bag recover {path} OUT` saves what is in it')
