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
import itertools
import math
import sys
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_control.core import gate as real_gate
from ltc_control.core import limits as real_limits
from ltc_control.core.contracts import Command, Odometry, Verdict
from ltc_control.core.errors import ConfigError

NOW, MS = 1_000_000_000_000, 1_000_000
NAN, INF = math.nan, math.inf
A_LAT, J_LAT, K_MAX, V_MAX = 3.5886, 20.0, 0.2, 12.0          # written again on purpose
UP, DOWN, RATE = 2.5, 5.0, 0.3
REQUEST_AGES = [-50 * MS - 1, -50 * MS, 0, 199 * MS, 200 * MS, 200 * MS + 1, 10_000 * MS]
ODOMETRY_AGES = [-50 * MS - 1, -50 * MS, 0, 500 * MS, 500 * MS + 1]
CURVATURES = [0.0, 0.013, -0.04, 0.2, -0.35, 0.5, -0.5, 0.500001, -0.500001, NAN, INF, -INF]
SPEEDS = [0.0, 3.0, 5.99, 6.03, 12.0, 30.0, 30.00001, -1e-9, NAN, INF, -INF]
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


def expected_verdict(request, odometry, *, take_over, stopped):
    """Return the reason to stop, most restrictive first, or None: the rules as a ladder."""
    if stopped:
        return Verdict.E_STOP
    if take_over:
        return Verdict.TAKE_OVER
    known = odometry is not None and -50 * MS <= NOW - odometry.stamp_ns <= 500 * MS
    if not known or not math.isfinite(odometry.speed + odometry.yaw_rate):
        return Verdict.NO_TELEMETRY
    if request is None:
        return Verdict.NO_REQUEST
    if not math.isfinite(request.curvature + request.speed) or abs(request.curvature) > 0.5 \
            or request.speed < 0 or request.speed > 30:
        return Verdict.INVALID
    if NOW - request.stamp_ns > 200 * MS or request.stamp_ns - NOW > 50 * MS:
        return Verdict.STALE
    return None


def expected_command(state, request, odometry):
    """Return (curvature, speed) nearest to the request, from intervals that limits cut out."""
    dt = 0.0 if state.tick_ns is None else min(max((NOW - state.tick_ns) / 1e9, 0.0), 0.1)
    v = odometry.speed
    if state.verdict in (Verdict.PASS, Verdict.LIMITED):
        k0, v0 = state.command.curvature, state.command.speed
    else:
        k0, v0 = (odometry.yaw_rate / v if v > 0.05 else 0.0), sorted((0.0, v, V_MAX))[1]
    bound = min(K_MAX, A_LAT / v**2) if v else K_MAX
    rate = min(RATE, J_LAT / v**2) if v else RATE
    k0 = sorted((-bound, k0, bound))[1]
    k = sorted((max(k0 - rate * dt, -bound), request.curvature, min(k0 + rate * dt, bound)))[1]
    goal = min(request.speed, math.sqrt(A_LAT / abs(k))) if k else request.speed
    speed = sorted((max(v0 - DOWN * dt, 0.0), goal, min(v0 + UP * dt, V_MAX)))[1]
    return k, speed


def judge(gate, state, request, odometry, **switches):
    """Return what is wrong with one tick, or None."""
    after, command, verdict = gate.step(
        state, now_ns=NOW, request=request, odometry=odometry, config=gate.GateConfig(),
        **switches)
    case = f'{state} {request} {odometry} {switches} -> {command} {verdict}'
    stopped = switches.get('e_stop', False) or (
        state.latched and not switches.get('release', False))
    reason = expected_verdict(
        request, odometry, take_over=switches.get('take_over', False), stopped=stopped)
    if (after.tick_ns, after.command, after.verdict, after.latched) != (
            NOW, command, verdict, stopped):
        return f'state is not what happened: {case}'
    if reason is not None:
        fresh = request is not None and -50 * MS <= NOW - request.stamp_ns <= 200 * MS
        stop = Command(request.stamp_ns if fresh else NOW, 0.0, 0.0)
        return None if (verdict, command) == (reason, stop) else f'{reason} expected: {case}'
    k, v = expected_command(state, request, odometry)
    if abs(command.curvature - k) > 1e-9 or abs(command.speed - v) > 1e-9:
        return f'{(k, v)} expected: {case}'
    same = abs(k - request.curvature) < 1e-9 and abs(v - request.speed) < 1e-9
    right = Verdict.PASS if same else Verdict.LIMITED
    sound = verdict is right and command.stamp_ns == request.stamp_ns
    return None if sound else f'{right} expected: {case}'


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


def config_fault(gate):
    """Return what is wrong with the door of the configuration, or None."""
    for name, value in [('stale_s', 0.0), ('valid_curvature', 0.2), ('valid_speed', 12.0)]:
        gate.GateConfig(**{name: value})
    for name, value in itertools.product(
            ['stale_s', 'telemetry_s', 'future_s', 'longest_tick_s', 'valid_speed',
             'valid_curvature'], [-0.1, NAN, INF]):
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
some_tick = st.tuples(
    st.integers(-40 * MS, 150 * MS), st.none() | some_command, st.none() | some_odometry,
    st.sampled_from([False] * 6 + [True]),
    st.sampled_from([False] * 6 + [True]), st.booleans())


@settings(max_examples=150, deadline=None)
@given(st.lists(some_tick, min_size=2, max_size=25))
def test_no_sequence_breaks_the_invariants(sequence):
    config, state, now = real_gate.GateConfig(), real_gate.GateState(), NOW
    stopped = False
    for advance, request, odometry, take_over, e_stop, release in sequence:
        before, now = state, now + advance
        state, command, verdict = real_gate.step(
            state, now_ns=now, request=request, odometry=odometry, take_over=take_over,
            e_stop=e_stop, release=release, config=config)
        stopped = e_stop or (stopped and not release)
        assert (verdict is Verdict.E_STOP) == stopped
        if verdict not in (Verdict.PASS, Verdict.LIMITED):
            assert (command.curvature, command.speed) == (0.0, 0.0)
            continue
        assert not take_over
        assert abs(command.curvature) <= K_MAX
        assert abs(command.curvature) * odometry.speed * odometry.speed <= A_LAT + 1e-9
        assert 0.0 <= command.speed <= V_MAX
        if before.verdict in (Verdict.PASS, Verdict.LIMITED):
            dt = min(max(advance / 1e9, 0.0), 0.1)
            change = command.speed - before.command.speed
            assert -DOWN * dt - 1e-9 <= change <= UP * dt + 1e-9
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
