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
The safety gate: the last word before the car, a pure state machine without clock or middleware.

Each tick takes the newest request and telemetry and returns what to publish, with the reason.
Reasons are checked all, and the most restrictive wins: the order of ``Verdict``. Every verdict
but PASS and LIMITED publishes zero curvature and zero speed; silence is not a stop, so there is
always a command to publish. Lost information never removes protection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ltc_control.core.contracts import Command, Odometry, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.geometry import STANDSTILL_MPS
from ltc_control.core.limits import Limits, limit_curvature, limit_speed

SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}
_MOVING = (Verdict.PASS, Verdict.LIMITED)
_SAME = 1e-9                                   # a smaller change of a command is rounding


@dataclass(frozen=True, slots=True)
class GateConfig:
    """
    Limits and ages of the gate; change ``limits`` and ``stale_s``, seldom the rest.

    A request beyond ``valid_curvature`` or ``valid_speed``, or for reverse, is no request that a
    sound policy makes: it is refused whole, while one beyond the limits is clipped.
    """

    limits: Limits = field(default_factory=Limits)
    stale_s: float = 0.2                       # oldest request that may move the car
    telemetry_s: float = 0.5                   # oldest odometry that limits may rest on
    future_s: float = 0.05                     # clocks may differ by this much, no more
    longest_tick_s: float = 0.1                # a stalled timer earns no larger change
    valid_curvature: float = 0.5               # [1/m]
    valid_speed: float = 30.0                  # [m/s]

    def __post_init__(self) -> None:
        """Refuse ages and ranges that are not finite, negative, or narrower than the limits."""
        for name in ('stale_s', 'telemetry_s', 'future_s', 'longest_tick_s'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(f'gate {name} is {value!r}; give seconds >= 0')
        for valid, bound in ((self.valid_curvature, self.limits.max_curvature),
                             (self.valid_speed, self.limits.max_speed)):
            if not (math.isfinite(valid) and valid >= bound):
                raise ConfigError(
                    f'valid range {valid!r} is narrower than the limit {bound!r}; widen it')


@dataclass(frozen=True, slots=True)
class GateState:
    """What the gate carries from tick to tick; ``GateState()`` is the start."""

    tick_ns: int | None = None
    command: Command | None = None             # as published last
    verdict: Verdict = Verdict.NO_REQUEST
    latched: bool = False                      # e-stop pressed and not yet released


def step(
    state: GateState, *, now_ns: int, request: Command | None, odometry: Odometry | None,
    take_over: bool = False, e_stop: bool = False, release: bool = False, config: GateConfig,
) -> tuple[GateState, Command, Verdict]:
    """
    Return (next state, command to publish, verdict) of one tick at ``now_ns``.

    ``e_stop`` latches: after it is let go the car stays at zero until a tick with ``release``
    and without ``e_stop``. A zero carries the request's stamp where the request is fresh, else
    ``now_ns``. Never raises for any value of request or odometry.
    """
    latched = e_stop or (state.latched and not release)
    verdict = max(_verdicts(now_ns, request, odometry, take_over, latched, config),
                  key=SEVERITY.__getitem__)
    if verdict in _MOVING and request is not None and odometry is not None:
        command = _limited(state, now_ns, request, odometry, config)
        verdict = Verdict.PASS if _same(command, request) else Verdict.LIMITED
    else:
        fresh = request is not None and _is_fresh(now_ns, request.stamp_ns, config.stale_s, config)
        command = Command.stop(request.stamp_ns if request is not None and fresh else now_ns)
    return GateState(now_ns, command, verdict, latched), command, verdict


def _verdicts(
    now_ns: int, request: Command | None, odometry: Odometry | None,
    take_over: bool, latched: bool, config: GateConfig,
) -> list[Verdict]:
    found = [Verdict.PASS]
    if request is None:
        found.append(Verdict.NO_REQUEST)
    elif not _is_fresh(now_ns, request.stamp_ns, config.stale_s, config):
        found.append(Verdict.STALE)
    if request is not None and not _is_valid(request, config):
        found.append(Verdict.INVALID)
    if not _has_telemetry(now_ns, odometry, config):
        found.append(Verdict.NO_TELEMETRY)
    if take_over:
        found.append(Verdict.TAKE_OVER)
    if latched:
        found.append(Verdict.E_STOP)
    return found


def _is_fresh(now_ns: int, stamp_ns: int, oldest_s: float, config: GateConfig) -> bool:
    """Say whether a stamp is neither too old nor from a future that a clock set back left us."""
    age_s = (now_ns - stamp_ns) / 1e9
    return -config.future_s <= age_s <= oldest_s


def _is_valid(request: Command, config: GateConfig) -> bool:
    # Written so that NaN compares false and infinity is out of range.
    return (abs(request.curvature) <= config.valid_curvature
            and 0.0 <= request.speed <= config.valid_speed)


def _has_telemetry(now_ns: int, odometry: Odometry | None, config: GateConfig) -> bool:
    return (odometry is not None
            and math.isfinite(odometry.speed) and math.isfinite(odometry.yaw_rate)
            and _is_fresh(now_ns, odometry.stamp_ns, config.telemetry_s, config))


def _limited(
    state: GateState, now_ns: int, request: Command, odometry: Odometry, config: GateConfig,
) -> Command:
    """Clip a valid request to what the limits allow from where the car is."""
    elapsed_s = 0.0 if state.tick_ns is None else (now_ns - state.tick_ns) / 1e9
    dt_s = min(max(elapsed_s, 0.0), config.longest_tick_s)
    curvature_before, speed_before = _start(state, odometry, config.limits)
    curvature = limit_curvature(
        request.curvature, before=curvature_before, speed=odometry.speed, dt_s=dt_s,
        limits=config.limits)
    speed = limit_speed(
        request.speed, before=speed_before, curvature=curvature, dt_s=dt_s, limits=config.limits)
    return Command(request.stamp_ns, curvature, speed)


def _start(state: GateState, odometry: Odometry, limits: Limits) -> tuple[float, float]:
    """
    Return the curvature and speed that rates count from.

    That is the last command, or after a stop the car's own motion: a car that rolls at 8 m/s when
    a person hands back the wheel is not braked to zero first.
    """
    if state.command is not None and state.verdict in _MOVING:
        return state.command.curvature, state.command.speed
    moving = odometry.speed > STANDSTILL_MPS
    curvature = odometry.yaw_rate / odometry.speed if moving else 0.0
    return curvature, min(max(odometry.speed, 0.0), limits.max_speed)


def _same(a: Command, b: Command) -> bool:
    return abs(a.curvature - b.curvature) <= _SAME and abs(a.speed - b.speed) <= _SAME
