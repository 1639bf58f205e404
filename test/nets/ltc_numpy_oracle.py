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
One fused LTC step in plain loops of numpy, float64: the judge of the trainable and exported cell.

Written from Hasani et al. 2021, algorithm 1, and Lechner et al. 2020, methods; shares no code
with the package.
"""

from __future__ import annotations

import numpy as np


def fused_step(parameters, adjacency, sensory_adjacency, inputs, state, dt, unfolds=6):
    """Return (output, state, tau) of one row; ``parameters`` are effective values by ncps name."""
    p = parameters
    u = np.asarray(inputs, float) * p['input_w'] + p['input_b']
    x = np.asarray(state, float).copy()
    n = len(x)
    d = dt / unfolds
    for _ in range(unfolds):
        new, tau = np.empty(n), np.empty(n)
        for i in range(n):
            numerator = p['gleak'][i] * p['vleak'][i]
            conductance = p['gleak'][i]
            for j in range(n):
                if adjacency[j, i]:
                    g = p['w'][j, i] * sigmoid(p['sigma'][j, i] * (x[j] - p['mu'][j, i]))
                    numerator += g * p['erev'][j, i]
                    conductance += g
            for k in range(len(u)):
                if sensory_adjacency[k, i]:
                    g = p['sensory_w'][k, i] * sigmoid(
                        p['sensory_sigma'][k, i] * (u[k] - p['sensory_mu'][k, i]))
                    numerator += g * p['sensory_erev'][k, i]
                    conductance += g
            rate = p['cm'][i] / d
            new[i] = (rate * x[i] + numerator) / (rate + conductance + 1e-8)
            tau[i] = p['cm'][i] / conductance
        x = new
    m = len(p['output_w'])
    return x[:m] * p['output_w'] + p['output_b'], x, tau


def derivative(parameters, adjacency, sensory_adjacency, inputs, state):
    """Return dx/dt of the same neurons, for a general-purpose ODE solver."""
    p = parameters
    u = np.asarray(inputs, float) * p['input_w'] + p['input_b']
    x = np.asarray(state, float)
    inner = np.abs(adjacency) * p['w'] * sigmoid(p['sigma'] * (x[:, None] - p['mu']))
    outer = np.abs(sensory_adjacency) * p['sensory_w'] * sigmoid(
        p['sensory_sigma'] * (u[:, None] - p['sensory_mu']))
    flow = p['gleak'] * (p['vleak'] - x)
    flow = flow + (inner * (p['erev'] - x)).sum(0) + (outer * (p['sensory_erev'] - x)).sum(0)
    return flow / p['cm']


def sigmoid(z):
    """Return the logistic function without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(z)))
