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
Batches made ready in a thread while the network works on the one before.

OpenCV and numpy let go of the interpreter lock in their inner loops, so augmentation hides behind
the convolutions. The augmentation of a batch depends on (seed, number of the batch) alone: a
resumed run sees what an uninterrupted one would have.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ltc_control.data.windows import WindowStream
from ltc_control.training.augment import Augmenter
import numpy as np

_SAME = 0.01                               # stamps of a steady camera are rounded


class Feeder:
    """Yields (batch, state of the stream after it); one batch is prepared ahead."""

    def __init__(self, stream: WindowStream, augmenter: Augmenter | None, *, seed: int,
                 dt_s: float) -> None:
        self._stream = stream
        self._augmenter = augmenter
        self._seed = seed
        self._dt_s = dt_s

    def __iter__(self) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Any]]]:
        with ThreadPoolExecutor(1, thread_name_prefix='feeder') as worker:
            ahead: Future = worker.submit(self._prepare)
            while True:
                ready = ahead.result()
                ahead = worker.submit(self._prepare)
                yield ready

    def _prepare(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        number = self._stream.batches
        batch = self._stream.next_batch()
        if self._augmenter is not None:
            images = batch['images']                                  # (T, B, h, w, 3)
            for row in range(images.shape[1]):
                rng = np.random.default_rng([self._seed, number, row])
                images[:, row] = self._augmenter.apply(
                    np.ascontiguousarray(images[:, row]), rng=rng,
                    dt_s=self._interval(batch['dt'][:, row]))
        return batch, self._stream.state_dict()

    def _interval(self, dt: np.ndarray) -> float:
        """Return the mean of a window's intervals; the nominal one where it is that."""
        mean = float(dt.mean())
        return self._dt_s if abs(mean - self._dt_s) < _SAME * self._dt_s else mean
