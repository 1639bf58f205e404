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
"""One thread for what may take long and must delay nothing: finishing and saving recordings."""

from __future__ import annotations

from collections.abc import Callable
import os
import queue
import threading

from ltc_control.core.errors import BagError, LtcError

NICE = 10                                  # the threads that compress inherit it


class Background:
    """
    Does jobs one after another, at low priority; ``failed`` is called with what went wrong.

    ``errors`` holds what went wrong so far. The thread ends with ``close``, after the last job.
    """

    def __init__(self, *, failed: Callable[[LtcError], None]) -> None:
        self._failed = failed
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.waiting = 0                   # jobs not done yet
        self.errors: list[LtcError] = []

    def do(self, job: Callable[[], None]) -> None:
        """Queue a job."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name='finish recordings')
            self._thread.start()
        self.waiting += 1
        self._jobs.put(job)

    def _run(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except LtcError as error:
                self._report(error)
            except Exception as error:     # the next recording shall still be finished
                self._report(BagError(f'a recording could not be finished: {error!r}'))
            finally:
                self.waiting -= 1

    def _report(self, error: LtcError) -> None:
        self.errors.append(error)
        self._failed(error)

    def close(self) -> None:
        """Return when all jobs are done."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
