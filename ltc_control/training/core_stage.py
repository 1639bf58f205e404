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
The last stage: the core alone, behind a head that stays as it is.

Nine tenths of a step go into convolutions. Behind a fixed head their features can be computed
once for all recordings; then a step costs a sixtieth a frame, and the sparse core, which is slow
to learn what its features hold, gets the thousands of steps that it needs. What the stage sees is
what the head makes of the recordings as they are and under other light and weather.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ltc_control.data.episodes import Episode
from ltc_control.nets.policy_net import PolicyNet
from ltc_control.training.augment import Augmenter
from ltc_control.training.config import TrainConfig
from ltc_control.training.loop import Progress, Trainer
import numpy as np
import torch
from torch import Tensor

STRETCH = 192                              # frames under one light and weather


class CoreTrainer(Trainer):
    """A :class:`Trainer` of episodes of features; the head is no part of it."""

    def _features(self, images: Tensor) -> Tensor:
        return images                      # which they are already

    def _augmenter(self) -> None:
        """Nothing is left to change in features."""

    def _adam(self) -> torch.optim.Optimizer:
        rate = self.config.learning_rate
        return torch.optim.Adam([{'params': list(self.net.core.parameters()), 'base': rate}],
                                lr=rate)


def train_core(net: PolicyNet, config: TrainConfig, training: Sequence[Episode],
               held_out: Sequence[Episode], *, folder: Path,
               report: Callable[[Progress], None]) -> CoreTrainer:
    """
    Train the core of ``net`` as ``config.core`` says; return its trainer, which holds the average.

    ``held_out`` are episodes of pictures, as all that a robot sees. Called again with the same
    arguments it goes on where it was killed, once the features are there.
    """
    done = config.steps

    def shifted(progress: Progress) -> None:
        report(replace(progress, step=done + progress.step))

    lessons = featurise(net, training, config,
                        advance=lambda doing: report(Progress(done, float('nan'), doing=doing)))
    trainer = CoreTrainer(stage_config(config), lessons, held_out, folder=folder, start=net)
    trainer.fit(shifted)
    return trainer


def stage_config(config: TrainConfig) -> TrainConfig:
    """Return the settings of the stage as those of a run of its own."""
    core = config.core
    loss = replace(config.loss, guide=0.0,
                   hover_weight=core.hover_weight or config.loss.hover_weight)
    return replace(config, steps=core.steps, batch=core.batch, window=core.window, loss=loss,
                   learning_rate=core.learning_rate, validate_every=max(core.steps // 2, 1))


class Featuriser:
    """Puts features (T, F) float32 in the place of an episode's pictures."""

    def __init__(self, net: PolicyNet, config: TrainConfig) -> None:
        torch.set_num_threads(config.threads)
        self._net, self._config = net, config
        self._augmenter = Augmenter(config.augment, height=config.image.height,
                                    width=config.image.width, seed=config.seed)

    @torch.no_grad()
    def copies(self, episode: Episode, *, number: int, augmented: int) -> list[Episode]:
        """Return it as it is and ``augmented`` times otherwise; ``number`` seeds what is drawn."""
        images = np.ascontiguousarray(episode.images)        # of a mirrored one, a view
        pictures = [images]
        for copy in range(augmented):
            rng = np.random.default_rng([self._config.seed, number, copy])
            pictures.append(self._changed(images, rng))
        return [replace(episode, images=self._net.encode(torch.from_numpy(one)).numpy())
                for one in pictures]

    def _changed(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        dt_s = self._config.policy.dt_nominal_s
        return np.concatenate([
            self._augmenter.apply(images[start:start + STRETCH], rng=rng, dt_s=dt_s)
            for start in range(0, len(images), STRETCH)])


def featurise(net: PolicyNet, episodes: Sequence[Episode], config: TrainConfig, *,
              advance: Callable[[str], None]) -> list[Episode]:
    """Return episodes of features, each as recorded and ``core.augmented`` times otherwise."""
    featuriser, found = Featuriser(net, config), []
    for number, episode in enumerate(episodes):
        found += featuriser.copies(episode, number=number, augmented=config.core.augmented)
        advance(f'features of {number + 1} of {len(episodes)} recordings')
    return found
