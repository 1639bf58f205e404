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
What is still whole in an MCAP file: cut anywhere, with bytes flipped, or untouched.

Records are walked through by their lengths; nothing is copied but what a chunk decompresses to.
Where the next one makes no sense the search goes on at the next place that can be proved: one of
our marks whose CRC-32 is right, or a chunk whose two lengths agree. A message is given out only if
a checksum covers it, or if the file holds none and nothing before it was damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
import mmap
from pathlib import Path
import struct
from typing import NamedTuple, TypeAlias

from ltc_control.data.checksums import crc32
from ltc_control.data.mcap_file import (
    CHECKSUMS,
    CHUNK_FIELDS,
    HEAD,
    MAGIC,
    MARK,
    MARK_HEAD,
    MESSAGE_FIELDS,
    SYNC,
)
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Metadata, Schema
import zstandard

LARGEST_CHUNK = 1 << 30                    # a flipped byte may ask for exabytes
_PIECE = 1 << 14                           # what came out in the same piece as an error is lost
_FOOTER_BYTES = HEAD.size + 20 + len(MAGIC)
_CONTENT = (Opcode.SCHEMA, Opcode.CHANNEL, Opcode.MESSAGE)
_COMMON = (*_CONTENT, Opcode.CHUNK, Opcode.MESSAGE_INDEX, MARK, CHECKSUMS)
_CHUNK_NAMES = (b'\x04\0\0\0zstd', b'\x03\0\0\0lz4')
_NAME_AT = HEAD.size + CHUNK_FIELDS.size - 4      # of the length of the compression's name
_ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'


class Message(NamedTuple):
    """One message; ``data`` is a view that lives as long as the file is open."""

    channel: int
    sequence: int
    log_ns: int
    publish_ns: int
    data: memoryview


Found: TypeAlias = 'Schema | Channel | Metadata | Message'


@contextmanager
def mapped(file: Path) -> Iterator[memoryview]:
    """Yield the bytes of ``file`` without reading them."""
    with file.open('rb') as stream:
        if not file.stat().st_size:        # nothing can be mapped there
            yield memoryview(b'')
            return
        # not closed here: an error on its way out may still hold views, and the last one unmaps
        whole = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        whole.madvise(mmap.MADV_SEQUENTIAL)
        yield memoryview(whole)


