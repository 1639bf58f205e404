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
A crash-safe recording: every message is on its way to the disk when ``write`` returns.

The spool is a folder ``NAME.spool`` with unchunked MCAP files, written with one call to the system
a batch, so ``kill -9`` costs at most the batch being written. A mark with a CRC-32 stands before
each record: what a power cut leaves of the last second (pages that were not written yet read as
zeros) is told from what is whole. A thread syncs to the disk once a second. ``finish``, or
``recover`` on the next start, rewrites the spool into an indexed rosbag2 folder ``NAME``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import shutil
import threading
from typing import NamedTuple

from ltc_control.core.errors import BagError
from ltc_control.data.mcap_file import encoded, MAGIC, mark, message_head, PROFILE
from ltc_control.data.messages import definition
from ltc_control.data.recovery import (
    find_spools,
    finish_leftovers,
    recover,
    Recovery,
    whole_messages,
)
from ltc_control.data.rosbag2 import (
    LIBRARY,
    METADATA_RECORD,
    SPOOL_SUFFIX,
    sync_folder,
    Topic,
)
from mcap.records import DataEnd, Footer, Header, Metadata, Schema

__all__ = ['Received', 'Recovery', 'SPOOL_FILE', 'SpoolWriter', 'Split', 'find_spools',
           'finish_leftovers', 'recover', 'whole_messages']

SPOOL_FILE = 'spool.mcap'                  # then spool_0001.mcap, ...
_SYNC_EVERY_S = 1.0
_MOST_BUFFERS = 900                        # of one writev(2); Linux takes 1024


class Received(NamedTuple):
    """One message as it came: the bytes, when it came, when it was sent (0: not known)."""

    topic: str
    type_name: str
    cdr: bytes
    received_ns: int
    sent_ns: int = 0


@dataclass(frozen=True)
class Split:
    """A file ends when it has ``bytes`` or spans ``seconds``, whichever is first; 0: never."""

    bytes: int = 0  # noqa: A003
    seconds: float = 0.0

    def is_due(self, *, size: int, span_ns: int) -> bool:
        """Say whether a file of ``size`` bytes over ``span_ns`` is long enough."""
        return bool((self.bytes and size >= self.bytes)
                    or (self.seconds and span_ns >= self.seconds * 1e9))


class _File:
    """One MCAP of a spool: appended to, never read; a failed write leaves it as it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(self.number, fcntl.LOCK_EX)        # says that its recorder is alive
        self.size = 0
        self.first_ns: int | None = None
        self._syncer = _Syncer(self.number)
        self.append([MAGIC, encoded(Header(PROFILE, LIBRARY))])

    def append(self, parts: Sequence[bytes]) -> None:
        """Write ``parts`` or nothing; raises OSError."""
        try:
            for begin in range(0, len(parts), _MOST_BUFFERS):
                _write_all(self.number, parts[begin:begin + _MOST_BUFFERS])
        except OSError:
            os.ftruncate(self.number, self.size)
            os.lseek(self.number, self.size, os.SEEK_SET)
            raise
        self.size += sum(map(len, parts))

    def end(self) -> None:
        """Write the proper end, sync and close."""
        try:
            self.append([encoded(DataEnd(0)), encoded(Footer(0, 0, 0)), MAGIC])
            os.fsync(self.number)
        finally:
            self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self.number >= 0:
            self._syncer.stop()
            os.close(self.number)
            self.number = -1


def _write_all(number: int, parts: Sequence[bytes]) -> None:
    waiting = list(parts)
    while waiting:
        written = os.writev(number, waiting)
        while waiting and written >= len(waiting[0]):
            written -= len(waiting.pop(0))
        if waiting and written:
            waiting[0] = waiting[0][written:]


class _Syncer:
    """A thread that brings a file to the disk once a second: the writer never waits for it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name='spool sync', daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(_SYNC_EVERY_S):
            try:
                os.fdatasync(self._number)
                # pages that nobody will read soon: used again, they cost a fifth of fresh ones
                os.posix_fadvise(self._number, 0, 0, os.POSIX_FADV_DONTNEED)
            except OSError:                # the writer meets the same error, and tells it
                return

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


