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
What moves the wheel: the lane, or the scenery? One causal ratio a model, from paired frames.

    E_c = mean |u_do(cause) - u_base|,  E_d = mean |u_do(distractor) - u_base|
    causal ratio = E_c / (E_c + E_d);   slope of u_do(cause) - u_base on the expert's own change

State and poses of a pair are equal, one thing in the picture is moved. Raw, the ratio also
measures contrast; matched, only pairs of like mean squared pixel change are compared. The ratio
can be high with the wrong sign, so the slope, right at 1, always stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ltc_control.insight.resampling import bootstrap, sign_test
import numpy as np

CAUSE, DISTRACTOR = 'cause', 'distractor'
CALIPER = 1.25                             # most that pixel changes of a matched pair differ by
COMMANDS = ('curvature', 'speed')


@dataclass(frozen=True, eq=False)
class Effect:
    """
    What one intervention did in S sequences of frames.

    ``change`` and ``expert`` (S, 2) of the command and of the expert's own (curvature [1/m],
    speed [m/s]); ``pixels`` (S,) mean squared change of pixels in [0, 1]. ``raw`` says whether it
    counts for the raw ratio; the others only widen the choice for the matched one.
    """

    name: str
    role: str
    strength: str
    change: np.ndarray
    expert: np.ndarray
    pixels: np.ndarray
    raw: bool = True


def judge(effects: Sequence[Effect], *, expert_rms: Sequence[float]) -> dict[str, Any]:
    """Return ratio, slope and intervals of each command, and every intervention by name."""
    sizes = {len(one.pixels) for one in effects}
    if len(sizes) != 1:
        raise ValueError(f'effects of different numbers of sequences: {sizes!r}')
    return {'sequences': sizes.pop(),
            'pairs': {role: sum(len(one.pixels) for one in effects
                                if one.raw and one.role == role) for role in (CAUSE, DISTRACTOR)},
            **{name: _judged(effects, m, expert_rms[m]) for m, name in enumerate(COMMANDS)},
            'interventions': [_described(one) for one in effects]}


def causal_ratio(cause: float, distractor: float) -> float:
    """Return E_c / (E_c + E_d); one half where nothing moves anything."""
    return cause / (cause + distractor) if cause + distractor > 0.0 else 0.5


def regression(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return slope, intercept and R² of y on x; zeros where x does not vary."""
    spread = float(((x - x.mean()) ** 2).sum())
    if spread == 0.0:
        return 0.0, float(y.mean()), 0.0
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    left = y - y.mean() - slope * (x - x.mean())
    total = float(((y - y.mean()) ** 2).sum())
    return slope, float(y.mean() - slope * x.mean()), (
        1.0 - float((left**2).sum()) / total if total > 0.0 else 0.0)


def matched_pairs(cause: np.ndarray, distractor: np.ndarray) -> list[tuple[int, int]]:
    """
    Return (i, j) of cause i and distractor j of like pixel change, each used once at most.

    Every cause, the largest first, takes the nearest free distractor within the caliper.
    """
    logs = [np.log(np.maximum(values, 1e-12)) for values in (cause, distractor)]
    free = np.ones(len(distractor), bool)
    pairs = []
    for i in np.argsort(-logs[0], kind='stable'):
        if not free.any():
            break
        gap = np.where(free, np.abs(logs[1] - logs[0][i]), np.inf)
        j = int(np.argmin(gap))
        if gap[j] <= np.log(CALIPER):
            free[j] = False
            pairs.append((int(i), j))
    return pairs


def _judged(effects: Sequence[Effect], command: int, expert_rms: float) -> dict[str, Any]:
    by_role = {role: [one for one in effects if one.role == role] for role in (CAUSE, DISTRACTOR)}
    # (S,) means over the interventions of a role: a sequence is the unit that is drawn again
    moved = {role: np.mean([np.abs(one.change[:, command]) for one in group if one.raw], axis=0)
             for role, group in by_role.items()}
    e_c, e_d = (float(moved[role].mean()) for role in (CAUSE, DISTRACTOR))
    count = len(moved[CAUSE])
    causes = [one for one in by_role[CAUSE] if one.raw]
    x = np.stack([one.expert[:, command] for one in causes])               # (interventions, S)
    y = np.stack([one.change[:, command] for one in causes])
    slope, intercept, r2 = regression(x.ravel(), y.ravel())
    return {
        'e_cause': e_c, 'e_distractor': e_d, 'causal_ratio': causal_ratio(e_c, e_d),
        'causal_ratio_95': bootstrap(lambda chosen: causal_ratio(
            float(moved[CAUSE][chosen].mean()), float(moved[DISTRACTOR][chosen].mean())), count),
        'sign_test_p': sign_test((moved[CAUSE] - moved[DISTRACTOR]).tolist()),
        'slope': slope, 'intercept': intercept, 'slope_r2': r2,
        'slope_95': bootstrap(
            lambda chosen: regression(x[:, chosen].ravel(), y[:, chosen].ravel())[0], count),
        'distractor_error': e_d / expert_rms if expert_rms > 0.0 else None,
        'expert_rms': expert_rms, 'matched': _matched(by_role, command)}


def _matched(by_role: dict[str, list[Effect]], command: int) -> dict[str, Any]:
    pixels = {role: np.concatenate([one.pixels for one in group])
              for role, group in by_role.items()}
    change = {role: np.abs(np.concatenate([one.change[:, command] for one in group]))
              for role, group in by_role.items()}
    pairs = np.array(matched_pairs(pixels[CAUSE], pixels[DISTRACTOR])).reshape(-1, 2)
    if not len(pairs):
        return {'pairs': 0, 'causal_ratio': None, 'causal_ratio_95': None, 'sign_test_p': None,
                'pixel_change_cause': None, 'pixel_change_distractor': None}
    cause, distractor = change[CAUSE][pairs[:, 0]], change[DISTRACTOR][pairs[:, 1]]
    return {'pairs': len(pairs),
            'causal_ratio': causal_ratio(float(cause.mean()), float(distractor.mean())),
            'causal_ratio_95': bootstrap(lambda chosen: causal_ratio(
                float(cause[chosen].mean()), float(distractor[chosen].mean())), len(pairs)),
            'sign_test_p': sign_test((cause - distractor).tolist()),
            'pixel_change_cause': float(pixels[CAUSE][pairs[:, 0]].mean()),
            'pixel_change_distractor': float(pixels[DISTRACTOR][pairs[:, 1]].mean())}


def _described(one: Effect) -> dict[str, Any]:
    return {'name': one.name, 'role': one.role, 'strength': one.strength, 'raw': one.raw,
            'pixel_change': float(one.pixels.mean()),
            **{f'mean_abs_change_{name}': float(np.abs(one.change[:, m]).mean())
               for m, name in enumerate(COMMANDS)},
            **{f'expert_mean_abs_change_{name}': float(np.abs(one.expert[:, m]).mean())
               for m, name in enumerate(COMMANDS)}}
