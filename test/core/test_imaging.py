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
"""Pixels keep their place, colour and value from message bytes to what a model sees."""

from __future__ import annotations

import array

import cv2
from hypothesis import given
from hypothesis import strategies as st
from ltc_control.core.errors import ImageError
from ltc_control.core.imaging import (
    decode_compressed,
    decode_image,
    encode_rgb8,
    ImageSpec,
    prepare,
)
import numpy as np
import pytest

# One pixel of each encoding that is the colour (10, 20, 30), written out by hand.
PIXELS = {
    'rgb8': bytes([10, 20, 30]), 'bgr8': bytes([30, 20, 10]),
    'rgba8': bytes([10, 20, 30, 99]), 'bgra8': bytes([30, 20, 10, 99]),
}


def picture(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize('encoding', PIXELS)
@pytest.mark.parametrize('padding', [0, 3])
def test_each_encoding_becomes_rgb(encoding, padding):
    pixel = PIXELS[encoding]
    row = pixel * 4 + b'\xee' * padding
    rgb = decode_image(data=row * 3, height=3, width=4, encoding=encoding, step=len(row))
    assert rgb.shape == (3, 4, 3)
    assert rgb.dtype == np.uint8
    assert (rgb == (10, 20, 30)).all()


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_grey_fills_all_channels(encoding):
    rgb = decode_image(
        data=bytes([1, 2, 3, 99, 4, 5, 6, 99]), height=2, width=3, encoding=encoding, step=4)
    assert rgb.tolist() == [[[v] * 3 for v in (1, 2, 3)], [[v] * 3 for v in (4, 5, 6)]]


@given(height=st.integers(1, 6), width=st.integers(1, 6), padding=st.integers(0, 5),
       seed=st.integers(0, 99))
def test_padded_rows_decode_like_a_loop_over_bytes(height, width, padding, seed):
    step = 3 * width + padding
    data = np.random.default_rng(seed).integers(0, 256, step * height, np.uint8).tobytes()
    rgb = decode_image(data=data, height=height, width=width, encoding='rgb8', step=step)
    for y in range(height):
        for x in range(width):
            start = y * step + 3 * x
            assert rgb[y, x].tobytes() == data[start:start + 3]


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, 'array', 'numpy'])
def test_every_buffer_that_middleware_hands_out(kind):
    rgb = picture()
    raw = rgb.tobytes()
    data = {'array': array.array('B', raw), 'numpy': np.frombuffer(raw, np.uint8)}.get(
        kind) if isinstance(kind, str) else kind(raw)
    found = decode_image(data=data, height=5, width=7, encoding='rgb8', step=21)
    assert np.array_equal(found, rgb)


def test_rgb8_is_a_view_and_fitting_images_are_not_copied():
    data = encode_rgb8(picture())
    rgb = decode_image(data=data, height=5, width=7, encoding='rgb8', step=21)
    ready = prepare(rgb, ImageSpec(5, 7))
    data[0] = (data[0] + 1) % 256
    assert ready[0, 0, 0] == data[0]


@given(st.integers(1, 8), st.integers(1, 8))
def test_encode_then_decode_is_identity(height, width):
    rgb = picture(height, width)
    found = decode_image(
        data=encode_rgb8(rgb), height=height, width=width, encoding='rgb8', step=3 * width)
    assert np.array_equal(found, rgb)


@pytest.mark.parametrize(('change', 'words'), [
    ({'encoding': 'yuv422'}, ['yuv422', 'rgb8']),
    ({'encoding': '8UC3'}, ['8UC3', 'colour order']),
    ({'encoding': 'mono16'}, ['mono16']),
    ({'step': 20}, ['20', '21']),
    ({'step': 22}, ['105', '110']),
    ({'data': bytes(104)}, ['104', '105']),
    ({'data': bytes(106)}, ['106', '105']),
    ({'data': b''}, ['0 bytes']),
    ({'height': 0}, ['7 x 0']),
    ({'width': -1}, ['-1']),
])
def test_a_wrong_message_is_refused_with_what_was_got(change, words):
    message = {'data': bytes(105), 'height': 5, 'width': 7, 'encoding': 'rgb8', 'step': 21}
    assert decode_image(**message).shape == (5, 7, 3)
    with pytest.raises(ImageError) as caught:
        decode_image(**{**message, **change})
    assert all(word in str(caught.value) for word in words)


def test_png_is_lossless_and_jpeg_is_near():
    smooth = np.zeros((16, 24, 3), np.uint8)
    smooth[..., 0], smooth[..., 2] = 200, np.arange(24) * 5
    png = cv2.imencode('.png', smooth[..., ::-1])[1].tobytes()
    jpeg = cv2.imencode('.jpg', smooth[..., ::-1])[1].tobytes()
    assert np.array_equal(decode_compressed(png), smooth)
    assert np.abs(decode_compressed(jpeg).astype(int) - smooth).mean() < 4
    # A cut file: OpenCV alone returns the JPEG with its lower part grey.
    for whole in (png, jpeg):
        with pytest.raises(ImageError, match='cut short'):
            decode_compressed(whole[:-70])


@pytest.mark.parametrize('data', [b'', b'not an image', bytes(100)])
def test_what_does_not_decode_is_refused(data):
    with pytest.raises(ImageError, match='does not decode'):
        decode_compressed(data)


def test_resize_by_a_whole_factor_is_the_mean_of_blocks():
    rgb = picture(8, 12)
    expected = rgb.reshape(4, 2, 6, 2, 3).mean(axis=(1, 3))
    found = prepare(rgb, ImageSpec(4, 6))
    assert found.flags.c_contiguous
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


def test_crop_takes_fractions_of_the_source():
    rgb = picture(10, 20)
    spec = ImageSpec(6, 14, crop_top=0.3, crop_bottom=0.1, crop_left=0.2, crop_right=0.1)
    assert np.array_equal(prepare(rgb, spec), rgb[3:9, 4:18])
    with pytest.raises(ImageError, match='too small'):
        prepare(rgb[:1], ImageSpec(1, 1, crop_top=0.6))


@pytest.mark.parametrize('rgb', [
    np.zeros((5, 7), np.uint8), np.zeros((5, 7, 4), np.uint8), np.zeros((5, 7, 3)),
    np.zeros((0, 7, 3), np.uint8), None, [[1, 2, 3]],
])
def test_only_rgb_of_uint8_is_prepared(rgb):
    with pytest.raises(ImageError):
        prepare(rgb, ImageSpec(5, 7))


@pytest.mark.parametrize('values', [
    {'height': 0, 'width': 4}, {'height': 4, 'width': 2.0}, {'height': True, 'width': 4},
    {'height': 4, 'width': 4, 'crop_top': 0.5, 'crop_bottom': 0.5},
    {'height': 4, 'width': 4, 'crop_left': -0.1},
    {'height': 4, 'width': 4, 'crop_left': float('nan')}, {'height': 4},
    {'height': 4, 'width': 4, 'crop': 0.1},
])
def test_a_contradictory_spec_is_refused(values):
    with pytest.raises(ImageError):
        ImageSpec.from_dict(values)


def test_a_spec_survives_its_dict():
    spec = ImageSpec(66, 200, crop_top=0.25)
    assert ImageSpec.from_dict(spec.to_dict()) == spec
