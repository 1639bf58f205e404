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
What the live page shows: newest values, short histories, and two documents made of them.

``tick`` is the part that changes, small enough to be sent ten times a second; ``hello`` is all
that a page needs when it opens in the middle of a drive. Times are seconds since the first frame.
"""

from __future__ import annotations

from collections import Counter, deque, OrderedDict
from collections.abc import Mapping, Sequence
import math
import time
from typing import Any

from ltc_control.core.contracts import Command, Odometry, Velocity
from ltc_control.core.limits import curvature_bound, Limits
from ltc_control.insight import words
from ltc_control.insight.circuit import Circuit
from ltc_control.nodes.dashboard_path import DrivenPath
from ltc_control.nodes.dashboard_vehicle import CAR, Shown
import numpy as np

HISTORY_S = 60.0
LATENCIES = 500                            # commands that the percentiles are of
LONGEST_LATENCY_S = 10.0                   # more is a stamp of another clock
EVENTS = 6
REMEMBERED = 400                           # stamps of requests, to know an answer by
NANO = 1e-9


class LiveView:
    """Takes what nodes say, by kind; not thread-safe, the node holds a lock around it."""

    def __init__(self, *, title: Mapping[str, Any], circuit: Circuit | None,
                 road: Sequence[Sequence[float]] | None = None, rate_hz: float = 12.0,
                 shown: Shown = CAR) -> None:
        self._title, self._circuit, self._road = dict(title), circuit, road
        self._shown = shown
        self.limits, self.limits_known = Limits(), False
        self.path = DrivenPath()
        self._spacing_s = 0.9 / rate_hz        # of the drive's time
        self._history: deque[list[float | None]] = deque(maxlen=round(HISTORY_S * rate_hz))
        self._events: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        self._latency_ms: deque[float] = deque(maxlen=LATENCIES)
        self._latency: dict[str, Any] | None = None
        self._told_latency: dict[str, Any] | None = None
        self._latency_at = 0.0
        self._unanswered: OrderedDict[int, None] = OrderedDict()
        self._verdicts: deque[str] = deque(maxlen=round(HISTORY_S * rate_hz))
        self._first_ns: int | None = None
        self._stamp_ns: int | None = None
        self._odometry: Odometry | None = None
        self._asked: Command | Velocity | None = None
        self._passed: Command | Velocity | None = None
        self._lane: tuple[float, float] | None = None
        self._neurons: tuple[np.ndarray, np.ndarray] | None = None
        self._verdict = self._in_command = self._why = ''
        self.departures = 0
        self._count = 0

    def on_stamp(self, stamp_ns: int) -> None:
        """Take the stamp of a frame: the time of the drive."""
        if self._first_ns is None or stamp_ns < self._first_ns:
            self._first_ns = stamp_ns
        self._stamp_ns = stamp_ns

    def on_odometry(self, odometry: Odometry) -> None:
        """Take the pose and speed of the vehicle."""
        self._odometry = odometry
        self.path.append(odometry.x, odometry.y)

    def on_request(self, command: Command | Velocity) -> None:
        """Take what the network asks for; it carries the stamp of its frame."""
        self._asked = command
        self.on_stamp(command.stamp_ns)
        self._unanswered[command.stamp_ns] = None
        if len(self._unanswered) > REMEMBERED:
            self._unanswered.popitem(last=False)

    def on_command(self, command: Command | Velocity, *, sent_ns: int) -> None:
        """Take what safety passed on, published at ``sent_ns`` of the wall clock."""
        self._passed = command
        wait_ns = sent_ns - command.stamp_ns
        # safety repeats a command until the next one, and its zeros carry a time of their own:
        # what counts is the first command with the stamp of a request
        asked = self._unanswered.pop(command.stamp_ns, False) is None
        if asked and 0 <= wait_ns < LONGEST_LATENCY_S / NANO:
            self._latency_ms.append(1e3 * NANO * wait_ns)

    def on_verdict(self, verdict: str) -> None:
        """Take why safety passed on what it did."""
        # limits come and go many times a minute: their share is told, not each time
        if verdict != self._verdict and not {verdict, self._verdict} <= words.WITHIN_LIMITS:
            self._log(words.verdict_words(verdict, self._shown.vehicle),
                      words.verdict_level(verdict))
        self._verdict = verdict

    def on_in_command(self, who: str) -> None:
        """Take who is in command."""
        # why nobody drives is told by the verdict
        if who != self._in_command and 'human' in (who, self._in_command):
            self._log(f'{words.driver_words(who, self._shown.vehicle)}.',
                      'person' if who == 'human' else 'good')
        self._in_command = who

    def on_why(self, text: str) -> None:
        """Take the active path of the tree in words."""
        self._why = text

    def on_lane(self, *, distance_m: float, offset_m: float) -> None:
        """Take the true place in the lane, which only a simulator knows."""
        self._lane = (distance_m, offset_m)

    def on_departure(self) -> None:
        """Take that the car has left its lane, or the drone has hit something."""
        self.departures += 1
        self._log(self._shown.counted[1], 'stop')

    def on_neurons(self, state: Sequence[float], tau: Sequence[float]) -> None:
        """Take states (N,) and time constants (N,) [s]."""
        self._neurons = np.array(state, float), np.array(tau, float)

    def on_health(self, values: Mapping[str, str]) -> None:
        """Take the latency that a simulator measured, for clocks that are no wall clock."""
        if 'latency_ms_p50' in values:
            self._told_latency = {'p50': float(values['latency_ms_p50']),
                                  'p99': float(values['latency_ms_p99']), 'of': 'simulator'}

    def tick(self, picture: Mapping[str, Any]) -> dict[str, Any]:
        """Return what changes, JSON-ready, and remember it; ``picture`` tells of the image."""
        self._count += 1
        sample = self._remembered(self._sample())
        self._verdicts.append(self._verdict)
        driver = words.in_command(self._in_command, self._verdict)
        return {
            'n': self._count, 'at': sample, 'picture': dict(picture),
            'asked': self._values(self._asked), 'passed': self._values(self._passed),
            'driven': None if self._odometry is None else [
                _round(v, 4) for v in self._shown.driven(self._odometry)],
            'words': '' if self._asked is None else self._shown.words(self._asked),
            'bounds': self._bounds(), 'car': self._car(), 'path': self.path.newest(),
            'lane': None if self._lane is None else [_round(v, 3) for v in self._lane],
            'neurons': self._neuron_values(), 'latency': self._latencies(),
            'verdict': self._verdict,
            'verdict_words': words.verdict_words(self._verdict, self._shown.vehicle),
            'level': words.verdict_level(self._verdict), 'why': self._why,
            'in_command': driver,
            'driver_words': words.driver_words(driver, self._shown.vehicle),
            'departures': self.departures, 'events': list(self._events),
            'shares': self._shares()}

    def hello(self) -> dict[str, Any]:
        """Return what a page needs when it opens, JSON-ready."""
        return {
            'title': self._title, 'road': self._road, 'path': self.path.whole(),
            'history': list(self._history), 'history_s': HISTORY_S,
            'vehicle': self._shown.vehicle, 'counted': self._shown.counted[0],
            'charts': [label for _, label in self._shown.charts],
            'circuit': None if self._circuit is None else self._circuit.document(),
            'limits': {'curvature': self.limits.max_curvature, 'speed': self.limits.max_speed,
                       'known': self.limits_known}}

    def _shares(self) -> list[list[object]]:
        """Return [verdict, share, level] of the last minute, the most frequent first."""
        counts = Counter(verdict for verdict in self._verdicts if verdict)
        return [[verdict, round(count / counts.total(), 3), words.verdict_level(verdict)]
                for verdict, count in counts.most_common()]

    def _seconds(self) -> float:
        if self._first_ns is None or self._stamp_ns is None:
            return 0.0
        return NANO * (self._stamp_ns - self._first_ns)

    def _remembered(self, sample: list[float | None]) -> list[float | None]:
        """Keep a sample where time has gone on: a slow lockstep drive has few seconds a minute."""
        newest = self._history[-1][0] if self._history else None
        now = sample[0]
        if newest is None or now is None or not 0.0 <= now - newest < self._spacing_s:
            self._history.append(sample)
        return sample

    def _sample(self) -> list[float | None]:
        """Return [time], then driven, asked and passed on of each chart."""
        shown, car = self._shown, self._odometry
        driven = None if car is None else shown.driven(car)
        sample = [_round(self._seconds(), 2)]
        for field, _ in shown.charts:
            index = shown.fields.index(field)
            sample.append(None if driven is None else _round(driven[index], 4))
            sample += [None if one is None else _round(getattr(one, field), 4)
                       for one in (self._asked, self._passed)]
        return sample

    def _bounds(self) -> dict[str, Any]:
        speed = 0.0 if self._odometry is None else self._odometry.speed
        speed = speed if math.isfinite(speed) else 0.0
        return {'curvature': _round(curvature_bound(speed, self.limits), 4),
                'speed': self.limits.max_speed}

    def _car(self) -> list[float | None] | None:
        car = self._odometry
        if car is None:
            return None
        return [_round(car.x, 2), _round(car.y, 2), _round(car.yaw, 3), _round(car.speed, 2),
                _round(car.z, 2)]

    def _values(self, command: Command | Velocity | None) -> list[float | None] | None:
        return None if command is None else [_round(v, 4) for v in self._shown.values(command)]

    def _neuron_values(self) -> dict[str, Any] | None:
        if self._neurons is None:
            return None
        state, tau = self._neurons
        shown: dict[str, Any] = {'state': _rounded(state, 3), 'tau': _rounded(tau, 4)}
        if self._circuit is not None and np.isfinite(state).all():
            inner = self._circuit.currents(state)
            outer = None if inner is None else self._circuit.sensory_currents(state, tau)
            shown['inner'] = None if inner is None else _rounded(inner, 3)
            shown['sensory'] = None if outer is None else _rounded(outer, 3)
        return shown

    def _latencies(self) -> dict[str, Any] | None:
        now = time.monotonic()
        if self._latency_ms and now - self._latency_at > 0.5:
            self._latency_at = now
            p50, p99 = np.percentile(self._latency_ms, (50, 99))
            self._latency = {'p50': _round(p50, 2), 'p99': _round(p99, 2), 'of': 'stamps',
                             'last': [_round(v, 1) for v in list(self._latency_ms)[-60:]]}
        return self._latency or self._told_latency

    def _log(self, text: str, level: str) -> None:
        self._events.appendleft({'t': _round(self._seconds(), 1), 'text': text, 'level': level})


def _round(value: float, digits: int) -> float | None:
    """Return a JSON number; None for what is not finite, which JSON does not know."""
    value = float(value)
    return round(value, digits) if math.isfinite(value) else None


def _rounded(values: np.ndarray, digits: int) -> list[float | None]:
    rounded = values.round(digits).tolist()
    return rounded if np.isfinite(values).all() else [_round(v, digits) for v in rounded]
