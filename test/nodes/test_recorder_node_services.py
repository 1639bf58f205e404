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
"""The recorder's services, states, snapshots, patterns and floor, over real DDS."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import time
from typing import Any

import pytest
import yaml

pytest.importorskip('rclpy')

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from ltc_control import bringup
from ltc_control.core.errors import BagError, ConfigError
from ltc_control.data import messages
from ltc_control.data.disk_floor import DiskFloor
from ltc_control.data.rosbag2 import read_attributes
from ltc_control.data.spool import SpoolWriter
from ltc_control.nodes.qos import LATCHED
from ltc_control.nodes.recorded_topics import matcher
from ltc_control.nodes.recorder_node import RecorderNode
from ltc_control.nodes.safety_node import SafetyNode
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger

pytestmark = pytest.mark.ros

BEST_EFFORT = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
REPORT = 'recorder_node: recording'


@pytest.fixture
def record(stage: Any, tmp_path: Path) -> Any:
    """Return a function that adds a recorder of ``tmp_path/bag`` to the stage."""
    nodes = []

    def add(**parameters: Any) -> RecorderNode:
        told = {'bag': str(tmp_path / 'bag'), 'topics': '/words', 'floor_mb': 0.0} | parameters
        nodes.append(stage.add(RecorderNode, **told))
        return nodes[-1]

    yield add
    for node in nodes:
        node._recordings.close()


def call(stage: Any, kind: Any, name: str, request: Any = None) -> Any:
    client = stage.nodes[0].create_client(kind, name)
    stage.spin_until(client.service_is_ready)
    future = client.call_async(request or kind.Request())
    stage.spin_until(future.done)
    return future.result()


def ask(stage: Any, what: str) -> Any:
    return call(stage, Trigger, f'/recorder_node/{what}')


def change(stage: Any, transition: int) -> bool:
    return call(stage, ChangeState, '/recorder_node/change_state',
                ChangeState.Request(transition=Transition(id=transition))).success


def say(stage: Any, out: Any, words: list[str]) -> None:
    for word in words:
        out.publish(String(data=word))
        stage.spin(0.005)


def wait_for(stage: Any, condition: Callable[[], bool]) -> None:
    stage.spin_until(condition)


def recorded(ears: Any) -> int:
    """Return how many messages the recorder has told of."""
    return int(ears.health.get(REPORT, {}).get('messages', 0))


def say_until_recorded(stage: Any, ears: Any, out: Any, word: str) -> None:
    """Say a word again and again: a match told to a publisher may be that of a moment ago."""
    before = recorded(ears)

    def heard() -> bool:
        out.publish(String(data=word))
        return recorded(ears) > before

    wait_for(stage, heard)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def words_in(bag: Path) -> list[str]:
    """Return what ``mcap-ros2-support`` decodes of /words."""
    found = []
    for file in sorted(bag.glob('*.mcap')):
        with file.open('rb') as stream:
            found += [message.data for _, channel, _, message in make_reader(
                stream, decoder_factories=[DecoderFactory()]).iter_decoded_messages(['/words'])]
    return found


def test_patterns_take_up_what_appears_with_what_it_offers(stage: Any, record: Any,
                                                           tmp_path: Path) -> None:
    ears = stage.listener()
    latched = ears.create_publisher(String, '/a/map', LATCHED)
    latched.publish(String(data='said before anybody listened'))
    record(topics='/words', patterns='/a/* re:/b[0-9]+', exclude='/a/secret', triggers='')
    outs = [ears.create_publisher(String, name, quality) for name, quality in (
        ('/words', 50), ('/a/secret', 50), ('/b17', BEST_EFFORT), ('/b', 50), ('/a/_hidden', 50))]
    words, secret, late, other, hidden = outs
    wait_for(stage, lambda: words.get_subscription_count() and late.get_subscription_count()
             and latched.get_subscription_count())
    for out in outs:
        say(stage, out, ['one', 'two'])
    wait_for(stage, lambda: recorded(ears) >= 5)
    assert ask(stage, 'stop').success
    wait_for(stage, (tmp_path / 'bag' / 'metadata.yaml').exists)
    with AnyReader([tmp_path / 'bag']) as reader:
        counts = {link.topic: link.msgcount for link in reader.connections}
        qualities = {link.topic: link.ext.offered_qos_profiles[0] for link in reader.connections}
    assert counts == {'/words': 2, '/a/map': 1, '/b17': 2}
    assert not any(out.get_subscription_count() for out in (secret, other, hidden))
    assert qualities['/a/map'].durability == QosDurability.TRANSIENT_LOCAL
    assert qualities['/b17'].reliability == QosReliability.BEST_EFFORT
    assert words_in(tmp_path / 'bag') == ['one', 'two']
    document = yaml.safe_load((tmp_path / 'bag' / 'metadata.yaml').read_text())
    [live] = ears.get_publishers_info_by_topic('/words')
    topics = [entry['topic_metadata'] for entry in
              document['rosbag2_bagfile_information']['topics_with_message_count']]
    assert {topic['type_description_hash'] for topic in topics} == {str(live.topic_type_hash)}
    with (tmp_path / 'bag' / 'bag_0.mcap').open('rb') as stream:
        channels = make_reader(stream).get_summary().channels.values()
    assert {channel.metadata['topic_type_hash'] for channel in channels} == {
        str(live.topic_type_hash)}
    assert all(yaml.safe_load(topic['offered_qos_profiles'])[0]['avoid_ros_namespace_conventions']
               is False for topic in topics)


def test_stop_and_start_make_the_next_bag(stage: Any, record: Any, tmp_path: Path) -> None:
    out = stage.listener().create_publisher(String, '/words', 50)
    record()
    wait_for(stage, lambda: out.get_subscription_count() == 1)
    say(stage, out, ['first'])
    assert ask(stage, 'stop').success
    assert not ask(stage, 'stop').success
    say(stage, out, ['unheard'])
    answer = ask(stage, 'start')
    assert answer.success
    assert answer.message.endswith('bag_2')
    say(stage, out, ['second', 'third'])
    assert ask(stage, 'stop').success
    wait_for(stage, lambda: (tmp_path / 'bag_2').exists())
    assert words_in(tmp_path / 'bag') == ['first']
    assert words_in(tmp_path / 'bag_2') == ['second', 'third']


def test_every_recording_begins_with_what_still_holds(stage: Any, record: Any,
                                                      tmp_path: Path) -> None:
    ears = stage.listener()
    standing = ears.create_publisher(String, '/map', LATCHED)
    out = ears.create_publisher(String, '/words', 50)
    standing.publish(String(data='an old map'))
    record(topics='/words,/map', autostart=False, split_s=0.5)
    assert change(stage, Transition.TRANSITION_CONFIGURE)
    wait_for(stage, lambda: out.get_subscription_count() and standing.get_subscription_count())
    say(stage, out, ['unheard'] * 100)     # longer than a file of the bag may span
    assert change(stage, Transition.TRANSITION_ACTIVATE)
    say(stage, out, ['one'])
    assert ask(stage, 'stop').success
    standing.publish(String(data='the map'))
    say(stage, out, ['unheard'])
    assert ask(stage, 'start').success
    say(stage, out, ['two'])
    assert ask(stage, 'stop').success
    wait_for(stage, (tmp_path / 'bag_2').exists)
    for name, told in (('bag', {'an old map', 'one'}), ('bag_2', {'the map', 'two'})):
        with AnyReader([tmp_path / name]) as reader:
            assert {reader.deserialize(raw, link.msgtype).data
                    for link, _, raw in reader.messages()} == told
        assert len(list((tmp_path / name).glob('*.mcap'))) == 1


def test_an_emergency_and_a_take_over_save_what_was_just_before(stage: Any, record: Any,
                                                                tmp_path: Path) -> None:
    ears = stage.listener()
    out, stop, who = (ears.create_publisher(kind, name, quality) for kind, name, quality in (
        (String, '/words', 50), (Bool, bringup.E_STOP, 50),
        (String, bringup.IN_COMMAND, LATCHED)))
    record(record=False)
    wait_for(stage, lambda: out.get_subscription_count() and stop.get_subscription_count()
             and who.get_subscription_count())
    say(stage, out, ['before', 'just before'])
    stop.publish(Bool(data=False))
    stage.spin(0.1)
    stop.publish(Bool(data=True))
    wait_for(stage, lambda: (tmp_path / 'bag_e_stop').exists())
    assert words_in(tmp_path / 'bag_e_stop') == ['before', 'just before']
    assert read_attributes(tmp_path / 'bag_e_stop')['reason'] == 'e_stop'
    stop.publish(Bool(data=True))                  # still pressed: no news
    who.publish(String(data='policy'))
    saved = time.monotonic()
    wait_for(stage, lambda: time.monotonic() > saved + 1.0)     # one event shows on many topics
    who.publish(String(data='human'))
    wait_for(stage, lambda: (tmp_path / 'bag_human').exists())
    assert ask(stage, 'snapshot').success
    wait_for(stage, lambda: names_in(tmp_path) == ['bag_e_stop', 'bag_human', 'bag_snapshot'])


def test_an_emergency_stop_by_service_is_saved_too(stage: Any, record: Any,
                                                   tmp_path: Path) -> None:
    out = stage.listener().create_publisher(String, '/words', 50)
    stage.add(SafetyNode)
    recorder = record(record=False)
    wait_for(stage, lambda: out.get_subscription_count() == 1
             and recorder.count_publishers(bringup.VERDICT) == 1)
    say(stage, out, ['just before'])
    for pressed in (True, False, True):
        assert call(stage, SetBool, '/safety_node/estop', SetBool.Request(data=pressed)).success
        wait_for(stage, (tmp_path / 'bag_e_stop').exists)
        saved = time.monotonic()
        wait_for(stage, lambda: time.monotonic() > saved + 1.0)    # noqa: B023
    wait_for(stage, (tmp_path / 'bag_e_stop_2').exists)
    assert words_in(tmp_path / 'bag_e_stop') == ['just before']
    wait_for(stage, lambda: names_in(tmp_path) == ['bag_e_stop', 'bag_e_stop_2'])


def test_a_full_disk_stops_the_recording_and_nothing_else(
        stage: Any, record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ears = stage.listener()
    out = ears.create_publisher(String, '/words', 50)
    record(floor_mb=1.0)
    wait_for(stage, lambda: out.get_subscription_count() == 1)
    say(stage, out, ['safe'])
    wait_for(stage, lambda: recorded(ears) == 1)
    monkeypatch.setattr(DiskFloor, 'free', lambda _: 500_000)
    wait_for(stage, lambda: 'must stay so' in ears.warnings.get(REPORT, ''))
    wait_for(stage, (tmp_path / 'bag').exists)
    assert words_in(tmp_path / 'bag') == ['safe']
    assert 'floor' in read_attributes(tmp_path / 'bag')['ended']
    answer = ask(stage, 'start')
    assert not answer.success
    assert 'floor_mb' in answer.message
    monkeypatch.undo()
    assert ask(stage, 'start').success
    wait_for(stage, lambda: ears.warnings[REPORT] == 'ok')


def test_a_broken_disk_stops_the_recording_and_nothing_else(
        stage: Any, record: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ears = stage.listener()
    out = ears.create_publisher(String, '/words', 50)
    record()
    wait_for(stage, lambda: out.get_subscription_count() == 1)
    say(stage, out, ['safe'])
    wait_for(stage, lambda: recorded(ears) == 1)

    def refuse(*_: object) -> None:
        raise BagError('no space left on device')

    monkeypatch.setattr(SpoolWriter, 'write_all', refuse)
    say(stage, out, ['lost'])
    wait_for(stage, lambda: 'no space left' in ears.warnings.get(REPORT, ''))
    wait_for(stage, (tmp_path / 'bag').exists)
    assert words_in(tmp_path / 'bag') == ['safe']


def test_states_come_and_go(stage: Any, record: Any, tmp_path: Path) -> None:
    ears = stage.listener()
    out = ears.create_publisher(String, '/words', 50)
    record(autostart=False)
    assert not ask(stage, 'start').success                      # not active yet
    assert change(stage, Transition.TRANSITION_CONFIGURE)
    wait_for(stage, lambda: out.get_subscription_count() == 1)
    assert change(stage, Transition.TRANSITION_ACTIVATE)
    say(stage, out, ['active'])
    wait_for(stage, lambda: recorded(ears) == 1)
    assert change(stage, Transition.TRANSITION_DEACTIVATE)
    wait_for(stage, (tmp_path / 'bag').exists)
    assert words_in(tmp_path / 'bag') == ['active']
    assert change(stage, Transition.TRANSITION_CLEANUP)
    wait_for(stage, lambda: out.get_subscription_count() == 0)


def test_what_a_killed_recorder_left_is_finished_at_the_next_start(
        stage: Any, record: Any, tmp_path: Path) -> None:
    killed = SpoolWriter(tmp_path / 'bag')
    message = messages.twist_stamped(1, 2.0, 0.0, 'base_link')
    killed.write('/cmd_vel', message.__msgtype__, messages.serialize(message), 5)
    killed.close()
    out = stage.listener().create_publisher(String, '/words', 50)
    record()
    wait_for(stage, lambda: (tmp_path / 'bag').exists() and out.get_subscription_count() == 1)
    say(stage, out, ['next'])
    assert ask(stage, 'stop').success
    wait_for(stage, (tmp_path / 'bag_2').exists)
    wait_for(stage, lambda: names_in(tmp_path) == ['bag', 'bag_2'])
    assert words_in(tmp_path / 'bag_2') == ['next']


def test_another_quality_is_asked_for_when_publishers_change(stage: Any, record: Any,
                                                             tmp_path: Path) -> None:
    ears = stage.listener()
    first = ears.create_publisher(String, '/words', 50)
    record()
    wait_for(stage, lambda: first.get_subscription_count() == 1)
    second = ears.create_publisher(String, '/words', BEST_EFFORT)
    say_until_recorded(stage, ears, second, 'best effort')
    say_until_recorded(stage, ears, first, 'reliable')
    assert ask(stage, 'stop').success
    wait_for(stage, (tmp_path / 'bag').exists)
    assert set(words_in(tmp_path / 'bag')) == {'best effort', 'reliable'}


def test_the_bag_names_model_parameters_and_versions(stage: Any, record: Any,
                                                     tmp_path: Path) -> None:
    out = stage.listener().create_publisher(String, '/words', 50)
    [recorder] = [node for node in bringup.simulated_car(
        model=str(bringup.share('models/car_lane')), track=7, bag=str(tmp_path / 'bag'))
        if node.name == 'recorder_node']
    told = {key: value for key, value in recorder.parameters.items()
            if key not in ('topics', 'expect')}
    record(**told)
    wait_for(stage, lambda: out.get_subscription_count() == 1)
    say(stage, out, ['word'])
    assert ask(stage, 'stop').success
    wait_for(stage, (tmp_path / 'bag').exists)
    said = read_attributes(tmp_path / 'bag')
    assert said['track'] == '7'
    assert len(said['model_digest']) == 64
    assert json.loads(said['parameters'])['simulator_node']['track'] == 7
    assert said['version.rmw'].startswith('rmw_')
    assert {'version.onnxruntime', 'version.ltc_control', 'version.python'} <= set(said)


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'re:\(' is no regular expression"):
        matcher('re:(')
    assert not matcher('')('/anything')
    assert matcher('/camera/*')('/camera/front/image_raw')
