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
What a neuron is worth: the damage that its silence does while the network drives.

Runs are paired: a lesioned network starts where the whole one started. Motor neurons are the
output itself and told apart; cut, they must change nothing, for no synapse leaves them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from ltc_control.insight.resampling import bootstrap
import numpy as np

Interval = tuple[float, float] | None
LEAST_RMS_M = 1e-3                         # an error below is measured as this, for ratios


class Lesion(str, Enum):
    """How a neuron is silenced."""

    CUT = 'cut'                            # outgoing synapses removed, with their conductance
    FREEZE = 'freeze'                      # held at its mean over the reference runs
    CLAMP = 'clamp'                        # held at 0, which still conducts


@dataclass(frozen=True)
class Outcome:
    """One run as lesions look at it; the states and taus are means over its frames, (N,)."""

    track: int
    seed: int
    seconds: float
    distance_m: float
    departures: int
    first_departure_s: float | None
    rms_offset_m: float
    rms_lateral_jerk: float
    state_mean: tuple[float, ...]
    tau_mean_s: tuple[float, ...]
    outside: int                           # frames with a state out of the envelope: a defect


@dataclass(frozen=True)
class Damage:
    """What one lesion does against the whole network, with 95 % bootstrap intervals."""

    neuron: str
    runs: int
    success: float                         # share of runs without a departure
    success_drop: float
    departures_per_km: float
    departures_per_km_more: float
    departures_per_km_more_95: Interval
    rms_ratio: float                       # of the lateral error
    rms_ratio_95: Interval
    first_departure_s: float | None        # mean over the runs that left the lane
    jerk_ratio: float                      # of the rms lateral jerk: above 1 is less smooth
    jerk_ratio_95: Interval
    tau_ratio: Mapping[str, float]         # of the neurons whose tau it moves most
    outside: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def damage(neuron: str, base: Sequence[Outcome], lesioned: Sequence[Outcome], *,
           names: Sequence[str]) -> Damage:
    """Compare paired runs: ``base[k]`` and ``lesioned[k]`` started alike."""
    km = [np.array([one.distance_m for one in runs]) / 1e3 for runs in (base, lesioned)]
    left = [np.array([one.departures for one in runs]) for runs in (base, lesioned)]
    rms = [np.maximum([one.rms_offset_m for one in runs], LEAST_RMS_M)
           for runs in (base, lesioned)]
    jerk = [np.maximum([one.rms_lateral_jerk for one in runs], 1e-6) for runs in (base, lesioned)]

    def more(chosen: np.ndarray) -> float:
        rates = [lost[chosen].sum() / max(way[chosen].sum(), 1e-3)
                 for lost, way in zip(left, km, strict=True)]
        return float(rates[1] - rates[0])

    def ratio(pair: Sequence[np.ndarray], chosen: np.ndarray) -> float:
        return float(np.sqrt((pair[1][chosen]**2).mean() / (pair[0][chosen]**2).mean()))

    everything, count = np.arange(len(base)), len(base)
    success = [float((lost == 0).mean()) for lost in left]
    first = [one.first_departure_s for one in lesioned if one.first_departure_s is not None]
    return Damage(
        neuron, count, success[1], success[0] - success[1],
        float(left[1].sum() / max(km[1].sum(), 1e-3)), more(everything), bootstrap(more, count),
        ratio(rms, everything), bootstrap(lambda chosen: ratio(rms, chosen), count),
        float(np.mean(first)) if first else None,
        ratio(jerk, everything), bootstrap(lambda chosen: ratio(jerk, chosen), count),
        _tau_ratio(base, lesioned, names), sum(one.outside for one in lesioned))


def single_points(damages: Sequence[Damage], *, base_success: float,
                  release: float) -> list[str]:
    """
    Return the neurons whose loss alone takes the success below ``release``.

    Empty where the whole network does not reach it either: then no neuron is to blame.
    """
    if base_success < release:
        return []
    return [one.neuron for one in damages if one.success < release]


def same(base: Sequence[Outcome], lesioned: Sequence[Outcome]) -> bool:
    """Say whether the runs are equal in every number, as after cutting what leads nowhere."""
    return list(base) == list(lesioned)


def reference_means(base: Sequence[Outcome]) -> np.ndarray:
    """Return the mean state of each neuron over the reference runs, (N,)."""
    return np.mean([one.state_mean for one in base], axis=0)


def _tau_ratio(base: Sequence[Outcome], lesioned: Sequence[Outcome],
               names: Sequence[str], *, most: int = 5) -> dict[str, float]:
    """Return by how much the mean time constants changed, of the neurons it changed most."""
    before, after = (np.mean([one.tau_mean_s for one in runs], axis=0)
                     for runs in (base, lesioned))
    ratio = np.where(before > 0.0, after / np.where(before > 0.0, before, 1.0), 1.0)
    order = np.argsort(-np.abs(np.log(np.maximum(ratio, 1e-9))))[:most]
    return {names[i]: round(float(ratio[i]), 4) for i in order if abs(ratio[i] - 1.0) > 0.01}
