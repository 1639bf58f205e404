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
Reasons are checked all, and the most restrictive wins: the order of ``Verdict``. A person's
command comes before the policy's (``take_over``), an obstacle bounds either (``obstacle``). Every
verdict but PASS, LIMITED, HUMAN and OBSTACLE_SLOW publishes zero curvature and zero speed;
silence is not a stop, so there is always a command to publish. Lost information never removes
protection.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from ltc_control.core.contracts import Command, InCommand, Odometry, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.geometry import STANDSTILL_MPS
from ltc_control.core.limits import clamp, curvature_bound, limit_curvature, limit_speed, Limits
from ltc_control.core.obstacle import (
    blind,
    distance_ahead,
    ObstacleConfig,
    Sight,
    speed_bound,
    stops,
    swerve_bound,
)
from ltc_control.core.take_over import faded, HandBack, handed_back, in_command, who_drives

SEVERITY = {verdict: rank for rank, verdict in enumerate(Verdict)}
_MOVING = (Verdict.PASS, Verdict.LIMITED, Verdict.HUMAN, Verdict.OBSTACLE_SLOW)
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
    human_stale_s: float = 0.3                 # oldest command of a person that may move the car
    hand_back_s: float = 0.5                   # a person lets go: the policy fades in for so long
    obstacle: ObstacleConfig = field(default_factory=ObstacleConfig)

    def __post_init__(self) -> None:
        """Refuse ages and ranges that are not finite, negative, or narrower than the limits."""
        for name in ('stale_s', 'telemetry_s', 'future_s', 'longest_tick_s', 'human_stale_s',
                     'hand_back_s'):
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
    in_command: InCommand = InCommand.NOBODY
    hand_back: HandBack | None = None          # the policy is fading in
    stopped: bool = False                      # by an obstacle that has not gone far enough
    distance_m: float = math.inf               # to the obstacle ahead, at this tick


@dataclass(frozen=True, slots=True)
class _Asked:
    """One tick's input: whose command it is, how old that may be, and what is known."""

    now_ns: int
    driver: InCommand
    request: Command | None
    stale_s: float
    odometry: Odometry | None
    sight: Sight | None                        # None: nothing watches the path of this driver


def step(
    state: GateState, *, now_ns: int, request: Command | None, odometry: Odometry | None,
    take_over: bool = False, e_stop: bool = False, release: bool = False,
    human: Command | None = None, sight: Sight | None = None, config: GateConfig,
) -> tuple[GateState, Command, Verdict]:
    """
    Return (next state, command to publish, verdict) of one tick at ``now_ns``.

    ``human`` is the newest command of a person, None when they have let go; ``take_over`` says
    that they hold on, with or without one. ``sight`` is what the sensors that watch the path have
    measured, None without such sensors. ``e_stop`` latches: after it is let go the car stays at
    zero until a tick with ``release`` and without ``e_stop``. A zero carries the request's stamp
    where the policy's request is fresh, else ``now_ns``. Never raises for any value of request,
    human or odometry.
    """
    latched = e_stop or (state.latched and not release)
    asked = _asked(now_ns, request, odometry, take_over, human, sight, config)
    verdict = max(_verdicts(asked, take_over, latched, config), key=SEVERITY.__getitem__)
    after = replace(state, tick_ns=now_ns, latched=latched, hand_back=None, distance_m=math.inf)
    if verdict is Verdict.PASS and asked.request is not None and asked.odometry is not None:
        after, command, verdict = _followed(after, state, asked, config)
    if verdict not in _MOVING:
        command = _stop(now_ns, request, config)
    after = replace(after, command=command, verdict=verdict,
                    in_command=in_command(asked.driver, verdict))
    return after, command, verdict


def _asked(
    now_ns: int, request: Command | None, odometry: Odometry | None, take_over: bool,
    human: Command | None, sight: Sight | None, config: GateConfig,
) -> _Asked:
    """Choose whose command this tick is about."""
    fresh = human is not None and _is_fresh(now_ns, human.stamp_ns, config.human_stale_s, config)
    driver = who_drives(take_over=take_over, human_is_fresh=fresh)
    if driver is InCommand.POLICY:
        return _Asked(now_ns, driver, request, config.stale_s, odometry, sight)
    watched = sight if config.obstacle.for_human else None
    return _Asked(now_ns, driver, human, config.human_stale_s, odometry, watched)


