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
find something in every mutant of ours: a sweep that lets a mutant live is too weak. In the spirit
of opendbc's ``safety/tests/mutation.py``.
"""

from __future__ import annotations

import ast
import copy
import functools
import itertools
import math
from pathlib import Path
import sys
import types

from hypothesis import given, settings
from hypothesis import strategies as st
from ltc_control.core import gate as real_gate
from ltc_control.core import limits as real_limits
from ltc_control.core.contracts import Command, InCommand, Odometry, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.obstacle import Returns
from ltc_control.core.take_over import HandBack
import numpy as np
import pytest

NOW, MS = 1_000_000_000_000, 1_000_000
NAN, INF = math.nan, math.inf
A_LAT, J_LAT, K_MAX, V_MAX = 3.5886, 20.0, 0.2, 12.0          # written again on purpose
UP, DOWN, RATE = 2.5, 5.0, 0.3
REQUEST_AGES = [-50 * MS - 1, -50 * MS, 0, 199 * MS, 200 * MS, 200 * MS + 1, 10_000 * MS]
ODOMETRY_AGES = [-50 * MS - 1, -50 * MS, 0, 500 * MS, 500 * MS + 1]
CURVATURES = [0.0, 0.013, -0.04, 0.2, -0.35, 0.5, -0.5, 0.500001, -0.500001, NAN, INF, -INF]
SPEEDS = [0.0, 3.0, 5.99, 6.03, 12.0, 30.0, 30.00001, -1e-9, NAN, INF, -INF]
HUMAN_AGES = [-50 * MS - 1, -50 * MS, 0, 300 * MS, 300 * MS + 1]
MOVING = (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN, Verdict.OBSTACLE_SLOW)
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


def person_is_fresh(human):
    return human is not None and -50 * MS <= NOW - human.stamp_ns <= 300 * MS


def expected_verdict(request, odometry, *, take_over, stopped, human=None, sight=None):
    """Return the reason to stop, most restrictive first, or None: the rules as a ladder."""
    if stopped:
        return Verdict.E_STOP
    if take_over and not person_is_fresh(human):
        return Verdict.TAKE_OVER
    if sight is not None and not all(
            seen and -50 * MS <= NOW - seen[-1].stamp_ns <= 500 * MS for seen in sight.values()):
        return Verdict.OBSTACLE_BLIND
    known = odometry is not None and -50 * MS <= NOW - odometry.stamp_ns <= 500 * MS
    if not known or not math.isfinite(odometry.speed + odometry.yaw_rate):
        return Verdict.NO_TELEMETRY
    oldest = 200 * MS
    if person_is_fresh(human):
        request, oldest = human, 300 * MS
    if request is None:
        return Verdict.NO_REQUEST
    if not math.isfinite(request.curvature + request.speed) or abs(request.curvature) > 0.5 \
            or request.speed < 0 or request.speed > 30:
        return Verdict.INVALID
    if NOW - request.stamp_ns > oldest or request.stamp_ns - NOW > 50 * MS:
        return Verdict.STALE
    return None


def expected_command(state, request, odometry, *, human=None, sight=None):
    """Return (curvature, speed) nearest to the request, from intervals that limits cut out."""
    asked = human if person_is_fresh(human) else request
    k_path = sorted((-bound_of(odometry.speed), asked.curvature, bound_of(odometry.speed)))[1]
    request = faded(state, asked, by_person=asked is human)
    dt = 0.0 if state.tick_ns is None else min(max((NOW - state.tick_ns) / 1e9, 0.0), 0.1)
    v = odometry.speed
    if state.verdict in MOVING:
        k0, v0 = state.command.curvature, state.command.speed
    else:
        k0, v0 = (odometry.yaw_rate / v if v > 0.05 else 0.0), sorted((0.0, v, V_MAX))[1]
    bound = bound_of(v)
    rate = min(RATE, J_LAT / v**2) if v else RATE
    k0 = sorted((-bound, k0, bound))[1]
    k = sorted((max(k0 - rate * dt, -bound), request.curvature, min(k0 + rate * dt, bound)))[1]
    goal = min(request.speed, math.sqrt(A_LAT / abs(k))) if k else request.speed
    speed = sorted((max(v0 - DOWN * dt, 0.0), goal, min(v0 + UP * dt, V_MAX)))[1]
    return k, min(speed, approach(sight, k_path, v), swerving(sight, k_path, v))


def bound_of(v):
    return min(K_MAX, A_LAT / v**2) if v else K_MAX


def faded(state, asked, *, by_person):
    """Return what the policy may ask for while a person's command fades out over 0.5 s."""
    if by_person:
        return asked
    since, last = NOW, state.command
    if state.in_command is not InCommand.HUMAN or state.verdict not in MOVING:
        if state.hand_back is None:
            return asked
        since, last = state.hand_back.since_ns, state.hand_back.command
    share = (NOW - since) / 5e8
    if not 0 <= share < 1:
        return asked
    return Command(asked.stamp_ns, (1 - share) * last.curvature + share * asked.curvature,
                   (1 - share) * last.speed + share * asked.speed)


