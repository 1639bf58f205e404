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
"""The closed-loop runs of a lesion study: a job is one lesion on one road, from all starts."""

from __future__ import annotations

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import Command
from ltc_control.core.policy import ENVELOPE_TOLERANCE, Policy
from ltc_control.insight.held_engine import HeldEngine
from ltc_control.insight.lesions import Lesion, Outcome
from ltc_control.insight.liquid_engine import LiquidEngine
from ltc_control.sim.closed_loop import drive_with, Start
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.observation import Observation
import numpy as np

_WORLDS: dict[EnvironmentSpec, Environment] = {}   # of this process: a road takes a second to draw


@dataclass(frozen=True)
class LesionJob:
    """``neuron`` None drives the whole network; ``value`` is where a held neuron is held."""

    model: Path
    neuron: str | None
    kind: Lesion
    track: int
    season: str
    starts: tuple[Start, ...]
    value: float = 0.0


def drive_lesion(job: LesionJob) -> list[Outcome]:
    """Drive all starts of one job; the unit of work of one process."""
    engine = _engine(job)
    env = world(EnvironmentSpec(track=job.track, season=job.season))
    return [_drive(env, engine, start) for start in job.starts]


def world(spec: EnvironmentSpec) -> Environment:
    """Return the world of ``spec``, kept open until another one is asked for."""
    if spec not in _WORLDS:
        close_worlds()
        _WORLDS[spec] = Environment(spec)
    return _WORLDS[spec]


@atexit.register
def close_worlds() -> None:
    """Free the renderers that are still open."""
    while _WORLDS:
        _WORLDS.popitem()[1].close()


def _engine(job: LesionJob) -> Any:
    if job.neuron is None:
        return LiquidEngine(job.model)
    if job.kind is Lesion.CUT:
        return LiquidEngine(job.model, cut=[job.neuron])
    return HeldEngine(job.model, held={job.neuron: job.value})


def _drive(env: Environment, engine: Any, start: Start) -> Outcome:
    policy = Policy(engine)
    low, high = _envelope(engine.spec)
    states: list[np.ndarray] = []
    taus: list[np.ndarray] = []

    def driver(seen: Observation) -> Command:
        decision = policy.step(seen.frame, seen.imu)
        states.append(decision.state)
        taus.append(decision.tau)
        return decision.command

    run = drive_with(env, driver, start)
    seen = np.array(states, float)
    outside = int(((seen < low) | (seen > high) | ~np.isfinite(seen)).any(axis=1).sum())
    return Outcome(run.track, run.seed, run.seconds, run.distance_m, run.departures,
                   run.first_departure_s, run.rms_offset_m, run.rms_lateral_jerk,
                   _mean(seen), _mean(np.array(taus, float)), outside)


def _envelope(spec: Any) -> tuple[np.ndarray, np.ndarray]:
    if spec.envelope_low is None:
        return np.full(spec.neurons, -np.inf), np.full(spec.neurons, np.inf)
    return (np.array(spec.envelope_low) - ENVELOPE_TOLERANCE,
            np.array(spec.envelope_high) + ENVELOPE_TOLERANCE)


def _mean(values: Sequence[np.ndarray] | np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in np.nanmean(values, axis=0))
