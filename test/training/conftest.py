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
"""Small drives and settings for all tests of training; one thread, so that bits repeat."""

from __future__ import annotations

from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

if find_spec('torch') is None:
    collect_ignore_glob = ['test_*.py']    # a robot's environment has no torch


@pytest.fixture(scope='session')
def tiny() -> ModuleType:
    """Return the module ``tiny_drives``, which stands beside the tests."""
    spec = spec_from_file_location('tiny_drives', Path(__file__).with_name('tiny_drives.py'))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
