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
A policy at the wheel and a human beside it who takes over before it leaves the lane.

In the simulator the expert is the human. Both pass the safety gate as on a vehicle, which decides
who is in command, and the same topics say so: a recording of it reads as that of a real drive.
"""

from __future__ import annotations

from dataclasses import dataclass
import math

from ltc_control.core.contracts import Command, InCommand, Odometry
from ltc_control.core.errors import ConfigError
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.core.policy import Policy
from ltc_control.data.bags import CMD_VEL_TOPIC, HUMAN_TOPIC, POLICY_TOPIC
from ltc_control.sim.environment import Observation
from ltc_control.sim.expert import Expert
from ltc_control.sim.observation import Truth


@dataclass(frozen=True)
class HumanConfig:
    """When the human takes the wheel and when it is given back; metres, radians, seconds."""

    take_over_m: float = 0.5               # so far off the centre of the lane is too far
    leaving_m: float = 0.85                # about to be as far as this, where a wheel leaves it
    foresight_s: float = 0.8               # how soon is about to
    reaction_s: float = 0.2                # between seeing it and having the wheel
    hand_back_m: float = 0.1               # centred: closer than this, and straighter than
    hand_back_rad: float = 0.04            # this, for
    settled_s: float = 1.0                 # this long

    def __post_init__(self) -> None:
        if not 0 < self.hand_back_m < self.take_over_m <= self.leaving_m:
            raise ConfigError(f'a human takes over at {self.take_over_m!r} m and hands back at '
                              f'{self.hand_back_m!r} m; give 0 < hand back < take over <= '
                              f'{self.leaving_m!r} m')


class Human:
    """Watches the road; :meth:`drives` says frame by frame whether they hold the wheel."""

    def __init__(self, config: HumanConfig) -> None:
        self._config = config
        self._alarmed_ns: int | None = None    # since when it has been time to take over
        self._settled_ns: int | None = None    # since when all has been well
        self._holds = False

    def drives(self, truth: Truth, odometry: Odometry) -> bool:
        """Return whether the human holds the wheel at the frame of ``truth``."""
        if self._holds:
            self._holds = not self._is_settled(truth)
            self._alarmed_ns = None
        elif self._must_act(truth, odometry):
            self._holds, self._settled_ns = True, None
        return self._holds

    def _must_act(self, truth: Truth, odometry: Odometry) -> bool:
        config = self._config
        ahead = foreseen_offset(truth, odometry, config.foresight_s)
        if abs(truth.offset_m) <= config.take_over_m and abs(ahead) <= config.leaving_m:
            self._alarmed_ns = None
            return False
        if self._alarmed_ns is None:
            self._alarmed_ns = truth.stamp_ns
        return truth.stamp_ns - self._alarmed_ns >= config.reaction_s * 1e9

    def _is_settled(self, truth: Truth) -> bool:
        config = self._config
        if (abs(truth.offset_m) > config.hand_back_m
                or abs(truth.heading_error) > config.hand_back_rad):
            self._settled_ns = None
            return False
        if self._settled_ns is None:
            self._settled_ns = truth.stamp_ns
        return truth.stamp_ns - self._settled_ns >= config.settled_s * 1e9


def foreseen_offset(truth: Truth, odometry: Odometry, ahead_s: float) -> float:
    """Return the offset [m] in ``ahead_s`` if car and road go on bending as they do now."""
    speed = odometry.speed
    drift = speed * math.sin(truth.heading_error)
    turning_away = speed * (odometry.yaw_rate - speed * truth.curvature)       # [m/s^2]
    return truth.offset_m + drift * ahead_s + 0.5 * turning_away * ahead_s**2


class SharedDriver:
    """Policy and human through the gate, frame after frame; knows who was in command."""

    name = 'policy and human'

    def __init__(self, policy: Policy, expert: Expert, config: HumanConfig) -> None:
        policy.reset()
        self._policy, self._expert, self._human = policy, expert, Human(config)
        self._gate, self._gate_config = GateState(), GateConfig()
        self.take_overs = 0
        self.human_frames = 0

    @property
    def in_command(self) -> InCommand:
        """Who moved the car in the last frame."""
        return self._gate.in_command

    def drive(self, seen: Observation) -> dict[str, Command]:
        """Return what was commanded at this frame by topic; ``/cmd_vel`` moves the car."""
        before = self.in_command
        request = self._policy.step(seen.frame, seen.imu).command
        said = {POLICY_TOPIC: request}
        if self._human.drives(seen.truth, seen.odometry):
            said[HUMAN_TOPIC] = self._expert.command(seen.truth, seen.odometry)
        self._gate, applied, _ = gate_step(
            self._gate, now_ns=seen.odometry.stamp_ns, request=request,
            human=said.get(HUMAN_TOPIC), odometry=seen.odometry, config=self._gate_config)
        self.human_frames += self.in_command is InCommand.HUMAN
        self.take_overs += (self.in_command is InCommand.HUMAN
                            and before is InCommand.POLICY)
        return {**said, CMD_VEL_TOPIC: applied}
