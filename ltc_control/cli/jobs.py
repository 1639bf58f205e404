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
"""Long work cut into jobs: side by side, with a bar that tells of each as it comes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ltc_control.cli.progress import progress_bar

Job = TypeVar('Job')
Result = TypeVar('Result')


def do_all(work: Callable[[Any], Result], jobs: Sequence[Job], *, title: str,
           tell: Callable[[Job, Result], str], processes: int | None = None) -> list[Result]:
    """
    Return what ``work`` makes of each of ``jobs``, in their order; ``tell`` words one of them.

    ``work`` is a function of a module: it runs in ``processes`` of its own, None for one a core.
    """
    from ltc_control.training.parallel import run_all

    found: dict[int, Result] = {}
    with progress_bar(title, total=len(jobs)) as advance:
        for index, result in run_all(work, [(job,) for job in jobs], processes=processes):
            found[index] = result
            advance(tell(jobs[index], result))
    return [found[index] for index in range(len(jobs))]
