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
A model folder <-> ModelSpec: refuses what does not fit, and says why.

``policy.yaml`` says all that a robot must know of a policy, with the SHA-256 of every other file
of the folder and a digest of its own content. A robot needs ``policy.onnx`` and ``policy.yaml``;
any file that is listed must be there unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from ltc_control.core.contracts import COMMANDED
from ltc_control.core.errors import ImageError, ImuError, ModelError
from ltc_control.core.imaging import ImageSpec
from ltc_control.core.imu import ImuSpec
import numpy as np
import yaml

FORMAT = 'ltc_control policy'
FORMAT_VERSION = 1
SPEC_FILE = 'policy.yaml'
GRAPH_FILE = 'policy.onnx'
KNOWN_FILES = (GRAPH_FILE, 'attention.onnx', 'weights.safetensors', 'card.md')


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One output of a policy: its name, unit and the range that it is clamped to."""

    name: str
    unit: str
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing."""
        object.__setattr__(self, 'low', float(self.low))
        object.__setattr__(self, 'high', float(self.high))
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ModelError(
                f'range of command {self.name!r} is [{self.low!r}, {self.high!r}]; '
                'give finite numbers with low below high')


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """
    What a robot must know of a policy; see the field comments for shapes and units.

    ``files`` and ``folder`` are filled by ``write_spec`` and ``load_spec``; ``folder`` is not
    written and does not take part in comparisons.
    """

    name: str
    kind: str                                  # 'ltc', 'cfc', 'cnn', 'lstm' ...
    image: ImageSpec
    imu: ImuSpec
    commands: tuple[CommandSpec, ...]          # (M,) in the order of the graph
    dt_nominal_s: float                        # the unit of dt and tau in the graph
    longest_step_s: float                      # a later frame starts anew
    neurons: int                               # N, the size of the state; 1 where there is none
    vehicle: str = 'car'
    roles: Mapping[str, int] = field(default_factory=dict)        # inter, command, motor
    wiring: Mapping[str, Any] = field(default_factory=dict)       # kind, seed, adjacency ...
    envelope_low: tuple[float, ...] | None = None                 # (N,) or None
    envelope_high: tuple[float, ...] | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)
    synapses: Mapping[str, int] = field(default_factory=dict)     # internal, sensory
    training: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)        # name -> SHA-256
    folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Refuse sizes and steps that contradict each other."""
        _require(isinstance(self.neurons, int) and self.neurons >= 1,
                 f'neurons is {self.neurons!r}; give the size of the state, at least 1')
        _require(0.0 < self.dt_nominal_s <= self.longest_step_s < math.inf,
                 f'dt_nominal_s is {self.dt_nominal_s!r} and longest_step_s '
                 f'{self.longest_step_s!r}; give 0 < nominal <= longest')
        names = [command.name for command in self.commands]
        _require(bool(names) and len(set(names)) == len(names),
                 f'commands are named {names!r}; give at least one and none twice')
        for bound in (self.envelope_low, self.envelope_high):
            _require(bound is None or len(bound) == self.neurons,
                     f'envelope has {len(bound or ())} values for {self.neurons} neurons')
        _require((self.envelope_low is None) == (self.envelope_high is None),
                 'envelope has one bound only; give envelope_low and envelope_high, or neither')

    @property
    def digest(self) -> str:
        """Return the SHA-256 that stands for the whole folder: it covers all file hashes."""
        return _digest(_document(self))


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ModelError(message)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_spec(folder: str | Path, spec: ModelSpec) -> ModelSpec:
    """
    Hash the model's files present in ``folder``, write ``policy.yaml`` and return the full spec.

    Raises ModelError when the folder or its ``policy.onnx`` is missing.
    """
    folder = Path(folder)
    _require((folder / GRAPH_FILE).is_file(), f'{folder} has no {GRAPH_FILE}; export it first')
    files = {n: file_sha256(folder / n) for n in KNOWN_FILES if (folder / n).is_file()}
    written = replace(spec, files=files, folder=folder)
    document = _document(written)
    text = yaml.safe_dump(
        {**document, 'digest': _digest(document)}, sort_keys=False, width=99,
        default_flow_style=None)
    part = folder / f'{SPEC_FILE}.part'        # a reader never sees half a file
    part.write_text('# Written at export; a digest refuses edits by hand.\n' + text)
    part.replace(folder / SPEC_FILE)
    return written


def load_spec(
    folder: str | Path, *, expect_vehicle: str | None = None,
    expect_image: tuple[int, int] | None = None,
) -> ModelSpec:
    """
    Read and verify a model folder.

    ``expect_vehicle`` and ``expect_image`` (height, width) say what the caller can serve. Raises
    ModelError for a missing folder or file, a changed byte, unreadable YAML, an unknown format
    version, missing or contradictory fields, and a model made for something else.
    """
    folder = Path(folder)
    _require(folder.is_dir(),
             f'model folder {str(folder)!r} does not exist; give a folder with {SPEC_FILE} '
             f'and {GRAPH_FILE}')
    spec = replace(_parse(_read_yaml(folder / SPEC_FILE), folder / SPEC_FILE), folder=folder)
    _verify_files(folder, spec.files)
    _require(expect_vehicle in (None, spec.vehicle), _unfit(spec, expect_vehicle or ''))
    size = (spec.image.height, spec.image.width)
    _require(expect_image is None or tuple(expect_image) == size,
             f'model {spec.name!r} takes images of (height, width) {size!r}, got '
             f'{expect_image!r}; choose a model of that input size')
    return spec


def _unfit(spec: ModelSpec, vehicle: str) -> str:
    made, wanted = (', '.join(names) for names in (
        [one.name for one in spec.commands], COMMANDED.get(vehicle, ())))
    return (f'model {spec.name!r} drives a {spec.vehicle!r} (commands {made}; images of '
            f'{spec.image.width}x{spec.image.height}), this is a {vehicle!r} (commands {wanted}); '
            'choose a model that was trained for it')


def _verify_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, expected in files.items():
        path = folder / name
        _require(path.is_file(), f'model file {path} is missing; copy the whole folder again')
        found = file_sha256(path)
        _require(found == expected,
                 f'model file {path} was changed: SHA-256 is {found[:16]}..., {SPEC_FILE} says '
                 f'{expected[:16]}...; copy the folder again or export the model anew')


def _read_yaml(path: Path) -> dict[str, Any]:
    _require(path.is_file(), f'model file {path} is missing; copy the whole folder again')
    try:
        document = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ModelError(f'{path} is not readable as YAML ({err}); copy it again') from err
    _require(isinstance(document, dict), f'{path} holds no mapping; copy it again')
    return dict(document)


def _parse(document: dict[str, Any], path: Path) -> ModelSpec:
    found = (document.get('format'), document.get('format_version'))
    _require(found == (FORMAT, FORMAT_VERSION),
             f'{path} has format and version {found!r}, this program reads '
             f'{(FORMAT, FORMAT_VERSION)!r}; use a matching release or export the model anew')
    stated = document.pop('digest', None)
    found_digest = _digest(document)
    _require(stated == found_digest,
             f'{path} was changed: its digest is {found_digest[:16]}..., it states '
             f'{str(stated)[:16]}...; copy it again or export the model anew')
    keys = {f.name for f in fields(ModelSpec)} - {'folder'}
    got = set(document) - {'format', 'format_version'}
    _require(got == keys, f'{path} lacks fields {sorted(keys - got)!r} and has unknown ones '
                          f'{sorted(got - keys)!r}; export the model anew')
    try:
        return _build(document, path)
    except (TypeError, ValueError, KeyError, AttributeError, ImageError, ImuError) as err:
        raise ModelError(f'{path} has a field of a wrong kind ({err}); export anew') from err


def _build(document: dict[str, Any], path: Path) -> ModelSpec:
    values = {k: v for k, v in document.items() if k not in ('format', 'format_version')}
    values['image'] = ImageSpec.from_dict(values['image'])
    values['imu'] = ImuSpec.from_dict(values['imu'])
    values['commands'] = tuple(CommandSpec(**command) for command in values['commands'])
    for name in ('envelope_low', 'envelope_high'):
        if values[name] is not None:
            values[name] = tuple(float(x) for x in values[name])
    _require(GRAPH_FILE in values['files'], f'{path} lists no {GRAPH_FILE}; export the model anew')
    odd = [n for n in values['files'] if Path(n).name != n]
    _require(not odd, f'{path} lists files outside its folder: {odd!r}')
    return ModelSpec(**values)


def _document(spec: ModelSpec) -> dict[str, Any]:
    """Return the plain content of ``policy.yaml`` without its digest."""
    content: dict[str, Any] = {'format': FORMAT, 'format_version': FORMAT_VERSION}
    for f in fields(ModelSpec):
        if f.name != 'folder':
            content[f.name] = _plain(getattr(spec, f.name))
    return content


def _plain(value: Any) -> Any:
    """Return the value in types that YAML and JSON share; numpy becomes numbers and lists."""
    if isinstance(value, (ImageSpec, ImuSpec)):
        return _plain(value.to_dict())
    if isinstance(value, CommandSpec):
        return {f.name: getattr(value, f.name) for f in fields(CommandSpec)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    return value


def _digest(document: Mapping[str, Any]) -> str:
    try:
        text = json.dumps(document, sort_keys=True, allow_nan=False, separators=(',', ':'))
    except (TypeError, ValueError) as err:
        raise ModelError(f'{SPEC_FILE} can hold plain finite values only ({err})') from err
    return hashlib.sha256(text.encode()).hexdigest()
