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
Episodes -> batches of consecutive windows for truncated backpropagation with carried state.

A batch has B rows; each row runs along an episode, window after window, so the state at the end
of one batch is the state at the start of the next. Where a row takes up something new, ``fresh``
says that its state starts anew. One pass over the data works like this: every episode is cut at
its gaps and, from a random phase on, into runs of at most ``longest_run`` frames; a run is driven
at one of ``strides``, once for each phase of the stride; the runs are shuffled and dealt to the
rows. So each frame is seen exactly once a pass. The order is a function of the seed alone, and
``state_dict`` (plain numbers) resumes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.data.episodes import Episode
import numpy as np


@dataclass(frozen=True)
class _Run:
    """Frames ``start, start + stride, ...`` below ``stop`` of one episode."""

    episode: int
    start: int
    stop: int
    stride: int
    first: int                             # frame from which intervals are summed for ``start``

    @property
    def steps(self) -> int:
        return -(-(self.stop - self.start) // self.stride)


@dataclass
class _Row:
    """Where a row is: run ``number`` of pass ``epoch``, next step in it."""

    epoch: int
    number: int
    step: int


class WindowStream:
    """
    An endless stream of batches of ``length`` steps by ``batch`` rows.

    Iterating yields dicts with ``images`` (T, B, h, w, 3) uint8 (or features of images, float32,
    where the episodes hold these), ``imu`` (T, B, F) float32, ``dt`` (T, B) float32 [s],
    ``commands`` (T, B, M) float32, ``mask`` (T, B) bool (the step has a label) and ``fresh``
    (T, B) bool (zero the state before this step). Where an episode weighs its labels
    there is ``weight`` (T, B) float32 too. Batches share no memory.

    ``strides`` beyond 1 are an augmentation: every k-th frame, with dt summed and IMU features
    averaged over what lies between. Raises ConfigError for settings that cannot work.
    """

    def __init__(self, episodes: Sequence[Episode], *, batch: int, length: int, seed: int,
                 longest_run: int = 512, strides: Sequence[int] = (1,)) -> None:
        _check(episodes, batch=batch, length=length, longest_run=longest_run, strides=strides)
        self.episodes = list(episodes)
        self.frames = sum(len(episode) for episode in episodes)
        self.batch, self.length = batch, length
        self._seed, self._longest_run, self._strides = seed, longest_run, tuple(strides)
        self._elapsed = [np.concatenate(([0.0], np.cumsum(episode.dt, dtype=np.float64)))
                         for episode in episodes]
        self._imu_sum = [np.concatenate((np.zeros((1, episode.imu.shape[1])),
                                         np.cumsum(episode.imu, axis=0, dtype=np.float64)))
                         for episode in episodes]
        self._weighted = any(episode.weight is not None for episode in episodes)
        self._passes: dict[int, list[_Run]] = {}
        self._dealt = (0, 0)               # pass and number of the next run to deal
        self._rows = [self._deal() for _ in range(batch)]
        self.batches = 0                   # yielded so far

    @property
    def batches_per_pass(self) -> float:
        """Batches in which every frame is seen once."""
        return self.frames / (self.batch * self.length)

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        while True:
            yield self.next_batch()

    def next_batch(self) -> dict[str, np.ndarray]:
        """Return the next batch."""
        out = self._empty()
        for row in range(self.batch):
            self._fill(row, out)
        self.batches += 1
        self._forget_passes()
        return out

    def state_dict(self) -> dict[str, Any]:
        """Return where the stream is, as plain numbers and lists."""
        return {'fingerprint': self._fingerprint(), 'dealt': list(self._dealt),
                'batches': self.batches,
                'rows': [[row.epoch, row.number, row.step] for row in self._rows]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken; raises ConfigError for other data or settings."""
        if list(state['fingerprint']) != self._fingerprint():
            raise ConfigError(f'the stream was saved with other data or settings: '
                              f'{state["fingerprint"]!r}, now {self._fingerprint()!r}; resume '
                              'with the same bags and configuration')
        epoch, number = state['dealt']
        self._dealt = (int(epoch), int(number))
        self._rows = [_Row(*map(int, row)) for row in state['rows']]
        self.batches = int(state['batches'])

    def _fingerprint(self) -> list[Any]:
        return [self._seed, self.batch, self.length, self._longest_run, list(self._strides),
                len(self.episodes), self.frames]

    def _deal(self) -> _Row:
        epoch, number = self._dealt
        if number >= len(self._runs(epoch)):
            epoch, number = epoch + 1, 0
        self._dealt = (epoch, number + 1)
        return _Row(epoch, number, 0)

    def _runs(self, epoch: int) -> list[_Run]:
        if epoch not in self._passes:
            rng = np.random.default_rng([self._seed, epoch])
            runs = [run for number, episode in enumerate(self.episodes)
                    for run in _cut(number, episode, rng, self._longest_run, self._strides)]
            self._passes[epoch] = [runs[k] for k in rng.permutation(len(runs))]
        return self._passes[epoch]

    def _forget_passes(self) -> None:
        oldest = min(row.epoch for row in self._rows)
        for epoch in [epoch for epoch in self._passes if epoch < oldest]:
            del self._passes[epoch]

    def _empty(self) -> dict[str, np.ndarray]:
        shape = (self.length, self.batch)
        like = self.episodes[0]
        out = {'images': np.empty((*shape, *like.images.shape[1:]), like.images.dtype),
               'imu': np.empty((*shape, like.imu.shape[1]), np.float32),
               'dt': np.empty(shape, np.float32),
               'commands': np.empty((*shape, like.commands.shape[1]), np.float32),
               'mask': np.empty(shape, bool), 'fresh': np.zeros(shape, bool)}
        return out | ({'weight': np.ones(shape, np.float32)} if self._weighted else {})

    def _fill(self, row: int, out: dict[str, np.ndarray]) -> None:
        done = 0
        while done < self.length:
            at = self._rows[row]
            run = self._runs(at.epoch)[at.number]
            if at.step == run.steps:
                self._rows[row] = self._deal()
                continue
            count = min(self.length - done, run.steps - at.step)
            self._copy(run, at.step, count, out, row, done)
            at.step += count
            done += count

    def _copy(self, run: _Run, step: int, count: int, out: dict[str, np.ndarray], row: int,
              done: int) -> None:
        episode = self.episodes[run.episode]
        to = slice(done, done + count)
        begin = run.start + step * run.stride
        frames = slice(begin, begin + (count - 1) * run.stride + 1, run.stride)
        out['images'][to, row] = episode.images[frames]
        out['commands'][to, row] = episode.commands[frames]
        out['mask'][to, row] = episode.valid[frames]
        if episode.weight is not None:
            out['weight'][to, row] = episode.weight[frames]
        if step == 0:
            out['fresh'][done, row] = True
        if run.stride == 1:
            out['dt'][to, row] = episode.dt[frames]
            out['imu'][to, row] = episode.imu[frames]
            return
        last = np.arange(begin, frames.stop, run.stride) + 1
        before = np.maximum(last - run.stride, run.first)
        elapsed, imu_sum = self._elapsed[run.episode], self._imu_sum[run.episode]
        out['dt'][to, row] = elapsed[last] - elapsed[before]
        out['imu'][to, row] = (imu_sum[last] - imu_sum[before]) / (last - before)[:, None]


def _cut(number: int, episode: Episode, rng: np.random.Generator, longest: int,
         strides: Sequence[int]) -> Iterator[_Run]:
    """Yield the runs of one pass over an episode; together they hold each frame once."""
    edges = [*np.flatnonzero(episode.fresh).tolist(), len(episode)]
    if edges[0] != 0:
        edges.insert(0, 0)
    for begin, end in pairwise(edges):
        phase = int(rng.integers(longest))
        cuts = [begin, *range(begin + phase, end, longest), end]
        for start, stop in pairwise(cuts):
            if start == stop:
                continue
            stride = int(rng.choice(strides))
            for k in range(min(stride, stop - start)):
                yield _Run(number, start + k, stop, stride, first=start)


def split_by_episode(episodes: Sequence[Episode], *, fraction: float,
                     seed: int) -> tuple[list[Episode], list[Episode]]:
    """
    Return (training, held out): about ``fraction`` of the episodes, at least one, are held out.

    No episode is on both sides. Raises ConfigError unless both sides get one.
    """
    held = max(1, round(fraction * len(episodes)))
    if not 0.0 < fraction < 1.0 or held >= len(episodes):
        raise ConfigError(f'cannot hold out {fraction!r} of {len(episodes)} episodes; give a '
                          'fraction in (0, 1) and at least two episodes')
    order = np.random.default_rng(seed).permutation(len(episodes)).tolist()
    return ([episodes[k] for k in sorted(order[held:])],
            [episodes[k] for k in sorted(order[:held])])


def split_by_time(episode: Episode, *, fraction: float) -> tuple[Episode, Episode]:
    """Return (first part, last ``fraction``) of one episode; the last part starts afresh."""
    cut = len(episode) - round(fraction * len(episode))
    if not 0 < cut < len(episode):
        raise ConfigError(f'cannot hold out {fraction!r} of {len(episode)} frames; give a '
                          'fraction in (0, 1) that leaves frames on both sides')
    return episode.part(0, cut), episode.part(cut, len(episode))


def _check(episodes: Sequence[Episode], *, batch: int, length: int, longest_run: int,
           strides: Sequence[int]) -> None:
    if not episodes or not all(len(episode) for episode in episodes):
        raise ConfigError(f'no frames in {len(episodes)} episodes; give bags that hold frames')
    shapes = {(episode.images.shape[1:], episode.imu.shape[1:]) for episode in episodes}
    if len(shapes) > 1:
        raise ConfigError(f'episodes differ in image or IMU shape: {sorted(shapes)!r}; read all '
                          'with one ImageSpec and one ImuSpec')
    numbers = {'batch': batch, 'length': length, 'longest_run': longest_run,
               **{f'strides[{k}]': stride for k, stride in enumerate(strides)}}
    if not strides or any(value < 1 for value in numbers.values()):
        raise ConfigError(f'window settings must be whole numbers >= 1, got {numbers!r}')
