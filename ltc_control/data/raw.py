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
The messages of a bag as the bytes that were recorded, one by one, with both their times.

Whoever copies, cuts or counts needs no decoder: the stamp of a header stands in the first bytes
of a message. Nothing is held but the message at hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
import struct
from typing import NamedTuple

from ltc_control.core.errors import BagError
from ltc_control.data.messages import definition, typestore
from ltc_control.data.recording import _source, _unreadable, Recording
from rosbags.interfaces import Connection, MessageDefinitionFormat, QosDurability
from rosbags.rosbag2.metadata import dump_qos_v8

HEADER = 'std_msgs/msg/Header'
_ENCODINGS = {MessageDefinitionFormat.MSG: 'ros2msg', MessageDefinitionFormat.IDL: 'ros2idl'}


class RawMessage(NamedTuple):
    """One recorded message: ``stamp_ns`` is its header's, None where its type has none."""

    topic: str
    type_name: str
    received_ns: int
    stamp_ns: int | None
    cdr: bytes

    @property
    def time_ns(self) -> int:
        """Return the header stamp, or the receive time of a message without one."""
        return self.received_ns if self.stamp_ns is None else self.stamp_ns


class RawRecording(Recording):
    """A bag, open for reading without decoding."""

    @property
    def total(self) -> int:
        """How many messages there are."""
        return sum(self.counts.values())

    def raw(self, topics: Collection[str] | None = None) -> Iterator[RawMessage]:
        """Yield the messages of ``topics`` (all of them where None) by receive time."""
        links = [link for link in self._reader.connections
                 if topics is None or link.topic in topics]
        if not links:                      # to rosbags an empty list stands for everything
            return
        self._know_types(links)
        stamped = {link.msgtype: self._is_stamped(link.msgtype) for link in links}
        done = 0
        try:
            for link, received_ns, cdr in self._reader.messages(links):
                stamp = header_stamp(cdr) if stamped[link.msgtype] else None
                yield RawMessage(link.topic, link.msgtype, received_ns, stamp, bytes(cdr))
                done += 1
        except BagError:
            raise
        except Exception as error:         # of a damaged file the decoders raise anything
            raise self.unreadable(error, done=done) from error

    def decode(self, message: RawMessage) -> object:
        """Return the fields of a message that :meth:`raw` yielded."""
        try:
            return self._reader.deserialize(message.cdr, message.type_name)
        except Exception as error:
            raise self.unreadable(error) from error

    def definition(self, topic: str) -> tuple[str, str]:
        """Return (text, encoding) of the type of ``topic``, our own where the bag has none."""
        link = self._link(topic)
        if link.msgdef.data and link.msgdef.format in _ENCODINGS:
            return link.msgdef.data, _ENCODINGS[link.msgdef.format]
        return definition(link.msgtype), 'ros2msg'

    def qos(self, topic: str) -> str:
        """Return the offered qualities of service of ``topic`` as metadata has them; or ''."""
        return str(dump_qos_v8(getattr(self._link(topic).ext, 'offered_qos_profiles', [])))

    def latched(self) -> set[str]:
        """Return the topics whose last message stands for late joiners."""
        return {link.topic for link in self._reader.connections
                if any(qos.durability is QosDurability.TRANSIENT_LOCAL
                       for qos in getattr(link.ext, 'offered_qos_profiles', []))}

    def _link(self, topic: str) -> Connection:
        return next(link for link in self._reader.connections if link.topic == topic)

    def unreadable(self, error: Exception, *, done: int | None = None) -> BagError:
        """Return the error that says how far the bag can be read, and what to do."""
        return _unreadable(self.path, _source(self.path), error, done=done)

    def _is_stamped(self, type_name: str) -> bool:
        store = self._reader.typestore
        known = store.fielddefs.get(type_name) or typestore().fielddefs.get(type_name)
        if not known or not known[1]:
            return False
        kind, payload = known[1][0][1]
        return kind.name == 'NAME' and payload == HEADER


def header_stamp(cdr: bytes) -> int:
    """Return the stamp [ns] of a serialised message that begins with a header."""
    order = '<' if cdr[1] & 1 else '>'     # second byte of the encapsulation
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', cdr, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
