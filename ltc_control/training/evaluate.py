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
Drive a model closed loop without middleware, faster than real time, and count what goes wrong.

The loop is the one of the nodes: camera -> :class:`Policy` -> safety gate -> car. A departure is
any wheel off the lane; with it the car is put back on the centre of the lane (an intervention), so
that one mistake is counted once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import Command
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.core.policy import Policy
from ltc_control.sim.environment import CameraSpec, Environment, EnvironmentSpec, Observation
from ltc_control.sim.faults import CameraFault
from ltc_control.training.frame_times import ConstantTime, FrameLoss, TrueTime
import numpy as np

_TIME = ('rate_hz', 'drop', 'constant_dt')
START_SPEED = 6.0                          # [m/s] the car is rolling when a run starts


@dataclass(frozen=True)
class DriveConfig:
    """One closed-loop run; ``model`` None lets the expert drive, as the reference."""

    model: Path | None
    track: int
    season: str = 'summer'
    seconds: float = 120.0
    seed: int = 0
    rate_hz: float = 30.0
    noise_var: float = 0.0                 # Gaussian, on images scaled to [0, 1]
    blackout_s: float = 0.0                # length of camera faults; 0 is none
    blackout_kind: str = 'black'           # or 'frozen'
    blackout_interval_s: float = 6.0       # mean time between faults
    reset_state: bool = False              # zero the state before every frame
    drop: float = 0.0                      # share of frames lost before the policy
    constant_dt: bool = False              # tell the policy one nominal step, whatever the truth
    gate: GateConfig = field(default_factory=GateConfig)


@dataclass(frozen=True)
class DriveResult:
    """One row of the evaluation table; offsets are of the car's centre from the lane's [m]."""

    track: int
    season: str
    seconds: float
    distance_m: float
    departures: int
    interventions_per_km: float
    mean_abs_offset_m: float
    p95_abs_offset_m: float
    max_abs_offset_m: float
    rms_lateral_jerk: float                # [m/s^3]
    mean_speed: float                      # [m/s]
    speed_std: float                       # [m/s]
    # of the speed asked for, against the expert's at the same place; None where that does not vary
    speed_r2: float | None = None
    rate_hz: float = 30.0                  # of the camera
    drop: float = 0.0                      # share of its frames that were lost
    constant_dt: bool = False              # the policy was not told the true time

    @property
    def condition(self) -> str:
        """Return the season, and what was unusual about time."""
        extras = [f'{self.rate_hz:g} Hz'] if self.rate_hz != 30.0 else []
        extras += [f'{100 * self.drop:g} % lost'] if self.drop else []
        extras += ['dt constant'] if self.constant_dt else []
        return ', '.join([self.season, *extras])


def drive(config: DriveConfig) -> DriveResult:
    """Drive one run and return its row."""
    spec = EnvironmentSpec(track=config.track, season=config.season, rate_hz=config.rate_hz,
                           camera=CameraSpec(noise_var=config.noise_var),
                           render=config.model is not None)   # the expert needs no picture
    with Environment(spec) as env:
        loop = _Loop(env, config)
        for _ in range(round(config.seconds * config.rate_hz)):
            loop.tick()
        return loop.result()


