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
"""The ring, the watch over stamps, the floor of the disk, and where a recording comes from."""

from __future__ import annotations

import json
from pathlib import Path
import random

from hypothesis import given
from hypothesis import strategies as st
from ltc_control import __version__
from ltc_control.data import messages
from ltc_control.data.disk_floor import DiskFloor
from ltc_control.data.header_stamps import has_header, header_stamp, StampWatch
from ltc_control.data.provenance import model_attributes, parameter_attributes, versions
from ltc_control.data.ring import Ring
from ltc_control.data.spool import Received
import numpy as np
import pytest

PERIOD_NS = 33_333_333


def item(k: int, *, size: int = 10, topic: str = '/a') -> Received:
    return Received(topic, 'x/msg/X', bytes(size), k * 100_000_000)


def test_the_ring_holds_the_last_seconds() -> None:
    ring = Ring(seconds=1.0, most_bytes=10**6)
    for k in range(50):
        ring.extend([item(k)])
    assert [kept.received_ns for kept in ring.content()] == [
        k * 100_000_000 for k in range(39, 50)]
    assert ring.seconds == 1.0
    assert ring.bytes == 110


@given(st.lists(st.integers(1, 400), max_size=60))
def test_the_ring_never_holds_too_much(sizes: list[int]) -> None:
    ring = Ring(seconds=100.0, most_bytes=1000)
    for k, size in enumerate(sizes):
        ring.extend([item(k, size=size)])
        assert ring.bytes == sum(len(kept.cdr) for kept in ring.content()) <= 1000
        assert ring.content()[-1].received_ns == k * 100_000_000


def test_a_latched_message_stays_however_old() -> None:
    ring = Ring(seconds=1.0, most_bytes=10**6)
    ring.latched = {'/map'}
    for k in (0, 1):
        ring.extend([item(k, topic='/map')])
    for k in range(2, 40):
        ring.extend([item(k)])
    first = ring.content()[0]
    assert (first.topic, first.received_ns) == ('/map', 100_000_000)
    assert len(ring.content()) == 12
    ring.clear()
    assert ring.content() == []


def test_no_seconds_hold_nothing() -> None:
    ring = Ring(seconds=0.0, most_bytes=10**6)
    ring.extend([item(1)])
    assert ring.content() == []


def test_header_stamps_are_read_from_the_bytes() -> None:
    stamp_ns = 1_795_274_146_957_132_979
    for message in (messages.twist_stamped(stamp_ns, 1.0, 0.0, 'base_link'),
                    messages.image(stamp_ns, np.zeros((2, 2, 3), np.uint8), 'cam')):
        assert has_header(message.__msgtype__)
        assert header_stamp(messages.serialize(message)) == stamp_ns
    big = b'\0\0\0\0' + (7).to_bytes(4, 'big') + (9).to_bytes(4, 'big')
    assert header_stamp(big) == 7_000_000_009
    assert header_stamp(b'\0\1\0\0') is None
    assert not has_header('std_msgs/msg/String')
    assert not has_header('nobody/msg/Knows')


@given(st.sets(st.integers(20, 398), max_size=60), st.integers(0, 2**31))
def test_what_is_missing_is_counted_through_jitter(lost: set[int], seed: int) -> None:
    rng = random.Random(seed)
    watch = StampWatch()
    for k in range(400):
        if k not in lost:
            watch.add(k * PERIOD_NS + rng.randrange(PERIOD_NS // 10))
    assert watch.missing == len(lost)
    assert watch.period_s == pytest.approx(1 / 30, rel=0.1)


def test_events_without_a_rate_miss_nothing() -> None:
    watch, now = StampWatch(), 0
    rng = random.Random(4)
    for _ in range(300):
        now += int(rng.expovariate(1.0) * 1e9)
        watch.add(now)
    assert watch.missing == 0
    watch.add(now)
    watch.add(now - 5)
    assert watch.unordered == 2


def test_the_floor_counts_what_finishing_needs(tmp_path: Path) -> None:
    floor = DiskFloor(tmp_path / 'not' / 'there' / 'yet', 1000)
    free = floor.free()
    assert free > 1000
    assert floor.refusal() == ''
    assert 'must stay so' in floor.refusal(spooled=2 * free)
    assert 'floor_mb' in DiskFloor(tmp_path, 2 * free).refusal()


def test_a_recording_says_where_it_comes_from(tmp_path: Path) -> None:
    told = model_attributes('models/car_lane')
    assert told['model_name'] == 'car_lane'
    assert len(told['model_digest']) == 64
    assert model_attributes('') == {}
    assert 'model_error' in model_attributes(str(tmp_path))
    assert versions()['version.ltc_control'] == __version__
    assert {'version.python', 'version.onnxruntime', 'version.numpy'} <= set(versions())
    texts = parameter_attributes({'bag': 'b', 'system': '{}'}, '{"policy_node": {}}')
    assert json.loads(texts['recorder']) == {'bag': 'b'}
    assert json.loads(texts['parameters']) == {'policy_node': {}}
