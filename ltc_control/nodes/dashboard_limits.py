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
"""Which limits the safety node really has: asked once, the delivered ones until it answers."""

from __future__ import annotations

from dataclasses import fields

from ltc_control.core.errors import ConfigError
from ltc_control.core.limits import Limits
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.parameter import parameter_value_to_python
from rclpy.task import Future

SERVICE = 'safety_node/get_parameters'     # the one that asks; there is none here that sets
NAMES = [item.name for item in fields(Limits)]


class LimitsQuestion:
    """Asks when the safety node is there; ``answer`` returns its limits once."""

    def __init__(self, node: Node) -> None:
        self._client = node.create_client(GetParameters, SERVICE)
        self._future: Future | None = None
        self._done = False

    def answer(self) -> Limits | None:
        """Return the limits when they have come since the last call, else None."""
        if self._done:
            return None
        if self._future is None:
            if self._client.service_is_ready():
                self._future = self._client.call_async(GetParameters.Request(names=NAMES))
            return None
        if not self._future.done():
            return None
        self._done = True
        values = [parameter_value_to_python(value) for value in self._future.result().values]
        known = {name: value for name, value in zip(NAMES, values, strict=True)
                 if value is not None}
        try:
            return Limits(**known)
        except ConfigError:                # another node of that name
            return None
