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
Truncated backpropagation through time over streams of windows, the state carried across.

One :class:`Trainer` holds all that a run is; ``fit`` goes on from the last checkpoint, if there
is one, and reports through ``report``. What is exported is the running average of the weights:
single steps of stochastic descent drive worse than their mean (Polyak & Juditsky 1992).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.data.episodes import Episode
from ltc_control.data.windows import WindowStream
from ltc_control.nets.policy_net import build_policy, PolicyNet
from ltc_control.training.augment import Augmenter
from ltc_control.training.checkpoint import (
    flatten_optimiser,
    load_checkpoint,
    restore_optimiser,
    save_checkpoint,
)
from ltc_control.training.config import config_from_dict, TrainConfig
from ltc_control.training.feeder import Feeder
from ltc_control.training.losses import command_loss
from ltc_control.training.validate import Score, validate
import numpy as np
import torch
from torch import Tensor

LOSS_MEMORY = 0.98                         # of the running loss that is shown


@dataclass(frozen=True)
class Progress:
    """What a run says after a step; ``score`` only when it has just validated."""

    step: int
    loss: float
    score: Score | None = None
    stopped_early: bool = False
    doing: str = ''                        # where it is no step that was taken


class Trainer:
    """A network, its average, its optimiser and where it is in the data."""

    def __init__(self, config: TrainConfig, training: Sequence[Episode],
                 held_out: Sequence[Episode], *, folder: Path,
                 start: PolicyNet | None = None) -> None:
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.folder, self._held_out = config, folder, held_out
        self.net = build_policy(config.policy) if start is None else start
        self.average = build_policy(config.policy)
        self.average.load_state_dict(self.net.state_dict())
        # a linear readout of the head's features, for its gradient alone: it shows the head what
        # to look for while the sparse core still passes on little, and is not exported
        self._guide = torch.nn.Linear(config.policy.head_config.features, config.policy.outputs)
        self._optimiser = self._adam()
        self._stream = WindowStream(training, batch=config.batch, length=config.window,
                                    seed=config.seed, longest_run=config.longest_run,
                                    strides=config.strides)
        self._state = self.net.initial_state(config.batch)
        self._precision = torch.autocast('cpu', torch.bfloat16,
                                         enabled=config.half_head and multiplies_bfloat16())
        self.step, self._loss = 0, float('nan')
        self.history: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    def fit(self, report: Callable[[Progress], None]) -> PolicyNet:
        """Train to the last step, or until validation stops getting better; return the average."""
        config = self.config
        if self.step >= config.steps or self._is_stuck():
            return self.average
        feeder = Feeder(self._stream, self._augmenter(), seed=config.seed,
                        dt_s=config.policy.dt_nominal_s)
        for batch, where in feeder:
            self._learn(batch)
            last = self.step >= config.steps
            if last or self.step % config.validate_every == 0:
                score = self._validate()
                self._save(where)
                report(Progress(self.step, self._loss, score, self._is_stuck()))
                if last or self._is_stuck():
                    break
            else:
                report(Progress(self.step, self._loss))
        return self.average

    def _learn(self, batch: dict[str, np.ndarray]) -> None:
        self._set_rates()
        images, imu, dt, labels, mask, fresh = (
            torch.from_numpy(batch[name])
            for name in ('images', 'imu', 'dt', 'commands', 'mask', 'fresh'))
        if 'weight' in batch:              # lessons of a take-over count more than other frames
            mask = mask * torch.from_numpy(batch['weight'])
        features = self._features(images)
        commands, states = self.net.forward_features(
            features, imu if imu.shape[-1] else None, self._state, dt, fresh)
        loss = self._cost(commands, labels, mask)
        guess = self._guide(features) * self.net.command_scale + self.net.command_offset
        self._optimiser.zero_grad(set_to_none=True)
        (loss + self.config.loss.guide * self._cost(guess, labels, mask)).backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config.clip)
        self._optimiser.step()
        self._state = states[-1].detach()
        self.step += 1
        self._note(float(loss.detach()))
        self._update_average()

    def _features(self, images: Tensor) -> Tensor:
        with self._precision:
            return self.net.encode(images)

    def _augmenter(self) -> Augmenter | None:
        height, width = self.config.image.height, self.config.image.width
        return Augmenter(self.config.augment, height=height, width=width, seed=self.config.seed)

    def _adam(self) -> torch.optim.Optimizer:
        config = self.config
        groups = [{'params': [*self.net.head.parameters(), *self._guide.parameters()],
                   'base': config.head_learning_rate},
                  {'params': list(self.net.core.parameters()), 'base': config.learning_rate}]
        return torch.optim.Adam(groups, lr=config.learning_rate)

    def _cost(self, commands: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
        return command_loss(commands, labels, mask, scale=self.net.command_scale,
                            config=self.config.loss)

    def _note(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise ConfigError(f'the loss became {loss!r} at step {self.step}; lower learning_rate '
                              'or look for non-finite labels in the bags')
        first = math.isnan(self._loss)
        self._loss = loss if first else LOSS_MEMORY * self._loss + (1 - LOSS_MEMORY) * loss

    @torch.no_grad()
    def _update_average(self) -> None:
        # a short memory at first, so that the average does not remember the random start
        keep = min(self.config.average, self.step / (self.step + 10.0))
        for mean, value in zip(self.average.parameters(), self.net.parameters(), strict=True):
            mean.lerp_(value, 1.0 - keep)

    def _set_rates(self) -> None:
        config, step = self.config, self.step
        warm = min(1.0, (step + 1) / config.warmup)
        decay = 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / config.steps)))
        for group in self._optimiser.param_groups:
            group['lr'] = group['base'] * warm * max(decay, 0.01)

    def _validate(self) -> Score:
        score = validate(self.average, self._held_out, config=self.config)
        self.history.append({'step': self.step, 'train_loss': self._loss, **score.to_dict()})
        return score

    def _is_stuck(self) -> bool:
        losses = [entry['loss'] for entry in self.history]
        since_best = len(losses) - 1 - int(np.argmin(losses)) if losses else 0
        return since_best >= self.config.patience

    def _save(self, where: dict[str, Any]) -> None:
        tensors: dict[str, Tensor] = {'state': self._state}
        tensors |= {f'net.{k}': v for k, v in self.net.state_dict().items()}
        tensors |= {f'average.{k}': v for k, v in self.average.state_dict().items()}
        tensors |= {f'guide.{k}': v for k, v in self._guide.state_dict().items()}
        tensors |= flatten_optimiser(self._optimiser)
        facts = {'config': self.config.to_dict(), 'step': self.step, 'loss': self._loss,
                 'history': self.history, 'stream': where}
        save_checkpoint(self.folder, tensors=tensors, facts=facts)

    def _resume(self) -> None:
        found = load_checkpoint(self.folder)
        if found is None:
            return
        tensors, facts = found
        if config_from_dict(facts['config']).to_dict() != self.config.to_dict():
            raise ConfigError(f'{str(self.folder)!r} holds a run of another configuration; give '
                              'another --out, or delete it')
        self.net.load_state_dict(_part(tensors, 'net.'))
        self.average.load_state_dict(_part(tensors, 'average.'))
        self._guide.load_state_dict(_part(tensors, 'guide.'))
        restore_optimiser(self._optimiser, tensors)
        self._stream.load_state_dict(facts['stream'])
        self._state = tensors['state']
        self.step, self._loss, self.history = facts['step'], facts['loss'], facts['history']


def multiplies_bfloat16() -> bool:
    """Say whether this processor has tiles (AMX) for it; elsewhere bfloat16 is slower."""
    return bool(torch.cpu._is_amx_tile_supported())


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
