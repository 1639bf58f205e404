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
Open a rosbag2 for reading: MCAP or sqlite3, with or without type definitions inside.

Whatever is wrong with the recording ends in a BagError that says how far it can be read and what
to do; the reading itself is done by ``rosbags``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
import logging
from pathlib import Path
from typing import Any

from ltc_control.core.errors import BagError
from ltc_control.data.messages import typestore
from ltc_control.data.rosbag2 import METADATA_FILE, PARTIAL_SUFFIX, SPOOL_SUFFIX
from ltc_control.data.spool import whole_messages
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

log = logging.getLogger(__name__)


class Recording:
    """
    One bag, open for reading; a context manager.

    ``types`` maps topics to message type names, ``counts`` to numbers of messages. Raises
    BagError when the bag is missing, truncated, empty or of another format.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        source = _source(self.path)
        try:
            self._reader = AnyReader([source], default_typestore=typestore())
            self._reader.open()
        except Exception as error:         # of a damaged file the decoders raise anything
            raise _unreadable(self.path, source, error) from error
        self.types: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        for connection in self._reader.connections:
            self.types[connection.topic] = connection.msgtype
            self.counts[connection.topic] = (self.counts.get(connection.topic, 0)
                                             + connection.msgcount)
        if not any(self.counts.values()):
            self.close()
            raise BagError(f'{str(self.path)!r} holds no messages; nothing was published while '
                           'it was recorded, record it again')

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last receive time."""
        return self._reader.start_time, self._reader.end_time - 1

    def messages(self, topics: Collection[str]) -> Iterator[tuple[str, int, Any]]:
        """Yield (topic, receive time [ns], message) of ``topics``, by receive time."""
        wanted = [link for link in self._reader.connections if link.topic in topics]
        self._know_types(wanted)
        done = 0
        try:
            for link, log_ns, raw in self._reader.messages(wanted):
                yield link.topic, log_ns, self._reader.deserialize(raw, link.msgtype)
                done += 1
        except Exception as error:
            raise _unreadable(self.path, _source(self.path), error, done=done) from error

    def _know_types(self, wanted: list[Connection]) -> None:
        """Take the types that the bag does not define from our own store."""
        ours, theirs = typestore(), self._reader.typestore
        for name in {link.msgtype for link in wanted} - set(theirs.fielddefs):
            if name not in ours.fielddefs:
                raise BagError(f'{str(self.path)!r} does not define its type {name!r}; '
                               'convert the bag with `ros2 bag convert` to MCAP')
            missing = {key: value for key, value in ours.fielddefs.items()
                       if key not in theirs.fielddefs}
            theirs.register(missing)

    def close(self) -> None:
        """Close the files."""
        self._reader.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _source(path: Path) -> Path:
    """Return what to open: the folder with its metadata, else the one storage file in it."""
    if not path.exists():
        raise BagError(f'{str(path)!r} does not exist; give a rosbag2 folder or a .mcap file')
    if path.name.endswith((PARTIAL_SUFFIX, SPOOL_SUFFIX)):
        raise BagError(f'{str(path)!r} was not finished by its writer; `ltc bag recover '
                       f'{path} OUT` saves what it holds')
    if path.is_file() or (path / METADATA_FILE).is_file():
        return path
    files = sorted(file for file in path.iterdir() if file.suffix in ('.mcap', '.db3'))
    if len(files) == 1:
        log.warning('%s has no %s; reading %s alone', path, METADATA_FILE, files[0].name)
        return files[0]
    raise BagError(f'{str(path)!r} is not a bag: no {METADATA_FILE} and {len(files)} .mcap or '
                   '.db3 files; give the folder that `ros2 bag record` made, or rebuild its '
                   'metadata with `ros2 bag reindex`')


def _unreadable(path: Path, source: Path, error: Exception, *,
                done: int | None = None) -> BagError:
    files = [source] if source.is_file() else sorted(source.glob('*.mcap'))
    for file in files:
        if file.suffix == '.mcap':
            count, complete = whole_messages(file)
            if not complete:
                advice = (f'`ltc bag recover {path} OUT` writes them into a new bag' if count
                          else 'record it again')
                return BagError(f'{str(file)!r} is truncated or damaged: {count} whole messages '
                                f'can be read ({error}); {advice}')
    where = '' if done is None else f' after {done} messages'
    return BagError(f'{str(path)!r} cannot be read{where}: {error}; check it with '
                    '`ros2 bag info`')
