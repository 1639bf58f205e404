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
The moments of a foreign drive -> one bag, with the checks that every format needs.

| in a moment          | topic                                | message                         |
|----------------------|--------------------------------------|---------------------------------|
| ``images``           | /camera/image_raw/compressed, ...    | CompressedImage, bytes as given |
| ``steering, speed``  | /command, the label                  | AckermannDriveStamped           |
| the same             | /cmd_vel                             | TwistStamped                    |

The header stamp is ``stamp_ns``, the receive time ``received_ns`` where the source has one. The
label is an Ackermann command because a twist loses the steering wherever the car stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
import math
from pathlib import Path

from ltc_control.core.geometry import curvature_from_steering
from ltc_control.data.bags import CMD_VEL_TOPIC, EpisodeWriter
from ltc_control.data.importers.door import Advance, Imported, SourceError

IMAGE_TOPIC = '/camera/image_raw/compressed'
COMMAND_TOPIC = '/command'
GAP_NS = 500_000_000                       # an interval that is reported


@dataclass(frozen=True)
class Picture:
    """The bytes of an image file, its format ('jpeg' or 'png') and where it goes."""

    data: bytes
    image_format: str
    topic: str = IMAGE_TOPIC


@dataclass(frozen=True)
class Moment:
    """What a source says of one instant; ``where`` names it for people."""

    stamp_ns: int
    where: str
    pictures: tuple[Picture, ...] = ()
    steering: float | None = None          # [rad] of the wheels, left positive
    speed: float = 0.0                     # [m/s]
    received_ns: int | None = None
    commanded: bool = True                 # False: commands come in moments of their own


@dataclass
class _Count:
    frames: int = 0
    commands: int = 0
    without_label: int = 0
    gaps: int = 0
    first_ns: int | None = None
    last_ns: dict[bool, int] = field(default_factory=dict)     # of frames, of commands alone


def camera_topic(name: str) -> str:
    """Return the topic of a further camera."""
    return f'/camera_{name}/image_raw/compressed'


def write_drive(moments: Iterable[Moment], out: Path | str, *, attributes: dict[str, str],
                wheelbase_m: float, advance: Advance) -> Imported:
    """
    Write the moments, by rising stamp, into the new bag folder ``out``.

    Raises SourceError naming the moment whose time does not rise or whose command cannot be, and
    BagError when ``out`` exists. Nothing is left of a failed import.
    """
    attributes = {'driver': 'person', **attributes, 'wheelbase_m': repr(wheelbase_m)}
    count = _Count()
    with EpisodeWriter(out, attributes=attributes) as bag:
        for moment in moments:
            _note(count, moment)
            _write(bag, moment, wheelbase_m)
            if moment.pictures:
                advance(f'{count.frames} frames')
        if not count.frames or not count.commands:
            raise SourceError(f'{attributes.get("source", "the source")} gives {count.frames} '
                              f'frames and {count.commands} commands; a drive needs both')
    seconds = (count.last_ns[True] - (count.first_ns or 0)) / 1e9
    return Imported(Path(out), count.frames, seconds, count.gaps, count.without_label)


def _note(count: _Count, moment: Moment) -> None:
    """Count a moment; refuse one that is not later than the last of its kind."""
    is_frame = bool(moment.pictures)
    last = count.last_ns.get(is_frame)
    if last is not None and moment.stamp_ns <= last:
        raise SourceError(f'{moment.where}: its time {moment.stamp_ns / 1e9:.6f} s is not later '
                          f'than {last / 1e9:.6f} s of the one before; remove one of two equal '
                          'rows, or import the parts of a table that starts again one by one')
    count.last_ns[is_frame] = moment.stamp_ns
    count.commands += moment.steering is not None
    count.without_label += moment.commanded and moment.steering is None
    if is_frame:
        count.frames += 1
        count.gaps += last is not None and moment.stamp_ns - last > GAP_NS
        count.first_ns = moment.stamp_ns if count.first_ns is None else count.first_ns


def _write(bag: EpisodeWriter, moment: Moment, wheelbase_m: float) -> None:
    stamp_ns, received_ns = moment.stamp_ns, moment.received_ns
    for picture in moment.pictures:
        bag.compressed_image(picture.topic, stamp_ns, picture.data,
                             image_format=picture.image_format, received_ns=received_ns)
    if moment.steering is None:
        return
    if abs(moment.steering) >= math.pi / 2:
        raise SourceError(f'{moment.where}: the wheels would stand at '
                          f'{math.degrees(moment.steering):.0f} deg; check the unit, the full '
                          'value or the ratio of steering in the mapping')
    curvature = curvature_from_steering(moment.steering, wheelbase=wheelbase_m)
    bag.ackermann(COMMAND_TOPIC, stamp_ns, speed=moment.speed, steering_angle=moment.steering,
                  received_ns=received_ns)
    bag.twist(CMD_VEL_TOPIC, stamp_ns, (moment.speed, moment.speed * curvature),
              received_ns=received_ns)
