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
"""Cut anywhere, flipped anywhere, full: no crash, no hang, all before the damage comes back."""

from __future__ import annotations

import os
from pathlib import Path
import random

from ltc_control.core.errors import BagError
from ltc_control.data import messages, recovery
from ltc_control.data.rosbag2 import BagWriter, read_attributes
from ltc_control.data.spool import Received, recover, Split, SPOOL_FILE, SpoolWriter
from ltc_control.data.whole_records import Message, WholeRecords
from mcap.reader import make_reader
import pytest
from rosbags.highlevel import AnyReader

TWIST = messages.TWIST_STAMPED
TURNS = 1000


def payload(k: int) -> bytes:
    """Return a message that zstd cannot make much smaller, different for each k."""
    return (messages.serialize(messages.twist_stamped(k, float(k), 0.0, 'base_link'))
            + random.Random(k).randbytes(200 + 37 * (k % 7)))


def topic(k: int) -> str:
    return '/cmd_vel' if k % 3 else '/expert/command'


def found(data: bytes) -> list[tuple[int, bytes]]:
    """Return receive time and bytes of what is whole in a file."""
    return [(item.log_ns, bytes(item.data)) for item in WholeRecords(memoryview(data))
            if isinstance(item, Message)]


EXPECTED = [(1000 + k, payload(k)) for k in range(60)]


