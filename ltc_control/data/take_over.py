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
A drive in which a human took over -> the lessons in it: what the human did, and what led there.

``/safety/in_command`` says who drove (policy, human or nobody), ``/human/command`` what the human
asked for. A lesson reaches from some time before a take-over to the hand-back. The frames before
it are shown without a label: they bring the state to where it was, but what the policy did there
is the mistake and must not be learned. Frames under the human's command carry theirs, the first
seconds, in which the mistake is mended, weighed up. So the labels come where the policy itself
leads, as in DAgger, but a human is in command while giving them (HG-DAgger, Kelly et al. 2019),
and interventions weigh more (intervention weighted regression, Mandlekar et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from pathlib import Path

from ltc_control.core.contracts import InCommand
from ltc_control.core.errors import BagError, ConfigError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.timing import TimingRules
from ltc_control.data import messages
from ltc_control.data.bags import CMD_VEL_TOPIC, HUMAN_TOPIC, IN_COMMAND_TOPIC
from ltc_control.data.episodes import Episode, read_episode
from ltc_control.data.recording import Recording
from ltc_control.data.topics import TopicMap
import numpy as np


@dataclass(frozen=True)
class LessonRules:
    """What a take-over teaches, and how much; times in seconds."""

    weight: float = 4.0                    # of a label soon after a take-over; others count 1
    after_s: float = 3.0                   # how long that is
    before_s: float = 1.0                  # shown before it without a label
    command: str | None = None             # topic of the labels; None: the human's, else /cmd_vel
    in_command: str = IN_COMMAND_TOPIC     # String at each change

    def __post_init__(self) -> None:
        for name in ('weight', 'after_s', 'before_s'):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise ConfigError(f'corrections.{name} must be a number of at least 0, got '
                                  f'{value!r}')
        if self.weight < 1:
            raise ConfigError(f'corrections.weight is {self.weight!r}; a take-over counts at '
                              'least as much as any other frame: give 1 or more')


@dataclass(frozen=True)
class Turns:
    """Who was in command from when on, by receive times (K,), as the messages have no stamp."""

    since_ns: np.ndarray
    who: tuple[str, ...]

    def at(self, received_ns: np.ndarray) -> np.ndarray:
        """Return (T,) of names; nobody before the first message."""
        index = np.searchsorted(self.since_ns, received_ns, side='right')
        return np.array([InCommand.NOBODY.value, *self.who])[index]


def read_turns(recording: Recording, topic: str) -> Turns:
    """Return who was in command; BagError for a bag without the topic or with other words."""
    if recording.types.get(topic) != messages.STRING:
        raise BagError(f'{str(recording.path)!r} does not say who was in command: no String on '
                       f'{topic!r}; record it together with the drive, or name the topic with '
                       'corrections.in_command')
    said = [(log_ns, message.data) for _, log_ns, message in recording.messages([topic])]
    known = [one.value for one in InCommand]
    for _, who in said:
        if who not in known:
            raise BagError(f'{topic!r} in {str(recording.path)!r} says {who!r}; known are '
                           f'{known!r}')
    return Turns(np.array([log_ns for log_ns, _ in said], np.int64),
                 tuple(who for _, who in said))


def take_overs(who: np.ndarray) -> list[tuple[int, int]]:
    """
    Return (first, end) of each stretch that a human drove after the policy had; ``who`` (T,).

    A drive that a human begins is no take-over; a moment of nobody in between changes nothing.
    """
    stretches, last = [], InCommand.NOBODY.value
    for k, now in enumerate(who.tolist()):
        if now == InCommand.HUMAN.value and last == InCommand.POLICY.value:
            stretches.append((k, len(who)))
        elif now != InCommand.HUMAN.value and stretches and stretches[-1][1] == len(who):
            stretches[-1] = (stretches[-1][0], k)
        last = last if now == InCommand.NOBODY.value else now
    return stretches


def read_lessons(bag: Path | str, *, topics: TopicMap | None = None, image: ImageSpec,
                 imu: ImuSpec, timing: TimingRules | None = None,
                 rules: LessonRules | None = None) -> list[Episode]:
    """
    Return one episode for each take-over in ``bag``, none where nobody took over.

    Raises BagError as ``read_episode``, and for a bag that does not say who was in command.
    """
    rules = rules or LessonRules()
    with Recording(bag) as recording:
        turns = read_turns(recording, rules.in_command)
        topic = rules.command or (
            HUMAN_TOPIC if HUMAN_TOPIC in recording.types else CMD_VEL_TOPIC)
    if InCommand.HUMAN.value not in turns.who:
        return []
    drive = read_episode(bag, topics=_labels_from(topic, topics or TopicMap()), image=image,
                         imu=imu, timing=timing)
    assert drive.received_ns is not None
    who = turns.at(drive.received_ns)
    lessons, free_from = [], 0
    for first, end in take_overs(who):
        lesson = _lesson(drive, who, (first, end), free_from, rules)
        if lesson.valid.any():
            lessons.append(lesson)
        free_from = end
    return lessons


def _labels_from(topic: str, topics: TopicMap) -> TopicMap:
    """Return the map with another command topic; how the recipe's own is read says nothing."""
    if topic == topics.command:
        return topics
    plain = TopicMap()
    return replace(topics, command=topic, turn_kind=plain.turn_kind, turn_field=plain.turn_field,
                   speed_field=plain.speed_field, turn_scale=plain.turn_scale,
                   speed_scale=plain.speed_scale)


def _lesson(drive: Episode, who: np.ndarray, stretch: tuple[int, int], free_from: int,
            rules: LessonRules) -> Episode:
    """Return the frames of one take-over, from ``before_s`` before it to the hand-back."""
    first, end = stretch
    stamps = drive.stamps_ns
    begin = int(np.searchsorted(stamps, stamps[first] - round(rules.before_s * 1e9)))
    part = drive.part(max(begin, free_from), end)
    soon = part.stamps_ns <= stamps[first] + round(rules.after_s * 1e9)
    human = who[max(begin, free_from):end] == InCommand.HUMAN.value
    # copies: a view would keep the pictures of the whole drive in memory
    return replace(part, images=part.images.copy(), valid=part.valid & human,
                   weight=np.where(soon, rules.weight, 1.0).astype(np.float32))
