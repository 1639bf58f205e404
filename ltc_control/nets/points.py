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
Maps read as points: where each head map lights up, how strongly, and how much of the picture.

A road fills the picture, and a linear function of each map tells its shape. A target is a few
pixels anywhere: its place is the expected place of a softmax over all pixels (spatial softmax,
Levine, Finn, Darrell & Abbeel 2016, arXiv 1504.00702); strength tells presence, share distance.
"""

from __future__ import annotations

import torch
from torch import nn, Tensor

FEATURES = 4                               # x, y, strength, share
SHARPNESS = 2.0                            # of the softmax at the start
SCALES = (2.0, 2.0, 0.5, 2.0)              # at the start, for features of order 1


class PointReadout(nn.Module):
    """
    Four features of each map A >= 0: x, y, strength and share.

    With p = softmax(sharpness A) over its pixels they are sum p X, sum p Y, sum p A and mean A,
    each with a scale and an offset; X and Y run from -1 to 1, right and down.
    """

    def __init__(self, maps: int, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer('grid', grid(rows, columns), persistent=False)
        self.sharpness = nn.Parameter(torch.full((maps, 1), SHARPNESS))
        self.scale = nn.Parameter(torch.tensor(SCALES).repeat(maps, 1))
        self.offset = nn.Parameter(torch.zeros(maps, FEATURES))

    def forward(self, maps: Tensor) -> Tensor:
        """Return features (B, 4 maps) of maps (B, maps, rows, columns)."""
        flat = maps.flatten(2)
        weight = torch.softmax(self.sharpness * flat, dim=2)
        place = weight @ self.grid
        strength = (weight * flat).sum(2, keepdim=True)
        features = torch.cat([place, strength, flat.mean(2, keepdim=True)], dim=2)
        return (features * self.scale + self.offset).flatten(1)


def grid(rows: int, columns: int) -> Tensor:
    """Return X and Y (rows * columns, 2) of the pixels of a map, from -1 to 1."""
    y, x = torch.meshgrid(torch.linspace(-1.0, 1.0, rows), torch.linspace(-1.0, 1.0, columns),
                          indexing='ij')
    return torch.stack([x, y], dim=-1).view(-1, 2)
