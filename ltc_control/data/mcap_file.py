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
One MCAP file, chunked, indexed and compressed, written as fast as the disk takes it.

The writer of the ``mcap`` package compresses on the thread that hands in the messages. Here each
chunk is joined, summed and compressed by a worker (both let go of the interpreter),
while the next one is gathered; a message is not copied before that.

Beside what the format asks for there are two kinds of private records, which other readers skip:
after each chunk the CRC-32 of every message in it, so that a damaged chunk costs only the messages
that the damage hit; and before each metadata record a :func:`mark` with its CRC-32.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
import struct
from typing import NamedTuple, TypeAlias

from ltc_control.data.checksums import crc32
from ltc_control.data.direct_file import DirectFile
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import (
    Channel,
    ChunkIndex,
    DataEnd,
    Footer,
    Header,
    Metadata,
    MetadataIndex,
    Schema,
    Statistics,
    SummaryOffset,
)
import zstandard

Buffer: TypeAlias = 'bytes | memoryview'
Record: TypeAlias = 'Header | Schema | Channel | Metadata | DataEnd | Footer'

MAGIC = b'\x89MCAP0\r\n'
PROFILE = 'ros2'
HEAD = struct.Struct('<BQ')                # opcode, length of what follows
MESSAGE_HEAD = struct.Struct('<BQHIQQ')    # ... channel, sequence, log time, publish time
MESSAGE_FIELDS = struct.Struct('<HIQQ')
CHUNK_FIELDS = struct.Struct('<QQQII')     # first, last [ns], size, CRC-32, length of the name
MARK, CHECKSUMS = 0x80, 0x81               # the format leaves 0x80 .. 0xFF to applications
SYNC = b'LTCSYNC\n'
MARK_HEAD = HEAD.pack(MARK, len(SYNC) + 4) + SYNC
CHUNK_BYTES = 1 << 20                      # a chunk is closed when it is longer
LEVEL = 1                                  # of zstd: images cost three times as much at level 3
WORKERS = 2
WAITING_CHUNKS = 6                         # bounds the memory


def encoded(record: Record) -> bytes:
    """Return the bytes of a record of the ``mcap`` package, opcode and length included."""
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())


def mark(*parts: Buffer) -> bytes:
    """Return the private record that says: what follows is whole if it has this CRC-32."""
    crc = 0
    for part in parts:
        crc = crc32(part, crc)
    return MARK_HEAD + crc.to_bytes(4, 'little')


def message_head(channel: int, sequence: int, log_ns: int, publish_ns: int, size: int) -> bytes:
    """Return what stands before the ``size`` bytes of a message."""
    return MESSAGE_HEAD.pack(Opcode.MESSAGE, MESSAGE_FIELDS.size + size, channel,
                             sequence & 0xFFFFFFFF, log_ns, publish_ns)


class _Packed(NamedTuple):
    size: int
    crc: int
    compressed: bytes
    checksums: bytes


@dataclass
class _Chunk:
    """What is gathered for one chunk."""

    parts: list[Buffer] = field(default_factory=list)
    size: int = 0
    ends: list[tuple[int, int]] = field(default_factory=list)      # of each message
    index: dict[int, list[int]] = field(default_factory=dict)      # time, offset, time, ...
    first_ns: int = 2**64 - 1
    last_ns: int = 0

    def add(self, *parts: Buffer) -> None:
        self.parts += parts
        self.size += sum(map(len, parts))


def _pack(chunk: _Chunk) -> _Packed:
    data = b''.join(chunk.parts)
    chunk.parts.clear()                    # views on a mapped file are let go here
    view = memoryview(data)
    sums = [crc32(view[start:end]) for start, end in chunk.ends]
    return _Packed(len(data), crc32(data),
                   zstandard.ZstdCompressor(level=LEVEL).compress(data),
                   struct.pack(f'<{len(sums)}I', *sums))


