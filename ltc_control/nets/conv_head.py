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
The eye: five convolutions, then one small linear map for each of the last feature maps.

``PAPER`` is the head of Lechner et al. 2020: 78x200x3, SAME padding as TensorFlow's, widths
24/36/48/64/8, 71,388 + 8,032 = 79,420 parameters. ``HARDWARE`` keeps kernels and strides but has
widths in multiples of 16, which AVX-512 fills, 66x200 images and no padding.

Images are whitened one by one inside the network: (x - mean) / sqrt(variance + 1), in grey levels
over all pixels and channels. The 1 keeps a constant image at zero instead of dividing by zero.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ltc_control.core.errors import ConfigError
from ltc_control.nets import points
import torch
from torch import nn, Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

VARIANCE_FLOOR = 1.0               # added to the variance [grey level^2]
Pads = tuple[int, int, int, int]   # top, left, bottom, right
NO_PADS: Pads = (0, 0, 0, 0)
HALF_CHUNK = 256                   # in bfloat16: casting weights anew costs more than the cache
CHUNK = 32                         # frames a convolution at once: larger batches leave the cache


@dataclass(frozen=True)
class HeadConfig:
    """Image size and layers of a head; ``padding`` is ``same`` (TensorFlow's) or ``valid``."""

    height: int = 66
    width: int = 200
    widths: tuple[int, ...] = (16, 16, 32, 32, 8)
    kernels: tuple[int, ...] = (5, 5, 3, 3, 3)
    strides: tuple[int, ...] = (2, 2, 2, 1, 1)
    padding: str = 'valid'
    per_map: int = 4               # features of each last map: 8 x 4 = 32
    readout: str = 'linear'        # how a map is read: linear, or points (points.py)

    def __post_init__(self) -> None:
        """Take lists for tuples and refuse layers that do not fit the image."""
        if self.readout not in ('linear', 'points'):
            raise ConfigError(f"readout must be 'linear' or 'points', got {self.readout!r}")
        if self.readout == 'points' and self.per_map != points.FEATURES:
            raise ConfigError(f'a readout of points gives {points.FEATURES} features a map, got '
                              f'per_map {self.per_map!r}')
        for name in ('widths', 'kernels', 'strides'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not len(self.widths) == len(self.kernels) == len(self.strides) > 0:
            raise ConfigError(
                'widths, kernels and strides must have one entry a layer, got '
                f'{self.widths!r}, {self.kernels!r} and {self.strides!r}')
        if self.padding not in ('same', 'valid'):
            raise ConfigError(f"padding must be 'same' or 'valid', got {self.padding!r}")
        if min(self.map_sizes()[-1]) < 1:
            raise ConfigError(
                f'an image of {self.height}x{self.width} is too small for these layers, '
                f'map sizes would be {self.map_sizes()!r}')

    def map_sizes(self) -> list[tuple[int, int]]:
        """Return (height, width) of the maps after each layer."""
        sizes, size = [], (self.height, self.width)
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            if self.padding == 'same':
                size = (-(-size[0] // stride), -(-size[1] // stride))
            else:
                size = ((size[0] - kernel) // stride + 1, (size[1] - kernel) // stride + 1)
            sizes.append(size)
        return sizes

    def pads(self) -> list[Pads]:
        """Return (top, left, bottom, right) of each layer; SAME puts the odd one last."""
        pads = []
        inputs = [(self.height, self.width), *self.map_sizes()[:-1]]
        for size, out, kernel, stride in zip(inputs, self.map_sizes(), self.kernels,
                                             self.strides, strict=True):
            rows, columns = (max((o - 1) * stride + kernel - i, 0) if self.padding == 'same'
                             else 0 for i, o in zip(size, out, strict=True))
            pads.append((rows // 2, columns // 2, rows - rows // 2, columns - columns // 2))
        return pads

    @property
    def features(self) -> int:
        """Return the number of features of an image."""
        return self.widths[-1] * self.per_map

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers."""
        return {key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(self).items()}


PAPER = HeadConfig(78, 200, (24, 36, 48, 64, 8), padding='same')
HARDWARE = HeadConfig()
HARDWARE_WIDE = HeadConfig(widths=(16, 32, 48, 64, 8))
HEADS = {'paper': PAPER, 'hardware': HARDWARE, 'hardware_wide': HARDWARE_WIDE}


class ConvHead(nn.Module):
    """Convolutions with ReLU, then ``per_map`` features of each last map."""

    def __init__(self, config: HeadConfig = HARDWARE) -> None:
        super().__init__()
        self.config, self._pads = config, config.pads()
        channels = (3, *config.widths)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, kernel, stride) for a, b, kernel, stride in
            zip(channels[:-1], channels[1:], config.kernels, config.strides, strict=True))
        maps, (rows, columns) = config.widths[-1], config.map_sizes()[-1]
        if config.readout == 'points':
            self.points = points.PointReadout(maps, rows, columns)
        else:
            pixels = rows * columns
            self.map_weight = nn.Parameter(
                torch.randn(maps, pixels, config.per_map) * pixels ** -0.5)
            self.map_bias = nn.Parameter(torch.zeros(maps, config.per_map))
        for conv in self.convs:
            nn.init.kaiming_normal_(conv.weight, nonlinearity='relu')
            nn.init.zeros_(conv.bias)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, F) of images (B, H, W, 3) or (B, 3, H, W), uint8 or 0..255."""
        x = whiten(self._planes(images), self._pads[0], self.convs[0].weight.dtype)
        for conv, pads in zip(self.convs, [*self._pads[1:], NO_PADS], strict=True):
            x = conv(x)
            x = x.relu_() if pads == NO_PADS else _ReluPad.apply(x, pads)
        with torch.autocast('cpu', enabled=False):      # the maps are small, their sums are not
            return self._read(x.to(self.convs[0].weight.dtype))

    def _read(self, maps: Tensor) -> Tensor:
        if self.config.readout == 'points':
            found: Tensor = self.points(maps)
            return found
        rows = maps.flatten(2).transpose(0, 1)                          # (maps, B, pixels)
        features = torch.baddbmm(self.map_bias[:, None], rows, self.map_weight)
        return features.transpose(0, 1).flatten(1)

    def encode(self, images: Tensor, chunk: int = CHUNK) -> Tensor:
        """Return features (..., F) of images (..., H, W, 3), a few frames at a time."""
        if torch.is_autocast_enabled('cpu'):
            chunk = max(chunk, HALF_CHUNK)
        flat = images.flatten(0, -4)
        features = torch.cat([self(part) for part in flat.split(chunk)])
        return features.view(*images.shape[:-3], -1)

    def _planes(self, images: Tensor) -> Tensor:
        """Return images as (B, 3, H, W) in channels-last memory."""
        size = (self.config.height, self.config.width)
        if images.shape[1:] == (*size, 3):
            images = images.permute(0, 3, 1, 2)
        elif images.shape[1:] != (3, *size):
            raise ConfigError(
                f'images must be (B, {size[0]}, {size[1]}, 3) or (B, 3, {size[0]}, {size[1]}), '
                f'got {tuple(images.shape)!r}')
        return images.contiguous(memory_format=torch.channels_last)


def whiten(images: Tensor, pads: Pads = NO_PADS, dtype: torch.dtype | None = None) -> Tensor:
    """
    Return images (B, 3, H, W), each with mean 0 and, but for flat ones, variance 1.

    Works in place on the float copy of uint8 images: fresh memory costs more than arithmetic
    here. Squares are summed by rows first, because one float32 sum of all misses by 1e-5.
    """
    rows = images.permute(0, 2, 3, 1).flatten(2)                        # a view: channels_last
    x = rows.to(dtype or images.dtype)
    copied = x.dtype != rows.dtype
    mean = x.flatten(1).mean(1)[:, None, None]
    x = x.sub_(mean) if copied else x - mean
    variance = torch.linalg.vector_norm(x, dim=2).square().sum(1) / x[0].numel()
    scale = (variance + VARIANCE_FLOOR).rsqrt()[:, None, None]
    x = x * scale if x.requires_grad else x.mul_(scale)
    white = x.unflatten(2, (-1, 3)).permute(0, 3, 1, 2)
    top, left, bottom, right = pads
    return white if pads == NO_PADS else functional.pad(white, (left, right, top, bottom))


class _ReluPad(torch.autograd.Function):
    """
    ReLU, written straight into the zero border that the next layer asks for.

    One pass over memory each way instead of two; convolutions of an even stride need unequal
    borders for SAME, which they cannot add themselves.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, pads: Pads) -> Tensor:
        batch, channels, height, width = x.shape
        top, left, bottom, right = pads
        padded = torch.empty(batch, channels, height + top + bottom, width + left + right,
                             dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        padded[:, :, :top], padded[:, :, top + height:] = 0.0, 0.0
        padded[..., :left], padded[..., left + width:] = 0.0, 0.0
        inner = padded[:, :, top:top + height, left:left + width]
        torch.clamp_min(x, 0.0, out=inner)
        ctx.save_for_backward(padded)
        ctx.inner = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
        return padded

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        padded, = ctx.saved_tensors
        grad: Tensor = torch.ops.aten.threshold_backward(
            grads[0][ctx.inner], padded[ctx.inner], 0.0)
        return grad, None
