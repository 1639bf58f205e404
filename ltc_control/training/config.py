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
What a training run is made of: one validated tree of dataclasses, read from YAML.

You will change ``steps``, ``seed``, ``policy.kind`` and ``topics``. The whole tree is written
into the model folder beside the weights it made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
import math
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError, LtcError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
from ltc_control.core.model_file import CommandSpec
from ltc_control.data.take_over import LessonRules
from ltc_control.data.topics import TopicMap
from ltc_control.nets.policy_net import KINDS, PolicyConfig
from ltc_control.training.augment_config import AugmentConfig
from ltc_control.training.core_config import CoreConfig
import yaml

# name, more than, less than
_RANGES = (('learning_rate', 0.0, 1.0), ('head_learning_rate', 0.0, 1.0), ('clip', 0.0, math.inf),
           ('average', 0.0, 1.0), ('hold_out', 0.0, 1.0), ('longest_step_s', 0.0, math.inf))
_WRITE_A_DOT = ' (YAML reads 2e-3 as text; write 2.0e-3 or 0.002)'


@dataclass(frozen=True)
class LossConfig:
    """
    Squared error of each command in units of its scale, tight curves and slow places weighted up.

    ``curve_weight`` is alpha in exp(alpha |y|) of Lechner et al. 2020, y the curvature label in
    units of ``policy.command_scale``; it is capped at ``heaviest``. ``slow_weight`` does the same
    for speed labels below ``fast_speed`` [m/s]: too fast into a tight curve costs the lane, too
    slow on a straight costs time. With ``weights`` the first command is the speed, and all errors
    of a slow frame weigh more: a drone that stops at its target is to stop there.
    """

    curvature: float = 1.0
    speed: float = 0.15
    curve_weight: float = 0.8
    slow_weight: float = 0.0
    fast_speed: float = 12.0
    heaviest: float = 6.0
    guide: float = 0.5                     # of the same cost of a linear readout of the head
    weights: tuple[float, ...] = ()        # plain squares instead, one weight a command
    hover_weight: float = 0.0              # of the forward error near the stand-off, beside them

    def __post_init__(self) -> None:
        """Take a plain list."""
        object.__setattr__(self, 'weights', tuple(float(w) for w in self.weights))


