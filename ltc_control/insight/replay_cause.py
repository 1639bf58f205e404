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
"""Which model a recording was driven by, and why a replay of it gives something else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ltc_control import bringup
from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import ModelSpec
from ltc_control.insight.replay_bag import ReplayBag
from ltc_control.insight.replay_report import MISSING_FRAME, ReplayReport, ROUNDING
import onnxruntime as ort

BESIDE = 'model'                           # a model folder kept beside its bag
SHOWN = 12                                 # digits of a hash


def model_of(bag: Path, attributes: Mapping[str, str]) -> Path:
    """
    Return the folder of the model that drove: kept beside the bag, as named there, or shipped.

    Raises ModelError where there is none of them.
    """
    named = attributes.get('model', '')
    folder = bag if bag.is_dir() else bag.parent
    tried = [folder.parent / BESIDE, *([Path(named), bringup.share(f'models/{Path(named).name}')]
                                       if named else [])]
    for path in tried:
        if (path / 'policy.yaml').is_file():
            return path
    raise ModelError(f'{str(bag)!r} was driven by the model {named or "(not named)"!r}, which is '
                     f'not here: looked for {[str(path) for path in tried]!r}; name its folder '
                     'with --model')


def other_model(bag: ReplayBag, spec: ModelSpec) -> str:
    """Return words where the bag names another model than ``spec``, '' else."""
    told = bag.model_hash.removeprefix('sha256:')
    if not told or spec.digest.startswith(told) or told.startswith(spec.digest):
        return ''
    return (f'another model: the bag names {told[:SHOWN]}, {spec.folder} is '
            f'{spec.digest[:SHOWN]}')


def other_engine(attributes: Mapping[str, str]) -> str:
    """Return words where the bag names another onnxruntime than the one here, '' else."""
    told = next((value for key, value in sorted(attributes.items())
                 if 'onnxruntime' in key), '')
    if not told or told == ort.__version__:
        return ''
    return f'another engine: recorded with onnxruntime {told}, here is {ort.__version__}'


def cause(report: ReplayReport, bag: ReplayBag, spec: ModelSpec) -> str:
    """Return the likely cause of the first difference, in words."""
    first = report.first
    if first is None:
        return ''
    if first.reason == MISSING_FRAME:
        return first.reason
    if words := other_model(bag, spec):
        return words
    if bag.names and len(bag.names) != spec.neurons:
        return f'another model: {len(bag.names)} neurons were recorded, this has {spec.neurons}'
    if first.reason:
        return first.reason
    stopped = first.recorded == (0.0, 0.0) != first.replayed
    if stopped and not first.state_error:
        return ('the node asked for standstill where its network did not: its camera froze on '
                'the move (frozen_s), or speed_scale was 0')
    if words := other_engine(bag.attributes):
        return words
    if report.worst < ROUNDING:
        return ('rounding: the model is the same; another build of onnxruntime, or another kind '
                'of processor, adds in another order')
    if not report.equal:
        return 'not one decision comes out: most likely another model'
    if report.missing:
        return 'frames are missing in the bag'
    return (f'unknown; the input case is {first.case!r}' if first.case not in ('', 'ok')
            else 'unknown: image, IMU or state were others than the recording holds')