def way_ahead(sight, k, v, swerve=0.0):
    """Return the way to the nearest obstacle, by walking the path in steps of 1 cm."""
    return walked(tuple(tuple((seen.stamp_ns, tuple(map(tuple, seen.points))) for seen in history)
                        for history in (sight or {}).values()), k, v, swerve)


@functools.cache                               # the mutants ask again and again
def walked(sight, k, v, swerve):
    nearest = math.inf
    along = np.arange(0, min(45, 1.57 / max(abs(k), 1e-9)), 0.01)      # a quarter of the circle
    x, y = (along, 0 * along) if k == 0 else (np.sin(k * along) / k, (1 - np.cos(k * along)) / k)
    for seen in sight:
        found = []
        for stamp_ns, points in seen[-3:]:
            age_s = (NOW - stamp_ns) / 1e9
            ways = [math.inf]
            for point in points:
                # the step at which the point is level with the car, and how far it is beside it
                level = (point[0] - x) * np.cos(k * along) + (point[1] - y) * np.sin(k * along)
                step = int(np.argmin(np.abs(level)))
                beside = math.hypot(point[0] - x[step], point[1] - y[step])
                # in a bend the front corner on the outside runs on a circle of its own
                out = k * (point[1] - y[step]) < 0
                reach = math.hypot(1 / abs(k) + 1.2, 2.25) - 1 / abs(k) if k and out else 1.2
                reach += swerve * along[step] ** 2 / 2             # arcs of other curvatures
                ways += [along[step] - 2.25] if beside < reach and point[0] > 2.25 else []
            if age_s <= 0.5:
                found.append(max(max(min(ways), 0) - max(v, 0) * max(age_s, 0), 0))
        if found:
            nearest = min(nearest, sorted(found)[min(2, len(found)) - 1])
    return nearest


def approach(sight, k, v):
    """Return the speed v with v * 0.5 s + v^2 / (2 * 2 m/s^2) = way - 2 m; the quadratic."""
    way = way_ahead(sight, k, v)
    return math.inf if way == math.inf else -1 + math.sqrt(1 + 4 * max(way - 2, 0))


def swerving(sight, k, v):
    """Return the same for 3 m/s^2 up to the obstacle, where the curvature changes by 0.006."""
    way = way_ahead(sight, k, v, 0.006)
    return math.inf if way == math.inf else max(-1.5 + math.sqrt(2.25 + 6 * way), 0.3)


