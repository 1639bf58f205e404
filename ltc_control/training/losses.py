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
"""What a command off its label costs, and how good a fit is: weighted squared error and R²."""

from __future__ import annotations

from ltc_control.training.config import LossConfig
import numpy as np
import torch
from torch import Tensor

HOVER_SPEED = 0.5                          # [m/s] forward; so slow is near the stand-off


def command_loss(commands: Tensor, labels: Tensor, mask: Tensor, *, scale: Tensor,
                 config: LossConfig) -> Tensor:
    """
    Return the mean loss of commands (T, B, M) against labels (T, B, M), weighed by mask (T, B).

    Errors are in units of ``scale`` (M,). Zero where nothing is labelled.
    """
    error = ((commands - labels) / scale).square()                    # (T, B, M)
    if config.weights:
        slow = ((config.fast_speed - labels[..., 0]) / scale[0]).clamp(min=0)
        cost = (error * scale.new_tensor(config.weights)).sum(dim=-1)
        cost = cost * torch.exp(config.slow_weight * slow).clamp(max=config.heaviest)
        if config.hover_weight:
            cost = cost + config.hover_weight * _hovering(labels, scale) * error[..., 0]
        return (cost * mask).sum() / mask.sum().clamp(min=1)
    bend = (labels[..., 0] / scale[0]).abs()
    slow = ((config.fast_speed - labels[..., 1]) / scale[1]).clamp(min=0)
    tight_weight = torch.exp(config.curve_weight * bend).clamp(max=config.heaviest)
    slow_weight = torch.exp(config.slow_weight * slow).clamp(max=config.heaviest)
    cost = (config.curvature * tight_weight * error[..., 0]
            + config.speed * slow_weight * error[..., 1])
    return (cost * mask).sum() / mask.sum().clamp(min=1)


def _hovering(labels: Tensor, scale: Tensor) -> Tensor:
    """Return how near each label (..., M) is to standing before a target: 0 to 1."""
    searches = labels[..., -1].abs() >= scale[-1]                     # it turns on the spot
    return torch.exp(-(labels[..., 0] / HOVER_SPEED).square()) * ~searches


def r_squared(commands: np.ndarray, labels: np.ndarray) -> list[float]:
    """
    Return R² of each column of (K, M): 1 is perfect, 0 is as good as the labels' mean.

    NaN where a label does not vary, since nothing can be explained there.
    """
    residual = ((commands - labels) ** 2).sum(axis=0)
    spread = ((labels - labels.mean(axis=0)) ** 2).sum(axis=0)
    return [float(1 - r / s) if s > 0 else float('nan')
            for r, s in zip(residual, spread, strict=True)]
