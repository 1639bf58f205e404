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
"""Shared by the tests of the networks: the numpy oracle, seeds and one thread."""

import importlib.util
from pathlib import Path

import pytest

if importlib.util.find_spec('torch') is None:
    collect_ignore_glob = ['test_*.py']        # a robot's environment has no torch
    KINDS = ()
else:
    from ltc_control.nets.policy_net import KINDS

SLOW = {'cm_init': (300.0, 400.0)}             # for solvers that are stable for small steps only
EVERY_KIND = [
    *({'kind': kind} for kind in KINDS), {'kind': 'ltc', 'imu_features': 0},
    {'kind': 'ltc', 'solver': 'exponential_midpoint', 'unfolds': 3},
    {'kind': 'ltc', 'solver': 'euler', **SLOW}, {'kind': 'ltc', 'solver': 'rk4', **SLOW},
    {'kind': 'cfc', 'mode': 'no_gate'}, {'kind': 'cfc', 'mode': 'pure'},
    {'kind': 'wired_cfc', 'recurrence': 'dense'}]


@pytest.fixture(params=EVERY_KIND, ids=lambda options: '-'.join(
    str(value) for value in options.values() if not isinstance(value, tuple)))
def every_kind(request):
    """Return the options of a policy: each kind of core in turn, and its variants."""
    return request.param


@pytest.fixture(scope='session')
def oracle():
    """Return the module of the numpy reference step."""
    path = Path(__file__).with_name('ltc_numpy_oracle.py')
    spec = importlib.util.spec_from_file_location('ltc_numpy_oracle', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _seeded():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(7)


@pytest.fixture(scope='session')
def effective():
    """Return a function: liquid cell -> effective float64 values, dense, by their ncps names."""
    from ltc_control.nets.ltc_cell import FLOORS
    from torch.nn.functional import softplus

    def values(cell):
        found = {}
        for name, parameter in cell.named_parameters():
            value = parameter.detach().double()
            found[name] = (softplus(value) + FLOORS[name] if name in FLOORS else value).numpy()
        return found

    return values
