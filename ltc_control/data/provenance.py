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
"""Where a recording comes from: the model by its digest, versions of software, parameters."""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
from importlib import metadata
import json
import os
from pathlib import Path
import platform

from ltc_control import __version__
from ltc_control.core.errors import LtcError
from ltc_control.core.model_file import load_spec

# distribution of a wheel -> the name it has in ROS, which knows only that one
_PACKAGES = {'ros-rclpy': 'rclpy', 'onnxruntime': 'onnxruntime', 'numpy': 'numpy',
             'opencv-python-headless': 'opencv', 'mujoco': 'mujoco', 'mcap': 'mcap'}


def model_attributes(folder: str) -> dict[str, str]:
    """
    Return ``model`` (its folder), ``model_name`` and ``model_digest`` of a model folder.

    The digest is the one that ``policy.yaml`` states and that covers the SHA-256 of every other
    file. A folder that cannot be read gives ``model_error`` instead: a recording goes on.
    """
    if not folder:
        return {}
    try:
        spec = load_spec(Path(folder))
    except (LtcError, OSError) as error:
        return {'model': folder, 'model_error': str(error)}
    return {'model': folder, 'model_name': spec.name, 'model_digest': spec.digest}


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python, and of what takes part in a command."""
    found = {'version.ltc_control': __version__, 'version.python': platform.python_version(),
             'machine': platform.machine()}
    for distribution, name in _PACKAGES.items():
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[f'version.{name}'] = metadata.version(distribution)
    if distro := os.environ.get('ROS_DISTRO'):
        found['version.ros'] = distro
    return found


def parameter_attributes(parameters: Mapping[str, object], system: str = '') -> dict[str, str]:
    """
    Return the recorder's own ``parameters`` and those of the whole ``system`` as JSON texts.

    ``system`` is JSON already: node -> parameters, as whoever started the nodes knows them.
    """
    own = {key: value for key, value in parameters.items() if key not in ('attributes', 'system')}
    texts = {'recorder': json.dumps(own, sort_keys=True)}
    return {**texts, 'parameters': system} if system else texts
