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
Let the expert drive and record it: one rosbag2 folder an episode.

The camera, IMU and odometry go in as a car would publish them; ``/expert/command`` is the clean
label, ``/cmd_vel`` what moved the car. With a policy at the wheel and the expert only labelling,
the same recording is a DAgger round (Ross, Gordon & Bagnell 2011). With a policy at the wheel and
the expert as a human who takes over, there are no labels but what the human did (shared_drive).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ltc_control.core.commanding import AnyCommand
from ltc_control.core.contracts import Command, InCommand
from ltc_control.core.errors import ConfigError
from ltc_control.core.policy import Policy
from ltc_control.data.bags import (
    CMD_VEL_TOPIC,
    EpisodeWriter,
    EXPERT_TOPIC,
    IMAGE_TOPIC,
    IMU_TOPIC,
    IN_COMMAND_TOPIC,
    ODOMETRY_TOPIC,
)
from ltc_control.sim.environment import Environment, EnvironmentSpec, Observation
from ltc_control.sim.faults import CameraFault
from ltc_control.training.disturbance import Disturbance, DisturbanceConfig
from ltc_control.training.shared_drive import HumanConfig, SharedDriver
import numpy as np

EVALUATION_TRACKS_FROM = 1000              # tracks from here on are never trained on
LOST_OFFSET_M = 1.5                        # an episode ends when the car is further off than this


@dataclass(frozen=True)
class CollectConfig:
    """What to record; ``policy`` makes it a DAgger round."""

    out: Path
    tracks: tuple[int, ...]
    episodes: int = 2                      # a track
    seconds: float = 30.0                  # an episode
    season: str = 'summer'
    seed: int = 0
    rate_hz: float = 30.0
    disturbed: bool = True
    policy: Path | None = None
    blackout_s: float = 0.0                # a policy's camera goes black this long now and then
    disturbance: DisturbanceConfig = field(default_factory=DisturbanceConfig)
    human: HumanConfig | None = None       # the expert sits beside the policy and takes over

    def __post_init__(self) -> None:
        if self.episodes < 1 or self.seconds <= 0:
            raise ConfigError(f'nothing to record: {self.episodes!r} episodes of '
                              f'{self.seconds!r} s; give at least 1 and more than 0')
        if self.human is not None and (self.policy is None or self.disturbed
                                       or self.blackout_s > 0):
            raise ConfigError('a human takes over from a policy, undisturbed and with its camera: '
                              f'got policy {self.policy!r}, disturbed {self.disturbed!r}, '
                              f'blackout_s {self.blackout_s!r}')
        if not self.tracks or min(self.tracks) < 0:
            raise ConfigError(f'tracks are seeds from 0 on, got {self.tracks!r}')
        if max(self.tracks) >= EVALUATION_TRACKS_FROM:
            raise ConfigError(f'track {max(self.tracks)} is kept for evaluation; record tracks '
                              f'below {EVALUATION_TRACKS_FROM}')


@dataclass(frozen=True)
class EpisodeSummary:
    """What one recorded episode holds."""

    path: str
    track: int
    frames: int
    distance_m: float
    mean_abs_offset_m: float
    lost: bool                             # ended early, off the lane
    take_overs: int = 0                    # by a human, where one sits beside the policy
    human_s: float = 0.0                   # for so long in all


def collect_track(config: CollectConfig, track: int) -> list[EpisodeSummary]:
    """Record all episodes of one track; the unit of work of one process."""
    policy = None if config.policy is None else Policy.load(config.policy)
    spec = EnvironmentSpec(track=track, season=config.season, rate_hz=config.rate_hz)
    with Environment(spec) as env:
        return [_record(env, config, policy, number) for number in range(config.episodes)]


