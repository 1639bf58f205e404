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
"""Jobs side by side: their order, what is told of each, and an error that stops them."""

from __future__ import annotations

import math

from ltc_control.cli.jobs import do_all
import pytest


@pytest.mark.parametrize('processes', [1, 2])
def test_results_are_in_the_order_of_the_jobs(
        processes: int, capsys: pytest.CaptureFixture[str]) -> None:
    told = []

    def tell(job: float, result: float) -> str:
        told.append((job, result))
        return f'{job} was done'

    jobs = [float(number) for number in (9, 4, 25, 16, 1)]
    assert do_all(math.sqrt, jobs, title='roots', tell=tell, processes=processes) == [
        3.0, 2.0, 5.0, 4.0, 1.0]
    assert sorted(told) == [(1.0, 1.0), (4.0, 2.0), (9.0, 3.0), (16.0, 4.0), (25.0, 5.0)]
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith('roots 5/5 ')
    assert last.endswith(f': {told[-1][0]} was done')


@pytest.mark.parametrize('processes', [1, 2])
def test_an_error_in_one_job_is_raised(processes: int) -> None:
    with pytest.raises(ValueError, match='math domain error|nonnegative'):
        do_all(math.sqrt, [4.0, -1.0, 9.0], title='roots', tell=lambda *_: '',
               processes=processes)


def test_no_jobs_are_done_at_once() -> None:
    assert do_all(math.sqrt, [], title='roots', tell=lambda *_: '') == []
