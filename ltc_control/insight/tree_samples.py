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
From bags to what trees are grown on: true states, neurons and commands, frame by frame.

Frames are divided by segments of time, or by whole drives where there are enough of them, into
those that a tree is grown on, those that prune it and those that judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltc_control import bringup
from ltc_control.core.errors import BagError
from ltc_control.insight.recorded_drive import read_drive, RecordedDrive, Trace
from ltc_control.insight.tree_variables import (
    CAR,
    car_row,
    Variable,
    with_memory,
    with_seasons,
)
import numpy as np

GROW, PRUNE, JUDGE = 0, 1, 2
SEGMENT_S = 6.0                            # of a single drive; longer than any neuron remembers
GAP_S = 0.5                                # left out where two kinds of segments meet
LEAST_PIECES = 4                           # one of each use, and one more to grow on
FEWEST_FRAMES = 300
ENOUGH_FRAMES = 6000                       # below, a tree is warned about
ENOUGH_DRIVES = 8                          # from here on whole drives are held out
Curvature = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Samples:
    """
    T frames of one or several drives.

    ``states`` (T, V) of ``variables``, ``neurons`` (T, N) by ``names``, ``commands`` (T, 2):
    curvature [1/m] and speed [m/s]; ``drive`` (T,) numbers the drive, ``time_s`` (T,) its time.
    """

    variables: tuple[Variable, ...]
    names: tuple[str, ...]
    states: np.ndarray
    neurons: np.ndarray
    commands: np.ndarray
    drive: np.ndarray
    time_s: np.ndarray
    seasons: tuple[str, ...] = ()          # of each drive

    def __len__(self) -> int:
        return len(self.states)

    def at(self, chosen: np.ndarray) -> Samples:
        """Return the frames where ``chosen`` (T,) is true, or of these indices."""
        return Samples(self.variables, self.names, self.states[chosen], self.neurons[chosen],
                       self.commands[chosen], self.drive[chosen], self.time_s[chosen],
                       self.seasons)

    def with_neurons(self, names: tuple[str, ...], neurons: np.ndarray) -> Samples:
        """Return the same frames as other neurons (T, N) answered them."""
        return Samples(self.variables, names, self.states, neurons, self.commands, self.drive,
                       self.time_s, self.seasons)


def read_samples(bag: Path | str, *, curvature_at: Callable[[RecordedDrive], Curvature],
                 neurons: Callable[[RecordedDrive], tuple[tuple[str, ...], Trace, Trace]],
                 ) -> Samples:
    """
    Return the frames of one bag that have truth, odometry, neurons and a command.

    ``curvature_at`` returns the road of a drive, ``neurons`` its names, states (K, N) and
    commands (K, 2; curvature, speed): from the bag, or replayed where it has none. Raises
    BagError where a topic is missing.
    """
    drive = read_drive(bag)
    for trace, topic in ((drive.lane, bringup.LANE_TRUTH), (drive.pose, bringup.ODOMETRY)):
        if not len(trace):
            raise BagError(
                f'{str(bag)!r} holds no {topic}; a tree is grown on the true state of the car, '
                'which only the simulator knows. Record one with `ltc drive`')
    names, states, commands = neurons(drive)
    stamps = _common(states.stamps_ns, commands.stamps_ns, drive.lane.stamps_ns)
    if not len(stamps):
        raise BagError(f'{str(bag)!r}: no frame has neurons, a command and ground truth of one '
                       'stamp; was it recorded with an older version? Record it again')
    lane, pose = drive.lane.at(stamps), drive.pose.at(stamps)
    rows = car_row(offset_m=lane[:, 1], heading=lane[:, 2], arc_m=lane[:, 0],
                   speed=pose[:, 3], yaw_rate=pose[:, 4], curvature_at=curvature_at(drive))
    return Samples(CAR, names, rows, states.at(stamps), commands.at(stamps),
                   np.zeros(len(stamps), int), (stamps - stamps[0]) * 1e-9,
                   (drive.attributes.get('season', ''),))


def recorded_neurons(drive: RecordedDrive) -> tuple[tuple[str, ...], Trace, Trace]:
    """Return names, states and commands of a bag with neurons, one a stamp."""
    states = drive.neurons
    asked = drive.request                  # speed, curvature
    return (drive.neuron_names,
            Trace(states.stamps_ns, states.received_ns, states.values[:, 0]),
            Trace(asked.stamps_ns, asked.received_ns, asked.values[:, ::-1]))


def joined(parts: Sequence[Samples], *, memory: bool = False) -> Samples:
    """Return several drives as one; with ``memory`` also the states of a moment ago."""
    if len({part.names for part in parts}) > 1:
        raise BagError('the bags hold neurons of different names: '
                       f'{sorted({len(part.names) for part in parts})!r} of them; give bags of '
                       'one model, or --model to replay all of them')
    variables, states = CAR, []
    for part in parts:
        rows = part.states
        if memory:
            variables, rows = with_memory(CAR, rows, part.time_s)
        states.append(rows)
    seasons = tuple(part.seasons[0] for part in parts)
    lengths = [len(part) for part in parts]
    variables, rows = with_seasons(variables, np.concatenate(states),
                                   np.repeat(seasons, lengths).tolist())
    return Samples(variables, parts[0].names, rows,
                   np.concatenate([part.neurons for part in parts]),
                   np.concatenate([part.commands for part in parts]),
                   np.repeat(np.arange(len(parts)), lengths),
                   np.concatenate([part.time_s for part in parts]), seasons)


def divided(samples: Samples) -> np.ndarray:
    """
    Return the use of each frame, (T,): GROW, PRUNE, JUDGE, or -1 in a gap between them.

    Every fourth piece judges, another prunes. A piece is a whole drive where there are at least
    ENOUGH_DRIVES, else SEGMENT_S of one, or less where that would leave no piece to judge by;
    raises BagError for too few frames.
    """
    if len(samples) < FEWEST_FRAMES:
        raise BagError(f'{len(samples)} frames are too few to grow a tree and to judge it; give '
                       f'at least {FEWEST_FRAMES}, better a drive of one or two minutes')
    if len(np.unique(samples.drive)) >= ENOUGH_DRIVES:
        return _role(samples.drive)
    whole = sum(samples.time_s[samples.drive == d].max() for d in np.unique(samples.drive))
    length = min(SEGMENT_S, whole / LEAST_PIECES)
    segment = np.floor(samples.time_s / length).astype(int)
    before = np.r_[0, np.cumsum([segment[samples.drive == d].max() + 1
                                 for d in np.unique(samples.drive)])]
    use = _role(segment + before[samples.drive])
    inside = samples.time_s - segment * length
    use[(inside < GAP_S) & (segment > 0)] = -1
    return use


def _role(piece: np.ndarray) -> np.ndarray:
    return np.array([GROW, PRUNE, GROW, JUDGE])[piece % 4]


def _common(*stamps: np.ndarray) -> np.ndarray:
    found = stamps[0]
    for other in stamps[1:]:
        found = np.intersect1d(found, other)
    return np.unique(found)
