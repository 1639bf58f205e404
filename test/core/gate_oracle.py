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
The gate's rules, written a second time: ladders, intervals and walks instead of its formulas.

``judge`` says what is wrong with one tick of any module with the gate's interface.
"""

from __future__ import annotations

import functools
import math

from ltc_control.core.contracts import Command, InCommand, Verdict
import numpy as np

NOW, MS = 1_000_000_000_000, 1_000_000
A_LAT, J_LAT, K_MAX, V_MAX = 3.5886, 20.0, 0.2, 12.0          # written again on purpose
UP, DOWN, RATE = 2.5, 5.0, 0.3
MOVING = (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN, Verdict.OBSTACLE_SLOW)


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