def judge(gate, state, request, odometry, **switches):
    """Return what is wrong with one tick, or None."""
    after, command, verdict = gate.step(
        state, now_ns=NOW, request=request, odometry=odometry, config=gate.GateConfig(),
        **switches)
    case = f'{state} {request} {odometry} {switches} -> {command} {verdict}'
    stopped = switches.get('e_stop', False) or (
        state.latched and not switches.get('release', False))
    human, sight = switches.get('human'), switches.get('sight')
    take_over = switches.get('take_over', False)
    reason = expected_verdict(request, odometry, take_over=take_over, stopped=stopped,
                              human=human, sight=sight)
    if (after.tick_ns, after.command, after.verdict, after.latched) != (
            NOW, command, verdict, stopped):
        return f'state is not what happened: {case}'
    driver = InCommand.HUMAN if take_over or person_is_fresh(human) else InCommand.POLICY
    nobody = verdict in (Verdict.E_STOP, Verdict.NO_REQUEST, Verdict.STALE, Verdict.INVALID,
                         Verdict.NO_TELEMETRY)
    if after.in_command is not (InCommand.NOBODY if nobody else driver):
        return f'wrong one in command: {case}'
    if reason is None:
        crawling = sight is not None and stands(state, request, odometry, human, sight)
        reason = Verdict.OBSTACLE_STOP if crawling else None
        if after.stopped != crawling:
            return f'stopped by an obstacle or not: {case}'
    elif after.stopped != state.stopped or after.hand_back is not None:
        return f'a stop forgets the obstacle or remembers a hand-over: {case}'
    if reason is not None:
        fresh = request is not None and -50 * MS <= NOW - request.stamp_ns <= 200 * MS
        stop = Command(request.stamp_ns if fresh else NOW, 0.0, 0.0)
        return None if (verdict, command) == (reason, stop) else f'{reason} expected: {case}'
    k, v = expected_command(state, request, odometry, human=human, sight=sight)
    coarse = 1e-9 if sight is None else 0.02               # the walk along the path is
    if abs(command.curvature - k) > 1e-9 or abs(command.speed - v) > coarse:
        return f'{(k, v)} expected: {case}'
    asked = human if driver is InCommand.HUMAN else request
    same = abs(k - asked.curvature) < 1e-9 and abs(v - asked.speed) < 1e-9
    right = Verdict.PASS if same else Verdict.LIMITED
    if driver is InCommand.HUMAN:
        right = Verdict.HUMAN
    if v < expected_command(state, request, odometry, human=human)[1] - coarse:
        right = Verdict.OBSTACLE_SLOW
    sound = verdict is right and command.stamp_ns == asked.stamp_ns
    return None if sound else f'{right} expected: {case}'


def stands(state, request, odometry, human, sight):
    """Say whether an obstacle keeps the car standing: too near to crawl, or not yet far off."""
    asked = human if person_is_fresh(human) else request
    bound = bound_of(odometry.speed)
    k = sorted((-bound, asked.curvature, bound))[1]
    way = way_ahead(sight, k, odometry.speed)
    return way <= 3.0 if state.stopped else approach(sight, k, odometry.speed) <= 0.3


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
        faults = (judge(gate, *tick[:3], **tick[3]) for tick in ticks(gate))
        return config_fault(gate) or next((fault for fault in faults if fault), None)
    except Exception as err:                   # any way to crash counts
        return f'{type(err).__name__}: {err}'


def test_the_sweep_finds_nothing():
    assert find_fault(real_gate) is None


# ------------------------------------------------------------------------------------- mutants

NEGATED = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
           ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
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


def variants(node):
    """Yield single changes of one node."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for table in (NEGATED, SHIFTED):
                if type(operator) in table:
                    changed = copy.deepcopy(node)
                    changed.ops[index] = table[type(operator)]()
                    yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') in ('min', 'max'):
        other = {'min': 'max', 'max': 'min'}[node.func.id]
        yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


class Replace(ast.NodeTransformer):
    """Put one node in the place of another."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def mutants(module):
    """Yield (text of the mutated expression, line, syntax tree) of a module's functions."""
    tree = ast.parse(Path(module.__file__).read_text())
    functions = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
    bodies = [statement for f in functions for statement in f.body]
    for node in [n for statement in bodies for n in ast.walk(statement)]:
        for change in variants(node):
            changed = ast.copy_location(change, node)
            mutant = Replace(node, changed).visit(tree)
            yield ast.unparse(changed), node.lineno, ast.fix_missing_locations(mutant)
            Replace(changed, node).visit(tree)             # and back again


