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
"""Maps read as points (``points.py``) as ONNX nodes: the features, and what each pixel gave."""

from __future__ import annotations

from ltc_control.nets.onnx_graph import Graph
from ltc_control.nets.points import PointReadout
import numpy as np

FLAT, WEIGHT = 'points_map', 'points_weight'   # values that the gradient looks up again


def add_points(graph: Graph, readout: PointReadout, last: str) -> str:
    """Return the features (1, 4 maps) of the last maps (1, maps, rows, columns)."""
    maps, area = len(readout.sharpness), len(readout.grid)
    flat = graph.reshape(last, maps, area, name=FLAT)
    weight = graph.op('Softmax', graph.mul(flat, graph.constant(readout.sharpness)), axis=1,
                      name=WEIGHT)
    place = graph.op('MatMul', weight, graph.constant(readout.grid))
    strength = graph.sum(graph.mul(weight, flat), 1)
    share = graph.op('MatMul', flat, graph.constant(np.full((area, 1), 1.0 / area)))
    found = graph.op('Concat', place, strength, share, axis=1)
    scaled = graph.add(graph.mul(found, graph.constant(readout.scale)),
                       graph.constant(readout.offset))
    return graph.reshape(scaled, 1, 4 * maps)


def points_pull(graph: Graph, readout: PointReadout, gradient: str) -> str:
    """
    Return dy/dA (maps, area) from dy/df (1, 4 maps) of the features.

    With g = (g_x, g_y, g_s, g_m) = scale dy/df, s the sharpness, p the softmax and
    q = g_x X + g_y Y + g_s A:  dy/dA = s p (q - sum p q) + g_s p + g_m / area.
    """
    maps, area = len(readout.sharpness), len(readout.grid)
    each = graph.mul(graph.reshape(gradient, maps, 4), graph.constant(readout.scale))
    places, strength, share = graph.split(each, 2, 1, 1)
    by_strength = graph.mul(strength, FLAT)
    q = graph.add(graph.op('MatMul', places, graph.constant(readout.grid.t())), by_strength)
    surplus = graph.sub(q, graph.sum(graph.mul(WEIGHT, q), 1))
    sharp = graph.mul(graph.mul(graph.constant(readout.sharpness), WEIGHT), surplus)
    even = graph.mul(share, graph.constant(np.full((1, area), 1.0 / area)))
    return graph.add(graph.add(sharp, graph.mul(strength, WEIGHT)), even)
