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
"""How well a network repeats drives it has not seen: one pass along each, the state carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
from typing import Any

from ltc_control.core.model_file import CommandSpec
from ltc_control.data.episodes import Episode
from ltc_control.nets.policy_net import PolicyNet
from ltc_control.training.config import TrainConfig
from ltc_control.training.losses import command_loss, r_squared
import numpy as np
import torch

PIECE = 256                                # frames at once; the state goes on from piece to piece


@dataclass(frozen=True)
class Score:
    """Loss and R² on held-out drives, images as recorded."""

    loss: float
    r2: dict[str, float]                   # by command
    frames: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers; R² as ``r2_curvature`` and so on, None where no label varies."""
        return {'loss': self.loss, **named_r2(self.r2), 'frames': self.frames}


def named_r2(values: dict[str, float]) -> dict[str, float | None]:
    """Return R² by ``r2_`` and the command's name; None, which JSON knows, in place of NaN."""
    return {f'r2_{name}': value if math.isfinite(value) else None
            for name, value in values.items()}


@torch.no_grad()
def replay(net: PolicyNet, episode: Episode) -> np.ndarray:
    """Return the commands (T, M) of ``net`` along ``episode``, step after step."""
    state = net.initial_state(1)
    out = []
    for start in range(0, len(episode), PIECE):
        piece = slice(start, start + PIECE)
        images = torch.from_numpy(np.ascontiguousarray(episode.images[piece]))[:, None]
        imu = torch.from_numpy(episode.imu[piece])[:, None] if episode.imu.shape[1] else None
        dt = torch.from_numpy(episode.dt[piece])[:, None]
        fresh = torch.from_numpy(episode.fresh[piece])[:, None]
        commands, state = net(images, imu, state, dt, fresh)
        out.append(commands[:, 0].numpy())
    return np.concatenate(out)


def clamped(commands: np.ndarray, specs: Sequence[CommandSpec]) -> np.ndarray:
    """Return commands (K, M) within the ranges of the model file, as ``Policy`` sends them."""
    low = np.array([spec.low for spec in specs], np.float32)
    high = np.array([spec.high for spec in specs], np.float32)
    return np.clip(commands, low, high)


def validate(net: PolicyNet, episodes: Sequence[Episode], *, config: TrainConfig) -> Score:
    """Return the score of ``net`` on whole episodes, as a robot would be commanded."""
    commands = clamped(np.concatenate([replay(net, one)[one.valid] for one in episodes]),
                       config.commands)
    labels = np.concatenate([one.commands[one.valid] for one in episodes])
    loss = command_loss(
        torch.from_numpy(commands)[:, None], torch.from_numpy(labels)[:, None],
        torch.ones(len(labels), 1), scale=net.command_scale, config=config.loss)
    names = [command.name for command in config.commands]
    return Score(float(loss), dict(zip(names, r_squared(commands, labels), strict=True)),
                 len(labels))
