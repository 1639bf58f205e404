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
"""The control of every look inside: the same network as it was before it learned anything."""

from __future__ import annotations

from pathlib import Path


def untrained_model(folder: Path, out: Path, *, seed: int) -> Path | None:
    """
    Write a model like the one in ``folder`` with fresh weights into ``out`` and return ``out``.

    None where the training packages are not installed: a robot's environment has no torch.
    """
    try:
        from ltc_control.nets.export import (
            attach_attention,
            ATTENTION_FILE,
            export_policy,
            WEIGHTS_FILE,
        )
        from ltc_control.nets.policy_net import build_policy, load_policy
        import torch
    except ImportError:
        return None
    from ltc_control.core.model_file import load_spec

    spec = load_spec(folder)
    torch.manual_seed(seed)
    net = build_policy(load_policy(folder / WEIGHTS_FILE).config)
    export_policy(net, out, name=f'{spec.name} untrained', image=spec.image, imu=spec.imu,
                  commands=spec.commands, longest_step_s=spec.longest_step_s,
                  vehicle=spec.vehicle)
    if not (out / ATTENTION_FILE).is_file():
        attach_attention(out)
    return out
