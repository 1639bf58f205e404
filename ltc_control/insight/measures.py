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
"""How well a recorded drive went, in numbers; what the bag does not hold is left as None."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ltc_control.insight.recorded_drive import RecordedDrive, Trace
import numpy as np

DIGITS = 4


def measure(drive: RecordedDrive) -> dict[str, Any]:
    """
    Return JSON-ready numbers: distance, departures, offsets, counts, verdicts and latency.

    Offsets are of the lane's ground truth and need a simulator's bag; the distance is taken from
    it too, else from odometry.
    """
    offset = np.abs(drive.lane.values[:, 1]) if len(drive.lane) else np.empty(0)
    gaps = np.diff(drive.frames.stamps_ns) * 1e-9
    # safety publishes zeros before the first frame and after the last: those are no part of it
    command, verdicts = (_while_seeing(drive, trace) for trace in (drive.command, drive.verdicts))
    return {
        'seconds': _rounded(drive.seconds),
        'distance_m': _rounded(distance(drive)),
        'departures': len(drive.departures) if len(drive.lane) else None,
        'mean_abs_offset_m': _rounded(offset.mean()) if len(offset) else None,
        'p95_abs_offset_m': _rounded(np.percentile(offset, 95)) if len(offset) else None,
        'mean_speed_mps': _rounded(drive.pose.values[:, 3].mean()) if len(drive.pose) else None,
        'frames': len(drive.frames),
        'longest_frame_gap_s': _rounded(gaps.max()) if len(gaps) else None,
        'requests': len(drive.request),
        'commands': len(command),
        'verdicts': dict(sorted(Counter(map(str, verdicts.values)).items())),
        'latency_ms': latency_ms(drive.frames, command),
    }


def _while_seeing(drive: RecordedDrive, trace: Trace) -> Trace:
    stamps = drive.frames.stamps_ns
    return trace.between(int(stamps[0]), int(stamps[-1])) if len(stamps) else trace


def distance(drive: RecordedDrive) -> float:
    """Return the driven way [m]: along the lane where it is known, else the path of odometry."""
    if len(drive.lane):
        return float(drive.lane.values[-1, 0] - drive.lane.values[0, 0])
    steps = np.diff(drive.pose.values[:, :2], axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def latency_ms(frames: Trace, command: Trace) -> dict[str, float] | None:
    """
    Return p50 and p99 from the arrival of a frame to the arrival of the command it caused.

    Matched by header stamp; the first command of a stamp counts. None where the bag's receive
    times are not those of a clock (a simulated recording) or nothing matches.
    """
    first = {}
    for stamp, received in zip(command.stamps_ns, command.received_ns, strict=True):
        first[int(stamp)] = min(int(received), first.get(int(stamp), int(received)))
    waits = np.array([first[int(stamp)] - int(received)
                      for stamp, received in zip(frames.stamps_ns, frames.received_ns, strict=True)
                      if int(stamp) in first]) * 1e-6
    if not len(waits) or not (waits > 0).any():
        return None
    return {'p50': _rounded(np.percentile(waits, 50)), 'p99': _rounded(np.percentile(waits, 99))}


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
