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
Flights in the simulator, recorded to learn from or judged: the loop, who flies, and what counts.

The loop is that of the nodes: camera -> :class:`Policy` -> flight gate -> drone. As for the car, a
recording holds the pilot's clean command as the label while something else moves the drone: the
pilot's command behind the gate with pushes, or a policy (DAgger, Ross, Gordon & Bagnell 2011).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import Velocity
from ltc_control.core.errors import ConfigError
from ltc_control.core.flight_gate import FlightGateConfig, FlightGateState
from ltc_control.core.flight_gate import step as gate_step
from ltc_control.core.flight_tasks import REACHED_M, STAND_OFF_M
from ltc_control.core.policy import Policy
from ltc_control.data.bags import CMD_VEL_TOPIC, EpisodeWriter, EXPERT_TOPIC
from ltc_control.sim.faults import CameraFault
from ltc_control.sim.flight import drone_camera, FlightEnvironment, FlightSpec
from ltc_control.sim.observation import FlightTruth, Observation
from ltc_control.training.collect import EpisodeSummary, EVALUATION_TRACKS_FROM, write_frame
from ltc_control.training.flight_pushes import Pushes
import numpy as np

SECONDS = {'reach': 40.0, 'follow': 60.0}  # an episode, as the tasks are stated
HOLD_S = 4.0                               # the pilot's recording ends so long after arrival
FOLLOWED_ERROR_M, FOLLOWED_VIEW = 1.5, 0.9
LOST_M = 45.0                              # a recording ends so far from its target
RESCUED_AT, RELEASED_AT = 0.65, 0.9        # of the stand-off
UNENDING = FlightGateConfig(search_turns=0.0)      # a lesson in searching is not cut short


@dataclass(frozen=True)
class FlightConfig:
    """One flight; ``model`` None lets the pilot fly."""

    episode: int
    task: str = 'reach'
    season: str = 'summer'
    model: Path | None = None
    seconds: float | None = None           # None: as the task is stated
    noise_var: float = 0.0
    gusts: float = 0.0                     # [m/s]
    blackout_s: float = 0.0
    hidden_s: float = 0.0                  # longest absence of the target; inf: never there
    reset_state: bool = False
    rate_hz: float = 30.0
    gate: FlightGateConfig = field(default_factory=FlightGateConfig)

    @property
    def length_s(self) -> float:
        """Return how long the flight may take [s]."""
        return SECONDS[self.task] if self.seconds is None else self.seconds

    def environment(self) -> FlightSpec:
        """Return the world it is flown in; the pilot needs no picture."""
        return FlightSpec(self.episode, task=self.task, season=self.season, gusts=self.gusts,
                          hidden_s=self.hidden_s,
                          camera=drone_camera(noise_var=self.noise_var), rate_hz=self.rate_hz,
                          render=self.model is not None)


@dataclass(frozen=True)
class FlightResult:
    """One row of the table; distances from middle to middle [m]."""

    seed: int
    task: str
    season: str
    success: bool
    time_s: float | None                   # reach: until it was within 2 m; follow: flown
    final_distance_m: float
    in_view: float                         # share of the frames
    collisions: int
    starts_in_view: bool
    rms_distance_error_m: float            # from the stand-off
    nearest_m: float


def fly(config: FlightConfig) -> FlightResult:
    """Fly one episode to its last second, or into something, and return its row."""
    with FlightEnvironment(config.environment()) as env:
        policy = (None if config.model is None else
                  Policy.load(config.model, vehicle='drone',
                              reset_every_step=config.reset_state))
        fault = (CameraFault(kind='black', seconds=config.blackout_s, seed=config.episode)
                 if config.blackout_s > 0 else None)
        seen, gate, truths = env.reset(), FlightGateState(), []
        for _ in range(round(config.length_s * config.rate_hz)):
            wish = env.expert.command(seen.truth)
            if policy is not None:
                frame = seen.frame if fault is None else fault.apply(seen.frame)
                wish = policy.step(frame, seen.imu).command
            gate, command, _ = gate_step(gate, now_ns=seen.odometry.stamp_ns, request=wish,
                                         odometry=seen.odometry, config=config.gate)
            seen = env.step(command or Velocity.stop(seen.odometry.stamp_ns))
            truths.append(seen.truth)
            if seen.truth.collided:
                break
        return judge(truths, config, in_view=env.place.starts_in_view)


def judge(truths: list[FlightTruth], config: FlightConfig, *, in_view: bool) -> FlightResult:
    """Return the row of a flight that went so; ``in_view``: its target was so at the start."""
    distance = np.array([truth.distance for truth in truths])
    error = distance - STAND_OFF_M[config.task]
    view = float(np.mean([truth.in_view for truth in truths]))
    collisions = sum(truth.collided for truth in truths)
    rms = float(np.sqrt(np.mean(error ** 2)))
    near = np.nonzero(distance < REACHED_M)[0]
    seconds: float | None = len(truths) / config.rate_hz
    if config.task == 'reach':
        seconds = float(near[0] + 1) / config.rate_hz if len(near) else None
        success = not collisions and seconds is not None
    else:
        success = not collisions and view >= FOLLOWED_VIEW and rms <= FOLLOWED_ERROR_M
    return FlightResult(config.episode, config.task, config.season, success, seconds,
                        round(float(distance[-1]), 3), round(view, 4), collisions, in_view,
                        round(rms, 3), round(float(distance.min()), 3))


def summarise_flights(rows: list[FlightResult]) -> dict[str, dict[str, Any]]:
    """Return one summary a season: successes, those with the target out of view, collisions."""
    return {season: _summary([row for row in rows if row.season == season])
            for season in dict.fromkeys(row.season for row in rows)}


