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
Errors that a person reads: what is wrong, what was got, what to do.

One class a layer; a lower error is re-raised ``from err``. The command line prints them as one
line and exits with ``exit_code``; nodes log them and stop commands at zero.
"""

from __future__ import annotations


class LtcError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = 2


class ImageError(LtcError):
    """An image of a wrong encoding, size or step."""


class ImuError(LtcError):
    """IMU samples or an IMU specification that cannot be used."""


class ModelError(LtcError):
    """A model folder that is incomplete, altered or made for something else."""


class ConfigError(LtcError):
    """A configuration file or option that contradicts itself or names something unknown."""


class BagError(LtcError):
    """A recording that is missing, truncated, empty or lacks what was asked of it."""


class TubError(LtcError):
    """A Donkey-car tub that cannot be imported."""


class SimulationError(LtcError):
    """The simulator cannot start or was asked for something that it does not have."""

    exit_code = 3


class BringupError(LtcError):
    """A system of nodes that did not start, match or finish."""

    exit_code = 4
