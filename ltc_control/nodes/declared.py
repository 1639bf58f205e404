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
"""
Parameters declared with description and range, read once, frozen.

A dataclass is one node's table. A field's metadata holds what ``ros2 param describe`` shows; its
default's type is the parameter's type. A number outside its range is refused with its name, what
was got and what is allowed. A ``live`` one may change while the node runs, between two of its
ticks; to change another, start the node again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, fields, replace
from typing import Any, TypeVar

from ltc_control.core.errors import ConfigError, LtcError
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

Table = TypeVar('Table')


def described(default: Any, text: str, *, low: float | None = None, high: float | None = None,
              choices: tuple[str, ...] = (), live: bool = False) -> Any:
    """Return a dataclass field that :func:`declare` turns into a parameter."""
    metadata = {'text': text, 'low': low, 'high': high, 'choices': choices, 'live': live}
    return field(default=default, metadata=metadata)


def declare(node: Node, table: type[Table]) -> Table:
    """Declare every field of ``table`` on ``node``; return it filled; ConfigError if refused."""
    values = {}
    for item in fields(table):  # type: ignore[arg-type]
        try:
            parameter = node.declare_parameter(item.name, item.default, _descriptor(item))
        except ParameterException as error:            # out of the range of the descriptor
            raise ConfigError(f'parameter {item.name!r} of {node.get_name()}: {error}') from error
        values[item.name] = checked(item, parameter.value)
    return table(**values)


def checked(item: Any, value: Any) -> Any:
    """Return ``value`` in the type of the field ``item``, or raise ConfigError."""
    wanted = type(item.default)
    if wanted is float and type(value) is int:
        value = float(value)               # -p stale_s:=1 is meant as 1.0
    if type(value) is not wanted:
        raise ConfigError(f'parameter {item.name!r} must be {wanted.__name__}, got {value!r}')
    low, high, choices = (item.metadata[key] for key in ('low', 'high', 'choices'))
    if low is not None and not low <= value <= high:
        raise ConfigError(f'parameter {item.name!r} must be in {low:g} .. {high:g}, got {value!r}')
    if choices and value not in choices:
        raise ConfigError(f'parameter {item.name!r} must be one of {choices}, got {value!r}')
    return value


def watch(node: Node, told: Table, apply: Callable[[Table], None]) -> None:
    """
    Let the live parameters of ``told`` change: ``apply`` gets the table as it will be.

    A change is refused, and nothing of it happens, where a value is out of its range or ``apply``
    raises an LtcError. Callbacks of one executor never overlap, so it falls between two ticks.
    """
    items = {item.name: item for item in fields(told)}  # type: ignore[arg-type]
    now = told

    def change(parameters: Sequence[Parameter]) -> SetParametersResult:
        nonlocal now
        try:
            wanted = replace(now, **{  # type: ignore[type-var]
                item.name: checked(items[item.name], item.value)
                for item in parameters if item.name in items})
            apply(wanted)
        except LtcError as error:
            return SetParametersResult(successful=False, reason=str(error))
        now = wanted
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(change)


def _descriptor(item: Any) -> ParameterDescriptor:
    # dynamic typing lets an integer stand for a float; checked() above then says what is wrong,
    # in the same words on every distribution
    descriptor = ParameterDescriptor(
        name=item.name, description=item.metadata['text'], read_only=not item.metadata['live'],
        dynamic_typing=True)
    low, high = item.metadata['low'], item.metadata['high']
    if low is None:
        return descriptor
    if type(item.default) is float:
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=float(low), to_value=float(high))]
    else:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor
