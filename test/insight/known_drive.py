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
"""A drive whose neurons are known functions of the true state: what trees must find out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ltc_control import bringup
from ltc_control.core.contracts import Command
from ltc_control.core.gate import GateConfig, GateState
from ltc_control.core.gate import step as gate_step
from ltc_control.data import messages
from ltc_control.data.bags import EpisodeWriter
from ltc_control.data.messages import serialize, typestore
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.observation import Observation
import numpy as np

NAMES = ('motor_0', 'command_0', 'inter_0', 'inter_1')


def make(kind: str, /, **fields: object) -> Any:
    return typestore().types[kind](**fields)


def responses(bend: float, offset: float, speed: float, noise: float) -> np.ndarray:
    """Return the neurons: one of the bend, one of the side, one of the speed, one of nothing."""
    return np.array([20.0 * bend, float(offset > 0.0), speed / 12.0, noise])


def write_known_drive(bag: Path, *, track: int = 1001, seconds: float = 40.0,
                      season: str = 'summer', truth: bool = True, neurons: bool = True,
                      model: str = '', digest: str = '') -> Path:
    """Let the expert drive unseen; the command is 0.05 times the first neuron and 8 m/s."""
    rng = np.random.default_rng(track)
    attributes = {'track': str(track), 'season': season, 'model': model,
                  **({'model_digest': digest} if digest else {})}
    spec = EnvironmentSpec(track=track, render=False)
    with Environment(spec) as env, EpisodeWriter(bag, attributes=attributes) as writer:
        seen, gate = env.reset(seed=0, speed=6.0), GateState()
        for k in range(round(seconds * 30)):
            label = env.expert.command(seen.truth, seen.odometry)
            state = responses(float(env.track.curvature_at(seen.truth.arc_m)),
                              seen.truth.offset_m, seen.odometry.speed, rng.normal())
            _write(writer, seen, state, truth=truth, neurons=neurons)
            wobble = 0.02 * np.sin(k / 9.0)
            gate, command, _ = gate_step(
                gate, now_ns=seen.frame.stamp_ns, odometry=seen.odometry, config=GateConfig(),
                request=Command(seen.frame.stamp_ns, label.curvature + wobble, label.speed))
            seen = env.step(command)
    return bag


def _write(writer: EpisodeWriter, seen: Observation, state: np.ndarray, *, truth: bool,
           neurons: bool) -> None:
    stamp, place = seen.frame.stamp_ns, seen.truth
    header = messages.twist_stamped(stamp, 0.0, 0.0, 'base_link').header
    writer.image(bringup.CAMERA, stamp, seen.frame.rgb)
    writer.odometry(bringup.ODOMETRY, seen.odometry)
    writer.twist(bringup.POLICY_COMMAND, stamp, Command(stamp, 0.05 * state[0], 8.0))
    if truth:
        _raw(writer, bringup.LANE_TRUTH, stamp, make(
            'geometry_msgs/msg/Vector3Stamped', header=header, vector=make(
                'geometry_msgs/msg/Vector3', x=place.lap_m, y=place.offset_m,
                z=place.heading_error)))
    if neurons:
        _raw(writer, bringup.NEURONS, stamp, make(
            'sensor_msgs/msg/JointState', header=header, name=list(NAMES), position=state,
            velocity=np.empty(0), effort=np.ones(len(state))))


def _raw(writer: EpisodeWriter, topic: str, stamp: int, message: Any) -> None:
    writer._bag.write(topic, message.__msgtype__, serialize(message), log_ns=stamp)