class WholeRecords:
    """
    Iterates over schemas, channels, metadata and messages of a file, chunks opened, in file order.

    Afterwards ``damages`` counts the places where something was wrong, and ``complete`` says
    whether the file has its proper end and no damage.
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._marked = False               # a mark was right: what bears none is debris
        self._absent: set[bytes] = set()   # searched for up to the end, once
        self._astray = False               # lengths led nowhere: from here on only what is proved
        self.damages = 0
        self.complete = False

    def __iter__(self) -> Iterator[Found]:
        yield from self._summary()
        place: int | None = len(MAGIC)
        if bytes(self._data[:len(MAGIC)]) != MAGIC:
            self.damages += 1
        while place is not None and place + HEAD.size <= len(self._data):
            opcode, length = HEAD.unpack_from(self._data, place)
            if opcode == Opcode.DATA_END and length == 4:
                place = None
                continue
            start = place + HEAD.size
            if opcode not in _COMMON and self._is_chunk(place):
                opcode = Opcode.CHUNK      # its first byte was hit
                self.damages += 1
            good = yield from self._record(opcode, start, start + length)
            self._astray |= not good
            place = start + length if good else self._search(place + 1)
        if place is not None and place != len(self._data):
            self.damages += 1              # cut in the head of a record
        self.complete = not self.damages and self._footer() is not None

    def _record(self, opcode: int, start: int, end: int) -> Iterator[Found]:
        """Yield what a record holds; return whether the next one follows at its end."""
        if opcode == Opcode.CHUNK:
            return (yield from self._chunk(start, end))
        if end > len(self._data) or not _is_known(opcode):
            self.damages += 1
            return False
        if opcode == MARK:
            return self._is_true(start, end)
        if opcode in _CONTENT and not self._is_trusted(start - HEAD.size):
            self.damages += 1
            return False
        if opcode in _CONTENT or opcode == Opcode.METADATA:
            found = _parsed(opcode, self._data[start:end])
            self.damages += found is None
            if found is not None:
                yield found
        return True

    def _is_true(self, start: int, end: int) -> bool:
        """Return whether the record after a mark is the one that was marked."""
        if end - start == len(SYNC) + 4 and self._data[start:start + len(SYNC)] == SYNC:
            crc = int.from_bytes(self._data[end - 4:end], 'little')
            after = self._end_of(end)
            if after is not None and crc32(self._data[end:after]) == crc:
                self._marked = True
                return True
        self.damages += 1
        return False

    def _is_trusted(self, place: int) -> bool:
        if not self._marked and not self._astray:
            return True                    # of a writer that sets no marks
        size = len(MARK_HEAD) + 4
        return place >= size and self._data[place - size:place - 4] == MARK_HEAD

    def _end_of(self, place: int) -> int | None:
        if place + HEAD.size > len(self._data):
            return None
        end = place + HEAD.size + int(HEAD.unpack_from(self._data, place)[1])
        return end if end <= len(self._data) else None

    def _search(self, place: int) -> int | None:
        """Return the next place from which reading can go on, or None."""
        places = [self._find(MARK_HEAD, place, 0)]
        for name in _CHUNK_NAMES:
            found = self._find(name, place + _NAME_AT, _NAME_AT)
            while found is not None and not self._is_chunk(found):
                found = self._find(name, found + _NAME_AT + 1, _NAME_AT)
            places.append(found)
        return min((found for found in places if found is not None), default=None)

    def _find(self, pattern: bytes, place: int, back: int) -> int | None:
        if pattern in self._absent:
            return None
        whole = self._data.obj
        found = whole.find(pattern, place)
        if found < 0:
            self._absent.add(pattern)
            return None
        return int(found) - back

    def _is_chunk(self, place: int) -> bool:
        start = place + HEAD.size
        if place < 0 or start + CHUNK_FIELDS.size + 16 > len(self._data):
            return False
        length = int(HEAD.unpack_from(self._data, place)[1])
        name = int(CHUNK_FIELDS.unpack_from(self._data, start)[4])
        at = start + CHUNK_FIELDS.size + name
        if self._data[at - name - 4:at] not in _CHUNK_NAMES:
            return False
        stated = int.from_bytes(self._data[at:at + 8], 'little')
        return length == CHUNK_FIELDS.size + name + 8 + stated

    def _chunk(self, start: int, end: int) -> Iterator[Found]:
        """Yield what a chunk holds, as far as it can be proved; return whether it was whole."""
        cut = end > len(self._data)
        if start + CHUNK_FIELDS.size > len(self._data):
            self.damages += 1
            return False
        _, _, size, crc, name = CHUNK_FIELDS.unpack_from(self._data, start)
        at = start + CHUNK_FIELDS.size + name
        if at + 8 > min(end, len(self._data)):
            self.damages += 1
            return False
        compression = bytes(self._data[at - name:at])
        inner, whole = decompressed(self._data[at + 8:end], compression, size=size)
        proved = whole and (not crc or crc32(inner) == crc)
        if proved or cut:                  # what a cut has left is right as far as it goes
            yield from _inner(inner)
        else:
            yield from self._summed(inner, self._checksums(end))
        self.damages += cut or not proved
        return not cut

    def _checksums(self, place: int) -> tuple[int, ...]:
        """Return the CRC-32 of every message of the chunk that ends at ``place``; () for none."""
        after = self._end_of(place)
        while after is not None and self._data[place] == Opcode.MESSAGE_INDEX:
            place, after = after, self._end_of(after)
        if after is None or self._data[place] != CHECKSUMS or (after - place - HEAD.size) % 4:
            return ()
        sums = self._data[place + HEAD.size:after]
        return struct.unpack(f'<{len(sums) // 4}I', sums)

    def _summed(self, inner: memoryview, sums: tuple[int, ...]) -> Iterator[Found]:
        number = 0
        for opcode, start, end in _walk(inner):
            if opcode != Opcode.MESSAGE:
                continue                   # types and topics stand in the summary again
            if number < len(sums) and crc32(inner[start - HEAD.size:end]) == sums[number]:
                found = _parsed(opcode, inner[start:end])
                if found is not None:
                    yield found
            number += 1

    def _footer(self) -> tuple[int, int] | None:
        """Return (start, CRC-32) of the summary; None where the file has no proper end."""
        place = len(self._data) - _FOOTER_BYTES
        if place < len(MAGIC) or self._data[-len(MAGIC):] != MAGIC:
            return None
        opcode, length = HEAD.unpack_from(self._data, place)
        if opcode != Opcode.FOOTER or length != 20:
            return None
        start, _, crc = struct.unpack_from('<QQI', self._data, place + HEAD.size)
        return start, crc

    def _summary(self) -> Iterator[Found]:
        """Yield the types and topics at the end: those in a damaged chunk are lost there."""
        place = len(self._data) - _FOOTER_BYTES
        footer = self._footer()
        if footer is None or not len(MAGIC) <= footer[0] < place:
            return
        start, crc = footer
        if crc and crc32(self._data[start:place + HEAD.size + 16]) != crc:
            self.damages += 1
            return
        for opcode, first, last in _walk(self._data[start:place]):
            if opcode in (Opcode.SCHEMA, Opcode.CHANNEL):
                found = _parsed(opcode, self._data[start + first:start + last])
                if found is not None:
                    yield found


def _is_known(opcode: int) -> bool:
    return 0 < opcode <= Opcode.DATA_END or opcode >= 0x80


def _walk(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield opcode, start and end of the records in ``data``, up to one that is not whole."""
    place = 0
    while place + HEAD.size <= len(data):
        opcode, length = HEAD.unpack_from(data, place)
        start = place + HEAD.size
        place = start + length
        if place > len(data):
            return
        yield opcode, start, place


