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
"""``ltc bag recover``: what a kill, a power cut or a flipped byte left, as a bag again."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ltc_control.cli.progress import progress_bar

if TYPE_CHECKING:
    from ltc_control.data.recovery import Recovery

MB = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ltc bag recover``."""
    parser.add_argument('bag', type=Path,
                        help='damaged .mcap file or bag folder, NAME.spool of a recorder that was '
                             'killed, or the folder of such a run')
    parser.add_argument('out', type=Path, nargs='?',
                        help='bag folder to make (default: NAME for NAME.spool, which is then '
                             'removed; else NAME_recovered)')
    parser.set_defaults(act=recover)


def recover(args: argparse.Namespace) -> int:
    """Save every whole message; 0 where there was one, damaged or not."""
    from ltc_control.data import recovery
    from ltc_control.data.runs import find_damaged
    source = find_damaged(args.bag)
    with progress_bar('recovering MB', total=_megabytes(source)) as advance:
        done = recovery.recover(source, args.out, progress=_in_steps(advance))
    if args.json:
        print(json.dumps({**asdict(done), 'bag': str(done.bag)}))
    else:
        print(_line(done))
    return 0


def _megabytes(source: Path) -> int:
    files = [source] if source.is_file() else source.glob('*.mcap')
    return max(1, sum(file.stat().st_size for file in files) // MB)


def _in_steps(advance: Callable[..., None]) -> Callable[[int, int], None]:
    """Return a listener to bytes done that moves a bar of megabytes."""
    told = 0

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = max(1, total // MB) if done >= total else done // MB
        if now > told:
            advance(steps=now - told)
            told = now

    return progress


def _line(done: Recovery) -> str:
    saved = f'{done.bag}: {done.messages} messages saved'
    if done.complete:
        return f'{saved}; nothing was damaged'
    places = f'{done.damages} place{"s" if done.damages != 1 else ""}'
    return saved + (f'; damaged in {places}' if done.damages else '; the end was missing')
