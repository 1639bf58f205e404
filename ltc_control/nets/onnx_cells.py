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
One step of each core as ONNX nodes: (inputs (1, S), state (1, N), dt (1,)) -> (y, state, tau).

Each function mirrors the ``forward`` of the core it is named after; a test runs both for 1,000
steps of varying dt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ltc_control.core.errors import ConfigError
from ltc_control.nets.baselines import FrameNet, LSTMCore
from ltc_control.nets.cfc_cell import CfCCell, DenseCfC, RATE_FLOOR, WiredCfC
from ltc_control.nets.lstm_cell import FORGET_BIAS, LSTMCell, MixedMemory
from ltc_control.nets.ltc_cell import LTCCell
from ltc_control.nets.onnx_graph import Graph
from ltc_control.nets.solvers import EPSILON
import torch
from torch import nn, Tensor

Step = tuple[str, str, str]
Terms = Callable[[str], tuple[str, str]]


@dataclass(frozen=True)
class Readout:
    """The map y -> offset + scale y to physical units, folded into each core's last product."""

    scale: Tensor
    offset: Tensor

    def gemm(self, graph: Graph, x: str, weight: Tensor, bias: Tensor) -> str:
        """Return offset + scale (x W + b)."""
        return graph.gemm(x, weight * self.scale, bias * self.scale + self.offset)


def add_core(graph: Graph, core: nn.Module, inputs: str, state: str, dt: str,
             readout: Readout) -> Step:
    """Add one step of ``core`` and return the names of command, new state and tau."""
    if isinstance(core, LTCCell):
        return _ltc(graph, core, inputs, state, dt, readout)
    if isinstance(core, DenseCfC):
        new, tau = _cfc(graph, core.cell, inputs, state, dt)
        return _read(graph, core.readout, new, readout), new, tau
    if isinstance(core, WiredCfC):
        return _wired(graph, core, inputs, state, dt, readout)
    if isinstance(core, MixedMemory):
        return _mixed(graph, core, inputs, state, dt, readout)
    if isinstance(core, LSTMCore):
        h, c, tau = _lstm(graph, core.cell, inputs, state, dt)
        both = graph.op('Concat', tau, tau, axis=1)
        new = graph.op('Concat', h, c, axis=1)
        return _read(graph, core.readout, h, readout), new, both
    if isinstance(core, FrameNet):
        hidden = graph.op('Tanh', graph.linear(inputs, core.hidden))
        nothing = graph.mul(state, graph.constant(torch.zeros(1, 1)))
        idle = graph.mul(graph.reshape(dt, 1, 1), graph.constant(torch.zeros(1, 1)))
        return _read(graph, core.readout, hidden, readout), nothing, idle
    raise ConfigError(f'cannot export a core of type {type(core).__name__!r}')


def _read(graph: Graph, layer: nn.Linear, x: str, readout: Readout) -> str:
    return readout.gemm(graph, x, layer.weight.t(), layer.bias)


def _ltc(graph: Graph, cell: LTCCell, inputs: str, state: str, dt: str,
         readout: Readout) -> Step:
    n, folded = cell.state_size, cell.fold()
    # the input map goes into the synapses: slope sigma a, offset sigma (b - mu)
    slope = folded.sensory_slope * cell.input_w[:, None]
    offset = folded.sensory_offset + cell.input_b @ folded.sensory_slope
    sensory = graph.op('Sigmoid', graph.gemm(inputs, slope, offset))
    pull = graph.gemm(sensory, folded.sensory_mix[:, :n], folded.leak[:n])
    total = graph.gemm(sensory, folded.sensory_mix[:, n:], folded.leak[n:])
    cm = folded.cm[None]
    rate = graph.div(graph.constant(cm * cell.unfolds), dt)             # C / d, (1, N)
    add = _add_fused if cell.solver == 'fused' else _add_explicit
    x, last = add(graph, cell, (pull, total), state, rate)
    motor = torch.zeros(n, cell.output_size, dtype=cm.dtype)
    motor[range(cell.output_size), range(cell.output_size)] = cell.output_w.detach()
    command = readout.gemm(graph, x, motor, cell.output_b)
    return command, x, graph.div(graph.constant(cm), last)


