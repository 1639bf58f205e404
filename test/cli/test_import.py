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
from ltc_control.cli import import_
from ltc_control.cli.main import main
from ltc_control.core.errors import ConfigError, TubError
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.importers import door
from ltc_control.data.inspection import summarize
import numpy as np
import pytest


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


def test_a_folder_of_frames_by_a_preset_and_by_a_file(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'drive'
    folder.mkdir()
    rows = ['image,time,steering,speed']
    for k in range(4):
        cv2.imwrite(str(folder / f'{k}.png'), np.full((4, 4, 3), k, np.uint8))
        rows.append(f'{k}.png,{0.1 * k:.1f},0.1,2.0')
    (folder / 'log.csv').write_text('\n'.join(rows))
    assert run('frames', str(folder), str(tmp_path / 'bag'), '--mapping', 'plain', '--json') == 0
    out, err = capsys.readouterr()
    assert json.loads(out)['frames'] == 4
    assert '4/' in err                     # how far it is
    own = tmp_path / 'own.yaml'
    preset = import_.find_mapping('plain').read_text()
    own.write_text(preset.replace('unit: s}', 'unit: ms}'))
    assert run('frames', str(folder), str(tmp_path / 'fast'), '--mapping', str(own)) == 0
    assert '4 frames, 0.0 s' in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"no mapping 'udacty'.*'plain', 'udacity'"):
        run('frames', str(folder), str(tmp_path / 'none'), '--mapping', 'udacty')


def test_one_door_for_new_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(door, '_FORMATS', dict(door.formats()))

    def read(source: Path, out: Path, *, grey: int, progress: door.Progress) -> door.Imported:
        with progress('importing', total=2) as advance, EpisodeWriter(out) as bag:
            for k in range(2):
                bag.image('/camera/image_raw', k, np.full((2, 2, 3), grey, np.uint8))
                advance()
        return door.Imported(out, 2, 1e-9, 0, 2, {'dark': grey})

    door.register(door.Format('grey', 'grey pictures', 'anything', 'ltc import grey X OUT', read,
                              (door.Option('grey', 'how grey', int, 7),)))
    assert run('grey', 'anything', str(tmp_path / 'bag'), '--grey', '9') == 0
    assert '9 dark' in capsys.readouterr().out
    assert summarize(tmp_path / 'bag').messages == 2
    with pytest.raises(ConfigError, match="there is an importer 'tub' already"):
        door.register(door.Format('tub', '', '', '', read))


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['import', '--help'])
    said = capsys.readouterr().out
    for words in ('ltc import tub', 'ltc import frames', 'ltc import video'):
        assert words in said
