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
The one door for recordings of other systems: a format is a name, its options and one function.

    def read(source, out, *, progress, **options) -> Imported

writes what it finds at ``source`` as a rosbag2 folder ``out``; ``register`` makes it known to
``ltc import``. Most formats yield ``Moment`` and leave the writing to ``moments.write_drive``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ConfigError, LtcError

Advance = Callable[..., None]              # advance(text='', steps=1)
Progress = Callable[..., AbstractContextManager[Advance]]      # progress(title, total=...)


class SourceError(LtcError):
    """A recording of another system that is missing, broken or says what cannot be."""


@dataclass(frozen=True)
class Imported:
    """What was imported; ``left_out`` counts by reason what had to stay behind."""

    bag: Path
    frames: int
    seconds: float
    gaps: int                              # intervals between frames over 0.5 s
    without_label: int                     # frames or records that came without a command
    left_out: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, the reasons of ``left_out`` among them."""
        values = {**vars(self), 'bag': str(self.bag)}
        return values | values.pop('left_out')


@dataclass(frozen=True)
class Option:
    """One option of a format on the command line, ``--name VALUE``."""

    name: str
    help: str  # noqa: A003
    kind: Callable[[str], Any] = str
    default: Any = None
    metavar: str = 'VALUE'
    required: bool = False


@dataclass(frozen=True)
class Format:
    """One kind of recording; ``read`` is described above, ``example`` is a command line."""

    name: str
    summary: str
    source: str                            # what the path names
    example: str
    read: Callable[..., Imported]
    options: tuple[Option, ...] = ()


_FORMATS: dict[str, Format] = {}


def register(new: Format) -> Format:
    """Make a format known; ConfigError when its name is taken by another."""
    if _FORMATS.setdefault(new.name, new) is not new:
        raise ConfigError(f'there is an importer {new.name!r} already '
                          f'({_FORMATS[new.name].summary}); choose another name')
    return new


def formats() -> dict[str, Format]:
    """Return all known formats by name."""
    return dict(_FORMATS)


@contextmanager
def silent(title: str, *, total: int) -> Iterator[Advance]:
    """Stand in for a progress bar that nobody wants to see."""
    del title, total
    yield lambda text='', steps=1: None
