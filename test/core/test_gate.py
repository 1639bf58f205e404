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
The gate against a second writing of its rules, swept over boundaries and switches.

``find_fault`` judges any module with the gate's interface. It finds nothing in ours, and it must
find something in every mutant of ours: a sweep that lets a mutant live is too weak.
"""

from __future__ import annotations

import ast
from importlib.util import module_from_spec, spec_from_file_location
import itertools
import math
from pathlib import Path

from ltc_control.core import gate as real_gate
from ltc_control.core import limits as real_limits
from ltc_control.core.contracts import Command, InCommand, Odometry, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.obstacle import Returns
from ltc_control.core.take_over import HandBack
import numpy as np


def beside(name):
    """Import a module that stands beside this one."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f'{name}.py'))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle, mutation = beside('gate_oracle'), beside('mutation')
NOW, MS, NAN, INF = oracle.NOW, oracle.MS, math.nan, math.inf
REQUEST_AGES = [-50 * MS - 1, -50 * MS, 0, 199 * MS, 200 * MS, 200 * MS + 1, 10_000 * MS]
ODOMETRY_AGES = [-50 * MS - 1, -50 * MS, 0, 500 * MS, 500 * MS + 1]
CURVATURES = [0.0, 0.013, -0.04, 0.2, -0.35, 0.5, -0.5, 0.500001, -0.500001, NAN, INF, -INF]
SPEEDS = [0.0, 3.0, 5.99, 6.03, 12.0, 30.0, 30.00001, -1e-9, NAN, INF, -INF]
HUMAN_AGES = [-50 * MS - 1, -50 * MS, 0, 300 * MS, 300 * MS + 1]
MOTIONS = [(0.0, 0.0), (0.05, 0.04), (-1.0, 0.1), (4.0, 0.4), (6.0, -0.2), (11.9, 0.2), (15.0, 0)]


def states(gate):
    """Return starts of a tick: fresh, driving, limited, stopped, clock set back, timer stalled."""
    driving, zero = Command(0, 0.01, 6.0), Command(0, 0.0, 0.0)
    yield gate.GateState()
    for age, verdict, command in [
        (20 * MS, Verdict.PASS, driving), (20 * MS, Verdict.LIMITED, driving),
        (20 * MS, Verdict.STALE, zero), (20 * MS, Verdict.TAKE_OVER, zero),
        (-500 * MS, Verdict.PASS, driving), (60_000 * MS, Verdict.PASS, driving),
        (0, Verdict.PASS, Command(0, -0.15, 11.0)),
        (90 * MS, Verdict.PASS, Command(0, -0.19, 8.0)),
        (20 * MS, Verdict.PASS, Command(0, 0.02, 0.0)),
    ]:
        yield gate.GateState(tick_ns=NOW - age, command=command, verdict=verdict)


def ticks(gate):
    """Yield the arguments of every tick of the sweep."""
    def odometry(age=0, motion=(6.0, 0.06)):
        return Odometry(NOW - age, 0, 0, 0, *motion)

    def request(age=0, k=0.01, v=6.0):
        return Command(NOW - age, k, v)

    driving = gate.GateState(NOW - 20 * MS, Command(0, 0.01, 6.0), Verdict.PASS)
    for state, motion in itertools.product(states(gate), MOTIONS):
        for k, v in itertools.product(CURVATURES, SPEEDS):
            yield state, request(k=k, v=v), odometry(motion=motion), {}
    requests = [None, request(k=NAN), *(request(age) for age in REQUEST_AGES)]
    seen = [None, odometry(motion=(NAN, 0)), odometry(motion=(6.0, INF)),
            *(odometry(age) for age in ODOMETRY_AGES)]
    for asked, telemetry, latched in itertools.product(requests, seen, [False, True]):
        state = gate.GateState(driving.tick_ns, driving.command, driving.verdict, latched)
        for switches in itertools.product([False, True], repeat=3):
            yield state, asked, telemetry, dict(
                zip(('take_over', 'e_stop', 'release'), switches, strict=True))
    yield from ticks_with_a_person(gate, driving, request, odometry)
    yield from ticks_with_obstacles(gate, driving, request, odometry)


def ticks_with_a_person(gate, driving, request, odometry):
    """Yield ticks in which a person drives, holds on, or has just let go."""
    commands = [None, Command(NOW, -0.03, 5.0), Command(NOW, NAN, 5.0), Command(NOW, 0.0, -1.0),
                *(Command(NOW - age, 0.0, 4.0) for age in HUMAN_AGES)]
    last = Command(0, -0.02, 4.0)
    hands = [{'verdict': verdict, 'in_command': InCommand.HUMAN}
             for verdict in (Verdict.HUMAN, Verdict.OBSTACLE_SLOW, Verdict.TAKE_OVER)]
    hands += [{'verdict': Verdict.LIMITED, 'in_command': InCommand.POLICY,
                   'hand_back': HandBack(NOW - since * MS, last)}
              for since in (-1, 0, 20, 250, 499, 500, 501)]
    before = [driving, *(gate.GateState(NOW - 20 * MS, last, **hand) for hand in hands)]
    policies = [None, request(), request(age=201 * MS), request(k=0.02, v=8.0)]
    for state, human, asked in itertools.product(before, commands, policies):
        for take_over, e_stop in itertools.product([False, True], repeat=2):
            yield state, asked, odometry(), {
                'take_over': take_over, 'e_stop': e_stop, 'human': human}
        yield state, asked, None, {'human': human}


