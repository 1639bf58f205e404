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
A rosbag2 folder on disk: ``NAME/NAME_0.mcap``, ``NAME_1.mcap`` ... and ``NAME/metadata.yaml``.

The MCAP files are chunked, indexed and compressed. Everything is written in ``NAME.partial``
beside the bag and renamed when it is whole and on the disk: a writer that is killed leaves no
folder that looks like a bag. ``metadata.yaml`` is version 8, the newest whose offered qualities of
service are a text: Humble reads it as the version 5 that it knows, later ones find the type
hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import shutil

from ltc_control import __version__
from ltc_control.core.errors import BagError
from ltc_control.data.mcap_file import Buffer, McapFile
from ltc_control.data.messages import definition
from ltc_control.data.type_hashes import hash_of_text
from mcap.reader import make_reader
from mcap.records import Channel, Schema
import yaml

METADATA_FILE = 'metadata.yaml'
METADATA_RECORD = 'ltc_control'            # our attributes, an MCAP metadata record
METADATA_VERSION = 8
PARTIAL_SUFFIX = '.partial'                # being written, or its writer died
SPOOL_SUFFIX = '.spool'                    # being recorded, or its recorder died: see spool.py
LIBRARY = f'ltc_control {__version__}'
QOS, TYPE_HASH = 'offered_qos_profiles', 'topic_type_hash'     # as rosbag2_storage_mcap says


@dataclass(frozen=True)
class Topic:
    """
    One topic of a bag: its type, the text of that type, and what publishers offered.

    ``qos`` is the YAML text of :func:`qos_text.offered`, empty where nothing is known.
    """

    name: str
    type_name: str                         # package/msg/Name
    text: str
    encoding: str = 'ros2msg'
    qos: str = ''
    type_hash: str = ''                    # RIHS01_...; REP-2016

    def channel(self, number: int, *, schema: int) -> Channel:
        """Return the record that stands for the topic in an MCAP."""
        return Channel(id=number, topic=self.name, message_encoding='cdr', schema_id=schema,
                       metadata={QOS: self.qos, TYPE_HASH: self.type_hash})

    def schema(self, number: int) -> Schema:
        """Return the record that stands for the type in an MCAP."""
        return Schema(id=number, name=self.type_name, encoding=self.encoding,
                      data=self.text.encode())


@dataclass
class _Declared:
    number: int
    topic: Topic
    messages: int = 0