def _add_fused(graph: Graph, cell: LTCCell, sums: tuple[str, str], x: str,
               rate: str) -> tuple[str, str]:
    """
    Add the sub-steps, six nodes each (the engine joins product and sigmoid to five).

    C/d and the 1e-8 ride with the sensory sums, and C/d x is a product with diag(C/d), which
    takes the sensory sums along: one node in place of a multiplication and an addition.
    """
    n, folded = cell.state_size, cell.fold()
    to_pull, to_total = folded.mix[:, :n], folded.mix[:, n:]
    held = graph.add(sums[1], graph.add(rate, graph.constant(EPSILON)))
    diagonal = graph.mul(rate, graph.constant(torch.eye(n)))
    active = ''
    for _ in range(cell.unfolds):
        active = graph.op('Sigmoid', graph.gemm(x, folded.slope, folded.offset))
        own = graph.op('Gemm', x, diagonal, sums[0])
        x = graph.div(graph.gemm(active, to_pull, own), graph.gemm(active, to_total, held))
    # D from its own sum for tau: taking C/d away again would cancel for short steps
    return x, graph.gemm(active, to_total, sums[1])


def _add_explicit(graph: Graph, cell: LTCCell, sums: tuple[str, str], x: str,
                  rate: str) -> tuple[str, str]:
    n, folded = cell.state_size, cell.fold()

    def terms(point: str) -> tuple[str, str]:
        active = graph.op('Sigmoid', graph.gemm(point, folded.slope, folded.offset))
        return (graph.gemm(active, folded.mix[:, :n], sums[0]),
                graph.gemm(active, folded.mix[:, n:], sums[1]))

    return _SOLVERS[cell.solver](graph, terms, x, graph.op('Reciprocal', rate), cell.unfolds)


def _euler(graph: Graph, terms: Terms, x: str, h: str, steps: int) -> tuple[str, str]:
    total = ''
    for _ in range(steps):
        pull, total = terms(x)
        x = graph.add(x, graph.mul(h, graph.sub(pull, graph.mul(total, x))))
    return x, total


def _rk4(graph: Graph, terms: Terms, x: str, h: str, steps: int) -> tuple[str, str]:
    half, sixth = graph.mul(h, graph.constant(0.5)), graph.mul(h, graph.constant(1.0 / 6.0))
    two = graph.constant(2.0)
    last = ''

    def slope(point: str) -> tuple[str, str]:
        pull, total = terms(point)
        return graph.sub(pull, graph.mul(total, point)), total

    for _ in range(steps):
        k1, _ = slope(x)
        k2, _ = slope(graph.add(x, graph.mul(half, k1)))
        k3, _ = slope(graph.add(x, graph.mul(half, k2)))
        k4, last = slope(graph.add(x, graph.mul(h, k3)))
        middle = graph.mul(two, graph.add(k2, k3))
        x = graph.add(x, graph.mul(sixth, graph.add(graph.add(k1, k4), middle)))
    return x, last


def _exponential_midpoint(graph: Graph, terms: Terms, x: str, h: str,
                          steps: int) -> tuple[str, str]:
    half = graph.mul(h, graph.constant(0.5))
    total = ''

    def decay(point: str, start: str, time: str) -> tuple[str, str]:
        pull, rate = terms(point)
        target = graph.div(pull, rate)
        kept = graph.op('Exp', graph.op('Neg', graph.mul(time, rate)))
        return graph.add(target, graph.mul(graph.sub(start, target), kept)), rate

    for _ in range(steps):
        middle, _ = decay(x, x, half)
        x, total = decay(middle, x, h)
    return x, total


