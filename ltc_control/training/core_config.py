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
"""How the core alone is trained behind a head that stays as it is; see core_stage.py."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.core.errors import ConfigError


@dataclass(frozen=True)
class CoreConfig:
    """A stage of ``steps`` steps after those of head and core together; 0: none."""

    steps: int = 0
    batch: int = 64                        # rows; pictures are not in the way, so many
    window: int = 64                       # steps of backpropagation
    learning_rate: float = 0.03
    hover_weight: float = 0.0              # in place of the loss's own; 0: that
    augmented: int = 1                     # copies of each episode under other light and weather

    def __post_init__(self) -> None:
        """Refuse what makes no sense, with the value that was got."""
        for name, least in (('steps', 0), ('batch', 1), ('window', 1), ('augmented', 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigError(f'core.{name} must be a whole number of at least {least}, got '
                                  f'{value!r}')
        if not 0.0 < self.learning_rate < 1.0:
            raise ConfigError('core.learning_rate must lie above 0 and below 1, got '
                              f'{self.learning_rate!r}')
        if not self.hover_weight >= 0.0:
            raise ConfigError(f'core.hover_weight must not be below 0, got {self.hover_weight!r}')