def _verdicts(asked: _Asked, take_over: bool, latched: bool, config: GateConfig) -> list[Verdict]:
    """Return all that speaks against following the request as it is."""
    request, found = asked.request, [Verdict.PASS]
    fresh = _follows(asked, config)
    if request is None:
        found.append(Verdict.NO_REQUEST)
    elif not fresh:
        found.append(Verdict.STALE)
    if request is not None and not _is_valid(request, config):
        found.append(Verdict.INVALID)
    if not _has_telemetry(asked.now_ns, asked.odometry, config):
        found.append(Verdict.NO_TELEMETRY)
    if asked.sight is not None and blind(asked.sight, now_ns=asked.now_ns,
                                         future_s=config.future_s, config=config.obstacle):
        found.append(Verdict.OBSTACLE_BLIND)
    if take_over and not fresh:
        found.append(Verdict.TAKE_OVER)
    if latched:
        found.append(Verdict.E_STOP)
    return found


def _follows(asked: _Asked, config: GateConfig) -> bool:
    return asked.request is not None and _is_fresh(
        asked.now_ns, asked.request.stamp_ns, asked.stale_s, config)


def _stop(now_ns: int, request: Command | None, config: GateConfig) -> Command:
    fresh = request is not None and _is_fresh(now_ns, request.stamp_ns, config.stale_s, config)
    return Command.stop(request.stamp_ns if request is not None and fresh else now_ns)


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


def _followed(
    after: GateState, state: GateState, asked: _Asked, config: GateConfig,
) -> tuple[GateState, Command, Verdict]:
    """Return what becomes of a sound request: faded in, limited, bounded by what stands ahead."""
    assert asked.request is not None
    assert asked.odometry is not None
    back = None
    if asked.driver is InCommand.POLICY:
        released = state.in_command is InCommand.HUMAN and state.verdict in _MOVING
        back = handed_back(state.hand_back, now_ns=asked.now_ns, hand_back_s=config.hand_back_s,
                           last=state.command if released else None)
    wish = faded(asked.request, back, now_ns=asked.now_ns, hand_back_s=config.hand_back_s)
    command = _limited(state, asked.now_ns, wish, asked.odometry, config)
    after = replace(after, hand_back=back)
    verdict = Verdict.PASS if _same(command, asked.request) else Verdict.LIMITED
    if asked.driver is InCommand.HUMAN:
        verdict = Verdict.HUMAN
    if asked.sight is None:
        return replace(after, stopped=False), command, verdict
    return _kept_clear(after, asked, command, verdict, config)


def _kept_clear(
    after: GateState, asked: _Asked, command: Command, verdict: Verdict, config: GateConfig,
) -> tuple[GateState, Command, Verdict]:
    """
    Bound a command by what stands in its path.

    The path is the arc that is asked for, not the one that the rates allow in this tick: a car
    that stands before an obstacle with straight wheels may still steer round it. What it would
    meet if that arc changed bounds it less, and never stops it. The bound is not a wish that the
    limits smooth: brakes decide how fast the car follows it.
    """
    assert asked.request is not None
    assert asked.odometry is not None
    assert asked.sight is not None
    speed = asked.odometry.speed
    path = clamp(asked.request.curvature, curvature_bound(speed, config.limits))
    distance, beside = (
        distance_ahead(asked.sight, now_ns=asked.now_ns, curvature=path, speed=speed,
                       config=config.obstacle, swerve=swerve)
        for swerve in (0.0, config.obstacle.swerve))
    stopped = stops(distance, stopped=after.stopped, config=config.obstacle)
    after = replace(after, stopped=stopped, distance_m=distance)
    if stopped:
        return after, command, Verdict.OBSTACLE_STOP
    bound = min(speed_bound(distance, config.obstacle), swerve_bound(beside, config.obstacle))
    if bound < command.speed:
        return after, replace(command, speed=bound), Verdict.OBSTACLE_SLOW
    return after, command, verdict


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
