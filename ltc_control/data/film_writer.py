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
"""Open a film to write pictures to, without FFmpeg's remarks on stderr."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import sys

import cv2


def open_film(path: Path, *, code: str, rate_hz: float, size: tuple[int, int]) -> cv2.VideoWriter:
    """Return a writer of (width, height) pictures; ask it ``isOpened``, not every code is here."""
    with _quiet_stderr():                  # FFmpeg tells of a tag that WebM does not need
        return cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), rate_hz, size)


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Send what native code writes to stderr nowhere, while the block runs."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open('w') as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
