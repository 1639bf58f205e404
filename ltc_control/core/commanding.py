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
"""What a policy's numbers mean to each vehicle: names in the model file -> fields of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ltc_control.core.contracts import Command, COMMANDED, Velocity
from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import ModelSpec
import numpy as np

AnyCommand = Command | Velocity
COMMANDS: Mapping[str, type[Command] | type[Velocity]] = {'car': Command, 'drone': Velocity}


def slowed(command: AnyCommand, share: float) -> AnyCommand:
    """Return a command at ``share`` of its speed: the same curve, the same direction of flight."""
    if isinstance(command, Velocity):
        return replace(command, forward=command.forward * share, left=command.left * share,
                       up=command.up * share)
    return replace(command, speed=command.speed * share)


def command_maker(spec: ModelSpec, *, cruise_speed: float | None = None,
                  ) -> Callable[[np.ndarray, int], AnyCommand]:
    """
    Return the function (values (M,), stamp [ns]) -> command, clamped to the model's ranges.

    ``cruise_speed`` [m/s] serves a car's model that commands curvature only. Raises ModelError
    where the model's commands do not make a command of its vehicle.
    """
    if spec.vehicle not in COMMANDS:
        raise ModelError(f'model {spec.name!r} is for a {spec.vehicle!r}; known vehicles are '
                         f'{sorted(COMMANDS)!r}')
    names = [command.name for command in spec.commands]
    fixed = {'speed': float(cruise_speed)} if cruise_speed is not None else {}
    needed = COMMANDED[spec.vehicle]
    if missing := [name for name in needed if name not in names and name not in fixed]:
        raise ModelError(f'model {spec.name!r} commands {names!r}; a {spec.vehicle} needs '
                         f'{" and ".join(missing)} too'
                         + (' (or a cruise_speed)' if missing == ['speed'] else ''))
    made, places = COMMANDS[spec.vehicle], [names.index(n) if n in names else None for n in needed]

    def make(values: np.ndarray, stamp_ns: int) -> AnyCommand:
        numbers = [fixed[name] if place is None else
                   min(max(float(values[place]), spec.commands[place].low),
                       spec.commands[place].high)
                   for name, place in zip(needed, places, strict=True)]
        return made(stamp_ns, *numbers)

    return make
