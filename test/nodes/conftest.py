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
"""A domain of its own, a context of its own, and a vehicle made by hand."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import importlib
from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import warnings

import pytest

pytest.importorskip('rclpy')

HERE = Path(__file__).parent

with warnings.catch_warnings(), contextlib.suppress(ImportError):
    warnings.simplefilter('ignore')        # its parser uses a module that Python deprecates
    importlib.import_module('rosidl_generator_py')


def load(name: str) -> object:
    """Import a module that stands beside the tests of this folder."""
    spec = spec_from_file_location(name, HERE / f'{name}.py')
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session', autouse=True)
def ros_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Set a quiet corner of this machine for all tests of nodes; yields its domain."""
    from ltc_control.cli.processes import choose_domain
    from ltc_control.cli.processes import ros_environment as environment_of
    before = dict(os.environ)
    domain = choose_domain(None)
    os.environ.update(environment_of(domain=domain, logs=tmp_path_factory.mktemp('ros_log'),
                                     participants=8))
    yield domain
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope='session')
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder with constant command that uses the IMU."""
    return load('model_folders').counting_model(tmp_path_factory.mktemp('model') / 'counting')


@pytest.fixture
def stage(ros_environment: int) -> Iterator[object]:
    """Yield a stage with its own context for nodes and a hand-made vehicle."""
    stage = load('stage').Stage(domain=ros_environment)
    yield stage
    stage.close()


@pytest.fixture(scope='session')
def drone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small untrained drone."""
    pytest.importorskip('torch')
    return load('model_folders').drone_model(tmp_path_factory.mktemp('model') / 'drone')