_SOLVERS = {'euler': _euler, 'rk4': _rk4, 'exponential_midpoint': _exponential_midpoint}


def _cfc(graph: Graph, cell: CfCCell, inputs: str, h: str, dt: str) -> tuple[str, str]:
    z = graph.op('Concat', inputs, h, axis=1)
    for layer in cell.backbone:
        if isinstance(layer, nn.Linear):
            z = graph.linear(z, layer)
        else:
            inner = graph.mul(z, graph.constant(0.666))
            z = graph.mul(graph.op('Tanh', inner), graph.constant(1.7159))

    def linear(name: str) -> str:
        return graph.gemm(z, cell.weight(name).t(), getattr(cell, name).bias)

    floor, one = graph.constant(RATE_FLOOR), graph.constant(1.0)
    f1 = linear('ff1')
    if cell.mode == 'pure':
        rate = graph.add(graph.op('Abs', f1), graph.constant(cell.w_tau.abs()))
        decay = graph.op('Exp', graph.op('Neg', graph.mul(rate, dt)))
        A = graph.constant(cell.A)
        new = graph.sub(A, graph.mul(A, graph.mul(decay, f1)))
        return new, graph.div(one, graph.add(rate, floor))
    f1, f2 = graph.op('Tanh', f1), graph.op('Tanh', linear('ff2'))
    slope = linear('time_a')
    q = graph.op('Sigmoid', graph.add(graph.mul(slope, dt), linear('time_b')))
    other = f2 if cell.mode == 'no_gate' else graph.sub(f2, f1)
    new = graph.add(f1, graph.mul(q, other))
    return new, graph.div(one, graph.add(graph.op('Abs', slope), floor))


def _wired(graph: Graph, core: WiredCfC, inputs: str, state: str, dt: str,
           readout: Readout) -> Step:
    sizes = [len(ids) for ids in core.layer_ids[::-1]]
    own = graph.split(state, *sizes)[::-1]
    new, taus, x = [], [], inputs
    for layer, h in zip(core.layers, own, strict=True):
        x, tau = _cfc(graph, layer, x, h, dt)
        new.append(x)
        taus.append(tau)
    command = readout.gemm(graph, x, torch.diag(core.output_w), core.output_b)
    return (command, graph.op('Concat', *new[::-1], axis=1),
            graph.op('Concat', *taus[::-1], axis=1))


def _lstm(graph: Graph, cell: LSTMCell, inputs: str, state: str,
          dt: str) -> tuple[str, str, str]:
    units = cell.recurrent_map.in_features
    h, c = graph.split(state, units, units)
    mapped = graph.linear(inputs, cell.input_map)
    z = graph.gemm(h, cell.recurrent_map.weight.t(), mapped)
    i, ig, fg, og = graph.split(z, units, units, units, units)
    forget = graph.op('Sigmoid', graph.add(fg, graph.constant(FORGET_BIAS)))
    fresh = graph.mul(graph.op('Tanh', i), graph.op('Sigmoid', ig))
    c = graph.add(graph.mul(c, forget), fresh)
    h = graph.mul(graph.op('Tanh', c), graph.op('Sigmoid', og))
    kept = graph.op('Clip', forget, graph.constant(1e-6), graph.constant(1.0 - 1e-6))
    return h, c, graph.div(dt, graph.op('Neg', graph.op('Log', kept)))


def _mixed(graph: Graph, core: MixedMemory, inputs: str, state: str, dt: str,
           readout: Readout) -> Step:
    h, c, forget_tau = _lstm(graph, core.lstm, inputs, state, dt)
    if isinstance(core.cell, LTCCell):
        command, h, tau = _ltc(graph, core.cell, inputs, h, dt, readout)
    else:
        h, tau = _cfc(graph, core.cell, inputs, h, dt)
        command = _read(graph, core.readout, h, readout)
    return (command, graph.op('Concat', h, c, axis=1),
            graph.op('Concat', tau, forget_tau, axis=1))
