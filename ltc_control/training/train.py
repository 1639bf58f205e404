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
"""From bags to a model folder: read, split by episode, train, export, write the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import json
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.core.timing import TimingRules
from ltc_control.data.episodes import Episode, read_episode
from ltc_control.data.pictures import keep_on_disk
from ltc_control.data.take_over import read_lessons
from ltc_control.data.windows import split_by_episode, split_by_time
from ltc_control.nets.export import export_policy, WEIGHTS_FILE
from ltc_control.nets.policy_net import load_policy, PolicyNet
from ltc_control.training.card import write_card
from ltc_control.training.config import TrainConfig
from ltc_control.training.core_stage import train_core
from ltc_control.training.loop import Progress, Trainer
from ltc_control.training.mirror import mirrored


def read_episodes(bags: Sequence[Path], config: TrainConfig,
                  advance: Callable[..., None], keep_in: Path | None = None) -> list[Episode]:
    """
    Read all bags through the robot's own image, IMU and timing code.

    With ``keep_in`` their pictures lie on the disk of that folder, not in memory. Raises BagError.
    """
    episodes = _each_episode(bags, config, advance)
    return list(episodes) if keep_in is None else keep_on_disk(episodes, keep_in)


def _each_episode(bags: Sequence[Path], config: TrainConfig,
                  advance: Callable[..., None]) -> Iterator[Episode]:
    timing = TimingRules(config.policy.dt_nominal_s, config.longest_step_s)
    for bag in bags:
        episode = read_episode(bag, topics=config.topics, image=config.image, imu=config.imu,
                               timing=timing)
        advance(f'{bag.name}: {len(episode)} frames')
        yield episode


def read_corrections(drives: Sequence[Path], config: TrainConfig,
                     advance: Callable[..., None]) -> list[Episode]:
    """Read the take-overs of all drives, an episode each; ConfigError when there is none."""
    timing = TimingRules(config.policy.dt_nominal_s, config.longest_step_s)
    lessons: list[Episode] = []
    for drive in drives:
        found = read_lessons(drive, topics=config.topics, image=config.image, imu=config.imu,
                             timing=timing, rules=config.corrections)
        lessons += found
        advance(f'{drive.name}: {len(found)} take-overs')
    if not lessons:
        raise ConfigError(f'nobody took over in {len(drives)} drives, so there is nothing to '
                          'correct; leave out --corrections')
    return lessons


def split(episodes: Sequence[Episode],
          config: TrainConfig) -> tuple[list[Episode], list[Episode]]:
    """Hold out whole episodes; of a single drive its last part."""
    if not episodes:
        raise ConfigError('no bag to learn from; give folders that hold rosbag2 recordings')
    if len(episodes) == 1:
        first, last = split_by_time(episodes[0], fraction=config.hold_out)
        return [first], [last]
    return split_by_episode(episodes, fraction=config.hold_out, seed=0)


def train(config: TrainConfig, episodes: Sequence[Episode], *, out: Path, name: str,
          report: Callable[[Progress], None], start: Path | None = None,
          corrections: Sequence[Episode] = ()) -> ModelSpec:
    """
    Train on ``episodes`` and write the model folder ``out``; checkpoints lie in ``out/run``.

    ``start`` is a model folder whose weights to begin with, ``corrections`` are lessons of
    ``read_corrections``, which are learned from and never held out. Called again with the same
    arguments it goes on where it was killed. Raises ConfigError, also for no steps and no start.
    """
    if not config.steps and start is None:
        raise ConfigError('steps is 0: the core alone is trained behind the head of a model, and '
                          'there is none; name one with --start')
    training, held_out = split(episodes, config)
    lessons = [*training, *corrections]
    seen = [*lessons, *(mirrored(one, config.imu) for one in lessons if config.mirror)]
    net = None if start is None else _load_start(start, config)
    trainer = Trainer(config, seen, held_out, folder=out / 'run', start=net)
    net, history = trainer.fit(report), trainer.history
    if config.core.steps:
        stage = train_core(net, config, seen, held_out, folder=out / 'run' / 'core',
                           report=report)
        net = stage.average
        history = [*history, *(entry | {'step': trainer.step + entry['step']}
                               for entry in stage.history)]
    facts = (_facts(config, trainer, training, held_out) | {'score': history[-1]}
             | _start_facts(start) | _correction_facts(corrections))
    (out / 'run' / 'history.json').write_text(json.dumps(history, indent=2) + '\n')
    return export_with_card(net, config, out=out, name=name, facts=facts)


def export_with_card(net: PolicyNet, config: TrainConfig, *, out: Path, name: str,
                     facts: dict[str, Any]) -> ModelSpec:
    """Write graph, weights, specification and card; the card is hashed like the rest."""
    fields = {'name': name, 'image': config.image, 'imu': config.imu,
              'commands': config.commands, 'longest_step_s': config.longest_step_s,
              'vehicle': config.vehicle,
              'training': facts}
    spec = export_policy(net, out, **fields)
    write_card(out, spec)
    return export_policy(net, out, **fields)


def _load_start(folder: Path, config: TrainConfig) -> PolicyNet:
    net = load_policy(folder / WEIGHTS_FILE)
    if net.config.to_dict() != config.policy.to_dict():
        raise ConfigError(f'the policy in {str(folder)!r} is built otherwise than the '
                          'configuration says; start from one of the same kind, head and wiring')
    return net


def _start_facts(folder: Path | None) -> dict[str, Any]:
    if folder is None:
        return {}
    spec = load_spec(folder)
    return {'start': {'name': spec.name, 'digest': spec.digest,
                      'steps': spec.training.get('steps')}}


def _correction_facts(lessons: Sequence[Episode]) -> dict[str, Any]:
    if not lessons:
        return {}
    return {'corrections': {'take_overs': len(lessons), 'frames': sum(map(len, lessons)),
                            'labelled': sum(int(one.valid.sum()) for one in lessons)}}


def _facts(config: TrainConfig, trainer: Trainer, training: Sequence[Episode],
           held_out: Sequence[Episode]) -> dict[str, Any]:
    tracks = sorted({int(one.attributes['track']) for one in [*training, *held_out]
                     if 'track' in one.attributes})
    seasons = sorted({one.attributes['season'] for one in training
                      if 'season' in one.attributes})
    return {'config': config.to_dict(), 'steps': trainer.step,
            'episodes': len(training), 'frames': sum(map(len, training)),
            'held_out_episodes': len(held_out), 'held_out_frames': sum(map(len, held_out)),
            'tracks': tracks, 'seasons': seasons}
