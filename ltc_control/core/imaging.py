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
From message bytes to the pixels a policy sees: the one pipeline for robot, bag and simulator.

``decode_image`` and ``decode_compressed`` turn bytes into (H, W, 3) uint8 RGB, ``prepare`` crops
and resizes to what a model expects. Message field names follow ``sensor_msgs/Image``, so live
messages and recorded ones go the same way.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
import math
from typing import Any, Union

import cv2
from ltc_control.core.errors import ImageError
import numpy as np

Buffer = Union[bytes, bytearray, memoryview, 'array.array[int]', np.ndarray]

# Channels in memory and the OpenCV conversion to RGB; None where the bytes are RGB already.
ENCODINGS: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    '8UC1': (1, cv2.COLOR_GRAY2RGB),
}
_DECODE_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What a model sees: (height, width) in pixels after cutting fractions off each edge."""

    height: int
    width: int
    crop_top: float = 0.0
    crop_bottom: float = 0.0
    crop_left: float = 0.0
    crop_right: float = 0.0

    def __post_init__(self) -> None:
        """Refuse sizes below one pixel and crops that leave nothing."""
        for name, value in (('height', self.height), ('width', self.width)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ImageError(f'image {name} is {value!r}; give a whole number of pixels >= 1')
        for first, second in (('top', 'bottom'), ('left', 'right')):
            a, b = getattr(self, f'crop_{first}'), getattr(self, f'crop_{second}')
            if not (_is_fraction(a) and _is_fraction(b) and a + b < 1.0):
                raise ImageError(
                    f'crop_{first} {a!r} and crop_{second} {b!r} leave no image; '
                    'give fractions of the source image in [0, 1) with a sum below 1')

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, fit for YAML and JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImageSpec:
        """Build from ``to_dict`` output; ImageError names unknown or missing keys."""
        known = {f.name for f in fields(cls)}
        unknown, missing = set(values) - known, {'height', 'width'} - set(values)
        if unknown or missing:
            raise ImageError(
                f'image specification has unknown keys {sorted(unknown)!r} and lacks '
                f'{sorted(missing)!r}; the keys are {sorted(known)!r}')
        return cls(**values)


def _is_fraction(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value) and 0.0 <= value < 1.0


def decode_image(
    *, data: Buffer, height: int, width: int, encoding: str, step: int,
    is_bigendian: bool = False,
) -> np.ndarray:
    """
    Return (height, width, 3) uint8 RGB from the fields of a ``sensor_msgs/Image``.

    ``rgb8`` is a view of ``data`` (zero copy, row padding honoured); others are converted once.
    ``is_bigendian`` has no meaning for 8-bit channels and is accepted for the message's sake.
    Raises ImageError for an unknown encoding, a size below one pixel, a step shorter than a row
    and data of another length than step * height.
    """
    del is_bigendian
    channels, conversion = _lookup(encoding)
    if height < 1 or width < 1:
        raise ImageError(
            f'image is {width!r} x {height!r} pixels; the camera sends nothing to decode, '
            'check its driver')
    if step < width * channels:
        raise ImageError(
            f'image step is {step!r} bytes, but a row of {width} pixels in {encoding!r} takes '
            f'{width * channels}; check width, step and encoding of the publisher')
    size = np.frombuffer(data, np.uint8).size
    if size != step * height:
        raise ImageError(
            f'image has {size} bytes of data, but step {step} * height {height} is '
            f'{step * height}; check step and height of the publisher')
    if channels == 1:
        grey = np.ndarray((height, width), np.uint8, buffer=data, strides=(step, 1))
        return _converted(grey, cv2.COLOR_GRAY2RGB)
    view: np.ndarray = np.ndarray(
        (height, width, channels), np.uint8, buffer=data, strides=(step, channels, 1))
    return view if conversion is None else _converted(view, conversion)


def _lookup(encoding: str) -> tuple[int, int | None]:
    try:
        return ENCODINGS[encoding]
    except KeyError:
        hint = ' (8UC3 does not say its colour order)' if encoding == '8UC3' else ''
        raise ImageError(
            f'image encoding is {encoding!r}{hint}; publish one of {", ".join(ENCODINGS)}'
        ) from None


def _converted(pixels: np.ndarray, conversion: int) -> np.ndarray:
    return np.asarray(cv2.cvtColor(pixels, conversion))


def decode_compressed(data: Buffer) -> np.ndarray:
    """
    Return (H, W, 3) uint8 RGB of a JPEG or PNG, as in ``sensor_msgs/CompressedImage``.

    Orientation tags are ignored: a camera's rows are the rows. Raises ImageError for data that
    does not decode, and for a truncated file, of which OpenCV would return a half-grey image.
    """
    raw = np.frombuffer(data, np.uint8)
    head, tail = raw[:8].tobytes(), raw[-64:].tobytes()
    if head.startswith(b'\xff\xd8') and b'\xff\xd9' not in tail:
        raise ImageError(f'JPEG of {raw.size} bytes has no end marker; it was cut short')
    if head.startswith(b'\x89PNG') and b'IEND' not in tail:
        raise ImageError(f'PNG of {raw.size} bytes has no IEND chunk; it was cut short')
    bgr = cv2.imdecode(raw, _DECODE_FLAGS) if raw.size else None
    if bgr is None:
        raise ImageError(
            f'compressed image of {raw.size} bytes starting with {head!r} does not decode; '
            'publish JPEG or PNG')
    return _converted(bgr, cv2.COLOR_BGR2RGB)


def encode_rgb8(rgb: np.ndarray) -> array.array[int]:
    """Return the bytes of (H, W, 3) uint8 as the ``array('B')`` that rclpy assigns fastest."""
    _check_rgb(rgb)
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(rgb).data)
    return data


def encode_jpeg(rgb: np.ndarray, *, quality: int = 85) -> bytes:
    """Return (H, W, 3) uint8 as a JPEG file's bytes."""
    _check_rgb(rgb)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode('.jpg', bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise ImageError(f'an image of shape {rgb.shape!r} cannot be written as JPEG')
    return data.tobytes()


def crop_box(size: tuple[int, ...], spec: ImageSpec) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what the policy sees of (rows, columns)."""
    rows, columns = size
    top, bottom = round(spec.crop_top * rows), rows - round(spec.crop_bottom * rows)
    left, right = round(spec.crop_left * columns), columns - round(spec.crop_right * columns)
    if top >= bottom or left >= right:
        raise ImageError(f'image of {columns} x {rows} pixels is too small for the crop {spec!r}')
    return top, bottom, left, right


def prepare(rgb: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """
    Crop and resize (H, W, 3) uint8 to (spec.height, spec.width, 3) uint8, contiguous.

    Area interpolation: each source pixel counts, so thin lane marks survive. An image that fits
    already is returned as it is, not copied. Raises ImageError for another shape or type.
    """
    _check_rgb(rgb)
    top, bottom, left, right = crop_box(rgb.shape[:2], spec)
    part = rgb[top:bottom, left:right]
    if part.shape[:2] != (spec.height, spec.width):
        part = cv2.resize(
            np.ascontiguousarray(part), (spec.width, spec.height), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(part)


def _check_rgb(rgb: object) -> None:
    if not isinstance(rgb, np.ndarray):
        raise ImageError(f'image is a {type(rgb).__name__!r}; give a numpy array (H, W, 3) uint8')
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise ImageError(
            f'image has shape {rgb.shape!r} and type {str(rgb.dtype)!r}; '
            'give RGB of shape (H, W, 3) and type uint8')
