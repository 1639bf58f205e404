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
"""Every way to name a drive ends at its bag, or in words that say what to do."""

from ltc_control.core.errors import BagError
from ltc_control.data.bags import EpisodeWriter, IMU_TOPIC
from ltc_control.data.runs import find_run_bag, link_latest
import numpy as np
import pytest


def write_bag(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with EpisodeWriter(path) as bag:
        bag.imu(IMU_TOPIC, 1_000_000_000, np.zeros(3), np.zeros(3))
    return path


def test_a_run_a_bag_a_file_and_the_link_name_the_same_recording(tmp_path):
    run = tmp_path / 'runs' / 'drive_1'
    bag = write_bag(run / 'bag')
    (run / 'report.json').write_text('{}')
    link_latest(run)
    file = next(bag.glob('*.mcap'))
    assert find_run_bag(bag) == bag == find_run_bag(run)
    assert find_run_bag(file) == file
    latest = tmp_path / 'runs' / 'latest'
    assert str(latest.readlink()) == 'drive_1'
    assert find_run_bag(latest).samefile(bag)


def test_the_link_moves_on_to_the_newest_run_and_spares_what_is_no_link(tmp_path):
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        link_latest(tmp_path / name)
    assert (tmp_path / 'latest').resolve() == tmp_path / 'two'
    (tmp_path / 'latest').unlink()
    (tmp_path / 'latest').mkdir()
    link_latest(tmp_path / 'one')
    assert not (tmp_path / 'latest').is_symlink()


def test_the_one_bag_of_a_folder_needs_no_name_and_two_do(tmp_path):
    only = write_bag(tmp_path / 'runs' / 'tub')
    assert find_run_bag(tmp_path / 'runs') == only
    write_bag(tmp_path / 'runs' / 'tub_2')
    with pytest.raises(BagError, match='2 bags.*name one'):
        find_run_bag(tmp_path / 'runs')


@pytest.mark.parametrize(('make', 'words'), [
    (lambda path: None, 'does not exist'),
    (lambda path: path.mkdir(), 'no bag in'),
    (lambda path: path.symlink_to('gone'), r"link to 'gone', which is gone"),
    (lambda path: path.write_text('text'), 'is no recording'),
    (lambda path: (path / 'bag.spool').mkdir(parents=True), 'ltc bag recover'),
])
def test_what_is_no_recording_is_named(tmp_path, make, words):
    path = tmp_path / 'drive'
    make(path)
    with pytest.raises(BagError, match=words):
        find_run_bag(path)
