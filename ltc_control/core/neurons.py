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
What the neurons are called: by role and number, in the order of the state.

A wiring numbers its motor neurons first, then command, then inter, as ``ncps`` does, and so is
every state vector of this package ordered, however ``policy.yaml`` lists its roles.
"""

from __future__ import annotations

from collections.abc import Mapping

ROLES = ('motor', 'command', 'inter')          # in the order of the state


def neuron_names(roles: Mapping[str, int], neurons: int) -> tuple[str, ...]:
    """
    Return N names like ``motor_0``, ``command_2``, ``inter_10`` in the order of the state.

    ``roles`` counts neurons by role; what is beyond them (the cell of an LSTM) is ``unit_i``.
    """
    known = [role for role in ROLES if role in roles]
    others = [role for role in roles if role not in ROLES]
    names = [f'{role}_{i}' for role in (*known, *others) for i in range(roles[role])]
    names += [f'unit_{i}' for i in range(len(names), neurons)]
    return tuple(names[:neurons])
