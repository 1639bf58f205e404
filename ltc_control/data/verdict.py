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
Is a recording fit to be learned from and answered for? A verdict with its reasons.

``reasons`` make it bad: what is said of the drive would not be true. ``warnings`` do not: the
drive has holes, but its stamps tell of them. Thresholds stand here, each with its why.
"""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.data.bag_camera import CameraReport, IMAGES, SENSORS
from ltc_control.data.coverage import COMMANDS, Coverage
from ltc_control.data.inspection import BagReport, GAP_S, TopicReport

CLOCK_SET_S = 1.0                          # further back is a clock that was set, not disorder
LOST_BAD = 0.5                             # policies are trained with up to a third lost
FROZEN_BAD_S = 1.0                         # 10 m of road at 10 m/s
FEW, MANY = 0.01, 0.1                      # shares of frames that warn, and that are too many
COVERED = 0.9


@dataclass(frozen=True)
class BagVerdict:
    """``sound`` where there is no reason against it."""

    sound: bool
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


class _Findings:

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.warnings: list[str] = []

    def say(self, bad: bool, text: str) -> None:
        (self.reasons if bad else self.warnings).append(text)


def judge(report: BagReport) -> BagVerdict:
    """Return the verdict on what :func:`~ltc_control.data.inspection.inspect` found."""
    found = _Findings()
    cameras = {camera.topic for camera in report.cameras}
    for topic in report.topics:
        if topic.type_name not in IMAGES or topic.topic in cameras:
            _judge_stamps(topic, found)
        if topic.topic in cameras:
            _judge_rhythm(topic, found)
    for camera in report.cameras:
        _judge_camera(camera, found)
    if not report.cameras:
        found.say(False, 'no camera topic: nothing to learn from or to replay')
    _judge_coverage(report, found)
    return BagVerdict(not found.reasons, tuple(found.reasons), tuple(found.warnings))


def _judge_stamps(topic: TopicReport, found: _Findings) -> None:
    """Sensors stamp each reading once and in order; commands may be held or come late."""
    sensor = topic.type_name in SENSORS
    if topic.repeated and sensor and topic.stamped:
        found.say(True, f'{topic.topic}: {topic.repeated} stamps repeat the one before')
    if topic.clock_changes:
        found.say(False, f'{topic.topic}: its publishers stamp by clocks that are more than a day '
                         'apart')
    if topic.backward and topic.stamped:
        # others may have several publishers, each with its own clock: diagnostics have
        bad = sensor or (topic.type_name in COMMANDS and topic.furthest_back_s > CLOCK_SET_S)
        found.say(bad, f'{topic.topic}: {topic.backward} stamps run backward, by up to '
                       f'{topic.furthest_back_s:.3f} s')


def _judge_rhythm(topic: TopicReport, found: _Findings) -> None:
    lost = lost_share(topic)
    if lost > FEW:
        found.say(lost > LOST_BAD, f'{topic.topic}: {100 * lost:.0f} % of the frames at '
                                   f'{topic.rate_hz:.1f} Hz are missing')
    if topic.longest_gap_s > GAP_S:
        found.say(False, f'{topic.topic}: a gap of {topic.longest_gap_s:.2f} s; a policy starts '
                         f'anew after {GAP_S} s')


def lost_share(topic: TopicReport) -> float:
    """Return the share of messages that are missing in the topic's rhythm, 0 ... 1."""
    return topic.lost / (topic.lost + topic.messages) if topic.messages else 0.0


def _judge_camera(camera: CameraReport, found: _Findings) -> None:
    if not camera.frames:
        return
    for count, words in ((camera.unreadable, 'cannot be read'),
                         (camera.frozen, 'are frozen: equal to the frame before'),
                         (camera.dark, 'are under-exposed'), (camera.bright, 'are over-exposed')):
        share = count / camera.frames
        if count:
            found.say(share > MANY, f'{camera.topic}: {count} of {camera.frames} frames {words}')
    if camera.longest_frozen_s > FROZEN_BAD_S:
        found.say(True, f'{camera.topic}: the picture stood still for '
                        f'{camera.longest_frozen_s:.1f} s while the car moved')


def _judge_coverage(report: BagReport, found: _Findings) -> None:
    commands = [item for item in report.coverage if item.role == 'command']
    for item in report.coverage:
        if item.bad:
            found.say(False, f'{item.topic}: {item.bad} samples are not finite')
        if item.role == 'imu' and item.share < 1.0 - FEW:
            found.say(item.share < COVERED, _uncovered(item))
    if report.cameras and not commands:
        found.say(False, 'no command topic: nothing to learn')
    if commands:
        best = max(commands, key=lambda item: item.share)
        if best.share < 1.0 - FEW:
            found.say(best.share < COVERED, _uncovered(best))


def _uncovered(item: Coverage) -> str:
    edges = [*([f'it begins {item.late_s:.2f} s late'] if item.late_s > GAP_S else []),
             *([f'it ends {item.early_s:.2f} s early'] if item.early_s > GAP_S else [])]
    return (f'{item.topic} belongs to {100 * item.share:.0f} % of the frames of {item.camera}'
            + ''.join(f', {edge}' for edge in edges))
