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
A training run that can be killed: tensors in safetensors, the rest in JSON, no pickle.

Written to a temporary name and renamed, so that a kill during the write leaves the last whole
checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError
from safetensors import safe_open, SafetensorError
from safetensors.torch import save_file
import torch
from torch import Tensor

FILE = 'checkpoint.safetensors'


def save_checkpoint(folder: Path, *, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors and plain facts as one file."""
    temporary = folder / (FILE + '.part')
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()},
              temporary, metadata={'facts': json.dumps(facts)})
    temporary.replace(folder / FILE)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return what was saved last, or None; raises ConfigError for a file that is no checkpoint."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, 'pt') as file:
            names = list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
            return tensors, json.loads((file.metadata() or {})['facts'])
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise ConfigError(f'cannot resume from {str(path)!r}: {error}; delete it to start '
                          'anew') from error


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the moments of Adam by parameter number and name."""
    state = optimiser.state_dict()['state']
    return {f'optimiser.{number}.{name}': torch.as_tensor(value)
            for number, moments in state.items() for name, value in moments.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`flatten_optimiser` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith('optimiser.'):
            _, number, name = key.split('.', 2)
            state.setdefault(int(number), {})[name] = value
    groups = optimiser.state_dict()['param_groups']
    optimiser.load_state_dict({'state': state, 'param_groups': groups})