def ticks_with_obstacles(gate, driving, request, odometry):
    """Yield ticks before obstacles near and far, on the path and beside it, old and new."""
    def returns(*points, age=0):
        return Returns(NOW - age, np.array(points, float).reshape(-1, 2))

    ahead = [0.3, 1.99, 2.1, 2.17, 2.2, 2.9, 3.1, 4.0, 6.0, 9.0, 15.0, 30.0]
    looks = [(), (returns(),), (returns((20, 5)),), *((returns((2.25 + d, 0)),) for d in ahead)]
    looks += [(returns((8, 0), age=age),) for age in (
        -50 * MS - 1, -50 * MS, 100 * MS, 500 * MS, 500 * MS + 1)]
    near, far = returns((7, 0)), returns()
    looks += [(near, far, far), (near, near, far), (far, far, near), (near, near, far, far),
              (returns((7, 0), age=600 * MS), near, far)]
    bend = returns((12 * math.sin(0.9) / 0.9, 12 * (1 - math.cos(0.9)) / 0.9))
    looks += [(bend,)]
    # beside the arc: within its swerve at 20 m, just outside of that, and by the car's flank
    looks += [(returns((20, y)),) for y in (1.3, 2.3, 2.5)] + [(returns((2.3, 1.21)),)]
    before = [driving, gate.GateState(NOW - 20 * MS, Command(0, 0.0, 0.0), Verdict.OBSTACLE_STOP,
                                      stopped=True)]
    asks = [request(k=0.0), request(k=0.075), request(k=-0.4), request(v=1.0, k=0.0),
            request(age=201 * MS, k=0.0)]
    for look, state, asked in itertools.product(looks, before, asks):
        for motion in ((6.0, 0.0), (0.0, 0.0)):
            yield state, asked, odometry(motion=motion), {'sight': {'scan': look}}
            yield state, asked, odometry(motion=motion), {
                'sight': {'scan': look}, 'human': Command(NOW, 0.0, 3.0)}
        yield state, asked, odometry(), {'sight': {'scan': look, 'range': (returns((9, 0)),)}}
        yield state, None, odometry(), {'sight': {'scan': look}, 'take_over': True}


def config_fault(gate):
    """Return what is wrong with the door of the configuration, or None."""
    for name, value in [('stale_s', 0.0), ('valid_curvature', 0.2), ('valid_speed', 12.0),
                        ('human_stale_s', 0.0), ('hand_back_s', 0.0)]:
        gate.GateConfig(**{name: value})
    for name, value in itertools.product(
            ['stale_s', 'telemetry_s', 'future_s', 'longest_tick_s', 'valid_speed',
             'valid_curvature', 'human_stale_s', 'hand_back_s'], [-0.1, NAN, INF]):
        try:
            gate.GateConfig(**{name: value})
        except ConfigError:
            continue
        return f'{name}={value} was taken'
    return None


def find_fault(gate):
    """Return the first fault of a gate module, or None; a crash is a fault."""
    try:
        faults = (oracle.judge(gate, *tick[:3], **tick[3]) for tick in ticks(gate))
        return config_fault(gate) or next((fault for fault in faults if fault), None)
    except Exception as err:                   # any way to crash counts
        return f'{type(err).__name__}: {err}'


def test_the_sweep_finds_nothing():
    assert find_fault(real_gate) is None


# Mutants that do the same as the original, by the text of the mutated expression.
EQUIVALENT = {
    # both sides of these branches agree on the boundary
    'square * limits.max_curvature < limits.max_lateral_acceleration',
    'square * limits.max_curvature_rate < limits.max_lateral_jerk',
    'abs(curvature) * limits.max_speed ** 2 < limits.max_lateral_acceleration',
    # a difference of exactly one rounding unit
    'abs(a.curvature - b.curvature) < _SAME', 'abs(a.speed - b.speed) < _SAME',
    # a request of None is stale in the line before, and the type checker is told again
    'request is not None or fresh',
    # a sound request and odometry are there when nothing speaks against them; told again, too
    'verdict is Verdict.PASS or asked.request is not None or asked.odometry is not None',
    # nothing is bounded where the bound is what was asked for anyway
    'bound <= command.speed',
}


def test_every_mutant_of_the_gate_is_caught(monkeypatch):
    alive, count = mutation.survivors(real_gate, find_fault, monkeypatch,
                                       equivalent=EQUIVALENT)
    assert count > 50
    assert not alive, '\n'.join(alive)


def test_every_mutant_of_the_limits_is_caught(monkeypatch):
    source = ast.parse(Path(real_gate.__file__).read_text())

    def fault_of(limits):
        gate = mutation.built(source, 'gate_on_limits', monkeypatch)
        gate.limit_curvature, gate.limit_speed = limits.limit_curvature, limits.limit_speed
        return door_fault(limits.Limits) or find_fault(gate)

    def door_fault(limits):
        try:
            limits()
        except ConfigError as err:
            return str(err)
        for value in (0.0, -1.0, NAN, INF, '1'):
            try:
                limits(max_speed=value)
            except (ConfigError, TypeError):
                continue
            return f'{value!r} was taken as a limit'
        return None

    assert fault_of(real_limits) is None
    alive, count = mutation.survivors(real_limits, fault_of, monkeypatch,
                                       equivalent=EQUIVALENT)
    assert count > 25
    assert not alive, '\n'.join(alive)