def _inner(data: memoryview) -> Iterator[Found]:
    for opcode, start, end in _walk(data):
        found = _parsed(opcode, data[start:end]) if opcode in _CONTENT else None
        if found is not None:
            yield found


def _parsed(opcode: int, data: memoryview) -> Found | None:
    """Return what a record says, None for one that says nothing sensible."""
    if opcode == Opcode.MESSAGE:
        if len(data) < MESSAGE_FIELDS.size:
            return None
        return Message(*MESSAGE_FIELDS.unpack_from(data), data[MESSAGE_FIELDS.size:])
    kind = {Opcode.SCHEMA: Schema, Opcode.CHANNEL: Channel, Opcode.METADATA: Metadata}[opcode]
    try:
        return kind.read(ReadDataStream(BytesIO(data)))
    except Exception:                      # of damaged lengths and texts the decoder raises all
        return None


def decompressed(data: memoryview, compression: bytes, *, size: int) -> tuple[memoryview, bool]:
    """
    Return what ``data`` decompresses to, and whether that is all of ``size`` bytes.

    Where it breaks off, or is damaged, what came out before is returned.
    """
    if compression == b'':
        return data, len(data) == size
    pieces: list[bytes] = []
    if compression == b'lz4':
        pieces = _stream_lz4(data)
    elif compression == b'zstd' or data[:4] == _ZSTD_MAGIC:
        try:
            if size <= LARGEST_CHUNK and zstandard.frame_content_size(data) == size:
                return memoryview(zstandard.ZstdDecompressor().decompress(data)), True
        except zstandard.ZstdError:
            pass
        pieces = _stream_zstd(data)
    inner = b''.join(pieces)
    return memoryview(inner), len(inner) == size


def _stream_zstd(data: memoryview) -> list[bytes]:
    pieces: list[bytes] = []
    total = 0
    try:
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            while total < LARGEST_CHUNK and (piece := reader.read(_PIECE)):
                pieces.append(piece)
                total += len(piece)
    except (zstandard.ZstdError, MemoryError):
        pass
    return pieces


def _stream_lz4(data: memoryview) -> list[bytes]:
    from lz4.frame import LZ4FrameDecompressor
    pieces: list[bytes] = []
    total, reader = 0, LZ4FrameDecompressor()
    try:
        while total < LARGEST_CHUNK and not reader.eof:
            piece = reader.decompress(bytes(data), max_length=_PIECE)
            data = memoryview(b'')
            if not piece:
                break
            pieces.append(piece)
            total += len(piece)
    except (RuntimeError, MemoryError):
        pass
    return pieces
