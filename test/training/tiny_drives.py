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
Small drives that can be learned in a second: a bright bar whose place says how to steer.

Also run as a program by ``test_resume.py``: ``tiny_drives.py FOLDER STOP_AT`` trains in FOLDER and
stands still once STOP_AT steps are done, to be killed there.
"""

from __future__ import annotations

from pathlib import Path
import sys
import time
from typing import Any

from ltc_control.data.episodes import Episode
from ltc_control.training.config import config_from_dict, TrainConfig
import numpy as np

HEIGHT, WIDTH = 20, 32
STEP_NS = 33_333_333
HEAD = {'height': HEIGHT, 'width': WIDTH, 'widths': [4, 8], 'kernels': [5, 3], 'strides': [2, 2],
        'per_map': 4}


def settings(**changes: Any) -> dict[str, Any]:
    """Return the settings of a run of some milliseconds a step; ``policy`` is merged."""
    policy = {'kind': 'ltc', 'head': HEAD, 'cm_init': [0.5, 5.0],
              'command_scale': [0.05, 2.0], 'command_offset': [0.0, 8.0],
              **changes.pop('policy', {})}
    return {'policy': policy, 'image': {'height': HEIGHT, 'width': WIDTH}, 'batch': 4, 'window': 8,
            'longest_run': 40, 'threads': 1, 'steps': 12, 'validate_every': 4, 'warmup': 5,
            'learning_rate': 0.01, 'head_learning_rate': 0.01, 'average': 0.8, **changes}


def tiny_config(**changes: Any) -> TrainConfig:
    """Return ``settings`` as a configuration."""
    return config_from_dict(settings(**changes))


def tiny_drive(seed: int, *, frames: int = 60, imu: int = 0) -> Episode:
    """Return a drive of uneven steps; the bar's column is the curvature, its grey the speed."""
    rng = np.random.default_rng(seed)
    swing = np.sin(np.linspace(0.0, 9.0, frames) + rng.uniform(0.0, 6.0))
    haste = np.cos(np.linspace(0.0, 5.0, frames) + rng.uniform(0.0, 6.0))
    images = rng.integers(60, 90, (frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
    for k in range(frames):
        column = round(WIDTH / 2 - 12 * swing[k])           # left of the middle: a left curve
        images[k, :, column - 1:column + 2] = 180 + round(60 * haste[k])
    dt = rng.choice([1, 1, 1, 2], frames).astype(np.float32) / 30
    stamps = np.cumsum(np.round(dt * 1e9)).astype(np.int64)
    fresh = np.zeros(frames, bool)
    fresh[0] = True
    commands = np.stack([0.05 * swing, 8.0 + 2.0 * haste], axis=1).astype(np.float32)
    return Episode(f'tiny {seed}', {}, stamps, images,
                   rng.normal(size=(frames, imu)).astype(np.float32), dt, commands,
                   np.ones(frames, bool), fresh)


def tiny_drives() -> tuple[list[Episode], list[Episode]]:
    """Return drives to train on and one that is held out."""
    return [tiny_drive(1), tiny_drive(2, frames=47)], [tiny_drive(3)]


def train_until(folder: Path, stop_at: int) -> None:
    """Train with checkpoints in ``folder``; say when ``stop_at`` is reached and stand still."""
    from ltc_control.training.loop import Progress, Trainer

    def report(progress: Progress) -> None:
        if progress.step == stop_at:
            print('standing', flush=True)
            time.sleep(600)

    Trainer(tiny_config(), *tiny_drives(), folder=folder).fit(report)


if __name__ == '__main__':
    train_until(Path(sys.argv[1]), int(sys.argv[2]))
