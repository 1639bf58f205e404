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
"""``ltc bag``: info, check and recover, from the command line."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from ltc_control.cli import bag
from ltc_control.core.errors import BagError
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.spool import SpoolWriter
import numpy as np
import pytest


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    bag.add_arguments(parser)
    return bag.run(parser.parse_args(arguments))


def recorded(path: Path, stamps: list[int]) -> str:
    with EpisodeWriter(path, attributes={'season': 'winter'}) as writer:
        for at in stamps:
            writer.twist('/cmd_vel', at * 10**8, (1.0, 0.0))
    return str(path)


def test_info_lists_topics_and_attributes(tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path / 'drive', [0, 1, 2, 3])
    assert run('info', path) == 0
    said = capsys.readouterr().out
    assert '4 messages, 0.3 s' in said
    assert 'season = winter' in said
    assert '/cmd_vel  [geometry_msgs/msg/TwistStamped]' in said
    assert run('info', path, '--json') == 0
    assert json.loads(capsys.readouterr().out)['topics'][0]['messages'] == 4


def test_check_measures_rate_and_gaps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run('check', recorded(tmp_path / 'drive', [0, 1, 2, 7]), '--json') == 0
    said = json.loads(capsys.readouterr().out)
    [topic] = said['topics']
    assert said['sound'] is True
    assert topic['rate_hz'] == pytest.approx(10.0)
    assert topic['longest_gap_s'] == pytest.approx(0.5)
    assert run('check', str(tmp_path / 'drive')) == 0
    assert 'good: every message reads' in capsys.readouterr().out


def test_check_says_no_where_stamps_repeat(tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    with EpisodeWriter(tmp_path / 'drive') as writer:
        for at in (0, 1, 1, 2):
            writer.imu('/imu/data', at * 10**8, np.zeros(3), np.zeros(3))
    assert run('check', str(tmp_path / 'drive')) == 1
    said = capsys.readouterr().out
    assert '1 repeated and 0 backward' in said
    assert '1 stamps repeat the one before' in said.splitlines()[-1]


def test_recover_saves_what_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recorded(tmp_path / 'drive', list(range(200)))
    file = tmp_path / 'drive' / 'drive_0.mcap'
    os.truncate(file, file.stat().st_size - 8)                 # its closing magic is gone
    with pytest.raises(BagError, match='truncated or damaged: 200 whole messages'):
        run('check', path)
    assert run('recover', path, str(tmp_path / 'saved'), '--json') == 0
    assert json.loads(capsys.readouterr().out)['messages'] == 200
    assert run('check', str(tmp_path / 'saved')) == 0
    with pytest.raises(BagError, match='exists already'):
        run('recover', path, str(tmp_path / 'saved'))


def test_recover_finishes_the_run_of_a_killed_recorder(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spool = SpoolWriter(tmp_path / 'run' / 'bag')
    for at in range(50):
        spool.write('/told', 'std_msgs/msg/String', bytes(8 + at), 10**9 + at)
    spool.close()                          # as a kill leaves it
    [file] = (tmp_path / 'run' / 'bag.spool').iterdir()
    os.truncate(file, file.stat().st_size - 3)
    with pytest.raises(BagError, match='ltc bag recover'):
        run('info', str(tmp_path / 'run'))
    assert run('recover', str(tmp_path / 'run')) == 0
    said = capsys.readouterr()
    assert '49 messages saved; damaged in 1 place' in said.out
    assert 'recovering MB 1/1' in said.err
    assert not (tmp_path / 'run' / 'bag.spool').exists()
    assert run('info', str(tmp_path / 'run')) == 0
