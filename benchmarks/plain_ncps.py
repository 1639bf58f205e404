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
The same network as a reader of the paper would write it: ncps cell, torch convolutions in NCHW.

What ``policy_step.py`` and ``training.py`` compare with; weights come from one of our policies.
"""

from __future__ import annotations

from ltc_control.nets.conv_head import VARIANCE_FLOOR
from ltc_control.nets.ncps_weights import to_ncps
from ltc_control.nets.policy_net import PolicyNet
import ncps.torch
import ncps.wirings
import numpy as np
import torch
from torch import nn, Tensor
from torch.nn import functional


class PlainPolicy(nn.Module):
    """Head, ncps ``LTCCell`` and output map of ``net``; one step a call."""

    def __init__(self, net: PolicyNet) -> None:
        super().__init__()
        config = net.config.head_config
        self.pads = config.pads()
        self.convs = nn.ModuleList(
            nn.Conv2d(c.in_channels, c.out_channels, c.kernel_size, c.stride) for c in
            net.head.convs)
        for mine, theirs in zip(self.convs, net.head.convs, strict=True):
            mine.weight.data = theirs.weight.detach().clone().contiguous()
            mine.bias.data = theirs.bias.detach().clone()
        self.maps = nn.ModuleList(nn.Linear(*net.head.map_weight.shape[1:])
                                  for _ in range(net.head.map_weight.shape[0]))
        for number, linear in enumerate(self.maps):
            linear.weight.data = net.head.map_weight[number].detach().t().clone().contiguous()
            linear.bias.data = net.head.map_bias[number].detach().clone()
        self.cell = plain_cell(net)
        self.register_buffer('scale', net.command_scale.clone())
        self.register_buffer('offset', net.command_offset.clone())

    def forward(self, images: Tensor, imu: Tensor | None, state: Tensor,
                dt: Tensor) -> tuple[Tensor, Tensor]:
        """Return commands (B, M) and state (B, N) of uint8 (B, H, W, 3); dt (B, 1) nominal."""
        x = images.permute(0, 3, 1, 2).float().contiguous()
        x = x - x.mean((1, 2, 3), keepdim=True)            # x.var() would cost a fifth of a step
        x = x * (x.square().mean((1, 2, 3), keepdim=True) + VARIANCE_FLOOR).rsqrt()
        for conv, (top, left, bottom, right) in zip(self.convs, self.pads, strict=True):
            if (top, left) == (bottom, right):             # the convolution pads by itself
                x = functional.conv2d(x, conv.weight, conv.bias, conv.stride, (top, left)).relu()
            else:
                x = conv(functional.pad(x, (left, right, top, bottom))).relu()
        maps = x.flatten(2)
        features = [linear(maps[:, number]) for number, linear in enumerate(self.maps)]
        inputs = torch.cat(features if imu is None else [*features, imu], dim=1)
        output, state = self.cell(inputs, state, dt)
        return output * self.scale + self.offset, state


def plain_cell(net: PolicyNet) -> nn.Module:
    """Return an ncps cell with the weights of the policy's liquid core, on a fresh wiring."""
    recipe = dict(net.wiring.recipe)
    kind = recipe.pop('kind')
    if kind == 'auto_ncp':
        wiring = ncps.wirings.AutoNCP(recipe['units'], recipe['outputs'], recipe['sparsity'],
                                      recipe['seed'])
    else:
        wiring = ncps.wirings.NCP(*recipe.values())
    cell = ncps.torch.LTCCell(wiring, net.wiring.inputs, ode_unfolds=net.core.unfolds)
    cell.load_state_dict(to_ncps(net.core, implicit=False))
    return cell


def random_images(net: PolicyNet, *lead: int) -> np.ndarray:
    """Return smooth random uint8 images (..., H, W, 3) of the policy's size."""
    head = net.config.head_config
    rng = np.random.default_rng(0)
    coarse = rng.random((*lead, head.height // 6 + 1, head.width // 6 + 1, 3))
    fine = coarse.repeat(6, axis=-3).repeat(6, axis=-2)[..., :head.height, :head.width, :]
    noisy = fine * 200.0 + rng.random(fine.shape) * 55.0
    return np.ascontiguousarray(noisy.astype(np.uint8))