class SpoolWriter:
    """
    Records serialised messages for a bag folder ``path`` that appears with ``finish``.

    ``split`` says when to go on in a new file. Raises BagError when ``path`` or an unfinished
    spool of it exists (recover that first). ``write`` raises BagError when the disk takes no more:
    what was written before stays whole.
    """

    def __init__(self, path: Path | str, *, attributes: Mapping[str, str] | None = None,
                 split: Split | None = None) -> None:
        self.path = Path(path)
        self.spool = self.path.with_name(self.path.name + SPOOL_SUFFIX)
        if self.path.exists():
            raise BagError(f'{str(self.path)!r} exists already; remove it or name another bag')
        if self.spool.exists():
            raise BagError(f'{str(self.spool)!r} was left by a recording that did not finish; '
                           f'`ltc bag recover {self.spool} OUT` saves it, or remove it')
        self._attributes = dict(attributes or {})
        self._split = split or Split()
        self._topics: dict[str, tuple[int, Topic]] = {}
        self.messages = 0
        self._ended_bytes = 0              # of the files before the current one
        self._files = 0
        try:
            self.spool.mkdir(parents=True)
            self._file = self._start_file()
            sync_folder(self.spool.parent)
        except OSError as error:
            raise BagError(f'cannot record to {str(self.path)!r}: {error}') from error

    @property
    def bytes(self) -> int:  # noqa: A003
        """Bytes on disk so far."""
        return self._ended_bytes + self._file.size

    @property
    def files(self) -> int:
        """Files so far, the current one counted."""
        return self._files

    def declare(self, topic: Topic) -> None:
        """Say what is known of a topic before its first message; a known topic stays."""
        if topic.name not in self._topics:
            self._topics[topic.name] = (len(self._topics) + 1, topic)
            self._append(self._declaration(topic.name))

    def write(self, topic: str, type_name: str, cdr: bytes, stamp_ns: int, *,
              sent_ns: int = 0) -> None:
        """Append one message received at ``stamp_ns``; it survives a kill from here on."""
        self.write_all([Received(topic, type_name, cdr, stamp_ns, sent_ns)])

    def write_all(self, batch: Sequence[Received]) -> None:
        """Append messages with one call to the system; all of them, or none and a BagError."""
        if not batch:
            return
        newest_ns = max(item.received_ns for item in batch)
        if self._file.first_ns is None:
            self._file.first_ns = min(item.received_ns for item in batch)
        elif self._split.is_due(size=self._file.size, span_ns=newest_ns - self._file.first_ns):
            self._next_file()
            self._file.first_ns = min(item.received_ns for item in batch)
        self._put(batch)

    def begin_with(self, standing: Sequence[Received]) -> None:
        """Append what was said before and still holds; it is as old as it is, and ends no file."""
        self._put(sorted(standing, key=lambda item: item.received_ns))

    def _put(self, batch: Sequence[Received]) -> None:
        parts: list[bytes] = []
        for count, item in enumerate(batch):
            number = self._number(item)
            head = message_head(number, self.messages + count, item.received_ns,
                                item.sent_ns or item.received_ns, len(item.cdr))
            parts += (mark(head, item.cdr), head, item.cdr)
        self._append(parts)
        self.messages += len(batch)

    def _number(self, item: Received) -> int:
        known = self._topics.get(item.topic)
        if known is None:
            self.declare(Topic(item.topic, item.type_name, definition(item.type_name)))
            known = self._topics[item.topic]
        if known[1].type_name != item.type_name:
            raise BagError(f'topic {item.topic!r} holds {known[1].type_name!r}, got '
                           f'{item.type_name!r}; give each type its own topic')
        return known[0]

    def end(self, *, attributes: Mapping[str, str] | None = None) -> None:
        """Close the files with their proper end; ``finish`` or ``recover`` may follow later."""
        if self._file.number < 0:
            return
        try:
            if attributes:
                self._file.append(_marked(Metadata(METADATA_RECORD, dict(attributes))))
            self._file.end()
        except OSError:                    # a full disk: what is there is whole all the same
            self._file.close()

    def close(self) -> None:
        """Close the file as it is, as if the recorder had been killed."""
        self._file.close()

    def finish(self, *, attributes: Mapping[str, str] | None = None,
               progress: Callable[[int, int], None] | None = None) -> Path:
        """
        Rewrite the spool into the bag ``path`` and remove it; return ``path``.

        ``progress`` is called with bytes done and bytes in all. Raises BagError when nothing was
        recorded (then neither spool nor bag is left) and when the disk has no room for the bag
        (then the spool is left).
        """
        self.end(attributes=attributes)
        if not self.messages:
            shutil.rmtree(self.spool, ignore_errors=True)
            raise BagError(f'nothing was recorded for {str(self.path)!r}: no message came on '
                           'its topics; check their names with `ros2 topic list`')
        if self.spool.exists():
            recover(self.spool, self.path, progress=progress)
        return self.path

    def _start_file(self) -> _File:
        name = f'spool_{self._files:04d}.mcap' if self._files else SPOOL_FILE
        file = _File(self.spool / name)
        self._files += 1
        try:
            file.append(_marked(Metadata(METADATA_RECORD, self._attributes)))
            for topic in self._topics:
                file.append(self._declaration(topic))
            sync_folder(self.spool)
        except OSError:
            file.close()
            raise
        return file

    def _next_file(self) -> None:
        try:
            file = self._start_file()
        except OSError as error:
            raise self._full(error) from error
        self._ended_bytes += self._file.size
        self._file.end()
        self._file = file

    def _declaration(self, name: str) -> list[bytes]:
        """Return type and topic, twice: without them all messages of the topic would be lost."""
        number, topic = self._topics[name]
        once = _marked(topic.schema(number)) + _marked(topic.channel(number, schema=number))
        return once * 2

    def _append(self, parts: Sequence[bytes]) -> None:
        try:
            self._file.append(parts)
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> BagError:
        return BagError(f'{str(self.spool)!r} takes no more: {error.strerror}; {self.messages} '
                        'messages are safe in it')


def _marked(record: Metadata | Schema) -> list[bytes]:
    data = encoded(record)
    return [mark(data), data]
