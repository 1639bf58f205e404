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

The spool is an unchunked MCAP in ``NAME.spool``, flushed after each message, so ``kill -9`` costs
at most the message being written. ``finish`` (or ``recover`` on the next start) rewrites it into a
chunked, indexed rosbag2 folder ``NAME`` and removes the spool. Power loss is bounded by a sync to
the disk once a second.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, Footer, Message, Metadata, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from mcap.writer import CompressionType, Writer
from zstandard import ZstdError

from ltc_control.core.errors import BagError
from ltc_control.data.messages import definition
from ltc_control.data.rosbag2 import (
    LIBRARY,
    METADATA_RECORD,
    PARTIAL_SUFFIX,
    SPOOL_SUFFIX,
    BagWriter,
)

SPOOL_FILE = 'spool.mcap'
_SYNC_EVERY_S = 1.0
_BROKEN = (McapError, ZstdError, RuntimeError, ValueError, EOFError, UnicodeDecodeError,
           MemoryError, OverflowError, struct.error)


@dataclass(frozen=True)
class Recovery:
    """What ``recover`` saved: ``complete`` says whether the source had its proper end."""

    bag: Path
    messages: int
    complete: bool


class SpoolWriter:
    """
    Records serialised messages for a bag folder ``path`` that appears with ``finish``.

    Raises BagError when ``path`` or an unfinished spool of it exists (recover that first).
    """

    def __init__(self, path: Path | str, *, attributes: dict[str, str] | None = None) -> None:
        self.path = Path(path)
        self.spool = self.path.with_name(self.path.name + SPOOL_SUFFIX)
        if self.path.exists():
            raise BagError(f'{str(self.path)!r} exists already; remove it or name another bag')
        if self.spool.exists():
            raise BagError(f'{str(self.spool)!r} was left by a recording that did not finish; '
                           f'`ltc bag recover {self.spool} OUT` saves it, or remove it')
        self.spool.mkdir(parents=True)
        self.messages = 0
        self._stream = (self.spool / SPOOL_FILE).open('wb')
        fcntl.flock(self._stream, fcntl.LOCK_EX)       # says that its recorder is alive
        self._writer = Writer(self._stream, use_chunking=False,
                              compression=CompressionType.NONE)
        self._writer.start(profile='ros2', library=LIBRARY)
        self._writer.add_metadata(METADATA_RECORD, dict(attributes or {}))
        self._channels: dict[tuple[str, str], int] = {}
        self._synced_s = time.monotonic()
        self._flush()

    def write(self, topic: str, type_name: str, cdr: bytes, stamp_ns: int) -> None:
        """Append one message received at ``stamp_ns``; it survives a kill from here on."""
        channel = self._channels.get((topic, type_name))
        if channel is None:
            channel = self._register(topic, type_name)
        self._writer.add_message(channel, stamp_ns, cdr, stamp_ns)
        self.messages += 1
        self._flush()

    def finish(self, *, attributes: dict[str, str] | None = None) -> Path:
        """
        Rewrite the spool into the bag ``path`` and remove it; return ``path``.

        Raises BagError when nothing was recorded; then neither spool nor bag is left.
        """
        if not self._stream.closed:
            if attributes:
                self._writer.add_metadata(METADATA_RECORD, attributes)
            self._writer.finish()          # type: ignore[no-untyped-call]
            self._stream.close()
            if not self.messages:
                shutil.rmtree(self.spool)
                raise BagError(f'nothing was recorded for {str(self.path)!r}: no message came on '
                               'its topics; check their names with `ros2 topic list`')
            recover(self.spool, self.path)
        return self.path

    def _register(self, topic: str, type_name: str) -> int:
        schema = self._writer.register_schema(type_name, 'ros2msg',
                                              definition(type_name).encode())
        channel = self._writer.register_channel(topic, 'cdr', schema,
                                                {'offered_qos_profiles': ''})
        self._channels[topic, type_name] = channel
        return channel

    def _flush(self) -> None:
        self._stream.flush()
        now_s = time.monotonic()
        if now_s - self._synced_s > _SYNC_EVERY_S:
            os.fdatasync(self._stream.fileno())
            self._synced_s = now_s