class BagWriter:
    """
    Writes serialised messages into a new rosbag2 folder at ``path``.

    ``attributes`` are texts about the recording; more may be put in until ``close``. Raises
    BagError when ``path`` exists. Leaving the ``with`` block by an exception discards the bag.
    """

    def __init__(self, path: Path | str, *, attributes: Mapping[str, str] | None = None) -> None:
        self.path = Path(path)
        self.attributes = dict(attributes or {})
        if self.path.exists():
            raise BagError(f'{str(self.path)!r} exists already; remove it or name another bag')
        self._partial = self.path.with_name(self.path.name + PARTIAL_SUFFIX)
        shutil.rmtree(self._partial, ignore_errors=True)       # of a writer that was killed
        self._partial.mkdir(parents=True)
        self._schemas: dict[str, int] = {}
        self._topics: dict[str, _Declared] = {}
        self._files: list[dict[str, object]] = []
        self._open = True
        self._file = self._start_file()

    def write(self, topic: str, type_name: str, cdr: Buffer, *, log_ns: int,
              publish_ns: int | None = None, sequence: int | None = None) -> None:
        """
        Append one message that was received at ``log_ns`` (>= 0).

        ``cdr`` may be a view on a mapped file; it is read before ``flush`` or ``close`` return.
        """
        known = self._topics.get(topic)
        if known is None:
            known = self._declare(Topic(topic, type_name, definition(type_name)))
        if known.topic.type_name != type_name:
            raise BagError(f'topic {topic!r} holds {known.topic.type_name!r}, got {type_name!r}; '
                           'give each type its own topic')
        self._file.message(known.number, cdr, log_ns=log_ns,
                           publish_ns=log_ns if publish_ns is None else publish_ns,
                           sequence=known.messages if sequence is None else sequence)
        known.messages += 1

    def declare(self, topic: str, type_name: str, text: str, encoding: str = 'ros2msg', *,
                qos: str = '', type_hash: str = '') -> None:
        """Add a topic whose type definition is ``text``; a known topic stays as it is."""
        if topic not in self._topics:
            self._declare(Topic(topic, type_name, text, encoding, qos, type_hash))

    def _declare(self, topic: Topic) -> _Declared:
        if not topic.type_hash:
            topic = Topic(topic.name, topic.type_name, topic.text, topic.encoding, topic.qos,
                          hash_of_text(topic.type_name, topic.text, topic.encoding))
        if topic.type_name not in self._schemas:
            self._schemas[topic.type_name] = len(self._schemas) + 1
            self._file.schema(topic.schema(self._schemas[topic.type_name]))
        known = self._topics[topic.name] = _Declared(len(self._topics) + 1, topic)
        self._file.channel(topic.channel(known.number, schema=self._schemas[topic.type_name]))
        return known

    def flush(self) -> None:
        """Return when no view handed to ``write`` is needed any longer."""
        self._file.flush()

    def next_file(self) -> None:
        """Go on in a new file, with the same topics; nothing where this one is empty."""
        if not self._file.messages:
            return
        self._end_file()
        self._file = self._start_file()
        for number, name in ((number, name) for name, number in self._schemas.items()):
            first = next(known.topic for known in self._topics.values()
                         if known.topic.type_name == name)
            self._file.schema(first.schema(number))
        for known in self._topics.values():
            self._file.channel(known.topic.channel(
                known.number, schema=self._schemas[known.topic.type_name]))

    def _start_file(self) -> McapFile:
        name = f'{self.path.name}_{len(self._files)}.mcap'
        self._files.append({'path': name})
        return McapFile(self._partial / name, library=LIBRARY)

    def _end_file(self) -> None:
        self._file.metadata(METADATA_RECORD, self.attributes)
        self._file.finish()
        first_ns = self._file.first_ns if self._file.messages else 0
        self._files[-1] |= {
            'starting_time': {'nanoseconds_since_epoch': first_ns},
            'duration': {'nanoseconds': max(0, self._file.last_ns - first_ns)},
            'message_count': self._file.messages}

    def close(self) -> None:
        """Finish the last file, write ``metadata.yaml`` and give the folder its name."""
        if not self._open:
            return
        self._end_file()
        self._open = False
        with (self._partial / METADATA_FILE).open('w') as stream:
            yaml.safe_dump(self._metadata(), stream)
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(self._partial)
        try:
            self._partial.rename(self.path)
        except OSError as error:
            raise BagError(f'cannot rename {str(self._partial)!r} to {str(self.path)!r} '
                           f'({error}); the recording is whole, rename it by hand') from error
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Remove what was written; ``path`` never appears."""
        if self._open:
            self._open = False
            self._file.close()
            shutil.rmtree(self._partial, ignore_errors=True)

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.discard()                 # nothing where it was closed

    def _metadata(self) -> dict[str, object]:
        filled = [file for file in self._files if file['message_count']] or self._files[:1]
        starts = [file['starting_time']['nanoseconds_since_epoch'] for file in filled]
        ends = [start + file['duration']['nanoseconds']
                for start, file in zip(starts, filled, strict=True)]
        topics = [{'topic_metadata': _topic_metadata(known.topic),
                   'message_count': known.messages} for known in self._topics.values()]
        return {'rosbag2_bagfile_information': {
            'version': METADATA_VERSION, 'storage_identifier': 'mcap',
            'duration': {'nanoseconds': max(ends) - min(starts)},
            'starting_time': {'nanoseconds_since_epoch': min(starts)},
            'message_count': sum(known.messages for known in self._topics.values()),
            'topics_with_message_count': topics, 'compression_format': '',
            'compression_mode': '', 'relative_file_paths': [file['path'] for file in self._files],
            'files': self._files, 'custom_data': dict(self.attributes),
            'ros_distro': os.environ.get('ROS_DISTRO', '')}}


def _topic_metadata(topic: Topic) -> dict[str, str]:
    return {'name': topic.name, 'type': topic.type_name, 'serialization_format': 'cdr',
            'offered_qos_profiles': topic.qos, 'type_description_hash': topic.type_hash}


def sync_folder(folder: Path) -> None:
    """Bring the entries of ``folder`` to the disk, where its file system can."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError:                        # some network file systems refuse; nothing is lost
        pass
    finally:
        os.close(number)


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
        except Exception as error:         # of a damaged file the decoder raises anything
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
