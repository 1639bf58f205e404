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
A tree at the wheel of the simulated car, alone, and the network beside it that says it better.

For the aggregation rounds (Ross, Gordon & Bagnell 2011) the network sees what the tree drives
into and labels it; judged, the tree needs no camera: it is shown the true state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TYPE_CHECKING

from ltc_control.insight.tree_variables import AGO_S, CAR, car_row, Variable
import numpy as np

if TYPE_CHECKING:
    from ltc_control.core.contracts import Command
    from ltc_control.insight.whole_policy_tree import PolicyTree
    from ltc_control.sim.closed_loop import Run, Start
    from ltc_control.sim.environment import Environment
    from ltc_control.sim.observation import Observation


@dataclass(frozen=True, eq=False)
class TreeJob:
    """One run: which tree (None: the network itself), where, and whether the network labels."""

    tree: PolicyTree | None
    variables: tuple[Variable, ...]
    track: int
    season: str
    start: Start
    model: Path | None = None


@dataclass(frozen=True, eq=False)
class TreeDrive:
    """What came of it, and with a model the states (T, V) seen and its commands (T, 2) there."""

    depth: int                             # 0: the network
    run: Run
    states: np.ndarray
    commands: np.ndarray


@dataclass
class TruthReader:
    """Turns observations into the variables of a tree; remembers as long as they ask."""

    env: Environment
    variables: tuple[Variable, ...]
    past: list[tuple[float, np.ndarray]] = field(default_factory=list)

    def row(self, seen: Observation) -> np.ndarray:
        """Return the variables (V,) of this frame; call it once a frame."""
        truth, odometry = seen.truth, seen.odometry
        now = car_row(offset_m=truth.offset_m, heading=truth.heading_error, arc_m=truth.arc_m,
                      speed=odometry.speed, yaw_rate=odometry.yaw_rate,
                      curvature_at=self.env.track.curvature_at)
        time_s = truth.stamp_ns * 1e-9
        self.past.append((time_s, now))
        while len(self.past) > 1 and self.past[1][0] <= time_s - max(AGO_S):
            self.past.pop(0)
        values = {variable.key: value for variable, value in zip(CAR, now, strict=True)}
        return np.array([self._value(variable, values, time_s) for variable in self.variables])

    def _value(self, variable: Variable, now: dict[str, float], time_s: float) -> float:
        if variable.kind == 'season':
            return float(self.env.season == variable.name)
        if not variable.ago_s:
            return now[variable.key]
        earlier = [row for when, row in self.past if when <= time_s - variable.ago_s + 1e-6]
        key = variable.key.removesuffix(f'_{variable.ago_s:g}s_ago')
        row = earlier[-1] if earlier else self.past[0][1]
        return float(row[[one.key for one in CAR].index(key)])


def drive_tree(job: TreeJob) -> TreeDrive:
    """Drive one run; the unit of work of one process."""
    from ltc_control.core.policy import Policy
    from ltc_control.sim.closed_loop import drive_with
    from ltc_control.sim.environment import Environment, EnvironmentSpec

    policy = None if job.model is None else Policy.load(job.model)
    states: list[np.ndarray] = []
    commands: list[tuple[float, float]] = []
    spec = EnvironmentSpec(track=job.track, season=job.season, render=policy is not None)
    with Environment(spec) as env:
        reader = TruthReader(env, job.variables)

        def driver(seen: Observation) -> Command:
            state = reader.row(seen)
            label = None if policy is None else policy.step(seen.frame, seen.imu).command
            if label is not None:
                states.append(state)
                commands.append((label.curvature, label.speed))
            if job.tree is None:
                return label
            return job.tree.command(state, stamp_ns=seen.frame.stamp_ns)

        run = drive_with(env, driver, job.start)
    return TreeDrive(0 if job.tree is None else job.tree.depth, run,
                     np.array(states).reshape(len(states), len(job.variables)),
                     np.array(commands).reshape(-1, 2))


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """Return departures a kilometre, clean runs and offsets over ``runs``."""
    distance = sum(run.distance_m for run in runs)
    departures = sum(run.departures for run in runs)
    return {'runs': len(runs), 'clean_runs': sum(run.clean for run in runs),
            'departures': departures, 'distance_m': round(distance, 1),
            'departures_per_km': round(1e3 * departures / max(distance, 1.0), 3),
            'rms_offset_m': round(float(np.sqrt(np.mean([r.rms_offset_m**2 for r in runs]))), 4)}