def recover(source: Path | str, out: Path | str | None = None) -> Recovery:
    """
    Write every whole message of ``source`` into a new bag ``out``.

    ``source`` is a .mcap file, a bag folder, or the ``NAME.spool`` of a recording that was killed;
    a spool is removed once its bag ``NAME`` (the default ``out``) stands. Raises BagError when
    ``out`` exists, when nothing whole is left, or when the recorder is still at work.
    """
    source = Path(source)
    out = _default_out(source) if out is None else Path(out)
    files = _mcap_files(source)
    if any(_is_written(file) for file in files):
        raise BagError(f'{str(source)!r} is being recorded; stop its recorder first')
    complete = True
    messages = 0
    with BagWriter(out) as bag:
        for file in files:
            reader = _WholeRecords(file)
            messages += _copy(reader, bag)
            complete &= reader.complete
        if not messages:
            raise BagError(f'{str(source)!r} holds no whole message; there is nothing to save')
    if source.name.endswith(SPOOL_SUFFIX):
        shutil.rmtree(source)
    return Recovery(out, messages, complete)


def find_spools(folder: Path | str) -> list[Path]:
    """Return the spools in ``folder`` whose recorder died: what the next one recovers."""
    return [spool for spool in sorted(Path(folder).glob(f'*{SPOOL_SUFFIX}'))
            if not any(_is_written(file) for file in spool.glob('*.mcap'))]


def _is_written(file: Path) -> bool:
    """Return whether a living recorder holds the file."""
    with file.open('rb') as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def whole_messages(file: Path) -> tuple[int, bool]:
    """Return how many whole messages a .mcap holds and whether it has its proper end."""
    reader = _WholeRecords(file)
    count = sum(isinstance(record, Message) for record in reader)
    return count, reader.complete


class _WholeRecords:
    """
    The whole records of a .mcap in file order, chunks opened.

    Reading stops where the file breaks off; a chunk with a wrong checksum is left out. Afterwards
    ``complete`` says whether neither happened.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.complete = False

    def __iter__(self) -> Iterator[object]:
        ended, damaged = False, False
        with self._file.open('rb') as stream:
            try:
                records = StreamReader(stream, emit_chunks=True, record_size_limit=None).records
                for record in records:
                    ended |= isinstance(record, Footer)
                    if not isinstance(record, Chunk):
                        yield record
                        continue
                    inner = _open_chunk(record)
                    damaged |= inner is None
                    yield from inner or ()
            except _BROKEN:
                damaged = True
        self.complete = ended and not damaged


def _open_chunk(chunk: Chunk) -> list[object] | None:
    """Return the records of a chunk, None for a damaged one."""
    try:
        return list(breakup_chunk(chunk, validate_crc=True))
    except _BROKEN:
        return None


def _copy(records: _WholeRecords, bag: BagWriter) -> int:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    count = 0
    for record in records:
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel):
            channels[record.id] = record
        elif isinstance(record, Metadata) and record.name == METADATA_RECORD:
            bag.attributes.update(record.metadata)
        elif isinstance(record, Message):
            channel = channels.get(record.channel_id)
            schema = schemas.get(channel.schema_id) if channel else None
            if channel is None or schema is None:      # it stood in a damaged chunk
                continue
            bag.declare(channel.topic, schema.name, schema.data.decode(), schema.encoding)
            bag.write(channel.topic, schema.name, record.data, log_ns=record.log_time,
                      publish_ns=record.publish_time)
            count += 1
    return count


def _default_out(source: Path) -> Path:
    for suffix in (SPOOL_SUFFIX, PARTIAL_SUFFIX):
        if source.name.endswith(suffix):
            return source.with_name(source.name.removesuffix(suffix))
    return source.with_name(f'{source.stem}_recovered')


def _mcap_files(source: Path) -> list[Path]:
    if not source.exists():
        raise BagError(f'{str(source)!r} does not exist; give a .mcap file or its folder')
    files = [source] if source.is_file() else sorted(source.glob('*.mcap'))
    if not files or any(file.suffix != '.mcap' for file in files):
        raise BagError(f'{str(source)!r} holds no .mcap file; only MCAP recordings can be '
                       'recovered message by message')
    return files
