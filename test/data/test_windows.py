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
"""Windows run along episodes without a seam, show every frame once a pass, and resume exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core.errors import ConfigError
from ltc_control.data.episodes import Episode
from ltc_control.data.windows import split_by_episode, split_by_time, WindowStream
import numpy as np
import pytest

GAP_AT = 7


def episode(number: int, frames: int, *, gap: bool = False) -> Episode:
    """Make an episode whose images spell (episode, frame) and whose dt differ."""
    images = np.zeros((frames, 1, 2, 3), np.uint8)
    images[:, 0, 0, 0] = number
    images[:, 0, 1, 0], images[:, 0, 1, 1] = np.divmod(np.arange(frames), 256)
    dt = (0.03 + 0.001 * (np.arange(frames) % 7)).astype(np.float32)
    fresh = np.zeros(frames, bool)
    fresh[0] = True
    if gap and frames > GAP_AT:
        fresh[GAP_AT] = True
    frame = np.arange(frames, dtype=np.float32)
    return Episode(f'episode {number}', {}, np.cumsum(dt * 1e9).astype(np.int64), images,
                   np.stack([frame, frame**2], axis=1), dt,
                   np.stack([frame, -frame], axis=1), np.arange(frames) % 5 != 0, fresh)


def episodes(lengths: Sequence[int], *, gap: bool = False) -> list[Episode]:
    return [episode(number, frames, gap=gap) for number, frames in enumerate(lengths)]


def identities(batch: dict[str, np.ndarray]) -> np.ndarray:
    """Return (T, B, 2): episode and frame of each step."""
    pixels = batch['images'][:, :, 0].astype(int)
    return np.stack([pixels[:, :, 0, 0], 256 * pixels[:, :, 1, 0] + pixels[:, :, 1, 1]], axis=-1)


lengths = st.lists(st.integers(1, 40), min_size=1, max_size=5)
many_strides = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@settings(deadline=None)
@given(lengths=lengths, length=st.integers(1, 9), longest=st.integers(1, 50),
       strides=many_strides, seed=st.integers(0, 99))
def test_one_row_shows_every_frame_once_a_pass(lengths: list[int], length: int, longest: int,
                                               strides: list[int], seed: int) -> None:
    data = episodes(lengths, gap=True)
    stream = WindowStream(data, batch=1, length=length, seed=seed, longest_run=longest,
                          strides=strides)
    frames = sum(lengths)
    seen: list[tuple[int, ...]] = []
    while len(seen) < 2 * frames:
        seen += [tuple(row) for row in identities(stream.next_batch())[:, 0].tolist()]
    everything = {(e, f) for e, count in enumerate(lengths) for f in range(count)}
    assert set(seen[:frames]) == everything
    assert set(seen[frames:2 * frames]) == everything


def test_many_rows_share_the_frames_evenly() -> None:
    stream = WindowStream(episodes([60, 45, 30]), batch=4, length=8, seed=3, longest_run=16)
    counts: Counter[tuple[int, ...]] = Counter()
    for _ in range(100):
        counts.update(map(tuple, identities(stream.next_batch()).reshape(-1, 2).tolist()))
    assert len(counts) == 135
    assert max(counts.values()) - min(counts.values()) <= 2


@settings(deadline=None, max_examples=50)
@given(lengths=lengths, rows=st.integers(1, 4), length=st.integers(1, 9),
       longest=st.integers(1, 50), strides=many_strides, seed=st.integers(0, 99))
def test_between_fresh_steps_a_row_never_leaves_its_drive(
        lengths: list[int], rows: int, length: int, longest: int, strides: list[int],
        seed: int) -> None:
    data = episodes(lengths, gap=True)
    stream = WindowStream(data, batch=rows, length=length, seed=seed, longest_run=longest,
                          strides=strides)
    batches = [stream.next_batch() for _ in range(8)]
    whole = {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}
    where = identities(whole)
    assert whole['fresh'][0].all()
    for row in range(rows):
        for t, (e, f) in enumerate(where[:, row].tolist()):
            drive = data[e]
            assert whole['mask'][t, row] == drive.valid[f]
            assert np.array_equal(whole['commands'][t, row], drive.commands[f])
            if whole['fresh'][t, row]:         # sums reach back to the last gap at the most
                gap = int(np.flatnonzero(drive.fresh[:f + 1])[-1])
                assert whole['dt'][t, row] <= drive.dt[gap:f + 1].sum() * 1.0001
                assert gap <= whole['imu'][t, row, 0] <= f
                continue
            before_e, before = where[t - 1, row].tolist()
            assert before_e == e
            assert f - before in strides
            assert not drive.fresh[before + 1:f + 1].any()     # never across a gap
            elapsed = (drive.stamps_ns[f] - drive.stamps_ns[before]) / 1e9
            assert whole['dt'][t, row] == pytest.approx(elapsed, rel=1e-4)
            mean = drive.imu[before + 1:f + 1].mean(axis=0)
            assert whole['imu'][t, row] == pytest.approx(mean, rel=1e-4)


def test_shapes_and_types() -> None:
    batch = WindowStream(episodes([30]), batch=3, length=4, seed=0).next_batch()
    assert {key: (value.shape, value.dtype.name) for key, value in batch.items()} == {
        'images': ((4, 3, 1, 2, 3), 'uint8'), 'imu': ((4, 3, 2), 'float32'),
        'dt': ((4, 3), 'float32'), 'commands': ((4, 3, 2), 'float32'),
        'mask': ((4, 3), 'bool'), 'fresh': ((4, 3), 'bool')}


@settings(deadline=None, max_examples=40)
@given(lengths=lengths, before=st.integers(0, 20), strides=many_strides, seed=st.integers(0, 99))
def test_a_resumed_stream_goes_on_as_if_nothing_had_been(lengths: list[int], before: int,
                                                         strides: list[int], seed: int) -> None:
    def make() -> WindowStream:
        return WindowStream(episodes(lengths), batch=3, length=5, seed=seed, longest_run=12,
                            strides=strides)
    first, second = make(), make()
    for _ in range(before):
        first.next_batch()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert second.batches == before
    for _ in range(10):
        a, b = first.next_batch(), second.next_batch()
        assert all(np.array_equal(a[key], b[key]) for key in a)


def test_the_seed_alone_decides_the_order() -> None:
    def order(seed: int) -> list[list[int]]:
        stream = WindowStream(episodes([200, 90]), batch=2, length=50, seed=seed, longest_run=20)
        return identities(stream.next_batch()).reshape(-1, 2).tolist()
    assert order(1) == order(1)
    assert order(1) != order(2)


def test_rows_of_one_long_episode_start_at_different_places() -> None:
    stream = WindowStream(episodes([2000]), batch=6, length=1, seed=0, longest_run=200)
    first = identities(stream.next_batch())[0, :, 1]
    assert len(set(first.tolist())) == 6


def test_batches_share_no_memory() -> None:
    data = episodes([20])
    stream = WindowStream(data, batch=1, length=4, seed=0)
    a, b = stream.next_batch(), stream.next_batch()
    for key in a:
        assert not np.shares_memory(a[key], b[key])
    a['images'][:] = 255
    assert data[0].images.max() < 255


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ConfigError, match='no frames in 0 episodes'):
        WindowStream([], batch=1, length=1, seed=0)
    with pytest.raises(ConfigError, match=r"'batch': 0"):
        WindowStream(episodes([5]), batch=0, length=1, seed=0)
    with pytest.raises(ConfigError, match=r"'strides\[1\]': 0"):
        WindowStream(episodes([5]), batch=1, length=1, seed=0, strides=(1, 0))
    odd = episode(1, 5)
    odd = Episode(odd.name, {}, odd.stamps_ns, np.zeros((5, 2, 2, 3), np.uint8), odd.imu, odd.dt,
                  odd.commands, odd.valid, odd.fresh)
    with pytest.raises(ConfigError, match='differ in image or IMU shape'):
        WindowStream([episode(0, 5), odd], batch=1, length=1, seed=0)
    saved = WindowStream(episodes([5]), batch=1, length=1, seed=0).state_dict()
    with pytest.raises(ConfigError, match='other data or settings'):
        WindowStream(episodes([6]), batch=1, length=1, seed=0).load_state_dict(saved)


@given(count=st.integers(2, 30), fraction=st.floats(0.01, 0.6), seed=st.integers(0, 9))
def test_no_episode_is_on_both_sides(count: int, fraction: float, seed: int) -> None:
    data = episodes([1] * count)
    if max(1, round(fraction * count)) >= count:
        return
    train, held = split_by_episode(data, fraction=fraction, seed=seed)
    names = [e.name for e in train] + [e.name for e in held]
    assert sorted(names) == sorted(e.name for e in data)
    assert len(held) == max(1, round(fraction * count))
    assert split_by_episode(data, fraction=fraction, seed=seed)[1] == held


def test_splits_that_leave_a_side_empty_are_refused() -> None:
    with pytest.raises(ConfigError, match=r'cannot hold out 0\.2 of 1 episodes'):
        split_by_episode(episodes([5]), fraction=0.2, seed=0)
    with pytest.raises(ConfigError, match=r'cannot hold out 0\.01 of 5 frames'):
        split_by_time(episode(0, 5), fraction=0.01)


def test_the_last_fifth() -> None:
    first, last = split_by_time(episode(0, 50), fraction=0.2)
    assert (len(first), len(last)) == (40, 10)
    assert last.stamps_ns[0] > first.stamps_ns[-1]
    assert last.fresh.tolist() == [True] + [False] * 9
