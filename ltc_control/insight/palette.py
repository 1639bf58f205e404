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
"""The colours of every picture, so that plot, film and page belong together. RGB hex."""

from __future__ import annotations

PAPER = '#f7f5ef'
LAND = '#e4ead8'
ASPHALT = '#3b4048'
PAINT = '#f4f1e6'
INK = '#22262b'
MUTED = '#8a8f98'
PANEL = '#15181d'
PANEL_LINE = '#2c323b'
ACCENT = '#3ddc97'                         # what the network asks for
SENT = '#ffb454'                           # what the car was told
WARNING = '#ff5c5c'
LEFT, CENTRE, RIGHT = '#4c9be8', '#fdfbf5', '#f2785c'     # offset: left, none, right


def rgb(colour: str) -> tuple[int, int, int]:
    """Return ``#rrggbb`` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
