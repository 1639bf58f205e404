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
"""A recording that dies loses nothing whole: killed, cut anywhere, or damaged in the middle."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import BagError
from ltc_control.data import messages
from ltc_control.data.rosbag2 import BagWriter, read_attributes
from ltc_control.data.spool import find_spools, recover, SPOOL_FILE, SpoolWriter
import pytest
from rosbags.highlevel import AnyReader

TWIST = messages.TWIST_STAMPED


def payload(k: int) -> bytes:
    return messages.serialize(messages.twist_stamped(k, float(k), 0.0, 'base_link' * (k % 5)))


def contents(bag: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([bag]) as reader:
        return [(link.topic, log_ns, bytes(raw)) for link, log_ns, raw in reader.messages()]


def spooled(path: Path, count: int) -> tuple[Path, list[int]]:
    """Leave a spool as a killed recorder would; return it and its length after each message."""
    writer = SpoolWriter(path, attributes={'driver': 'policy'})
    file, ends = writer.spool / SPOOL_FILE, []
    for k in range(count):
        writer.write('/cmd_vel' if k % 3 else '/expert/command', TWIST, payload(k), 1000 + k)
        ends.append(file.stat().st_size)
    writer.close()
    return writer.spool, ends


def expected(count: int) -> list[tuple[str, int, bytes]]:
    return [('/cmd_vel' if k % 3 else '/expert/command', 1000 + k, payload(k))
            for k in range(count)]


def test_finish_makes_a_bag_of_what_was_written(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / 'bag', attributes={'driver': 'policy'})
    for k in range(7):
        writer.write('/cmd_vel' if k % 3 else '/expert/command', TWIST, payload(k), 1000 + k)
    assert writer.finish(attributes={'laps': '2'}) == tmp_path / 'bag'
    assert contents(tmp_path / 'bag') == expected(7)
    assert read_attributes(tmp_path / 'bag') == {'driver': 'policy', 'laps': '2'}
    assert [entry.name for entry in tmp_path.iterdir()] == ['bag']


def test_unordered_receive_times_survive(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / 'bag')
    for stamp in (5, 3, 9, 1):
        writer.write('/cmd_vel', TWIST, payload(stamp), stamp)
    assert [log_ns for _, log_ns, _ in contents(writer.finish())] == [1, 3, 5, 9]


def test_kill_9_costs_nothing_that_was_written(tmp_path: Path) -> None:
    code = ('import itertools\nfrom ltc_control.data import messages\n'
            'from ltc_control.data.spool import SpoolWriter\n'
            f'writer = SpoolWriter({str(tmp_path / "bag")!r})\n'
            'for k in itertools.count():\n'
            '    message = messages.twist_stamped(k, float(k), 0.0, "base_link")\n'
            '    writer.write("/cmd_vel", message.__msgtype__, messages.serialize(message), k)\n'
            '    print(k, flush=True)\n')
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        lines = [recorder.stdout.readline() for _ in range(200)]
        assert find_spools(tmp_path) == []                     # its recorder is alive
        with pytest.raises(BagError, match='is being recorded'):
            recover(tmp_path / 'bag.spool')
        os.kill(recorder.pid, signal.SIGKILL)
        last = int([*lines, *recorder.stdout.read().splitlines()][-1])
    [spool] = find_spools(tmp_path)
    done = recover(spool)
    assert done.bag == tmp_path / 'bag'
    assert not done.complete
    assert last + 1 <= done.messages <= last + 2
    assert [log_ns for _, log_ns, _ in contents(done.bag)] == list(range(done.messages))
    assert find_spools(tmp_path) == []


@settings(max_examples=40, deadline=None)
@given(cut=st.floats(0.0, 1.0))
def test_cut_anywhere_every_whole_message_is_saved(cut: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool, ends = spooled(Path(folder) / 'bag', 12)
        file = spool / SPOOL_FILE
        length = round(cut * ends[-1])
        os.truncate(file, length)
        whole = sum(end <= length for end in ends)
        if whole == 0:
            with pytest.raises(BagError, match='no whole message'):
                recover(spool)
            assert spool.exists()
            return
        assert recover(spool).messages == whole
        assert contents(Path(folder) / 'bag') == expected(whole)
        assert read_attributes(Path(folder) / 'bag') == {'driver': 'policy'}


def test_a_cut_bag_is_saved_up_to_its_last_chunk(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag', attributes={'driver': 'policy'}) as bag:
        for k in range(4000):
            bag.write('/blob', TWIST, payload(k) + os.urandom(1000), log_ns=k)
    file = tmp_path / 'bag' / 'bag_0.mcap'
    os.truncate(file, file.stat().st_size * 3 // 4)
    with pytest.raises(BagError, match=r'truncated.*\d+ whole messages.*ltc bag recover'):
        contents_or_error(tmp_path / 'bag')
    done = recover(tmp_path / 'bag', tmp_path / 'saved')
    assert not done.complete
    assert 1500 < done.messages <= 3000                        # a chunk is about 1000 messages
    assert [log_ns for _, log_ns, _ in contents(done.bag)] == list(range(done.messages))
    assert (tmp_path / 'bag').exists()                         # a bag is never removed


def contents_or_error(bag: Path) -> None:
    from ltc_control.data.recording import Recording
    Recording(bag)


def test_a_damaged_chunk_costs_only_itself(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'bag') as bag:
        for k in range(4000):
            bag.write('/blob', TWIST, payload(k) + os.urandom(1000), log_ns=k)
    file = tmp_path / 'bag' / 'bag_0.mcap'
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    done = recover(tmp_path / 'bag', tmp_path / 'saved')
    saved = {log_ns for _, log_ns, _ in contents(done.bag)}
    assert not done.complete
    assert 2500 < len(saved) < 4000
    assert {0, 3999} <= saved


def test_a_whole_bag_recovers_as_it_is(record: Callable[..., Path], tmp_path: Path) -> None:
    bag = record()
    done = recover(bag, tmp_path / 'copy')
    assert done.complete
    assert contents(done.bag) == contents(bag)
    assert read_attributes(done.bag) == read_attributes(bag)


def test_refusals_say_what_to_do(record: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(BagError, match='exists already'):
        SpoolWriter(record())
    spool, _ = spooled(tmp_path / 'new', 1)
    with pytest.raises(BagError, match='ltc bag recover'):
        SpoolWriter(tmp_path / 'new')
    with pytest.raises(BagError, match='exists already'):
        recover(spool, record('other'))
    assert spool.exists()
    with pytest.raises(BagError, match='does not exist'):
        recover(tmp_path / 'nowhere')
    shutil.rmtree(spool)
    empty = SpoolWriter(tmp_path / 'new')
    with pytest.raises(BagError, match='nothing was recorded'):
        empty.finish()
    assert not spool.exists()
    assert not (tmp_path / 'new').exists()


def test_types_of_an_installed_ros_are_found(tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / 'prefix' / 'share' / 'car_msgs' / 'msg'
    folder.mkdir(parents=True)
    (folder / 'Wheel.msg').write_text('float32 speed\n')
    (folder / 'Wheels.msg').write_text('std_msgs/Header header\nWheel[] wheels\n')
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'prefix'))
    text = messages.definition('car_msgs/msg/Wheels')
    assert 'MSG: car_msgs/Wheel\n' in text
    assert 'MSG: std_msgs/Header\n' in text
    with pytest.raises(BagError, match='car_msgs/msg/Door'):
        messages.definition('car_msgs/msg/Door')
