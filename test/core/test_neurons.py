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
"""Names of neurons stand in the order of the state, which is the order of the wiring's ids."""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.neurons import neuron_names
import yaml

MODEL = Path(__file__).resolve().parents[2] / 'models' / 'car_lane' / 'policy.yaml'


def test_the_shipped_model_has_its_motor_neurons_first() -> None:
    document = yaml.safe_load(MODEL.read_text())
    names = neuron_names(document['roles'], document['neurons'])
    assert [name.rsplit('_', 1)[0] for name in names] == document['wiring']['roles']
    assert (names[0], names[1], names[2], names[-1]) == (
        'motor_0', 'motor_1', 'command_0', 'inter_10')


def test_what_has_no_role_is_a_unit() -> None:
    assert neuron_names({'inter': 2, 'command': 0, 'motor': 0}, 4) == (
        'inter_0', 'inter_1', 'unit_2', 'unit_3')
    assert neuron_names({}, 1) == ('unit_0',)
