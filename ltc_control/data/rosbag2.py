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
A rosbag2 folder on disk: ``NAME/NAME_0.mcap`` and ``NAME/metadata.yaml``.

The MCAP is chunked, indexed and compressed. Everything is written in ``NAME.partial`` beside the
bag and renamed when it is whole: a writer that is killed leaves no folder that looks like a bag.
``metadata.yaml`` is version 5, the newest that Humble parses; later rosbag2 reads it too.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml
from mcap.exceptions import McapError
from mcap.reader import make_reader
from mcap.writer import CompressionType, Writer

from ltc_control import __version__
from ltc_control.core.errors import BagError
from ltc_control.data.messages import definition

METADATA_FILE = 'metadata.yaml'
METADATA_RECORD = 'ltc_control'            # our attributes, an MCAP metadata record
PARTIAL_SUFFIX = '.partial'                # being written, or its writer died
SPOOL_SUFFIX = '.spool'                    # being recorded, or its recorder died: see spool.py
LIBRARY = f'ltc_control {__version__}'


@dataclass
class _Channel:
    number: int
    type_name: str
    messages: int = 0


class BagWriter:
    """
    Writes serialised messages into a new rosbag2 folder at ``path``.

    ``attributes`` are texts about the recording; more may be put in until ``close``. Raises
    BagError when ``path`` exists. Leaving the ``with`` block by an exception discards the bag.
    """

    def __init__(self, path: Path | str, *, attributes: dict[str, str] | None = None) -> None:
        self.path = Path(path)
        self.attributes = dict(attributes or {})
        if self.path.exists():
            raise BagError(f'{str(self.path)!r} exists already; remove it or name another bag')
        self._partial = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        shutil.rmtree(self._partial, ignore_errors=True)       # of a writer that was killed
        self._partial.mkdir(parents=True)
        self._file_name = f'{self.path.name}_0.mcap'
        self._stream = (self._partial / self._file_name).open('wb')
        self._writer = Writer(self._stream, compression=CompressionType.ZSTD)
        self._writer.start(profile='ros2', library=LIBRARY)
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, _Channel] = {}
        self._first_ns: int | None = None
        self._last_ns = 0
        self._open = True

    def write(self, topic: str, type_name: str, cdr: bytes, *, log_ns: int,
              publish_ns: int | None = None) -> None:
        """Append one message that was received at ``log_ns`` (>= 0)."""
        channel = self._channels.get(topic) or self._register(topic, type_name)
        if channel.type_name != type_name:
            raise BagError(f'topic {topic!r} holds {channel.type_name!r}, got {type_name!r}; '
                           'give each type its own topic')
        self._writer.add_message(channel.number, log_ns, cdr,
                                 log_ns if publish_ns is None else publish_ns, channel.messages)
        channel.messages += 1
        self._first_ns = log_ns if self._first_ns is None else min(self._first_ns, log_ns)
        self._last_ns = max(self._last_ns, log_ns)

    def _register(self, topic: str, type_name: str) -> _Channel:
        return self.declare(topic, type_name, definition(type_name))

    def declare(self, topic: str, type_name: str, text: str,
                encoding: str = 'ros2msg') -> _Channel:
        """Add a topic whose type definition is ``text``; a known topic stays as it is."""
        if topic in self._channels:
            return self._channels[topic]
        if type_name not in self._schemas:
            self._schemas[type_name] = self._writer.register_schema(
                type_name, encoding, text.encode())
        number = self._writer.register_channel(
            topic, 'cdr', self._schemas[type_name], {'offered_qos_profiles': ''})
        self._channels[topic] = _Channel(number, type_name)
        return self._channels[topic]

    def close(self) -> None:
        """Finish the file, write ``metadata.yaml`` and give the folder its name."""
        if not self._open:
            return
        self._open = False
        self._writer.add_metadata(METADATA_RECORD, self.attributes)
        self._writer.finish()              # type: ignore[no-untyped-call]
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        (self._partial / METADATA_FILE).write_text(yaml.safe_dump(self._metadata()))
        try:
            self._partial.rename(self.path)
        except OSError as error:
            raise BagError(f'cannot rename {str(self._partial)!r} to {str(self.path)!r} '
                           f'({error}); the recording is whole, rename it by hand') from error

    def discard(self) -> None:
        """Remove what was written; ``path`` never appears."""
        if self._open:
            self._open = False
            self._stream.close()
            shutil.rmtree(self._partial, ignore_errors=True)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _metadata(self) -> dict[str, object]:
        count = sum(channel.messages for channel in self._channels.values())
        start = {'nanoseconds_since_epoch': self._first_ns or 0}
        duration = {'nanoseconds': self._last_ns - (self._first_ns or 0)}
        topics = [{'topic_metadata': {'name': topic, 'type': channel.type_name,
                                      'serialization_format': 'cdr', 'offered_qos_profiles': ''},
                   'message_count': channel.messages}
                  for topic, channel in self._channels.items()]
        one_file = {'path': self._file_name, 'starting_time': dict(start),
                    'duration': dict(duration), 'message_count': count}
        return {'rosbag2_bagfile_information': {
            'version': 5, 'storage_identifier': 'mcap', 'duration': duration,
            'starting_time': start, 'message_count': count, 'topics_with_message_count': topics,
            'compression_format': '', 'compression_mode': '',
            'relative_file_paths': [self._file_name], 'files': [one_file]}}


def read_attributes(path: Path | str) -> dict[str, str]:
    """Return the attributes of a bag; empty for a bag that this package did not write."""
    path = Path(path)
    for file in [path] if path.is_file() else sorted(path.glob('*.mcap')):
        if file.suffix != '.mcap':
            continue
        try:
            with file.open('rb') as stream:
                for record in make_reader(stream).iter_metadata():
                    if record.name == METADATA_RECORD:
                        return dict(record.metadata)
        except McapError as error:
            raise BagError(f'{str(file)!r} is not a whole MCAP file ({error!r}); '
                           'try `ltc bag recover`') from error
    return {}


def find_bags(folder: Path | str) -> list[Path]:
    """
    Return the bags in ``folder`` by name, or ``folder`` itself when it is a bag.

    A folder counts as a bag when it holds ``metadata.yaml`` or a .mcap or .db3 file. Raises
    BagError when there is none.
    """
    folder = Path(folder)
    if not folder.exists():
        raise BagError(f'{str(folder)!r} does not exist; give a bag or a folder of bags')
    if _is_bag(folder):
        return [folder]
    found = sorted(path for path in folder.rglob('*')
                   if path.is_dir() and path.suffix not in (PARTIAL_SUFFIX, SPOOL_SUFFIX)
                   and _is_bag(path))
    if not found:
        raise BagError(f'no bag under {str(folder)!r}: no folder with {METADATA_FILE}, .mcap or '
                       '.db3 there; record one with `ltc collect` or `ros2 bag record`')
    return found


def _is_bag(path: Path) -> bool:
    if path.is_file():
        return path.suffix in ('.mcap', '.db3')
    return (path / METADATA_FILE).is_file() or any(
        file.suffix in ('.mcap', '.db3') for file in path.iterdir())