@dataclass(frozen=True)
class TrainConfig:
    """One training run; lengths of time in seconds, the rest in steps and frames."""

    vehicle: str = 'car'
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    image: ImageSpec = field(default_factory=lambda: ImageSpec(66, 200))
    imu: ImuSpec = field(default_factory=ImuSpec)
    commands: tuple[CommandSpec, ...] = (CommandSpec('curvature', '1/m', -0.15, 0.15),
                                         CommandSpec('speed', 'm/s', 0.0, 14.0))
    topics: TopicMap = field(default_factory=TopicMap)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    corrections: LessonRules = field(default_factory=LessonRules)  # of drives with take-overs
    core: CoreConfig = field(default_factory=CoreConfig)   # the core alone, after the steps below
    longest_step_s: float = 0.5            # a frame later than this starts the state anew
    seed: int = 1
    steps: int = 1500                      # optimiser steps of head and core together
    batch: int = 16                        # rows that run along episodes
    window: int = 32                       # steps of backpropagation
    longest_run: int = 384                 # frames before a row takes up another drive
    strides: tuple[int, ...] = (1,)        # every k-th frame, dt accordingly
    mirror: bool = False                   # also learn from each drive's mirror image
    learning_rate: float = 2e-3            # of the recurrent core
    head_learning_rate: float = 1e-3
    warmup: int = 50                       # steps of linear warm-up; cosine decay after it
    clip: float = 1.0                      # norm of the gradient
    average: float = 0.995                 # decay of the averaged weights that are exported
    hold_out: float = 0.1                  # share of episodes (of time, when there is only one)
    validate_every: int = 250              # steps
    patience: int = 4                      # validations without a better one before it stops
    threads: int = 2
    half_head: bool = False                # convolutions in bfloat16, where there are tiles for it
    compare: tuple[str, ...] = ()          # kinds trained beside it: same head, same steps

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, with the values that were got."""
        for name in ('steps', 'batch', 'window', 'longest_run', 'warmup', 'validate_every',
                     'patience', 'threads'):
            value, least = getattr(self, name), int(name != 'steps' or not self.core.steps)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ConfigError(f'{name} must be a whole number of at least {least}, got '
                                  f'{value!r}')
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not low < value < high:
                raise ConfigError(f'{name} must be a number above {low:g} and below {high:g}, got '
                                  f'{value!r}' + _WRITE_A_DOT * isinstance(value, str))
        if unknown := sorted(set(self.compare) - set(KINDS)):
            raise ConfigError(f'cannot compare with {unknown!r}; known kinds are {KINDS!r}')
        head = self.policy.head_config
        if (head.height, head.width) != (self.image.height, self.image.width):
            raise ConfigError(f'image is {self.image.height}x{self.image.width}, the head takes '
                              f'{head.height}x{head.width}; make them equal')
        if len(self.imu.features) != self.policy.imu_features:
            raise ConfigError(f'imu names {len(self.imu.features)} features, '
                              f'policy.imu_features is {self.policy.imu_features!r}')
        if len(self.commands) != self.policy.outputs:
            raise ConfigError(f'{len(self.commands)} commands, but policy.command_scale has '
                              f'{self.policy.outputs!r} entries')
        if len(self.loss.weights) not in (0, len(self.commands)):
            raise ConfigError(f'{len(self.commands)} commands, but loss.weights has '
                              f'{len(self.loss.weights)!r} entries')
        if not self.loss.weights and (self.loss.hover_weight or self.core.hover_weight):
            raise ConfigError('hover_weight is of a loss with a weight for each command; name '
                              'loss.weights, or leave it out')
        if self.topics.vehicle != self.vehicle:
            object.__setattr__(self, 'topics', replace(self.topics, vehicle=self.vehicle))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as YAML and the model card hold them."""
        values = _plain(asdict(self))
        values['policy'] = _plain(self.policy.to_dict())
        return values


_PARTS = {
    'policy': lambda v: PolicyConfig(**v), 'image': ImageSpec.from_dict,
    'imu': ImuSpec.from_dict, 'topics': TopicMap.from_dict,
    'augment': lambda v: AugmentConfig(**v), 'loss': lambda v: LossConfig(**v),
    'corrections': lambda v: LessonRules(**v), 'core': lambda v: CoreConfig(**v),
    'commands': lambda v: tuple(CommandSpec(**one) for one in v),
    'strides': tuple, 'compare': tuple,
}


def config_from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration of plain values; raises ConfigError naming what does not fit."""
    known = {one.name for one in fields(TrainConfig)}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f'unknown training settings {unknown!r}; known are {sorted(known)!r}')
    parts: dict[str, Any] = {}
    for name, value in values.items():
        try:
            parts[name] = _PARTS[name](value) if name in _PARTS else value
        except (LtcError, TypeError, ValueError, KeyError) as error:
            raise ConfigError(f'training setting {name!r}: {error}') from error
    return TrainConfig(**parts)


def load_config(path: Path, *, settings: Mapping[str, Any] | None = None) -> TrainConfig:
    """Read a YAML file; ``settings`` replace single values by dotted name, ``policy.kind``."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f'cannot read the training configuration {str(path)!r}: {error}'
                          ) from error
    if not isinstance(values, dict):
        raise ConfigError(f'{str(path)!r} holds {type(values).__name__}, not settings by name')
    for name, value in (settings or {}).items():
        _put(values, name, value)
    try:
        return config_from_dict(values)
    except LtcError as error:
        raise ConfigError(f'{path}: {error}') from error


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split('.')
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f'{name!r}: {parent!r} holds no settings; name one of the file')
    values[last] = value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