@pytest.fixture(scope='module')
def spool(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """Return the bytes of a spool that was cut off, and where each message ends."""
    writer = SpoolWriter(tmp_path_factory.mktemp('spool') / 'bag', attributes={'driver': 'me'})
    file, ends = writer.spool / SPOOL_FILE, []
    for k in range(60):
        writer.write(topic(k), TWIST, payload(k), 1000 + k)
        ends.append(file.stat().st_size)
    writer.close()
    return file.read_bytes(), ends


@pytest.fixture(scope='module')
def bag(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """Return the bytes of a bag of many small chunks, and where the chunk of each message ends."""
    from ltc_control.data import mcap_file
    before, mcap_file.CHUNK_BYTES = mcap_file.CHUNK_BYTES, 2000
    path = tmp_path_factory.mktemp('bag') / 'bag'
    try:
        with BagWriter(path, attributes={'driver': 'me'}) as writer:
            for k in range(60):
                writer.write(topic(k), TWIST, payload(k), log_ns=1000 + k)
    finally:
        mcap_file.CHUNK_BYTES = before
    with (path / 'bag_0.mcap').open('rb') as stream:
        chunks = make_reader(stream).get_summary().chunk_indexes
    ends = [next(chunk.chunk_start_offset + chunk.chunk_length for chunk in chunks
                 if chunk.message_start_time <= 1000 + k <= chunk.message_end_time)
            for k in range(60)]
    assert len(chunks) > 8
    return (path / 'bag_0.mcap').read_bytes(), ends


@pytest.mark.parametrize('kind', ['spool', 'bag'])
def test_1000_cuts(kind: str, request: pytest.FixtureRequest) -> None:
    data, ends = request.getfixturevalue(kind)
    rng = random.Random(1)
    for _ in range(TURNS):
        cut = rng.randrange(len(data) + 1)
        saved = found(data[:cut])
        whole = sum(end <= cut for end in ends)
        assert saved[:whole] == EXPECTED[:whole]
        assert saved == EXPECTED[:len(saved)]      # of a cut chunk the beginning counts, too


@pytest.mark.parametrize('kind', ['spool', 'bag'])
def test_1000_flips(kind: str, request: pytest.FixtureRequest) -> None:
    data, ends = request.getfixturevalue(kind)
    rng, kept = random.Random(2), 0
    for _ in range(TURNS):
        place = rng.randrange(len(data))
        damaged = bytearray(data)
        damaged[place] ^= rng.randrange(1, 256)
        saved = found(bytes(damaged))
        before = sum(end <= place for end in ends)
        assert saved[:before] == EXPECTED[:before], place
        assert set(saved) <= set(EXPECTED), place   # nothing false is given out
        kept += len(saved)
    # one flip costs a message of a spool, a chunk of a bag at most, and what comes after is found
    assert kept > TURNS * (58.5 if kind == 'spool' else 54)


def test_garbage_is_no_recording() -> None:
    rng = random.Random(3)
    for size in (0, 1, 8, 9, 100, 5000):
        assert found(rng.randbytes(size)) == []
        assert found(bytes(size)) == []


def test_zeros_of_a_power_cut_cost_only_themselves(spool: tuple[bytes, list[int]]) -> None:
    data, ends = spool
    damaged = bytearray(data)
    damaged[ends[19]:ends[24]] = bytes(ends[24] - ends[19])        # messages 20 to 24
    assert found(bytes(damaged)) == EXPECTED[:20] + EXPECTED[25:]


def test_damage_is_told_and_the_bag_opens(spool: tuple[bytes, list[int]], tmp_path: Path) -> None:
    data, ends = spool
    file = tmp_path / 'damaged.mcap'
    file.write_bytes(data[:ends[30] - 3] + b'\xff' + data[ends[30] - 2:])
    done = recover(file, tmp_path / 'saved')
    assert (done.messages, done.damages, done.complete) == (59, 1, False)
    with AnyReader([done.bag]) as reader:
        assert [log_ns for _, log_ns, _ in reader.messages()] == [
            1000 + k for k in range(60) if k != 30]


def test_a_disk_that_fills_ends_the_recording_whole(tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path / 'bag')
    writer.write('/cmd_vel', TWIST, payload(0), 1000)
    real, left = os.writev, [4000]

    def full(number: int, parts: list[bytes]) -> int:
        """Write as many bytes as are left on this disk, as the system does."""
        data = b''.join(parts)[:left[0]]
        if not data:
            raise OSError(28, 'No space left on device')
        left[0] -= len(data)
        return real(number, [data])

    monkeypatch.setattr(os, 'writev', full)
    with pytest.raises(BagError, match='No space left on device') as error:
        for k in range(1, 60):
            writer.write('/cmd_vel', TWIST, payload(k), 1000 + k)
    monkeypatch.undo()
    assert f'{writer.messages} messages are safe' in str(error.value)
    assert 3 < writer.messages < 20
    with AnyReader([writer.finish()]) as reader:
        assert [log_ns for _, log_ns, _ in reader.messages()] == [
            1000 + k for k in range(writer.messages)]


def test_a_disk_too_full_for_the_bag_keeps_the_spool(tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path / 'bag')
    writer.write_all([Received('/cmd_vel', TWIST, payload(k), 1000 + k) for k in range(60)])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(BagWriter, '_end_file', refuse)
    with pytest.raises(BagError, match='No space left.*was left as it is'):
        writer.finish()
    monkeypatch.undo()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ['bag.spool']
    [done] = recovery.finish_leftovers(tmp_path)
    assert (done.bag, done.messages, done.complete) == (tmp_path / 'bag', 60, True)


def test_splits_by_size_and_time_become_files(tmp_path: Path) -> None:
    by_size = SpoolWriter(tmp_path / 'size', split=Split(bytes=10_000),
                          attributes={'driver': 'me'})
    by_time = SpoolWriter(tmp_path / 'time', split=Split(seconds=1.0))
    for k in range(60):
        by_size.write(topic(k), TWIST, payload(k), 1000 + k)
        by_time.write(topic(k), TWIST, payload(k), k * 100_000_000)
    assert by_size.files > 2
    assert by_time.files == 6
    for writer in (by_size, by_time):
        files = writer.files
        path = writer.finish()
        assert len(list(path.glob('*.mcap'))) == files
        with AnyReader([path]) as reader:
            assert [bytes(raw) for _, _, raw in reader.messages()] == [
                data for _, data in EXPECTED]
    assert read_attributes(tmp_path / 'size') == {'driver': 'me'}


def test_leftovers_are_finished_once(tmp_path: Path) -> None:
    def leave(name: str, count: int) -> SpoolWriter:
        writer = SpoolWriter(tmp_path / name)
        writer.write_all([Received('/a', TWIST, payload(k), k) for k in range(count)])
        writer.close()
        return writer

    leave('one', 3)
    leave('empty', 0)
    os.utime(tmp_path / 'empty.spool' / SPOOL_FILE, (0, 0))
    alive = SpoolWriter(tmp_path / 'alive')
    # killed after the bag got its name and before the spool was gone
    leave('two', 4)
    copy = (tmp_path / 'two.spool' / SPOOL_FILE).read_bytes()
    recover(tmp_path / 'two.spool')
    (tmp_path / 'two.spool').mkdir()
    (tmp_path / 'two.spool' / SPOOL_FILE).write_bytes(copy)
    done = list(recovery.finish_leftovers(tmp_path))
    assert [(item.bag.name, item.messages) for item in done] == [('one', 3)]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ['alive.spool', 'one', 'two']
    alive.close()
