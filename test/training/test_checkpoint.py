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
"""Checkpoints: what goes in comes out, to the bit, and what is no checkpoint is refused."""

from __future__ import annotations

from pathlib import Path

from ltc_control.core.errors import ConfigError
from ltc_control.training.checkpoint import (
    FILE,
    flatten_optimiser,
    load_checkpoint,
    restore_optimiser,
    save_checkpoint,
)
import pytest
from safetensors.torch import save_file
import torch

FACTS = {'step': 3, 'loss': 0.1 + 0.2, 'history': [{'a': 1e-300}], 'stream': {'rows': [[0, 1]]}}


def net_and_adam(seed: int) -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    net = torch.nn.Linear(5, 3)
    return net, torch.optim.Adam([{'params': [net.weight], 'lr': 0.01},
                                  {'params': [net.bias], 'lr': 0.1}])


def descend(net: torch.nn.Linear, adam: torch.optim.Optimizer, *, first: int, last: int) -> None:
    for step in range(first, last):
        inputs = torch.randn(4, 5, generator=torch.Generator().manual_seed(step))
        adam.zero_grad()
        net(inputs).square().sum().backward()
        adam.step()


def bits(net: torch.nn.Module) -> list[bytes]:
    return [value.detach().numpy().tobytes() for value in net.state_dict().values()]


def test_descent_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    net, adam = net_and_adam(1)
    descend(net, adam, first=0, last=4)
    save_checkpoint(tmp_path, tensors={**net.state_dict(), **flatten_optimiser(adam)}, facts=FACTS)
    descend(net, adam, first=4, last=9)

    tensors, facts = load_checkpoint(tmp_path)
    other, other_adam = net_and_adam(2)
    other.load_state_dict({name: tensors[name] for name in ('weight', 'bias')})
    restore_optimiser(other_adam, tensors)
    descend(other, other_adam, first=4, last=9)
    assert bits(other) == bits(net)
    assert facts == FACTS
    # without the moments it would have gone elsewhere
    bare, bare_adam = net_and_adam(2)
    bare.load_state_dict({name: tensors[name] for name in ('weight', 'bias')})
    descend(bare, bare_adam, first=4, last=9)
    assert bits(bare) != bits(net)


def test_what_is_saved_is_a_copy(tmp_path: Path) -> None:
    value = torch.arange(6.0).reshape(2, 3)
    save_checkpoint(tmp_path, tensors={'turned': value.T}, facts={})
    value.zero_()
    tensors, _ = load_checkpoint(tmp_path)
    assert tensors['turned'].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_nothing_there_is_no_error(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_a_write_that_was_killed_leaves_the_last_whole_one(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tensors={'x': torch.ones(2)}, facts={'step': 1})
    (tmp_path / (FILE + '.part')).write_bytes(b'half a file')
    tensors, facts = load_checkpoint(tmp_path)
    assert (tensors['x'].tolist(), facts) == ([1.0, 1.0], {'step': 1})
    save_checkpoint(tmp_path, tensors={'x': torch.zeros(2)}, facts={'step': 2})
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert load_checkpoint(tmp_path)[1] == {'step': 2}


def write_cut(path: Path) -> None:
    save_checkpoint(path.parent, tensors={'x': torch.ones(200)}, facts=FACTS)
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize('write', [
    lambda path: path.write_bytes(b''),
    lambda path: path.write_bytes(bytes(range(256)) * 8),
    write_cut,
    lambda path: save_file({'x': torch.ones(2)}, path),                       # no facts
    lambda path: save_file({'x': torch.ones(2)}, path, metadata={'facts': '{'}),
    lambda path: path.mkdir(),
], ids=['empty', 'garbage', 'cut', 'no facts', 'broken facts', 'folder'])
def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path, write) -> None:
    write(tmp_path / FILE)
    with pytest.raises(ConfigError, match=r'cannot resume from .*checkpoint.*delete it'):
        load_checkpoint(tmp_path)
