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
"""``ltc info`` tells the truth about a folder and refuses one that was altered."""

from __future__ import annotations

import argparse
import hashlib
import json

from ltc_control.cli import info
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, ModelSpec, write_spec
import pytest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'policy.onnx').write_bytes(b'the graph is not opened here')
    (tmp_path / 'card.md').write_text('# card\n')
    write_spec(tmp_path, ModelSpec(
        name='drive19', kind='ltc', image=ImageSpec(66, 200, crop_top=0.25),
        imu=ImuSpec(('gyro_z', 'valid'), (1.0, 1.0)),
        commands=(CommandSpec('curvature', '1/m', -0.1, 0.1), CommandSpec('speed', 'm/s', 0, 12)),
        dt_nominal_s=1 / 30, longest_step_s=0.5, neurons=19,
        roles={'inter': 11, 'command': 6, 'motor': 2}, envelope_low=(-1.0,) * 19,
        envelope_high=(2.0,) * 18 + (2.5,),
        parameters={'head': 100, 'recurrent_effective': 20, 'recurrent_stored': 30, 'total': 130},
        synapses={'internal': 80, 'sensory': 120}, training={'seed': 3, 'tracks': [0, 31]}))
    return tmp_path


def call(folder, *options):
    parser = argparse.ArgumentParser()
    info.add_arguments(parser)
    return info.run(parser.parse_args([str(folder), *options]))


def test_json_holds_the_counts(folder, capsys):
    assert call(folder, '--json') == 0
    found = json.loads(capsys.readouterr().out)
    assert found['neurons'] == {'inter': 11, 'command': 6, 'motor': 2, 'total': 19}
    assert found['synapses'] == {'internal': 80, 'sensory': 120, 'total': 200}
    assert found['parameters'] == {
        'head': 100, 'recurrent_effective': 20, 'recurrent_stored': 30, 'total': 130}
    assert found['dt_nominal_s'] == 1 / 30
    graph = (folder / 'policy.onnx').read_bytes()
    assert found['sha256'] == hashlib.sha256(graph).hexdigest()
    assert (found['name'], found['vehicle'], found['envelope']) == ('drive19', 'car', [-1.0, 2.5])
    assert (found['image']['height'], found['image']['width']) == (66, 200)
    assert [c['name'] for c in found['commands']] == ['curvature', 'speed']
    assert found['training']['seed'] == 3


def test_the_table_is_for_people(folder, capsys):
    assert call(folder) == 0
    text = capsys.readouterr().out
    for words in ('drive19', 'inter 11, command 6, motor 2, total 19', 'head 100', '200 x 66',
                  'top 25%', 'gyro_z', 'curvature -0.1 to 0.1 1/m', '33.3 ms', '-1.000 to 2.500',
                  '[0, 31]', 'SHA-256'):
        assert words in text


def test_an_altered_folder_ends_in_one_line_and_a_code(folder, capsys):
    main = pytest.importorskip('ltc_control.cli.main').main
    (folder / 'card.md').write_text('# cart\n')
    try:
        code = main(['info', str(folder)])
    except ModuleNotFoundError as err:         # a sibling subcommand is not there
        pytest.skip(str(err))
    message = capsys.readouterr().err
    assert code == 2
    assert message.count('\n') == 1
    assert 'card.md' in message
    assert 'changed' in message
