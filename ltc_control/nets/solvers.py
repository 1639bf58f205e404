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
Four ways to advance C dx/dt = n(x) - D(x) x over one step, as pure functions.

n_i = g_i v_i + sum w s E (numerator) and D_i = g_i + sum w s (total conductance) come from
``terms(x) -> (n, D)``; ``cm`` is C and ``dt`` the step, broadcast against x (B, N). Each solver
returns the new x and the D it used last, from which tau = C / D.

fused                  semi-implicit Euler, order 1, bounded (Hasani et al. 2021, algorithm 1)
euler                  explicit Euler, order 1, diverges for dt > 2 tau
rk4                    classic Runge-Kutta, order 4, diverges for dt > 2.8 tau
exponential_midpoint   order 2, bounded, needs C > 0

Trained weights belong to their solver and its number of sub-steps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Terms = Callable[[Tensor], tuple[Tensor, Tensor]]
Solver = Callable[[Terms, Tensor, Tensor, Tensor, int], tuple[Tensor, Tensor]]

EPSILON = 1e-8                     # of ncps: keeps the fused denominator off zero


def fused(terms: Terms, x: Tensor, cm: Tensor, dt: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Advance by semi-implicit steps: each is a weighted mean of x and the potentials."""
    rate = cm * steps / dt
    total = rate
    for _ in range(steps):
        pull, total = terms(x)
        x = (rate * x + pull) / (rate + total + EPSILON)
    return x, total


def euler(terms: Terms, x: Tensor, cm: Tensor, dt: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Advance by explicit Euler steps."""
    h = dt / steps / cm
    total = h
    for _ in range(steps):
        pull, total = terms(x)
        x = x + h * (pull - total * x)
    return x, total


def rk4(terms: Terms, x: Tensor, cm: Tensor, dt: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Advance by classic fourth-order Runge-Kutta steps."""
    h = dt / steps / cm
    total = h

    def slope(point: Tensor) -> tuple[Tensor, Tensor]:
        pull, conductance = terms(point)
        return pull - conductance * point, conductance

    for _ in range(steps):
        k1, _ = slope(x)
        k2, _ = slope(x + 0.5 * h * k1)
        k3, _ = slope(x + 0.5 * h * k2)
        k4, total = slope(x + h * k3)
        x = x + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return x, total


def exponential_midpoint(terms: Terms, x: Tensor, cm: Tensor, dt: Tensor,
                         steps: int) -> tuple[Tensor, Tensor]:
    """Advance by decaying towards n/D, evaluated at the middle of each step."""
    h = dt / steps / cm
    total = h
    for _ in range(steps):
        pull, total = terms(x)
        middle = decay_towards(pull / total, x, 0.5 * h * total)
        pull, total = terms(middle)
        x = decay_towards(pull / total, x, h * total)
    return x, total


def decay_towards(target: Tensor, x: Tensor, amount: Tensor) -> Tensor:
    """Return target + (x - target) exp(-amount)."""
    return target + (x - target) * torch.exp(-amount)


SOLVERS: dict[str, Solver] = {'fused': fused, 'euler': euler, 'rk4': rk4,
                              'exponential_midpoint': exponential_midpoint}