class _Loop:
    """The state of one run: who drives, what the gate remembers, what has been seen."""

    def __init__(self, env: Environment, config: DriveConfig) -> None:
        self._env = env
        self._config = config
        self._policy = _load(config)
        self._loss = FrameLoss(config.drop, seed=config.seed, track=config.track)
        self._request: Command | None = None   # the newest; stays while frames are lost
        self._fault = (CameraFault(kind=config.blackout_kind, seconds=config.blackout_s,
                                   mean_interval_s=config.blackout_interval_s,
                                   seed=1_000_003 * config.seed + config.track)
                       if config.blackout_s > 0 else None)
        self._gate_state = GateState()
        self._seen = env.reset(seed=config.seed, speed=START_SPEED)
        self._off_lane = False
        self._departures = 0
        self._offsets: list[float] = []
        self._lateral: list[float] = []
        self._speeds: list[float] = []
        self._asked: list[tuple[float, float]] = []    # speeds: by the driver, by the expert

    def tick(self) -> None:
        """One frame: look, decide, pass the gate, move, take note."""
        seen = self._seen
        now_ns = seen.odometry.stamp_ns
        self._look(seen)
        self._gate_state, command, _ = gate_step(
            self._gate_state, now_ns=now_ns, request=self._request,
            odometry=seen.odometry, config=self._config.gate)
        self._seen = self._env.step(command)
        self._note(self._seen)

    def _look(self, seen: Observation) -> None:
        """Let the driver decide anew, if the frame arrives."""
        label = self._env.expert.command(seen.truth, seen.odometry)
        if self._policy is None:
            self._request = label
        else:
            frame = seen.frame if self._fault is None else self._fault.apply(seen.frame)
            imu = self._loss.pass_on(frame, seen.imu)
            if imu is not None:
                self._request = self._policy.step(frame, imu)
        if self._request is not None:
            self._asked.append((self._request.speed, label.speed))

    def _note(self, seen: Observation) -> None:
        truth = seen.truth
        self._offsets.append(abs(truth.offset_m))
        self._lateral.append(truth.lateral_acceleration)
        self._speeds.append(seen.odometry.speed)
        if truth.departed and not self._off_lane:
            self._departures += 1
            self._env.place(offset_m=0.0, heading_error=0.0)
        self._off_lane = truth.departed

    def result(self) -> DriveResult:
        """Return the row of what has been driven so far."""
        config, offsets = self._config, np.array(self._offsets)
        distance = self._seen.truth.lap_m
        # differences over 0.2 s: a derivative of a 30 Hz signal shows the suspension otherwise
        stride = max(1, round(0.2 * config.rate_hz))
        jerk = np.diff(np.array(self._lateral)[::stride]) * config.rate_hz / stride
        return DriveResult(
            track=config.track, season=config.season, seconds=config.seconds,
            distance_m=round(distance, 2), departures=self._departures,
            interventions_per_km=round(1e3 * self._departures / max(distance, 1.0), 4),
            mean_abs_offset_m=round(float(offsets.mean()), 5),
            p95_abs_offset_m=round(float(np.percentile(offsets, 95)), 5),
            max_abs_offset_m=round(float(offsets.max()), 5),
            rms_lateral_jerk=round(float(np.sqrt(np.mean(jerk ** 2))), 4) if len(jerk) else 0.0,
            mean_speed=round(float(np.mean(self._speeds)), 3),
            speed_std=round(float(np.std(self._speeds)), 3), speed_r2=_r_squared(self._asked),
            rate_hz=config.rate_hz, drop=config.drop, constant_dt=config.constant_dt)


def _load(config: DriveConfig) -> TrueTime | ConstantTime | None:
    if config.model is None:
        return None
    policy = Policy.load(config.model, reset_every_step=config.reset_state)
    return ConstantTime(policy) if config.constant_dt else TrueTime(policy)


def _r_squared(pairs: list[tuple[float, float]]) -> float | None:
    """Return R² of the first of each pair as a guess at the second."""
    guess, truth = np.array(pairs).T
    spread = float(((truth - truth.mean()) ** 2).sum())
    return round(1 - float(((guess - truth) ** 2).sum()) / spread, 4) if spread > 0 else None


def summarise(rows: list[DriveResult]) -> dict[str, dict[str, Any]]:
    """Return one summary a condition: runs, clean runs, departures, means over runs."""
    conditions = dict.fromkeys(row.condition for row in rows)
    return {one: _summary([row for row in rows if row.condition == one]) for one in conditions}


def _summary(rows: list[DriveResult]) -> dict[str, Any]:
    distance = sum(row.distance_m for row in rows)
    departures = sum(row.departures for row in rows)
    return {
        'runs': len(rows),
        'clean_runs': sum(row.departures == 0 for row in rows),
        'departures': departures,
        'distance_m': round(distance, 1),
        'interventions_per_km': round(1e3 * departures / max(distance, 1.0), 4),
        'mean_abs_offset_m': round(float(np.mean([r.mean_abs_offset_m for r in rows])), 5),
        'p95_abs_offset_m': round(float(np.mean([r.p95_abs_offset_m for r in rows])), 5),
        'worst_run_mean_abs_offset_m': max(r.mean_abs_offset_m for r in rows),
        'rms_lateral_jerk': round(float(np.mean([r.rms_lateral_jerk for r in rows])), 4),
        'mean_speed': round(float(np.mean([r.mean_speed for r in rows])), 3),
        'speed_r2': _mean([r.speed_r2 for r in rows if r.speed_r2 is not None]),
    }


def _mean(values: list[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def to_rows(results: list[DriveResult]) -> list[dict[str, Any]]:
    """
    Return the rows as plain dictionaries, in order of condition and track.

    How time went is said only where it was asked for.
    """
    ordered = sorted(results, key=order)
    plain = all(row.condition == row.season for row in results)
    return [{name: value for name, value in asdict(row).items()
             if not (plain and name in _TIME)} for row in ordered]


def order(row: DriveResult) -> tuple[Any, ...]:
    """Return what rows are sorted by."""
    return row.season, row.constant_dt, row.drop, row.rate_hz, row.track
