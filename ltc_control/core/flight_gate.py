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
The safety gate of a drone: the last word before the autopilot, pure, without clock or middleware.

The same order of reasons as the car's gate. A command that cannot be followed becomes hover (zero
velocity), published at the gate's steady rate for ``hover_s``; then the gate falls silent, so that
the autopilot's own loss-of-offboard failsafe takes over (PX4: COM_OF_LOSS_T, COM_OBL_RC_ACT): a
drone that hears zero for ever hovers until its battery is empty. PX4 leaves offboard mode when
setpoints come slower than 2 Hz, so each tick publishes something until then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from ltc_control.core.contracts import InCommand, Odometry, Velocity, Verdict
from ltc_control.core.errors import ConfigError
from ltc_control.core.flight_limits import bounded, eased, FlightLimits, Motion
from ltc_control.core.gate import SEVERITY
from ltc_control.core.search_watch import Search, searched

_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class FlightGateConfig:
    """Limits and ages; a request beyond the ``valid`` ranges is refused whole."""

    limits: FlightLimits = field(default_factory=FlightLimits)
    stale_s: float = 0.3                       # oldest request that is flown
    human_stale_s: float = 0.3                 # oldest command of a person
    telemetry_s: float = 0.5                   # oldest odometry that the fence may rest on
    future_s: float = 0.05                     # clocks may differ by this much
    hover_s: float = 5.0                       # so long zero is published, then nothing
    search_turns: float = 2.5                  # on the spot without finding anything; 0: for ever
    longest_tick_s: float = 0.1                # a stalled timer earns no larger change
    valid_speed: float = 15.0                  # [m/s]
    valid_yaw_rate: float = 4.0                # [rad/s]

    def __post_init__(self) -> None:
        """Refuse ages that are not finite or negative."""
        for name in ('stale_s', 'human_stale_s', 'telemetry_s', 'future_s', 'hover_s',
                     'longest_tick_s', 'search_turns'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0.0):
                raise ConfigError(f'flight gate {name} is {value!r}; give a finite number >= 0')


@dataclass(frozen=True, slots=True)
class FlightGateState:
    """What the gate carries from tick to tick."""

    tick_ns: int | None = None
    motion: Motion = field(default_factory=Motion)
    verdict: Verdict = Verdict.NO_REQUEST
    latched: bool = False                      # e-stop pressed and not yet released
    unfollowed_ns: int | None = None           # since when nothing could be followed
    in_command: InCommand = InCommand.NOBODY
    search: Search = field(default_factory=Search)


def step(
    state: FlightGateState, *, now_ns: int, request: Velocity | None, odometry: Odometry | None,
    human: Velocity | None = None, take_over: bool = False, e_stop: bool = False,
    release: bool = False, config: FlightGateConfig,
) -> tuple[FlightGateState, Velocity | None, Verdict]:
    """
    Return (next state, command to publish or None for silence, verdict) of one tick.

    ``human`` is a person's newest command and has priority while fresh; ``take_over`` says that
    they hold on: without a command of theirs the drone hovers. ``e_stop`` latches until a tick
    with ``release`` and without it. Never raises for any value of request, human or odometry.
    """
    latched = e_stop or (state.latched and not release)
    by_human = take_over or _is_fresh(human, now_ns, config.human_stale_s, config)
    wish, oldest = (human, config.human_stale_s) if by_human else (request, config.stale_s)
    verdict = max(_verdicts(wish, oldest, odometry, now_ns, take_over, latched, config),
                  key=SEVERITY.__getitem__)
    dt_s = 0.0 if state.tick_ns is None else (now_ns - state.tick_ns) / 1e9
    dt_s = min(max(dt_s, 0.0), config.longest_tick_s)
    after = replace(state, tick_ns=now_ns, latched=latched, verdict=verdict)
    if verdict is not Verdict.PASS or wish is None or odometry is None:
        return _hover(after, now_ns, config)
    after = replace(after, search=Search() if by_human else searched(
        state.search, odometry, wish, turns=config.search_turns))
    if after.search.over:
        return _hover(replace(after, verdict=Verdict.SEARCH_OVER), now_ns, config)
    return _follow(after, wish, odometry, dt_s, by_human, config)


def _follow(after: FlightGateState, wish: Velocity, odometry: Odometry, dt_s: float,
            by_human: bool, config: FlightGateConfig,
            ) -> tuple[FlightGateState, Velocity, Verdict]:
    inside = bounded(wish, odometry, config.limits)
    motion = eased(inside, after.motion, dt_s=dt_s, limits=config.limits)
    command = Velocity(wish.stamp_ns, motion.forward, motion.left, motion.up, motion.yaw_rate)
    verdict = Verdict.PASS if _same(command, wish) else Verdict.LIMITED
    driver = InCommand.HUMAN if by_human else InCommand.POLICY
    verdict = Verdict.HUMAN if by_human else verdict
    return replace(after, motion=motion, verdict=verdict, unfollowed_ns=None,
                   in_command=driver), command, verdict


def _hover(after: FlightGateState, now_ns: int, config: FlightGateConfig,
           ) -> tuple[FlightGateState, Velocity | None, Verdict]:
    """Publish zero; fall silent after ``hover_s`` of it."""
    since = after.unfollowed_ns if after.unfollowed_ns is not None else now_ns
    after = replace(after, motion=Motion(), unfollowed_ns=since, in_command=InCommand.NOBODY)
    silent = now_ns - since > config.hover_s * 1e9
    return after, None if silent else Velocity.stop(now_ns), after.verdict


def _verdicts(wish: Velocity | None, oldest_s: float, odometry: Odometry | None, now_ns: int,
              take_over: bool, latched: bool, config: FlightGateConfig) -> list[Verdict]:
    found = [Verdict.PASS]
    if wish is None:
        found.append(Verdict.TAKE_OVER if take_over else Verdict.NO_REQUEST)
    elif not _is_fresh(wish, now_ns, oldest_s, config):
        found.append(Verdict.TAKE_OVER if take_over else Verdict.STALE)
    elif not _is_valid(wish, config):
        found.append(Verdict.INVALID)
    if not _has_telemetry(now_ns, odometry, config):
        found.append(Verdict.NO_TELEMETRY)
    if latched:
        found.append(Verdict.E_STOP)
    return found


def _is_fresh(wish: Velocity | None, now_ns: int, oldest_s: float,
              config: FlightGateConfig) -> bool:
    return wish is not None and -config.future_s <= (now_ns - wish.stamp_ns) / 1e9 <= oldest_s


def _is_valid(wish: Velocity, config: FlightGateConfig) -> bool:
    # Written so that NaN compares false and infinity is out of range.
    return (all(abs(v) <= config.valid_speed for v in (wish.forward, wish.left, wish.up))
            and abs(wish.yaw_rate) <= config.valid_yaw_rate)


def _has_telemetry(now_ns: int, odometry: Odometry | None, config: FlightGateConfig) -> bool:
    if odometry is None:
        return False
    numbers = (odometry.x, odometry.y, odometry.z, odometry.yaw)
    age_s = (now_ns - odometry.stamp_ns) / 1e9
    return all(map(math.isfinite, numbers)) and -config.future_s <= age_s <= config.telemetry_s


def _same(a: Velocity, b: Velocity) -> bool:
    return max(abs(a.forward - b.forward), abs(a.left - b.left), abs(a.up - b.up),
               abs(a.yaw_rate - b.yaw_rate)) <= _SAME
