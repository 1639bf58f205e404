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
"""The eye: parameter counts of the paper, TensorFlow's SAME padding, whitening against numpy."""

from ltc_control.core.errors import ConfigError
from ltc_control.nets.conv_head import (
    ConvHead,
    HARDWARE,
    HARDWARE_WIDE,
    HeadConfig,
    HEADS,
    PAPER,
    whiten,
)
import numpy as np
import pytest
import torch
from torch.nn import functional


def _images(config, count=3):
    return torch.randint(0, 256, (count, config.height, config.width, 3), dtype=torch.uint8)


def test_paper_head_has_79420_parameters():
    head = ConvHead(PAPER)
    convs = sum(p.numel() for p in head.convs.parameters())
    maps = head.map_weight.numel() + head.map_bias.numel()
    assert (convs, maps, convs + maps) == (71_388, 8_032, 79_420)


def test_paper_head_on_another_image_has_the_size_of_the_reference():
    config = HeadConfig(66, 200, PAPER.widths)             # no padding: 38 pixels a map
    assert sum(p.numel() for p in ConvHead(config).parameters()) == 72_636


def test_map_sizes():
    assert PAPER.map_sizes() == [(39, 100), (20, 50), (10, 25), (10, 25), (10, 25)]
    assert HARDWARE.map_sizes() == [(31, 98), (14, 47), (6, 23), (4, 21), (2, 19)]


@pytest.mark.parametrize('config', HEADS.values(), ids=HEADS)
def test_features_and_real_map_sizes(config):
    head = ConvHead(config)
    sizes = []
    for conv in head.convs:
        conv.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[2:])))
    assert head(_images(config)).shape == (3, 32)
    assert sizes == config.map_sizes()


def test_same_padding_is_that_of_tensorflow():
    """Output pixel i of a strided SAME layer is centred as the formula of TensorFlow says."""
    size, kernel, stride = 78, 5, 2
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)     # tf.nn.convolution's documentation
    assert PAPER.pads()[0] == (total // 2, 1, total - total // 2, 2)
    head = ConvHead(PAPER)
    image = _images(PAPER, 1)
    found = []
    head.convs[0].register_forward_hook(lambda _, __, y: found.append(y.clone()))
    head(image)
    white = whiten(image.permute(0, 3, 1, 2).float())[0]
    weight, bias = head.convs[0].weight[7], head.convs[0].bias[7]
    for row, column in ((0, 0), (38, 99), (0, 99), (17, 40)):
        truth = bias.item()
        for i in range(kernel):
            for j in range(kernel):
                y, x = row * stride + i - total // 2, column * stride + j - 1
                if 0 <= y < 78 and 0 <= x < 200:
                    truth += (white[:, y, x] @ weight[:, i, j]).item()
        assert found[0][0, 7, row, column].item() == pytest.approx(truth, abs=1e-5)


def test_each_map_has_its_own_four_features():
    head = ConvHead(HARDWARE)
    images = _images(HARDWARE, 2)
    before = head(images).view(2, 8, 4)
    with torch.no_grad():
        head.map_weight[5] = 0.0
        head.map_bias[5] = torch.arange(4.0)
    after = head(images).view(2, 8, 4)
    torch.testing.assert_close(after[:, 5], torch.arange(4.0).expand(2, 4))
    others = [0, 1, 2, 3, 4, 6, 7]
    torch.testing.assert_close(after[:, others], before[:, others])


def test_whitening_equals_numpy():
    images = torch.rand(4, 3, 20, 30, dtype=torch.float64) * 255.0
    for white, image in zip(whiten(images), images.numpy(), strict=True):
        truth = (image - image.mean()) / np.sqrt(image.var() + 1.0)
        np.testing.assert_allclose(white.numpy(), truth, atol=1e-12)


@pytest.mark.parametrize('level', [0, 1, 128, 255])
def test_a_constant_image_is_zero_not_nan(level):
    image = torch.full((1, 66, 200, 3), level, dtype=torch.uint8)
    head = ConvHead(HARDWARE).requires_grad_(False)
    white = whiten(image.permute(0, 3, 1, 2).float())
    assert white.abs().max() < 1e-4
    torch.testing.assert_close(head(image), head(torch.zeros_like(image)), atol=1e-4, rtol=0.0)


def test_light_and_contrast_hardly_matter():
    head = ConvHead(HARDWARE).requires_grad_(False)
    image = _images(HARDWARE, 1).float() * 0.5 + 60.0
    torch.testing.assert_close(head(image), head(image * 0.8 + 20.0), atol=2e-3, rtol=0.0)


@pytest.mark.parametrize('config', [PAPER, HARDWARE_WIDE], ids=['paper', 'hardware_wide'])
def test_layouts_and_types_agree(config):
    head = ConvHead(config).requires_grad_(False)
    images = _images(config)
    features = head(images)
    torch.testing.assert_close(head(images.float()), features)
    torch.testing.assert_close(head(images.permute(0, 3, 1, 2).contiguous()), features)


def test_features_equal_a_plain_nchw_head():
    head = ConvHead(HARDWARE).requires_grad_(False)
    images = _images(HARDWARE)
    x = images.permute(0, 3, 1, 2).float().contiguous()
    x = (x - x.mean((1, 2, 3), True)) / (x.var((1, 2, 3), correction=0, keepdim=True) + 1).sqrt()
    for conv, stride in zip(head.convs, HARDWARE.strides, strict=True):
        x = functional.conv2d(x, conv.weight.contiguous(), conv.bias, stride).relu()
    truth = torch.cat([x[:, m].flatten(1) @ head.map_weight[m] + head.map_bias[m]
                       for m in range(8)], dim=1)
    torch.testing.assert_close(head(images), truth, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize('chunk', [1, 4, 32])
def test_chunks_do_not_change_features(chunk):
    head = ConvHead(HARDWARE)
    images = _images(HARDWARE, 6).view(3, 2, 66, 200, 3)
    features = head.encode(images, chunk)
    assert features.shape == (3, 2, 32)
    torch.testing.assert_close(features.flatten(0, 1), head(images.flatten(0, 1)),
                               atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('readout', ['linear', 'points'])
def test_half_precision_is_near_and_leaves_the_weights_whole(readout):
    torch.manual_seed(2)
    head = ConvHead(HeadConfig(readout=readout))
    images = _images(HARDWARE, 5)
    whole = head.encode(images)
    with torch.autocast('cpu', torch.bfloat16):
        half = head.encode(images)
    assert half.dtype == whole.dtype == torch.float32
    assert not torch.equal(half, whole)
    torch.testing.assert_close(half, whole, atol=0.05 * float(whole.detach().std()), rtol=0.05)
    half.square().sum().backward()
    assert all(p.grad.dtype == p.dtype == torch.float32 for p in head.parameters())


def test_wrong_sizes_are_refused():
    with pytest.raises(ConfigError, match='images must be'):
        ConvHead(HARDWARE)(torch.zeros(1, 64, 200, 3))
    with pytest.raises(ConfigError, match='too small'):
        HeadConfig(20, 20)
    with pytest.raises(ConfigError, match='one entry a layer'):
        HeadConfig(widths=(16, 16))
    with pytest.raises(ConfigError, match='padding'):
        HeadConfig(padding='full')


def test_config_round_trip():
    for config in HEADS.values():
        assert HeadConfig(**config.to_dict()) == config
