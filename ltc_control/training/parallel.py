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
"""One process a core, results as they come: threads only add noise to small software rendering."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed, ProcessPoolExecutor
import multiprocessing
import os
from typing import Any, TypeVar

Result = TypeVar('Result')


def run_all(work: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], *,
            processes: int | None = None) -> Iterator[tuple[int, Result]]:
    """
    Yield (index of the job, its result) in the order they finish.

    Processes are spawned, not forked: a GL context does not survive a fork. An error in one job
    is raised here and stops the rest.
    """
    count = max(1, min(len(jobs), processes or os.cpu_count() or 1))
    if count == 1:
        for index, job in enumerate(jobs):
            yield index, work(*job)
        return
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(count, mp_context=context) as pool:
        futures = {pool.submit(work, *job): index for index, job in enumerate(jobs)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
