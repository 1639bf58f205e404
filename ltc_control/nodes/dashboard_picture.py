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
"""The newest camera picture as JPEG: the attention overlay where one comes, else the camera."""

from __future__ import annotations

import time
from typing import Any

import cv2
from ltc_control.core.contracts import Frame
import numpy as np

WIDEST = 640                               # pixels; a page needs no more
QUALITY = 80
FRESH_S = 2.0                              # an overlay older than this gives way to the camera
OLD_S = 1.0                                # a picture older than this is said to be old


class Picture:
    """Keeps what came last, encodes once and only when asked."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._overlay: bytes = b''
        self._frame_at = self._overlay_at = -np.inf
        self._encoded: tuple[object, bytes] = (None, b'')
        self._number = 0
        self.refused = ''                  # why the newest image could not be used

    def on_frame(self, frame: Frame) -> None:
        """Take a camera image."""
        self._frame, self._frame_at, self.refused = frame, time.monotonic(), ''

    def on_overlay(self, jpeg: bytes) -> None:
        """Take an overlay that is compressed already."""
        self._overlay, self._overlay_at = jpeg, time.monotonic()

    def newest(self, *, camera: bool) -> tuple[bytes, dict[str, Any]]:
        """
        Return the picture, b'' where there is none, and what to say about it.

        ``camera`` says whether anybody publishes images at all. ``number`` grows with each new
        picture, so that a page need not decode one twice.
        """
        now = time.monotonic()
        overlaid = bool(self._overlay) and now - self._overlay_at < FRESH_S
        if not overlaid and self._frame is None:
            words = self.refused or ('no image yet: waiting for the camera' if camera
                                     else 'no image yet: nobody publishes camera images')
            return b'', {'kind': 'none', 'words': words, 'number': 0}
        age = now - (self._overlay_at if overlaid else self._frame_at)
        words = self.refused or (f'no new image for {age:.0f} s' if age > OLD_S else '')
        jpeg = self._jpeg(overlaid)
        return jpeg, {'kind': 'attention' if overlaid else 'camera', 'words': words,
                      'number': self._number}

    def _jpeg(self, overlaid: bool) -> bytes:
        source: object = self._overlay if overlaid else self._frame
        if source is not self._encoded[0]:
            jpeg = self._overlay if overlaid else encode(self._frame.rgb)
            self._encoded = source, jpeg
            self._number += 1
        return self._encoded[1]


def encode(rgb: np.ndarray) -> bytes:
    """Return an image (H, W, 3) uint8 as JPEG, smaller where it is wider than a page needs."""
    width = rgb.shape[1]
    if width > WIDEST:
        size = WIDEST, round(rgb.shape[0] * WIDEST / width)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode('.jpg', rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    return jpeg.tobytes()
