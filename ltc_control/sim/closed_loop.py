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
Any driver closed loop: camera -> driver -> safety gate -> car, and what came of it.

The loop of ``ltc eval`` for drivers that are no model folder: a lesioned network, a decision tree,
a network in a world whose scenery was moved. A departure is counted once and the car put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import math

from ltc_control.core.contracts import Command
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.sim.environment import Environment
from ltc_control.sim.observation import Observation
import numpy as np

Driver = Callable[[Observation], Command]
OFFSET_M, HEADING = 0.3, math.radians(2.0)     # largest of a random start
JERK_OVER_S = 0.2                              # shorter differences show the suspension


@dataclass(frozen=True)
class Start:
    """Where a run starts; the same seed starts at the same place on every machine."""

    seed: int
    seconds: float
    rate_hz: float = 30.0


@dataclass(frozen=True)
class Run:
    """What came of one run; offsets are of the car's centre from the lane's [m]."""

    track: int
    seed: int
    seconds: float
    distance_m: float
    departures: int
    first_departure_s: float | None
    rms_offset_m: float
    mean_abs_offset_m: float
    rms_lateral_jerk: float                # [m/s^3]: smoothness

    @property
    def clean(self) -> bool:
        """Say whether the lane was never left."""
        return self.departures == 0

    @property
    def per_km(self) -> float:
        """Departures a kilometre; a run that stood still counts as one of 1 m."""
        return 1e3 * self.departures / max(self.distance_m, 1.0)


def drive_with(env: Environment, driver: Driver, start: Start, *,
               gate: GateConfig | None = None,
               note: Callable[[Observation], None] | None = None) -> Run:
    """
    Let ``driver`` drive from a random place of the road of ``env`` and return what came of it.

    The driver is called once a frame with what is seen; ``note`` hears of each observation that
    the driver answered. The car starts within 0.3 m and 2 degrees of the lane.
    """
    loop = _Loop(env, driver, start, gate or GateConfig())
    for _ in range(round(start.seconds * start.rate_hz)):
        if note is not None:
            note(loop.seen)
        loop.tick()
    return loop.result()


@dataclass
class _Loop:
    env: Environment
    driver: Driver
    start: Start
    gate: GateConfig
    departures: int = 0
    first: float | None = None
    off_lane: bool = False
    offsets: list[float] = field(default_factory=list)
    lateral: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.start.seed, self.env.spec.track, 5])
        self.seen = self.env.reset(
            seed=self.start.seed, arc_m=float(rng.uniform(0.0, self.env.track.length)),
            offset_m=float(rng.uniform(-OFFSET_M, OFFSET_M)),
            heading_error=float(rng.uniform(-HEADING, HEADING)))
        self.state = GateState()

    def tick(self) -> None:
        seen = self.seen
        self.state, command, _ = gate_step(
            self.state, now_ns=seen.odometry.stamp_ns, request=self.driver(seen),
            odometry=seen.odometry, config=self.gate)
        self.seen = self.env.step(command)
        truth = self.seen.truth
        self.offsets.append(truth.offset_m)
        self.lateral.append(truth.lateral_acceleration)
        if truth.departed and not self.off_lane:
            if self.first is None:
                self.first = len(self.offsets) / self.start.rate_hz
            self.departures += 1
            self.env.place(offset_m=0.0, heading_error=0.0)
        self.off_lane = truth.departed

    def result(self) -> Run:
        offsets, rate = np.array(self.offsets), self.start.rate_hz
        stride = max(1, round(JERK_OVER_S * rate))
        jerk = np.diff(np.array(self.lateral)[::stride]) * rate / stride
        return Run(self.env.spec.track, self.start.seed, self.start.seconds,
                   self.seen.truth.lap_m, self.departures, self.first,
                   float(np.sqrt((offsets**2).mean())), float(np.abs(offsets).mean()),
                   float(np.sqrt((jerk**2).mean())) if len(jerk) else 0.0)
