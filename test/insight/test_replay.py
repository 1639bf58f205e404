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
"""A recorded command comes out again to the bit, or the replay says which did not and why."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
import shutil
from types import SimpleNamespace
from typing import Any

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
from ltc_control import bringup
from ltc_control.core.errors import BagError, ModelError
from ltc_control.core.policy import Policy
from ltc_control.data.raw import RawRecording
from ltc_control.data.rosbag2 import BagWriter, read_attributes
from ltc_control.insight.replay import replay
from ltc_control.insight.replay_bag import ReplayBag
from ltc_control.insight.replay_cause import cause, model_of
from ltc_control.insight.replay_report import Difference, MISSING_FRAME, ReplayReport
import numpy as np
import onnxruntime
import pytest

KEPT = Path(__file__).parents[1] / 'data' / 'kept_drive'
_spec = spec_from_file_location('recorded_policy', Path(__file__).with_name('recorded_policy.py'))
stage: Any = module_from_spec(_spec)
_spec.loader.exec_module(stage)
STEP_NS, START_NS, picture = stage.STEP_NS, stage.START_NS, stage.picture


def replayed(folder: Path, **engine: Any) -> ReplayReport:
    return replay(ReplayBag(folder), Policy(stage.NumpyEngine(**engine)))


def drive(folder: Path, frames: int = 20, **options: Any) -> Path:
    recorder = stage.Recorder(folder, **options)
    for k in range(frames):
        recorder.frame(START_NS + k * STEP_NS, picture(k))
    return recorder.close()


def rewritten(source: Path, out: Path, change: Any) -> Path:
    """Copy a bag message by message; ``change`` returns other bytes, or None to leave one out."""
    with RawRecording(source) as recording, BagWriter(out) as bag:
        for message in recording.raw():
            cdr = change(message)
            if cdr is not None:
                bag.write(message.topic, message.type_name, cdr, log_ns=message.received_ns)
    return out


# --- what a drive can bring ------------------------------------------------------------------

def test_a_whole_drive_comes_out_from_its_start(tmp_path: Path) -> None:
    report = replayed(drive(tmp_path / 'drive'))
    assert report.exact
    assert (report.begun, report.equal, report.skipped) == ('zero state', 20, 0)


def test_a_part_of_a_drive_comes_out_from_its_first_checkpoint(tmp_path: Path) -> None:
    first = START_NS + 7 * STEP_NS
    part = rewritten(drive(tmp_path / 'drive'), tmp_path / 'part',
                     lambda m: m.cdr if m.time_ns >= first else None)
    report = replayed(part)
    assert report.exact
    assert (report.begun, report.equal, report.skipped) == ('checkpoint', 12, 1)


@settings(max_examples=8, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(['plain', 'lost', 'late', 'gap', 'again', 'back']),
                          st.integers(0, 3)), min_size=3, max_size=25))
def test_whatever_frames_do_on_the_way_every_command_comes_out(
        tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int]]) -> None:
    recorder = stage.Recorder(tmp_path_factory.mktemp('bags') / 'drive')
    stamp, lost = START_NS, 0
    recorder.frame(stamp, picture(0))
    for number, (move, extra) in enumerate(moves, start=1):
        stamp += {'late': 3 * STEP_NS, 'gap': 10**9, 'again': 0, 'back': -5 * STEP_NS,
                  }.get(move, STEP_NS + extra * 1001)
        # a frame of a stamp that was seen already cannot be told from it when it is lost
        lost += move == 'lost'
        recorder.frame(stamp, picture(number), lost=move == 'lost')
    report = replayed(recorder.close())
    assert report.exact, report.first
    assert report.equal == recorder.said
    assert report.explained == {}


def test_what_stands_in_for_an_image_that_cannot_be_used_comes_out(tmp_path: Path) -> None:
    recorder = stage.Recorder(tmp_path / 'drive')
    for k in range(24):                    # held for 0.2 s, then a stop: twelve are too many
        height = 1 if 6 <= k < 18 else 6   # one row is too small for the crop
        recorder.frame(START_NS + k * STEP_NS, picture(k, height=height))
    report = replayed(recorder.close())
    assert report.exact, report.first
    assert report.equal == recorder.said == 24
    assert report.cases['bad_image'] == 12


def test_late_and_lost_imu_samples_are_found_out(tmp_path: Path) -> None:
    recorder = stage.Recorder(tmp_path / 'drive', imu=True)
    for k in range(30):
        stamp = START_NS + k * STEP_NS
        for part in (3, 2, 1, 0):
            # the policy misses the newest two of frame 11, one in the middle of frame 17
            heard = not (k == 11 and part < 2) and not (k == 17 and part == 2)
            recorder.sample(stamp - part * 8_000_000, 0.1 * k + 0.01 * part, heard=heard)
        recorder.frame(stamp, picture(k))
    report = replayed(recorder.close(), imu=True)
    assert report.exact
    assert report.explained == {'the policy had not all IMU samples of the frame': 2}


def test_frames_on_which_the_policy_kept_silent_are_found_out(tmp_path: Path) -> None:
    recorder = stage.Recorder(tmp_path / 'drive', imu=True)
    for k in range(30):
        stamp = START_NS + k * STEP_NS
        if k not in (12, 13, 14):          # no IMU there: the node steps and says nothing
            recorder.sample(stamp - 1_000_000, 0.1 * k)
        recorder.frame(stamp, picture(k))
    report = replayed(recorder.close(), imu=True)
    assert report.exact
    assert report.equal == recorder.said == 27
    assert sum(report.explained.values()) == 1


def test_a_policy_that_began_anew_and_a_scaled_speed_are_found_out(tmp_path: Path) -> None:
    recorder = stage.Recorder(tmp_path / 'drive')
    for k in range(20):
        if k == 9:
            recorder.policy.reset()
        recorder.frame(START_NS + k * STEP_NS, picture(k), scale=0.7 if k == 15 else 1.0)
    report = replayed(recorder.close())
    assert report.exact
    assert report.explained == {'the policy began anew': 1,
                                'speeds were asked for times 0.7, by parameter': 1}


# --- what must not pass ----------------------------------------------------------------------

def test_one_wrong_bit_is_found_where_it_is(tmp_path: Path) -> None:
    seen = []

    def flip(message: Any) -> bytes:
        if message.topic == bringup.POLICY_COMMAND:
            seen.append(message)
            if len(seen) == 14:
                at = len(message.cdr) - 48             # first byte of linear.x, a float64
                return message.cdr[:at] + bytes([message.cdr[at] ^ 1]) + message.cdr[at + 1:]
        return message.cdr

    report = replayed(rewritten(drive(tmp_path / 'drive'), tmp_path / 'wrong', flip))
    assert not report.exact
    assert (report.equal, report.different) == (19, 1)
    assert report.first.number == report.first.frame == 13
    assert report.first.stamp_ns == START_NS + 13 * STEP_NS
    assert 0 < abs(report.first.recorded[0] - report.first.replayed[0]) < 1e-14


def test_a_wrong_state_counts_though_its_command_is_right(tmp_path: Path) -> None:
    def nudge(message: Any) -> bytes:
        if message.topic == bringup.NEURONS and message.time_ns == START_NS + 5 * STEP_NS:
            value = np.frombuffer(message.cdr, np.float64, 1, len(message.cdr) - 8)
            return message.cdr[:-8] + (value + 1e-9).tobytes()
        return message.cdr

    report = replayed(rewritten(drive(tmp_path / 'drive'), tmp_path / 'wrong', nudge))
    assert (report.equal, report.different, report.first.frame) == (19, 1, 5)


def test_a_missing_frame_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    recorder = stage.Recorder(tmp_path / 'drive')
    for k in range(20):
        recorder.frame(START_NS + k * STEP_NS, picture(k), unrecorded=k in (8, 9))
    bag = ReplayBag(recorder.close())
    policy = Policy(stage.NumpyEngine())
    report = replay(bag, policy)
    assert (report.equal, report.different, report.missing) == (18, 2, 2)
    assert report.first.frame is None
    assert report.first.number == 8
    assert cause(report, bag, policy.spec) == MISSING_FRAME


def test_another_model_is_named(tmp_path: Path) -> None:
    digest = stage.NumpyEngine().spec.digest
    bag = ReplayBag(drive(tmp_path / 'drive', attributes={'model_digest': digest}))
    other = stage.NumpyEngine(gain=1.01)
    other.spec = replace(other.spec, name='other')
    policy = Policy(other)
    report = replay(bag, policy)
    assert report.equal == 0
    assert digest[:12] in cause(report, bag, policy.spec)
    assert 'another model' in cause(report, bag, policy.spec)


def test_a_stop_of_the_node_itself_has_its_words() -> None:
    first = Difference(7, 7, 0, 0.2, '', (0.0, 0.0), (5.0, 0.1), 'inter_0', 0.0, 'ok')
    report = ReplayReport(10, 10, first=first, equal=7, different=1, worst=5.0)
    bag = SimpleNamespace(model_hash='', names=(), attributes={})
    spec = SimpleNamespace(digest='a', neurons=19, folder='m')
    assert 'frozen_s' in cause(report, bag, spec)
    other = replace(first, state_error=0.01)
    assert 'frozen_s' not in cause(replace(report, first=other), bag, spec)


@pytest.mark.parametrize(('attributes', 'nudge', 'words'), [
    ({'version.onnxruntime': '1.2.3'}, 1e-7, 'onnxruntime 1.2.3'),
    ({'version.onnxruntime': onnxruntime.__version__}, 1e-7, 'rounding'),
    ({}, 0.3, 'not one decision'),
])
def test_other_causes_have_their_words(tmp_path: Path, attributes: dict[str, str], nudge: float,
                                       words: str) -> None:
    bag = ReplayBag(drive(tmp_path / 'drive', attributes=attributes))
    policy = Policy(stage.NumpyEngine(gain=1 + nudge))
    report = replay(bag, policy)
    assert not report.exact
    assert words in cause(report, bag, policy.spec)


def test_without_checkpoints_the_middle_of_a_drive_says_so(tmp_path: Path) -> None:
    first = START_NS + 7 * STEP_NS
    part = rewritten(drive(tmp_path / 'drive', neurons=False), tmp_path / 'part',
                     lambda m: m.cdr if m.time_ns >= first else None)
    report = replayed(part)
    assert not report.exact
    assert 'holds no /policy/neurons' in report.first.reason


def test_bags_that_cannot_be_replayed_say_what_they_lack(tmp_path: Path) -> None:
    source = drive(tmp_path / 'drive')
    for topic in (bringup.CAMERA, bringup.POLICY_COMMAND):
        out = tmp_path / topic.replace('/', '_')
        rewritten(source, out, lambda m, gone=topic: None if m.topic == gone else m.cdr)
        with pytest.raises(BagError, match=f'holds no {topic}'):
            ReplayBag(out)
    with pytest.raises(ModelError, match='name its folder with --model'):
        model_of(source, {'model': 'gone'})


# --- the kept drive --------------------------------------------------------------------------

def processor_is_the_same() -> bool:
    """Say whether this processor adds in the order of the one that recorded the kept drive."""
    told = read_attributes(KEPT / 'bag')
    flags = Path('/proc/cpuinfo').read_text(encoding='utf-8').split()
    return (told['version.onnxruntime'] == onnxruntime.__version__
            and told['cpu.avx512f'] == str('avx512f' in flags))


def test_the_kept_drive_comes_out_again() -> None:
    bag = ReplayBag(KEPT / 'bag')
    policy = Policy.load(model_of(KEPT / 'bag', bag.attributes))
    assert policy.spec.digest == bag.model_hash
    report = replay(bag, policy)
    assert report.begun == 'checkpoint'
    assert report.decisions > 60
    if processor_is_the_same():
        assert report.exact, report.first
        assert report.equal == report.decisions - 1
    else:                                  # float32 sums in another order, and nothing else
        assert report.worst < 1e-4, report.first


def test_the_kept_drive_differs_under_another_model(tmp_path: Path) -> None:
    from ltc_control.core.model_file import load_spec, write_spec
    folder = Path(shutil.copytree(KEPT / 'model', tmp_path / 'model'))
    spec = load_spec(folder)
    slow = tuple(replace(command, high=8.0) if command.name == 'speed' else command
                 for command in spec.commands)
    write_spec(folder, replace(spec, commands=slow))
    bag = ReplayBag(KEPT / 'bag')
    policy = Policy.load(folder)
    report = replay(bag, policy)
    assert report.different > 0
    assert 'another model' in cause(report, bag, policy.spec)
