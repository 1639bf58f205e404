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
"""``ltc import tub`` from the command line: what it says, and its exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltc_control.cli import import_
from ltc_control.core.errors import TubError
from ltc_control.data.inspection import summarize


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    import_.add_arguments(parser)
    return import_.run(parser.parse_args(arguments))


@pytest.fixture
def tub(tmp_path: Path) -> Path:
    folder = tmp_path / 'tub'
    (folder / 'images').mkdir(parents=True)
    records = [{'_index': k, '_timestamp_ms': 50 * k, 'cam/image_array': f'{k}.jpg',
                'user/angle': 0.5, 'user/throttle': 0.5} for k in range(3)]
    for record in records:
        cv2.imwrite(str(folder / 'images' / str(record['cam/image_array'])),
                    np.zeros((4, 4, 3), np.uint8))
    (folder / 'a.catalog').write_text('\n'.join(map(json.dumps, records)))
    (folder / 'manifest.json').write_text('\n'.join(map(json.dumps, [
        ['cam/image_array', 'user/angle', 'user/throttle'], [], {}, {},
        {'paths': ['a.catalog'], 'deleted_indexes': [1]}])))
    return folder


def test_the_summary_counts(tub: Path, tmp_path: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    assert run('tub', str(tub), str(tmp_path / 'bag'), '--wheelbase', '0.3', '--json') == 0
    said = json.loads(capsys.readouterr().out)
    assert (said['frames'], said['deleted'], said['seconds']) == (2, 1, 0.1)
    assert summarize(said['bag']).attributes['wheelbase_m'] == '0.3'
    assert run('tub', str(tub), str(tmp_path / 'second')) == 0
    said_in_words = capsys.readouterr().out
    assert '2 frames, 0.1 s, 0 gaps' in said_in_words
    assert '1 deleted records left out' in said_in_words


def test_a_missing_image_is_an_error_for_people(tub: Path, tmp_path: Path) -> None:
    (tub / 'images' / '2.jpg').unlink()
    with pytest.raises(TubError, match=r'record 2 .*2\.jpg') as caught:
        run('tub', str(tub), str(tmp_path / 'bag'))
    assert caught.value.exit_code == 2
