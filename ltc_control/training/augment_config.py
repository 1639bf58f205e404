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
"""How much summer images are changed: chances and strengths, a section of the training YAML."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_control.core.errors import ConfigError


@dataclass(frozen=True)
class AugmentConfig:
    """Chances per window and strengths; all zero chances leave images as they are."""

    plain: float = 0.2                     # chance that a window stays as recorded
    recolour: float = 0.6                  # what is green takes another colour
    leaves: float = 0.0                    # share of these that take many: dead leaves
    colour: float = 0.7                    # hue, saturation, channel gains
    hue_std: float = 0.5                   # [rad] about the grey axis; little, where colour means
    least_saturation: float = 0.0          # something
    tone: float = 0.7                      # gamma, contrast, brightness
    patches: float = 0.5                   # snow, leaves, puddles on the ground
    light: float = 0.4                     # lamps, shadows, slopes
    haze: float = 0.25                     # paler towards the horizon
    blur: float = 0.2
    noise: float = 0.5
    noise_std: float = 0.36                # strongest, on [0, 1]; a variance of 0.13
    fault: float = 0.3                     # chance of a camera fault in a window
    fault_seconds: float = 1.2             # longest fault
    fault_frozen: float = 0.35             # share of faults that freeze instead of going black

    def __post_init__(self) -> None:
        for name in ('plain', 'recolour', 'leaves', 'colour', 'tone', 'patches', 'light', 'haze',
                     'blur', 'noise', 'fault', 'fault_frozen'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f'augment.{name} is a chance, must lie in [0, 1], '
                                  f'got {getattr(self, name)!r}')
