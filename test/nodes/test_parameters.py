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
"""Parameters: declared as the tables say, refused in words."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

pytest.importorskip('rclpy')

from ltc_control.core.errors import ConfigError
from ltc_control.core.gate import GateConfig
from ltc_control.core.limits import Limits
from ltc_control.nodes import declared, parameters, safety_parameters
from ltc_control.nodes.safety_node import gate_config
from rclpy.node import Node

pytestmark = pytest.mark.ros

TABLES = (parameters.PolicyParameters, safety_parameters.SafetyParameters,
          parameters.SimulatorParameters, parameters.RecorderParameters,
          safety_parameters.FlightSafetyParameters)


class Bare(Node):
    """A node that declares nothing by itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('bare', **kwargs)


@pytest.mark.parametrize('table', TABLES)
def test_defaults_are_declared_and_described(stage: Any, table: type) -> None:
    node = stage.add(Bare)
    told = declared.declare(node, table)
    assert told == table()
    for item in fields(table):
        descriptor = node.describe_parameter(item.name)
        assert len(descriptor.description) > 10
        assert descriptor.read_only is not item.metadata['live']


def test_an_integer_may_stand_for_a_float(stage: Any) -> None:
    told = declared.declare(stage.add(Bare, stale_s=1), safety_parameters.SafetyParameters)
    assert told.stale_s == 1.0
    assert type(told.stale_s) is float


@pytest.mark.parametrize(('name', 'value'), [
    ('stale_s', 0.0), ('stale_s', 60.0), ('stale_s', float('nan')), ('stale_s', 'soon'),
    ('lockstep', 1), ('rate_hz', 0.0), ('max_speed', -3.0)])
def test_a_wrong_value_is_refused_by_name(stage: Any, name: str, value: object) -> None:
    node = stage.add(Bare, **{name: value})
    with pytest.raises(ConfigError, match=name):
        declared.declare(node, safety_parameters.SafetyParameters)


def test_a_wrong_choice_is_refused_with_the_right_ones(stage: Any) -> None:
    node = stage.add(Bare, image_transport='carrier pigeon')
    with pytest.raises(ConfigError, match=r"raw.*compressed.*'carrier pigeon'"):
        declared.declare(node, parameters.PolicyParameters)


def test_safety_defaults_are_those_of_the_gate() -> None:
    assert gate_config(safety_parameters.SafetyParameters()) == GateConfig()
    names = {item.name for item in fields(safety_parameters.SafetyParameters)}
    assert {item.name for item in fields(Limits)} <= names
