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
"""What every model makes of paired frames, and how it drives where the scenery was moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ltc_control.cli.interventions import (
    DISTRACTORS,
    expert_change,
    Intervention,
    interventions,
    record_sequences,
    redrawn,
    Sequence,
    WARM_FRAMES,
)
from ltc_control.core.contracts import Command, Frame, PolicyState
from ltc_control.core.policy import Policy
from ltc_control.insight.causes import Effect
from ltc_control.sim.closed_loop import drive_with, Run, Start
from ltc_control.sim.environment import Environment, EnvironmentSpec
from ltc_control.sim.observation import Observation
import numpy as np


@dataclass(frozen=True)
class PairsJob:
    """Sequences of one road, shown to all models."""

    models: tuple[Path, ...]
    track: int
    season: str
    count: int
    seed: int
    distractors: tuple[str, ...] = DISTRACTORS


@dataclass(frozen=True)
class SceneryJob:
    """One model drives one road, with its own scenery (None) or another."""

    model: Path
    track: int
    season: str
    scenery_seed: int | None
    start: Start


def measure_pairs(job: PairsJob) -> tuple[list[list[Effect]], np.ndarray]:
    """Return the effects by model, and the expert's commands (S, 2) at the last frames."""
    with Environment(EnvironmentSpec(track=job.track, season=job.season)) as env:
        sequences = record_sequences(env, count=job.count, seed=job.seed)
        answering = [_Answering(folder, sequences) for folder in job.models]
        effects: list[list[Effect]] = [[] for _ in answering]
        for change in interventions(env.track, job.season, seed=job.seed,
                                    distractors=job.distractors):
            frames = list(redrawn(env, change, sequences))
            expert = np.array([expert_change(env, change, one) for one in sequences])
            pixels = np.array([_pixel_change(one, new)
                               for one, new in zip(sequences, frames, strict=True)])
            for one, found in zip(answering, effects, strict=True):
                found.append(_effect(change, one.change(frames), expert, pixels))
        asked = [env.expert.command(one.last.truth, one.last.odometry) for one in sequences]
    return effects, np.array([(command.curvature, command.speed) for command in asked])


def drive_scenery(job: SceneryJob) -> Run:
    """Drive one run; the unit of work of one process."""
    policy = Policy.load(job.model)

    def driver(seen: Observation) -> Command:
        return policy.step(seen.frame, seen.imu).command

    spec = EnvironmentSpec(track=job.track, season=job.season, scenery_seed=job.scenery_seed)
    with Environment(spec) as env:
        return drive_with(env, driver, job.start)


class _Answering:
    """One model: its state before the test frames of each sequence, and its answer to them."""

    def __init__(self, folder: Path, sequences: list[Sequence]) -> None:
        self._policy = Policy.load(folder)
        self._sequences = sequences
        self._states = [self._warmed(one) for one in sequences]
        self._base = np.array([
            self._answer(k, [frame.rgb for frame in one.frames[WARM_FRAMES:]])
            for k, one in enumerate(sequences)])

    def change(self, frames: list[list[np.ndarray]]) -> np.ndarray:
        """Return by how much the commands (S, 2) differ for these pictures instead."""
        return np.array([self._answer(k, rgb) for k, rgb in enumerate(frames)]) - self._base

    def _warmed(self, one: Sequence) -> PolicyState:
        self._policy.reset()
        for frame, window in zip(one.frames[:WARM_FRAMES], one.windows, strict=False):
            self._policy.step(frame, window)
        return self._policy.state

    def _answer(self, number: int, pictures: list[np.ndarray]) -> tuple[float, float]:
        one = self._sequences[number]
        self._policy.reset()
        self._policy.state = self._states[number]
        command = None
        for old, window, rgb in zip(one.frames[WARM_FRAMES:], one.windows[WARM_FRAMES:],
                                    pictures, strict=True):
            command = self._policy.step(Frame(old.stamp_ns, rgb), window).command
        assert command is not None
        return command.curvature, command.speed


def _effect(change: Intervention, moved: np.ndarray, expert: np.ndarray,
            pixels: np.ndarray) -> Effect:
    return Effect(change.name, change.role, change.strength, moved, expert, pixels,
                  raw=change.raw)


def _pixel_change(one: Sequence, pictures: list[np.ndarray]) -> float:
    """Return the mean squared change of the test frames' pixels, on the scale 0 to 1."""
    old = np.stack([frame.rgb for frame in one.frames[WARM_FRAMES:]]).astype(np.float32)
    return float((((np.stack(pictures) - old) / 255.0) ** 2).mean())
