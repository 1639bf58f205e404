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
"""A model folder comes back as it was written, or is refused with what was wrong."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from ltc_control.core import model_file
from ltc_control.core.errors import ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec, load_spec, write_spec
import numpy as np
import pytest
import yaml


def test_a_spec_survives_its_folder(tiny_model):
    folder = tiny_model()
    found = load_spec(folder, expect_vehicle='car', expect_image=(4, 6))
    expected = tiny_model.spec(wiring={'kind': 'dense', 'seed': 3,
                                       'adjacency': np.eye(3, dtype=int).tolist()})
    assert found == dataclasses.replace(expected, files=found.files)
    assert found.folder == folder
    assert found.training == {'seed': 1, 'loss': 1e-5}
    assert found.files == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ('policy.onnx', 'card.md')}


def test_writing_twice_gives_the_same_bytes_and_the_digest_follows_the_content(tiny_model):
    folder = tiny_model()
    first, digest = (folder / 'policy.yaml').read_bytes(), load_spec(folder).digest
    write_spec(folder, load_spec(folder))
    assert (folder / 'policy.yaml').read_bytes() == first
    assert yaml.safe_load(first)['digest'] == digest
    assert load_spec(tiny_model(name='other')).digest != digest
    assert not list(folder.glob('*.part'))


def test_no_envelope_and_no_imu_survive(tiny_model):
    spec = load_spec(tiny_model(envelope_low=None, envelope_high=None, imu=ImuSpec()))
    assert (spec.envelope_low, spec.imu.features) == (None, ())


def refused(folder: Path, *words: str, **expect) -> None:
    with pytest.raises(ModelError) as caught:
        load_spec(folder, **expect)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_folder_or_file_is_named(tiny_model, tmp_path):
    refused(tmp_path / 'nowhere', 'nowhere', 'does not exist')
    for name in ('policy.onnx', 'card.md', 'policy.yaml'):
        folder = tiny_model()
        (folder / name).unlink()
        refused(folder, name, 'missing')


@pytest.mark.parametrize('name', ['policy.onnx', 'card.md'])
@pytest.mark.parametrize('place', [0, -1, 3])
def test_one_changed_byte_is_found(tiny_model, name, place):
    folder = tiny_model()
    data = bytearray((folder / name).read_bytes())
    data[place] ^= 1
    (folder / name).write_bytes(data)
    refused(folder, name, 'was changed')


def test_every_changed_value_in_the_specification_is_found(tiny_model):
    path = tiny_model() / 'policy.yaml'
    text = path.read_text()
    for old, new in [('high: 12.0', 'high: 13.0'), ('0.04', '0.05'), ('gyro_z', 'gyro_x'),
                     ('height: 4', 'height: 5'), ('name: tiny', 'name: tine')]:
        assert old in text
        path.write_text(text.replace(old, new))
        refused(path.parent, 'policy.yaml', 'was changed', 'digest')


@pytest.mark.parametrize(('text', 'word'), [
    ('a: [1', 'YAML'), ('', 'no mapping'), ('- 1', 'no mapping'), ('a: 1', 'None'),
    ('format: ltc_control policy\nformat_version: 99', '99'),
    ('format: ltc_control policy\nformat_version: 1', 'digest'), (b'\xff\xfe\x00', 'YAML'),
    ('!!python/object/apply:os.system [echo]', 'YAML'),
])
def test_what_is_no_specification_is_refused(tiny_model, text, word):
    path = tiny_model() / 'policy.yaml'
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(path.parent, word)


def test_a_folder_for_something_else_is_refused(tiny_model):
    refused(tiny_model(vehicle='drone'), "'drone'", "'car'", expect_vehicle='car')
    refused(tiny_model(), '(4, 6)', '(66, 200)', expect_image=(66, 200))


@pytest.mark.parametrize('change', [
    {'neurons': 0}, {'neurons': 4}, {'dt_nominal_s': 0.0}, {'dt_nominal_s': 1.0},
    {'longest_step_s': float('nan')}, {'envelope_low': None}, {'commands': ()},
    {'commands': (CommandSpec('a', '', 0, 1), CommandSpec('a', '', 0, 1))},
])
def test_a_contradictory_spec_is_refused(tiny_model, change):
    with pytest.raises(ModelError):
        tiny_model.spec(**change)


@pytest.mark.parametrize(('low', 'high'), [(1, 1), (2, 1), (float('nan'), 1), (0, float('inf'))])
def test_a_range_that_holds_nothing_is_refused(low, high):
    with pytest.raises(ModelError, match='range'):
        CommandSpec('curvature', '1/m', low, high)


def test_what_yaml_cannot_hold_is_refused_at_writing(tiny_model, tmp_path):
    with pytest.raises(ModelError, match='finite'):
        tiny_model(training={'loss': float('nan')})
    with pytest.raises(ModelError, match='plain'):
        tiny_model(training={'what': object()})
    with pytest.raises(ModelError, match=r'policy\.onnx'):
        write_spec(tmp_path, tiny_model.spec())


def test_a_document_with_an_honest_digest_but_wrong_kinds_is_refused(tiny_model):
    folder = tiny_model()
    path = folder / 'policy.yaml'
    original = yaml.safe_load(path.read_text())
    for key, value in [('image', 3), ('image', {'height': 4}), ('commands', [{'name': 'a'}]),
                       ('neurons', '3'), ('files', {}),
                       ('files', {'policy.onnx': '0', '../x': ''}), ('extra', 1),
                       ('imu', {'features': ['yaw'], 'scales': [1]})]:
        document = {k: v for k, v in original.items() if k != 'digest'} | {key: value}
        document['digest'] = model_file._digest(document)
        path.write_text(yaml.safe_dump(document))
        refused(folder, 'policy.yaml' if key != 'neurons' else 'neurons')


def test_image_size_is_part_of_equality(tiny_model):
    assert tiny_model.spec() != tiny_model.spec(image=ImageSpec(4, 6, crop_top=0.1))