class McapFile:
    """
    Writes ``path``; channel and schema numbers are the caller's.

    ``finish`` writes index and end and syncs to disk; ``close`` alone leaves a file without end.
    """

    def __init__(self, path: Path, *, library: str) -> None:
        self._stream = DirectFile(path)
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[_Chunk, Future[_Packed]]] = deque()
        self._chunk = _Chunk()
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._chunk_indexes: list[ChunkIndex] = []
        self._metadata_indexes: list[MetadataIndex] = []
        self.counts: dict[int, int] = {}   # messages by channel
        self.first_ns, self.last_ns = 2**64 - 1, 0
        self._at = 0
        self._write(MAGIC, encoded(Header(PROFILE, library)))

    @property
    def messages(self) -> int:
        """Messages so far."""
        return sum(self.counts.values())

    def schema(self, schema: Schema) -> None:
        """Add a type."""
        self._schemas[schema.id] = schema
        self._chunk.add(encoded(schema))

    def channel(self, channel: Channel) -> None:
        """Add a topic; its schema must have been added."""
        self._channels[channel.id] = channel
        self.counts.setdefault(channel.id, 0)
        self._chunk.add(encoded(channel))

    def message(self, channel: int, cdr: Buffer, *, sequence: int, log_ns: int,
                publish_ns: int) -> None:
        """Add a message; ``cdr`` is read later, ``flush`` makes sure that it was."""
        chunk, start = self._chunk, self._chunk.size
        chunk.add(message_head(channel, sequence, log_ns, publish_ns, len(cdr)), cdr)
        chunk.ends.append((start, chunk.size))
        chunk.index.setdefault(channel, []).extend((log_ns, start))
        chunk.first_ns, chunk.last_ns = min(chunk.first_ns, log_ns), max(chunk.last_ns, log_ns)
        self.counts[channel] += 1
        if chunk.size >= CHUNK_BYTES:
            self._end_chunk()

    def metadata(self, name: str, values: Mapping[str, str]) -> None:
        """Add a metadata record."""
        self.flush()
        record = encoded(Metadata(name=name, metadata=dict(values)))
        self._write(mark(record))
        self._metadata_indexes.append(MetadataIndex(offset=self._at, length=len(record),
                                                    name=name))
        self._write(record)

    def flush(self) -> None:
        """Return when every message is on its way into the file and no view is held."""
        self._end_chunk()
        self._settle(0)

    def finish(self) -> None:
        """Write the index and the end, and sync to disk."""
        self.flush()
        self._write(encoded(DataEnd(data_section_crc=0)))
        summary, start = self._summary(), self._at
        self._write(summary.data)
        footer = Footer(summary_start=start, summary_offset_start=start + summary.offsets_at,
                        summary_crc=0)
        footer.summary_crc = crc32(encoded(footer)[:-4], crc32(summary.data))
        self._write(encoded(footer), MAGIC)
        self._stream.sync()
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        self._waiting.clear()
        self._stream.close()

    def _end_chunk(self) -> None:
        chunk = self._chunk
        if not chunk.parts:
            return
        self._chunk = _Chunk()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix='mcap')
        self._waiting.append((chunk, self._pool.submit(_pack, chunk)))
        self._settle(WAITING_CHUNKS)

    def _settle(self, allowed: int) -> None:
        while len(self._waiting) > allowed:
            chunk, packed = self._waiting.popleft()
            self._write_chunk(chunk, packed.result())

    def _write_chunk(self, chunk: _Chunk, packed: _Packed) -> None:
        start, compressed = self._at, packed.compressed
        first_ns = chunk.first_ns if chunk.ends else 0
        fields = CHUNK_FIELDS.pack(first_ns, chunk.last_ns, packed.size, packed.crc, 4)
        length = len(fields) + 4 + 8 + len(compressed)
        self._write(HEAD.pack(Opcode.CHUNK, length), fields, b'zstd',
                    len(compressed).to_bytes(8, 'little'), compressed)
        chunk_length, offsets = self._at - start, {}
        for channel, flat in chunk.index.items():
            offsets[channel] = self._at
            self._write(HEAD.pack(Opcode.MESSAGE_INDEX, 6 + 8 * len(flat)),
                        struct.pack(f'<HI{len(flat)}Q', channel, 8 * len(flat), *flat))
        self._chunk_indexes.append(ChunkIndex(
            chunk_length=chunk_length, chunk_start_offset=start, compression='zstd',
            compressed_size=len(compressed), message_end_time=chunk.last_ns,
            message_index_length=self._at - start - chunk_length, message_index_offsets=offsets,
            message_start_time=first_ns, uncompressed_size=packed.size))
        self._write(HEAD.pack(CHECKSUMS, len(packed.checksums)), packed.checksums)
        if chunk.ends:
            self.first_ns = min(self.first_ns, chunk.first_ns)
            self.last_ns = max(self.last_ns, chunk.last_ns)

    def _summary(self) -> _Summary:
        statistics = Statistics(
            attachment_count=0, channel_count=len(self._channels),
            channel_message_counts=dict(self.counts), chunk_count=len(self._chunk_indexes),
            message_count=self.messages, metadata_count=len(self._metadata_indexes),
            message_start_time=self.first_ns if self.messages else 0,
            message_end_time=self.last_ns, schema_count=len(self._schemas))
        summary = _Summary(self._at)
        summary.group(Opcode.SCHEMA, self._schemas.values())
        summary.group(Opcode.CHANNEL, self._channels.values())
        summary.group(Opcode.STATISTICS, [statistics])
        summary.group(Opcode.CHUNK_INDEX, self._chunk_indexes)
        summary.group(Opcode.METADATA_INDEX, self._metadata_indexes)
        summary.end()
        return summary

    def _write(self, *parts: Buffer) -> None:
        for part in parts:
            self._stream.write(part)
            self._at += len(part)


class _Summary:
    """The groups of records at the end of a file, and where each stands."""

    def __init__(self, at: int) -> None:
        self._at = at
        self._offsets: list[SummaryOffset] = []
        self.data = b''
        self.offsets_at = 0

    def group(self, opcode: int, records: Iterable[object]) -> None:
        text = b''.join(encoded(record) for record in records)  # type: ignore[arg-type]
        if text:
            self._offsets.append(SummaryOffset(group_opcode=opcode, group_length=len(text),
                                               group_start=self._at + len(self.data)))
            self.data += text

    def end(self) -> None:
        self.offsets_at = len(self.data)
        self.data += b''.join(encoded(record) for record in self._offsets)