def _summary(rows: list[FlightResult]) -> dict[str, Any]:
    hidden = [row for row in rows if not row.starts_in_view]
    times = [row.time_s for row in rows if row.success and row.time_s is not None]
    ends = [row.final_distance_m for row in rows if row.success]
    return {
        'episodes': len(rows), 'successes': sum(row.success for row in rows),
        'success_rate': round(sum(row.success for row in rows) / len(rows), 4),
        'out_of_view_episodes': len(hidden),
        'out_of_view_successes': sum(row.success for row in hidden),
        'collisions': sum(row.collisions for row in rows),
        'median_time_s': round(float(np.median(times)), 2) if times else None,
        'median_final_distance_m': round(float(np.median(ends)), 2) if ends else None,
        'mean_in_view': round(float(np.mean([row.in_view for row in rows])), 4),
        'mean_rms_distance_error_m': round(
            float(np.mean([row.rms_distance_error_m for row in rows])), 3),
    }


def flight_rows(results: list[FlightResult]) -> list[dict[str, Any]]:
    """Return the rows as plain dictionaries, in order of season and seed."""
    return [asdict(row) for row in sorted(results, key=lambda row: (row.season, row.seed))]


@dataclass(frozen=True)
class FlightRecording:
    """What to record; ``policy`` makes it a DAgger round."""

    out: Path
    episodes: tuple[int, ...]
    tasks: tuple[str, ...] = ('reach', 'follow')       # in turn
    seconds: float = 30.0
    season: str = 'summer'
    seed: int = 0
    rate_hz: float = 30.0
    disturbed: bool = True
    policy: Path | None = None
    blackout_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.episodes or min(self.episodes) < 0:
            raise ConfigError(f'episodes are seeds from 0 on, got {self.episodes!r}')
        if max(self.episodes) >= EVALUATION_TRACKS_FROM:
            raise ConfigError(f'episode {max(self.episodes)} is kept for evaluation; record '
                              f'episodes below {EVALUATION_TRACKS_FROM}')

    @property
    def stay_s(self) -> float:
        """
        Return how long a flight goes on before a ball it has come to [s].

        A policy has to be taught how to stand off, which takes longer than to arrive; and
        undisturbed it hovers in a stillness that no push leaves it, where it creeps.
        """
        if self.policy is None:
            return HOLD_S
        return 4.0 * HOLD_S if self.disturbed else self.seconds


class Rescue:
    """
    Let the pilot fly a policy out of the reach of its target, in place of a touch.

    A flight that ended there would hold no lesson in backing off (after SafeDAgger, Zhang & Cho
    2017).
    """

    def __init__(self, task: str) -> None:
        self._near, self._far = RESCUED_AT * STAND_OFF_M[task], RELEASED_AT * STAND_OFF_M[task]
        self._on = False

    def needed(self, distance: float) -> bool:
        """Say whether the pilot flies the frame in which the target is at ``distance`` [m]."""
        self._on = distance < (self._far if self._on else self._near)
        return self._on


def record_flight(config: FlightRecording, episode: int) -> list[EpisodeSummary]:
    """Record one flight; the unit of work of one process."""
    rng = np.random.default_rng([config.seed, episode, 9])
    task = config.tasks[episode % len(config.tasks)]
    policy = None if config.policy is None else Policy.load(config.policy, vehicle='drone')
    push = Pushes(rng, dt_s=1.0 / config.rate_hz) if config.disturbed else None
    fault = (CameraFault(kind='black', seconds=config.blackout_s, mean_interval_s=6.0,
                         seed=episode) if policy and config.blackout_s > 0 else None)
    spec = FlightSpec(episode, task=task, season=config.season, rate_hz=config.rate_hz,
                      gusts=float(rng.uniform(0.0, 3.0)) if config.disturbed else 0.0)
    path = config.out / f'{task}_{episode:04d}'
    attributes = {'vehicle': 'drone', 'task': task, 'track': str(episode),
                  'season': config.season, 'seed': str(config.seed),
                  'driver': 'expert' if policy is None else 'policy'}
    stay = config.stay_s * config.rate_hz
    count, distances = 0, []
    with FlightEnvironment(spec) as env, EpisodeWriter(path, attributes=attributes) as writer:
        seen, hold, gate, rescue = env.reset(), 0, FlightGateState(), Rescue(task)
        while count < config.seconds * config.rate_hz:
            label = env.expert.command(seen.truth)
            rescued = rescue.needed(seen.truth.distance)
            gate, passed, _ = gate_step(
                gate, now_ns=seen.odometry.stamp_ns, odometry=seen.odometry, config=UNENDING,
                request=_applied(policy, fault, seen, label, rescued))
            applied = passed or Velocity.stop(seen.odometry.stamp_ns)
            applied = applied if push is None else push.apply(applied)
            write_frame(writer, seen, {EXPERT_TOPIC: label, CMD_VEL_TOPIC: applied})
            count += 1
            distances.append(seen.truth.distance)
            hold += seen.truth.distance < REACHED_M and task == 'reach'
            if hold > stay or distances[-1] > LOST_M or seen.truth.collided:
                break
            seen = env.step(applied)
    lost = distances[-1] > LOST_M or seen.truth.collided
    return [EpisodeSummary(str(path), episode, count, float(distances[0] - distances[-1]),
                           float(np.mean(distances)), bool(lost))]


def _applied(policy: Policy | None, fault: CameraFault | None, seen: Observation,
             label: Velocity, rescued: bool) -> Velocity:
    if policy is None:
        return label
    frame = seen.frame if fault is None else fault.apply(seen.frame)
    command = policy.step(frame, seen.imu).command     # also while the pilot flies: it looks on
    assert isinstance(command, Velocity)
    return label if rescued else command