def built(tree, name, monkeypatch):
    """Run a syntax tree as a module of its own."""
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)         # where dataclasses look it up
    exec(compile(tree, name, 'exec'), module.__dict__)
    return module


def survivors(module, fault_of, monkeypatch):
    alive, count = [], 0
    for text, line, tree in mutants(module):
        if text in EQUIVALENT:
            continue
        count += 1
        if fault_of(built(tree, 'mutant', monkeypatch)) is None:
            alive.append(f'line {line}: {text}')
    return alive, count


def test_every_mutant_of_the_gate_is_caught(monkeypatch):
    alive, count = survivors(real_gate, find_fault, monkeypatch)
    assert count > 50
    assert not alive, '\n'.join(alive)


def test_every_mutant_of_the_limits_is_caught(monkeypatch):
    source = ast.parse(Path(real_gate.__file__).read_text())

    def fault_of(limits):
        gate = built(source, 'gate_on_limits', monkeypatch)
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
    alive, count = survivors(real_limits, fault_of, monkeypatch)
    assert count > 25
    assert not alive, '\n'.join(alive)


# ---------------------------------------------------------------------------------- sequences

any_float = st.floats(allow_nan=True, allow_infinity=True)
some_command = st.builds(
    Command, st.integers(NOW - 300 * MS, NOW + 100 * MS),
    st.one_of(st.floats(-0.6, 0.6), any_float), st.one_of(st.floats(0, 32), any_float))
some_odometry = st.builds(
    Odometry, st.integers(NOW - 700 * MS, NOW + 100 * MS), *[st.just(0.0)] * 3,
    st.one_of(st.floats(-1, 15), any_float), st.one_of(st.floats(-1, 1), any_float))
some_returns = st.builds(
    Returns, st.integers(NOW - 700 * MS, NOW + 100 * MS),
    st.lists(st.tuples(st.floats(-5, 40), st.floats(-3, 3)), max_size=3).map(
        lambda points: np.array(points, float).reshape(-1, 2)))
some_sight = st.fixed_dictionaries({'scan': st.lists(some_returns, max_size=4).map(tuple)})
some_tick = st.tuples(
    st.integers(-40 * MS, 150 * MS), st.none() | some_command, st.none() | some_odometry,
    st.sampled_from([False] * 6 + [True]),
    st.sampled_from([False] * 6 + [True]), st.booleans(),
    st.none() | some_command, st.none() | some_sight)


@settings(max_examples=150, deadline=None)
@given(st.lists(some_tick, min_size=2, max_size=25))
def test_no_sequence_breaks_the_invariants(sequence):
    config, state, now = real_gate.GateConfig(), real_gate.GateState(), NOW
    stopped = False
    for advance, request, odometry, take_over, e_stop, release, human, sight in sequence:
        before, now = state, now + advance
        state, command, verdict = real_gate.step(
            state, now_ns=now, request=request, odometry=odometry, take_over=take_over,
            e_stop=e_stop, release=release, human=human, sight=sight, config=config)
        stopped = e_stop or (stopped and not release)
        assert (verdict is Verdict.E_STOP) == stopped
        assert (state.in_command is InCommand.POLICY) <= (not take_over)
        if verdict not in MOVING:
            assert (command.curvature, command.speed) == (0.0, 0.0)
            continue
        assert (state.in_command is InCommand.HUMAN) >= take_over
        assert state.in_command is not InCommand.NOBODY
        if sight is not None:
            assert command.speed ** 2 <= 2 * 2.0 * state.distance_m + 1e-9     # v^2 = 2 a d
        assert abs(command.curvature) <= K_MAX
        assert abs(command.curvature) * odometry.speed * odometry.speed <= A_LAT + 1e-9
        assert 0.0 <= command.speed <= V_MAX
        if before.verdict in MOVING:
            dt = min(max(advance / 1e9, 0.0), 0.1)
            change = command.speed - before.command.speed
            assert change <= UP * dt + 1e-9
            assert change >= -DOWN * dt - 1e-9 or verdict is Verdict.OBSTACLE_SLOW
            bound = min(K_MAX, A_LAT / max(odometry.speed * odometry.speed, 1e-9))
            inside = min(max(before.command.curvature, -bound), bound)
            assert abs(command.curvature - inside) <= RATE * dt + 1e-9


