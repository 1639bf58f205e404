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
"""The car as triangles, for views from outside."""

from __future__ import annotations

from ltc_control.sim.solids import box, cone, dressed, join, Soup
import numpy as np


def car_soup() -> Soup:
    """Return the car for views from outside; its origin is base_link."""
    parts = [dressed(box((4.2, 1.76, 0.55), (0.1, 0.0, 0.32)), 'paint'),
             dressed(box((0.1, 1.6, 0.12), (2.2, 0.0, 0.42)), 'chrome')]
    low = np.array([[-1.75, -0.86], [1.0, -0.86], [1.0, 0.86], [-1.75, 0.86]])
    high = np.array([[-1.35, -0.66], [0.25, -0.66], [0.25, 0.66], [-1.35, 0.66]])
    for i in range(4):
        j = (i + 1) % 4
        a, b = np.r_[low[i], 0.87], np.r_[low[j], 0.87]
        c, d = np.r_[high[j], 1.42], np.r_[high[i], 1.42]
        parts.append(dressed(np.array([[a, b, c], [a, c, d]]), 'glass'))
    parts.append(dressed(box((1.62, 1.34, 0.05), (-0.55, 0.0, 1.41)), 'paint'))
    for x in (-1.35, 1.35):
        for y in (-0.78, 0.78):
            wheel = np.concatenate([cone(0.34, -0.11, 0.11, sides=12, top=0.34),
                                    cone(0.34, 0.11, 0.11, sides=12),
                                    cone(0.34, -0.11, -0.11, sides=12)[:, ::-1]])
            parts.append(dressed(wheel[..., [0, 2, 1]][:, ::-1] + (x, y, 0.34), 'tyre'))
    for y in (-0.62, 0.62):
        parts.append(dressed(box((0.06, 0.36, 0.16), (2.2, y, 0.6)), 'lamp'))
        parts.append(dressed(box((0.06, 0.4, 0.16), (-2.0, y, 0.62)), 'tail'))
    return join(parts)
