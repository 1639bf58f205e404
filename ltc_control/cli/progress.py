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
"""One progress bar for all long commands; on a log file it prints a line now and then instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import sys
import time

LOG_EVERY_S = 10.0


@contextmanager
def progress_bar(title: str, *, total: int) -> Iterator[Callable[..., None]]:
    """Yield ``advance(text='', steps=1)``, to be called as work gets done."""
    if not sys.stderr.isatty():
        yield _line_printer(title, total=total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn(), TimeRemainingColumn(), TextColumn('{task.fields[text]}'))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, text='')
        yield lambda text='', steps=1: progress.update(task, advance=steps, text=text)


def _line_printer(title: str, *, total: int) -> Callable[..., None]:
    done, started, last = 0, time.monotonic(), -LOG_EVERY_S

    def advance(text: str = '', steps: int = 1) -> None:
        nonlocal done, last
        done += steps
        now = time.monotonic() - started
        if now - last >= LOG_EVERY_S or done >= total:
            last = now
            print(f'{title} {done}/{total} after {now:.0f} s' + (f': {text}' if text else ''),
                  file=sys.stderr, flush=True)

    return advance