def drive(state, *, now, age=0, k=0.0, v=8.0, speed=8.0, yaw_rate=0.0, **switches):
    return real_gate.step(
        state, now_ns=now, request=Command(now - age, k, v),
        odometry=Odometry(now, 0, 0, 0, speed, yaw_rate), config=real_gate.GateConfig(),
        **switches)


def test_an_emergency_stop_stays_until_it_is_released():
    state, now, verdicts = real_gate.GateState(), NOW, []
    for e_stop, release in [(0, 0), (1, 0), (1, 1), (0, 0), (0, 0), (0, 1), (0, 0)]:
        now += 20 * MS
        state, _, verdict = drive(state, now=now, e_stop=bool(e_stop), release=bool(release))
        verdicts.append(verdict.value)
    assert verdicts == ['pass', 'e_stop', 'e_stop', 'e_stop', 'e_stop', 'pass', 'pass']


def test_a_silent_policy_is_stopped_after_its_time_and_resumes_from_the_cars_motion():
    state, _, _ = drive(real_gate.GateState(), now=NOW, k=0.02, yaw_rate=0.16)
    request = Command(NOW, 0.02, 8.0)
    config, found = real_gate.GateConfig(), []
    for later in (100, 200, 201, 5000):
        odometry = Odometry(NOW + later * MS, 0, 0, 0, 8.0, 0.16)
        state, command, verdict = real_gate.step(
            state, now_ns=NOW + later * MS, request=request, odometry=odometry, config=config)
        found.append((verdict.value, command.speed))
    assert found == [('pass', 8.0)] * 2 + [('stale', 0.0)] * 2
    # Measured curvature 0.16 / 8 = 0.02 is where the command goes on: no jolt, no ramp.
    state, command, verdict = drive(
        state, now=NOW + 5020 * MS, k=0.02, v=6.5, speed=6.5, yaw_rate=0.13)
    assert (verdict, command.curvature, command.speed) == (Verdict.PASS, pytest.approx(0.02), 6.5)


def test_a_clock_set_back_stops_until_a_request_of_the_new_time():
    state, _, verdict = drive(real_gate.GateState(), now=NOW)
    assert verdict is Verdict.PASS
    back = NOW - 3_600_000 * MS
    old = Command(NOW, 0.0, 8.0)
    odometry = Odometry(back, 0, 0, 0, 8.0, 0.0)
    state, command, verdict = real_gate.step(
        state, now_ns=back, request=old, odometry=odometry, config=real_gate.GateConfig())
    assert (verdict, command) == (Verdict.STALE, Command(back, 0.0, 0.0))
    _, _, verdict = drive(state, now=back + 20 * MS)
    assert verdict is Verdict.PASS


def test_a_car_at_rest_reaches_the_asked_speed_at_the_rate_of_the_limits():
    state, now, speed, ticks_needed = real_gate.GateState(), NOW, 0.0, 0
    verdict = Verdict.LIMITED
    while verdict is Verdict.LIMITED:
        now, ticks_needed = now + 20 * MS, ticks_needed + 1
        state, command, verdict = drive(state, now=now, v=5.0, speed=speed)
        speed = command.speed
    assert speed == pytest.approx(5.0)
    assert ticks_needed == pytest.approx(5.0 / 2.5 / 0.02, abs=2)