def _record(env: Environment, config: CollectConfig, policy: Policy | None,
            number: int) -> EpisodeSummary:
    rng = np.random.default_rng([config.seed, env.spec.track, number])
    driver = _driver(env, config, policy, rng)
    path = config.out / f'track_{env.spec.track:04d}_{number:03d}'
    attributes = {'track': str(env.spec.track), 'season': config.season, 'seed': str(config.seed),
                  'episode': str(number), 'driver': driver.name}
    offsets, who = [], ''
    seen = env.reset(seed=int(rng.integers(2**31)), **_start(env, config, rng))
    with EpisodeWriter(path, attributes=attributes) as writer:
        for _ in range(round(config.seconds * config.rate_hz)):
            said = driver.drive(seen)
            write_frame(writer, seen, said)
            if (now := driver.in_command.value) != who:
                _write_turn(writer, config, seen, now)
                who = now
            offsets.append(abs(seen.truth.offset_m))
            if offsets[-1] > LOST_OFFSET_M:
                break
            seen = env.step(said[CMD_VEL_TOPIC])
    return EpisodeSummary(str(path), env.spec.track, len(offsets), seen.truth.lap_m,
                          float(np.mean(offsets)), offsets[-1] > LOST_OFFSET_M,
                          driver.take_overs, driver.human_frames / config.rate_hz)


def _driver(env: Environment, config: CollectConfig, policy: Policy | None,
            rng: np.random.Generator) -> _Driver | SharedDriver:
    if config.human is None or policy is None:
        return _Driver(env, config, policy, rng)
    return SharedDriver(policy, env.expert, config.human)


class _Driver:
    """Who turns the wheel in a recording: the expert or a policy, pushed or not."""

    take_overs = human_frames = 0

    def __init__(self, env: Environment, config: CollectConfig, policy: Policy | None,
                 rng: np.random.Generator) -> None:
        self.name = 'expert' if policy is None else 'policy'
        self.in_command = InCommand.POLICY
        self._expert = env.expert
        self._policy = policy
        self._push = (Disturbance(config.disturbance, rng=rng, dt_s=1.0 / config.rate_hz)
                      if config.disturbed else None)
        self._fault = (CameraFault(kind='black', seconds=config.blackout_s, mean_interval_s=6.0,
                                   seed=int(rng.integers(2**31)))
                       if policy is not None and config.blackout_s > 0 else None)
        if policy is not None:
            policy.reset()

    def drive(self, seen: Observation) -> dict[str, Command]:
        """Return the label and what moves the car this frame, by topic."""
        command = label = self._expert.command(seen.truth, seen.odometry)
        if self._policy is not None:
            frame = seen.frame if self._fault is None else self._fault.apply(seen.frame)
            command = self._policy.step(frame, seen.imu).command
        applied = command if self._push is None else self._push.apply(command)
        return {EXPERT_TOPIC: label, CMD_VEL_TOPIC: applied}


def _start(env: Environment, config: CollectConfig, rng: np.random.Generator) -> dict[str, float]:
    """Return a random start; off the centre and turned away when disturbances are wanted."""
    start = {'arc_m': float(rng.uniform(0.0, env.track.length)),
             'speed': float(rng.uniform(4.0, 10.0))}
    if config.disturbed:
        start['offset_m'] = float(rng.uniform(-0.9, 0.9))
        start['heading_error'] = float(np.radians(rng.uniform(-8.0, 8.0)))
    if config.human is not None:           # nobody hands a policy a car too fast for its curve
        del start['speed']
    return start


def _write_turn(writer: EpisodeWriter, config: CollectConfig, seen: Observation,
                who: str) -> None:
    if config.human is not None:
        writer.text(IN_COMMAND_TOPIC, seen.frame.stamp_ns, who)


def write_frame(writer: EpisodeWriter, seen: Observation, said: Mapping[str, AnyCommand]) -> None:
    """Write all that a vehicle publishes at one frame; ``said`` are the commands by topic."""
    stamp_ns = seen.frame.stamp_ns
    for k in range(len(seen.imu.stamps_ns)):
        writer.imu(IMU_TOPIC, int(seen.imu.stamps_ns[k]), seen.imu.angular_velocity[k],
                   seen.imu.linear_acceleration[k])
    writer.image(IMAGE_TOPIC, stamp_ns, seen.frame.rgb, 'camera_optical')
    writer.odometry(ODOMETRY_TOPIC, seen.odometry)
    for topic, command in said.items():
        writer.twist(topic, stamp_ns, command)
