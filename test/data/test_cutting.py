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
"""Parts of a bag put together are the bag; other readers open them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control.core.errors import BagError, ConfigError
from ltc_control.data import messages
from ltc_control.data.cutting import cut, Edge, merge
from ltc_control.data.rosbag2 import BagWriter, read_attributes
from mcap.reader import make_reader
import pytest
from rosbags.highlevel import AnyReader


def content(bag: Path) -> list[tuple[str, int, bytes]]:
    with AnyReader([bag]) as reader:
        return [(link.topic, time_ns, bytes(raw)) for link, time_ns, raw in reader.messages()]


def test_two_halves_merged_are_the_whole(record: Any, tmp_path: Path) -> None:
    whole = record(frames=12)
    middle = Edge(stamp_ns=record.stamp(5))
    first = cut(whole, tmp_path / 'first', end=middle)
    second = cut(whole, tmp_path / 'second', begin=middle)
    both = merge([first.bag, second.bag], tmp_path / 'both')
    assert first.messages + second.messages == both.messages == len(content(whole))
    assert sorted(content(both.bag)) == sorted(content(whole))
    assert [time for _, time, _ in content(both.bag)] == sorted(
        time for _, time, _ in content(whole))
    assert first.last_ns < record.stamp(5) <= second.first_ns


def test_a_part_opens_in_the_mcap_reader_and_knows_where_it_is_from(record: Any,
                                                                    tmp_path: Path) -> None:
    part = cut(record(frames=12), tmp_path / 'part', begin=Edge(seconds=0.1),
               end=Edge(seconds=-0.1))
    attributes = read_attributes(part.bag)
    assert attributes['track'] == '7'
    assert int(attributes['cut_from_ns']) <= part.first_ns
    with next(part.bag.glob('*.mcap')).open('rb') as stream:
        images = [message for schema, _, message in make_reader(stream).iter_messages()
                  if schema.name == messages.IMAGE]
    # frames at 0.1 s and later, and earlier than 0.1 s before the last, of 12 at 30 Hz; the bag's
    # first stamp is that of an IMU sample 3/4 of a period before the first frame
    inside = [k for k in range(12)
              if record.stamp(0) - 3 * record.step_ns // 4 + 10**8 <= record.stamp(k)
              < record.stamp(11) - 10**8]
    assert len(images) == len(inside)


def test_bags_that_differ_keep_both_words(record: Any, tmp_path: Path) -> None:
    one = record('one', frames=3)
    with BagWriter(tmp_path / 'two', attributes={'track': '8', 'season': 'winter'}) as bag:
        message = messages.twist_stamped(record.stamp(1) + 5, 1.0, 0.0, 'base_link')
        bag.write('/cmd_vel', messages.TWIST_STAMPED, messages.serialize(message),
                  log_ns=record.stamp(1) + 5)
    attributes = read_attributes(merge([one, tmp_path / 'two'], tmp_path / 'both').bag)
    assert (attributes['track'], attributes['track@2'], attributes['season']) == (
        '7', '8', 'winter')


def test_a_topic_of_two_types_is_refused_and_leaves_nothing(record: Any, tmp_path: Path) -> None:
    one = record('one', frames=3)
    with BagWriter(tmp_path / 'two') as bag:
        message = messages.twist_stamped(record.stamp(0), 1.0, 0.0, 'base_link')
        bag.write('/odom', messages.TWIST_STAMPED, messages.serialize(message), log_ns=1)
    with pytest.raises(BagError, match=r"'/odom' holds"):
        merge([one, tmp_path / 'two'], tmp_path / 'both')
    assert not (tmp_path / 'both').exists()


def test_latched_messages_go_along(tmp_path: Path) -> None:
    latched = ('- history: 1\n  depth: 1\n  reliability: 1\n  durability: 1\n'
               '  deadline: {sec: 0, nsec: 0}\n  lifespan: {sec: 0, nsec: 0}\n  liveliness: 1\n'
               '  liveliness_lease_duration: {sec: 0, nsec: 0}\n'
               '  avoid_ros_namespace_conventions: false\n')
    with BagWriter(tmp_path / 'drive') as bag:
        for topic, qos in (('/robot', latched), ('/cmd_vel', '')):
            bag.declare(topic, messages.TWIST_STAMPED,
                        messages.definition(messages.TWIST_STAMPED), qos=qos)
        for topic, at in (('/robot', 1), ('/cmd_vel', 2), ('/cmd_vel', 3), ('/cmd_vel', 4)):
            message = messages.twist_stamped(at * 10**9, at, 0.0, 'base_link')
            bag.write(topic, messages.TWIST_STAMPED, messages.serialize(message),
                      log_ns=at * 10**9)
    part = cut(tmp_path / 'drive', tmp_path / 'part', begin=Edge(stamp_ns=3 * 10**9))
    assert [(topic, time // 10**9) for topic, time, _ in content(part.bag)] == [
        ('/robot', 1), ('/cmd_vel', 3), ('/cmd_vel', 4)]
    again = cut(part.bag, tmp_path / 'again', begin=Edge(stamp_ns=4 * 10**9))
    assert content(again.bag)[0][0] == '/robot'       # its quality of service went along


def test_places_are_seconds_or_stamps() -> None:
    assert Edge.parse('12.5').within(1_000, 9_000) == 12_500_001_000
    assert Edge.parse('-3').within(0, 10**10) == 7 * 10**9
    assert Edge.parse('-0').within(5, 10**10) == 10**10
    assert Edge.parse('1700000000000000000').within(0, 1) == 1_700_000_000_000_000_000
    assert Edge.parse('1000').within(0, 1) == 10**12
    for text in ('ten', 'nan', 'inf', ''):
        with pytest.raises(ConfigError, match='no place in a bag'):
            Edge.parse(text)


def test_empty_and_inverted_cuts_are_refused(record: Any, tmp_path: Path) -> None:
    whole = record(frames=4)
    with pytest.raises(BagError, match='no message'):
        cut(whole, tmp_path / 'out', begin=Edge(seconds=60.0))
    with pytest.raises(ConfigError, match='not after its begin'):
        cut(whole, tmp_path / 'out', begin=Edge(seconds=1.0), end=Edge(seconds=0.5))
    assert not (tmp_path / 'out').exists()
