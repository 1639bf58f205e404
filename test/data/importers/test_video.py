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
"""A video and its table: frames at the times that the file itself says, however uneven."""

from __future__ import annotations

from pathlib import Path
import struct
from typing import Any

import cv2
from ltc_control.core.errors import LtcError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.data.episodes import read_episode
from ltc_control.data.importers import import_video
from ltc_control.data.importers.mapping import mapping_from_dict
from ltc_control.data.recording import Recording
import numpy as np
import pytest

FRAMES = 8
MAPPING = {'time': {'column': 't', 'unit': 's'},
           'curvature': {'column': 'bend', 'unit': '1/m', 'positive': 'right'},
           'speed': {'column': 'v', 'unit': 'm/s'}}


@pytest.fixture(scope='module')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of 25 frames a second, each frame of another grey."""
    path = tmp_path_factory.mktemp('video') / 'drive.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 25.0, (64, 48))
    assert writer.isOpened()
    for k in range(FRAMES):
        writer.write(np.full((48, 64, 3), 20 + 25 * k, np.uint8))
    writer.release()
    return path


def uneven(video: Path, out: Path, steps: list[int]) -> tuple[Path, list[float]]:
    """Write ``video`` with other frame intervals (of its time scale); return when frames are [s].

    The sample table of an MP4 is one list of (count, ticks); it is the last thing that matters
    in the file, so that only the boxes around it change their size.
    """
    data = bytearray(video.read_bytes())
    at = data.index(b'stts')
    count = struct.unpack_from('>I', data, at + 8)[0]
    scale = struct.unpack_from('>I', data, data.index(b'mdhd') + 16)[0]
    table = struct.pack('>I', len(steps)) + b''.join(struct.pack('>II', 1, s) for s in steps)
    grown = len(table) - (4 + 8 * count)
    assert data.index(b'mdat') < data.index(b'moov')   # offsets of the samples stay as they are
    data[at + 8:at + 12 + 8 * count] = table
    for name in (b'moov', b'trak', b'mdia', b'minf', b'stbl', b'stts'):
        place = data.index(name) - 4
        struct.pack_into('>I', data, place, struct.unpack_from('>I', data, place)[0] + grown)
    struct.pack_into('>I', data, data.index(b'elst') + 12, 60_000)      # the edit shows it all
    out.write_bytes(data)
    return out, [sum(steps[:k]) / scale for k in range(len(steps))]


def table(path: Path, rows: list[tuple[Any, ...]], header: str = 't,bend,v') -> Path:
    path.write_text('\n'.join([header, *(','.join(map(str, row)) for row in rows)]))
    return path


def images_of(bag: Path) -> list[tuple[int, int]]:
    """Return (stamp, grey) of each frame."""
    with Recording(bag) as recording:
        return [(m.header.stamp.sec * 10**9 + m.header.stamp.nanosec,
                 round(float(cv2.imdecode(np.asarray(m.data), cv2.IMREAD_COLOR).mean())))
                for _, _, m in recording.messages(['/camera/image_raw/compressed'])]


def bring_in(video: Path, csv: Path, out: Path, /, *, quality: int = 95, **more: Any) -> Any:
    mapping = mapping_from_dict(MAPPING | more, where='map')
    return import_video(video, out, mapping=mapping, csv=csv, quality=quality)


def test_frames_have_the_containers_times_and_commands_their_own(video: Path,
                                                                 tmp_path: Path) -> None:
    steps = [512, 512, 1536, 256, 1024, 8192, 512, 512]
    drive, seconds = uneven(video, tmp_path / 'uneven.mp4', steps)
    rows = [(f'{100 + 0.03 * k:.2f}', 0.01 * k, 5 + k) for k in range(50)]
    done = bring_in(drive, table(tmp_path / 'log.csv', rows), tmp_path / 'bag',
                    video={'offset_s': 100.1})
    found = images_of(tmp_path / 'bag')
    assert [stamp / 1e9 for stamp, _ in found] == pytest.approx(
        [100.1 + s for s in seconds], abs=1e-6)
    assert [grey for _, grey in found] == pytest.approx(
        [20 + 25 * k for k in range(FRAMES)], abs=8)
    assert (done.frames, done.gaps, done.without_label) == (FRAMES, 1, 0)
    assert done.seconds == pytest.approx(seconds[-1])
    episode = read_episode(tmp_path / 'bag', image=ImageSpec(48, 64), imu=ImuSpec())
    for command, (stamp, _) in zip(episode.commands, found, strict=True):
        row = int((stamp / 1e9 - 100) / 0.03 + 1e-6)     # the last one said before the frame
        assert command == pytest.approx((-0.01 * row, 5 + row), abs=1e-5)


def test_rows_name_the_times_of_their_frames(video: Path, tmp_path: Path) -> None:
    rows = [(0.5 + 0.07 * k, 0.01, 5) for k in range(FRAMES)]
    bring_in(video, table(tmp_path / 'a.csv', rows), tmp_path / 'bag', video={'stamps': 'rows'})
    assert [stamp for stamp, _ in images_of(tmp_path / 'bag')] == [
        round((0.5 + 0.07 * k) * 1e9) for k in range(FRAMES)]

    some = [(1, 0.1, 5, 2), (2, 0.1, 5, 3), (3, 0.1, 5, 6)]     # frames 2, 3 and 6 alone
    done = bring_in(video, table(tmp_path / 'b.csv', some, 't,bend,v,n'), tmp_path / 'some',
                    video={'stamps': 'rows', 'frame': 'n'}, quality=0)
    assert done.frames == 3
    assert images_of(tmp_path / 'some') == [
        (second * 10**9, pytest.approx(20 + 25 * n, abs=8)) for second, _, _, n in some]


@pytest.mark.parametrize(('rows', 'header', 'frame', 'message'), [
    ([(k, 0, 5) for k in range(FRAMES - 1)], 't,bend,v', None, 'goes on after the 7 rows'),
    ([(k, 0, 5) for k in range(FRAMES + 1)], 't,bend,v', None,
     r'row 9 .* belongs to frame 8, but .* ends after frame 7'),
    ([(1, 0, 5, 3), (2, 0, 5, 3)], 't,bend,v,n', 'n', 'frame 3 does not come after frame 3'),
    ([(1, 0, 5, 0.5)], 't,bend,v,n', 'n', "n is '0.5'; frames count")])
def test_tables_of_another_video_are_refused(video: Path, tmp_path: Path, rows: list[Any],
                                             header: str, frame: str | None,
                                             message: str) -> None:
    csv = table(tmp_path / 'log.csv', rows, header)
    with pytest.raises(LtcError, match=message):
        bring_in(video, csv, tmp_path / 'bag', video={'stamps': 'rows', 'frame': frame})
    assert [entry.name for entry in tmp_path.iterdir()] == ['log.csv']


def test_what_is_no_video(video: Path, tmp_path: Path) -> None:
    csv = table(tmp_path / 'log.csv', [(0, 0, 5)])
    with pytest.raises(LtcError, match='no video'):
        bring_in(tmp_path / 'none.mp4', csv, tmp_path / 'bag')
    with pytest.raises(LtcError, match='no video that can be decoded'):
        bring_in(csv, csv, tmp_path / 'bag')
    with pytest.raises(LtcError, match='quality is 101'):
        bring_in(video, csv, tmp_path / 'bag', quality=101)
    for more, message in (({'stamps': 'both'}, 'stamps is one of'), ({'speed': 1}, 'known keys'),
                          ({'frame': 'n'}, 'needs `stamps: rows`')):
        with pytest.raises(LtcError, match=message):
            bring_in(video, csv, tmp_path / 'bag', video=more)
