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
Save what a recording holds: a spool whose recorder was killed, a bag cut short or damaged.

Every whole message goes into a new, indexed bag; files stay apart as they were split. The source
is mapped, not read: its messages go to the compressing threads without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
import fcntl
import os
from pathlib import Path
import re
import shutil
import time

from ltc_control.core.errors import BagError
from ltc_control.data.rosbag2 import (
    BagWriter,
    METADATA_FILE,
    METADATA_RECORD,
    PARTIAL_SUFFIX,
    QOS,
    SPOOL_SUFFIX,
    TYPE_HASH,
)
from ltc_control.data.whole_records import mapped, Message, WholeRecords
from mcap.records import Channel, Metadata, Schema
import yaml

_YOUNG_S = 10.0
_TELL_EVERY = 1 << 24                      # bytes between two calls of ``progress``


@dataclass(frozen=True)
class Recovery:
    """
    What ``recover`` saved.

    ``complete`` says whether the source had its proper end and no damage; ``damages`` counts the
    places where it was damaged, the torn end of a killed recording included.
    """

    bag: Path
    messages: int
    complete: bool
    damages: int = 0


def recover(source: Path | str, out: Path | str | None = None, *,
            progress: Callable[[int, int], None] | None = None) -> Recovery:
    """
    Write every whole message of ``source`` into a new bag ``out``.

    ``source`` is a .mcap file, a bag folder, or the ``NAME.spool`` of a recording that was killed;
    a spool is removed once its bag ``NAME`` (the default ``out``) stands. ``progress`` is called
    with bytes done and bytes in all. Raises BagError when ``out`` exists, when nothing whole is
    left, when the recorder is still at work, or when the disk is full; the source then stays.
    """
    source = Path(source)
    out = default_out(source) if out is None else Path(out)
    files = _mcap_files(source)
    is_spool = source.name.endswith(SPOOL_SUFFIX)
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(_held(file, source, alone=is_spool))
        done = _recover(files, source, out, progress or (lambda *_: None))
        if is_spool:
            shutil.rmtree(source)
    return done


def _recover(files: list[Path], source: Path, out: Path,
             progress: Callable[[int, int], None]) -> Recovery:
    total, before = sum(file.stat().st_size for file in files), 0
    messages = damages = 0
    complete = True
    try:
        with BagWriter(out) as bag:
            for file in files:
                bag.next_file()
                with mapped(file) as data:
                    records = WholeRecords(data)
                    messages += _copy(records, bag, lambda done, before=before: progress(
                        before + done, total))
                    bag.flush()            # nothing looks into the mapped file any longer
                damages += records.damages
                complete &= records.complete
                before += file.stat().st_size
                progress(before, total)
            if not messages:
                raise BagError(f'{str(source)!r} holds no whole message; there is nothing to save')
    except OSError as error:
        raise BagError(f'cannot write {str(out)!r}: {error.strerror or error}; {str(source)!r} '
                       'was left as it is, make room and try again') from error
    return Recovery(out, messages, complete, damages)


def _copy(records: WholeRecords, bag: BagWriter, tell: Callable[[int], None]) -> int:
    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    known: dict[int, tuple[str, str]] = {}     # channel -> (topic, type), declared in the bag
    count = size = 0
    for record in records:
        if isinstance(record, Message):
            names = known.get(record.channel) or _declare(record.channel, channels, schemas, bag)
            if names is None:              # its topic stood in a place that is damaged
                continue
            known[record.channel] = names
            bag.write(*names, record.data, log_ns=record.log_ns, publish_ns=record.publish_ns,
                      sequence=record.sequence)
            count += 1
            size += len(record.data)
            if size // _TELL_EVERY != (size - len(record.data)) // _TELL_EVERY:
                tell(size)
        elif isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel):
            channels[record.id] = record
            known.pop(record.id, None)
        elif isinstance(record, Metadata) and record.name == METADATA_RECORD:
            bag.attributes.update(record.metadata)
    return count


