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
The recordings of one recorder: the one that runs, the ring of the last seconds, and their ends.

Knows nothing of ROS but the messages' bytes. A recording that the disk refuses ends with what it
has, and says why; nothing here ever raises because a disk is full.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
import json
from pathlib import Path
import re
import time

from ltc_control.core.errors import BagError
from ltc_control.data.disk_floor import DiskFloor
from ltc_control.data.header_stamps import has_header, header_stamp, StampWatch
from ltc_control.data.ring import Ring
from ltc_control.data.rosbag2 import PARTIAL_SUFFIX, SPOOL_SUFFIX, Topic
from ltc_control.data.spool import (
    find_spools,
    finish_leftovers,
    Received,
    Recovery,
    Split,
    SpoolWriter,
)
from ltc_control.nodes.background import Background


@dataclass(frozen=True)
class Rules:
    """Where recordings go and how much they may take."""

    bag: Path
    split: Split
    floor: DiskFloor
    attributes: Mapping[str, str]


class Recordings:
    """
    Takes batches of messages; ``told`` is called with every event in words, ``failed`` if bad.

    Raises BagError when ``rules.bag`` exists; a spool of that name, left by a recorder that was
    killed, is finished instead, and recordings take the next free name.
    """

    def __init__(self, rules: Rules, *, ring: Ring, told: Callable[[str], None],
                 failed: Callable[[str], None]) -> None:
        self._rules, self._told = rules, told
        self._leftovers = set(find_spools(rules.bag.parent))
        if rules.bag.exists() and not self._left_behind():
            raise BagError(f'{str(rules.bag)!r} exists already; remove it or name another bag')
        self._failed = failed
        self.ring = ring
        self._topics: dict[str, Topic] = {}
        self._watches: dict[str, StampWatch | None] = {}
        self._standing: dict[str, Received] = {}       # newest of each latched topic
        self._spool: SpoolWriter | None = None
        self._background = Background(failed=lambda error: failed(str(error)))
        self.counts: dict[str, int] = {}   # messages of all recordings by topic
        self.saved = 0                     # snapshots
        self.trouble = ''                  # why nothing is recorded though it should be

    @property
    def bag(self) -> Path | None:
        """Return the bag that is being recorded, None where none is."""
        return self._spool.path if self._spool else None

    @property
    def bytes(self) -> int:  # noqa: A003
        """Bytes of the recording that runs."""
        return self._spool.bytes if self._spool else 0

    @property
    def busy(self) -> int:
        """Return recordings and snapshots that wait to be finished."""
        return self._background.waiting

    @property
    def errors(self) -> list[BagError]:
        """Return what could not be finished."""
        return list(self._background.errors)

    def missing(self) -> dict[str, int]:
        """Return by topic how many messages its header stamps miss."""
        return {name: watch.missing for name, watch in self._watches.items()
                if watch is not None and watch.missing}

    def know(self, topic: Topic, *, latched: bool) -> None:
        """Take note of a topic before its first message."""
        self._topics[topic.name] = topic
        self._watches[topic.name] = StampWatch() if has_header(topic.type_name) else None
        self.counts.setdefault(topic.name, 0)
        if latched:
            self.ring.latched = {*self.ring.latched, topic.name}
        if self._spool is not None:
            self._guarded(lambda spool: spool.declare(topic))

    def finish_leftovers(self) -> None:
        """Finish, in the background, what killed recorders left in the folder."""
        def job() -> None:
            for done in finish_leftovers(self._rules.bag.parent):
                if isinstance(done, Recovery):
                    self._told(f'{done.messages} messages of a recording that was cut off are '
                               f'in {done.bag}')
                else:
                    self._failed(str(done))
        if self._leftovers:
            self._background.do(job)

    def start(self) -> bool:
        """Begin a recording, unless one runs; False, and ``trouble`` says why, where none can."""
        if self._spool is not None:
            return True
        self.trouble = self._rules.floor.refusal()
        if not self.trouble:
            try:
                self._spool = SpoolWriter(self._free(), attributes=self._rules.attributes,
                                          split=self._rules.split)
                for topic in self._topics.values():
                    self._spool.declare(topic)
                self._spool.begin_with(list(self._standing.values()))
            except BagError as error:
                self._spool, self.trouble = None, str(error)
        if self.trouble:
            self._failed(f'not recording: {self.trouble}')
        return not self.trouble

    def note(self, batch: Collection[Received]) -> None:
        """Remember what stands for late joiners: the next recording begins with it."""
        for item in batch:
            if item.topic in self.ring.latched:
                self._standing[item.topic] = item

    def take(self, batch: Collection[Received]) -> None:
        """Take in messages, oldest first: to the disk before anything else."""
        self.note(batch)
        if self._spool is not None and batch:
            self._guarded(lambda spool: spool.write_all(list(batch)))
        for item in batch:
            self.counts[item.topic] += 1
            watch = self._watches[item.topic]
            stamp_ns = None if watch is None else header_stamp(item.cdr)
            if watch is not None and stamp_ns is not None:
                watch.add(stamp_ns)
        self.ring.extend(batch)

    def _guarded(self, act: Callable[[SpoolWriter], None]) -> None:
        assert self._spool is not None
        try:
            act(self._spool)
        except BagError as error:
            self.trouble = str(error)
            self._failed(f'recording stops: {error}')
            self.stop(ended='the disk took no more')

    def watch_disk(self) -> None:
        """Stop the recording where the floor is reached."""
        if self._spool is None:
            return
        refusal = self._rules.floor.refusal(spooled=self._spool.bytes)
        if refusal:
            self.trouble = refusal
            self._failed(f'recording stops, driving goes on: {refusal}')
            self.stop(ended='the floor of the disk was reached')

    def stop(self, *, ended: str = 'stopped') -> Path | None:
        """End the recording that runs; return the bag that it becomes, in the background."""
        spool, self._spool = self._spool, None
        if spool is None:
            return None
        last = {'ended': ended, 'missing': json.dumps(self.missing(), sort_keys=True)}

        def job() -> None:
            started = time.monotonic()
            size = spool.bytes
            bag = spool.finish(attributes=last)
            rate = size / 1e6 / max(time.monotonic() - started, 1e-3)
            self._told(f'{spool.messages} messages in {bag} ({rate:.0f} MB/s)')
        spool.end(attributes=last)         # lets go of the disk's cache and of the lock first
        self._background.do(job)
        return spool.path

    def save(self, reason: str) -> Path | None:
        """Save the ring as a bag of its own, in the background; None where it is empty."""
        content = self.ring.content()
        if not content:
            return None
        bag = self._free(f'_{reason}')
        attributes = {**self._rules.attributes, 'reason': reason}
        topics = [self._topics[name] for name in sorted({item.topic for item in content})]
        refusal = self._rules.floor.refusal(spooled=2 * self.ring.bytes + self.bytes)
        if refusal:
            self._failed(f'{reason} is not saved: {refusal}')
            return None
        spool = SpoolWriter(bag, attributes=attributes)        # takes the name at once

        def job() -> None:
            for topic in topics:
                spool.declare(topic)
            for begin in range(0, len(content), 200):
                spool.write_all(content[begin:begin + 200])
            spool.finish()
            self._told(f'{len(content)} messages before {reason} are in {bag}')
        self._background.do(job)
        self.saved += 1
        return bag

    def close(self) -> None:
        """Return when everything is finished."""
        self.stop()
        self._background.close()

    def _left_behind(self) -> bool:
        """Return whether a recorder of this very bag, or of a later number, was killed."""
        family = re.compile(re.escape(self._rules.bag.name) + r'(_\d+)?' + re.escape(SPOOL_SUFFIX))
        return any(family.fullmatch(spool.name) for spool in self._leftovers)

    def _free(self, ending: str = '') -> Path:
        """Return the first of ``bag``, ``bag_2``, ``bag_3`` ... that nobody has."""
        base = self._rules.bag.with_name(self._rules.bag.name + ending)
        place, number = base, 1
        while any(place.with_name(place.name + suffix).exists()
                  for suffix in ('', SPOOL_SUFFIX, PARTIAL_SUFFIX)):
            number += 1
            place = base.with_name(f'{base.name}_{number}')
        return place