def _declare(number: int, channels: dict[int, Channel], schemas: dict[int, Schema],
             bag: BagWriter) -> tuple[str, str] | None:
    channel = channels.get(number)
    schema = schemas.get(channel.schema_id) if channel else None
    if channel is None or schema is None:
        return None
    bag.declare(channel.topic, schema.name, schema.data.decode(errors='replace'), schema.encoding,
                qos=channel.metadata.get(QOS, ''), type_hash=channel.metadata.get(TYPE_HASH, ''))
    return channel.topic, schema.name


def find_spools(folder: Path | str) -> list[Path]:
    """Return the spools in ``folder`` whose recorder died: what the next one recovers."""
    return [spool for spool in sorted(Path(folder).glob(f'*{SPOOL_SUFFIX}'))
            if not any(_is_held(file) for file in spool.glob('*.mcap'))]


def finish_leftovers(folder: Path | str) -> Iterator[Recovery | BagError]:
    """
    Finish every recording in ``folder`` that a killed recorder left; yield how each one went.

    A spool in which nothing was recorded is removed. Where the bag stands already (killed between
    its last two steps) the spool is removed; a different bag of that name is left alone, and the
    spool becomes ``NAME_recovered``.
    """
    for spool in find_spools(folder):
        try:
            files = _mcap_files(spool)
            count = sum(whole_messages(file)[0] for file in files)
            if not count:
                _remove_old(spool, files)
                continue
            out = default_out(spool)
            if _messages_stated(out) == count:
                shutil.rmtree(spool)
                continue
            yield recover(spool, _free(out))
        except BagError as error:
            yield error
        except OSError as error:
            yield BagError(f'{str(spool)!r} cannot be finished: {error}')


def _remove_old(spool: Path, files: list[Path]) -> None:
    # one so young may be between its birth and its lock
    if time.time() - max(file.stat().st_mtime for file in files) > _YOUNG_S:
        shutil.rmtree(spool)


def _messages_stated(bag: Path) -> int | None:
    try:
        document = yaml.safe_load((bag / METADATA_FILE).read_text())
        return int(document['rosbag2_bagfile_information']['message_count'])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return None


def _free(bag: Path) -> Path:
    """Return ``bag``, or the first of ``bag_recovered``, ``bag_recovered_2`` ... that is free."""
    place, number = bag, 1
    while place.exists():
        place = bag.with_name(f'{bag.name}_recovered' + (f'_{number}' if number > 1 else ''))
        number += 1
    return place


@contextmanager
def _held(file: Path, source: Path, *, alone: bool) -> Iterator[None]:
    """Hold ``file`` against its recorder and, for a spool, against another recovery."""
    with file.open('rb') as stream:
        try:
            fcntl.flock(stream, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BagError(f'{str(source)!r} is being recorded; stop its recorder '
                           'first') from error
        yield


def _is_held(file: Path) -> bool:
    """Return whether a living recorder holds the file."""
    try:
        with file.open('rb') as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:              # finished meanwhile, by another recorder
        return True
    return False


def whole_messages(file: Path) -> tuple[int, bool]:
    """Return how many whole messages a .mcap holds and whether it has its proper end."""
    with mapped(Path(file)) as data:
        records = WholeRecords(data)
        count = sum(isinstance(record, Message) for record in records)
    return count, records.complete


def default_out(source: Path) -> Path:
    """Return the bag that ``source`` becomes where nobody names one."""
    for suffix in (SPOOL_SUFFIX, PARTIAL_SUFFIX):
        if source.name.endswith(suffix):
            return source.with_name(source.name.removesuffix(suffix))
    return source.with_name(f'{source.stem}_recovered')


def _mcap_files(source: Path) -> list[Path]:
    if not source.exists():
        raise BagError(f'{str(source)!r} does not exist; give a .mcap file or its folder')
    files = [source] if source.is_file() else sorted(source.glob('*.mcap'), key=_by_number)
    if not files or any(file.suffix != '.mcap' for file in files):
        raise BagError(f'{str(source)!r} holds no .mcap file; only MCAP recordings can be '
                       'recovered message by message')
    return files


def _by_number(file: Path) -> tuple[int, str]:
    """Order ``bag_10.mcap`` after ``bag_9.mcap``, and ``spool.mcap`` first."""
    number = re.search(r'_(\d+)$', file.stem)
    return (int(number[1]) if number else -1), os.fspath(file)
