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
"""The charts of the HTML report: offset, commands, latency, verdicts and neurons over time."""

from __future__ import annotations

import base64

import cv2
from ltc_control.insight import svg, words
from ltc_control.insight.palette import CENTRE, INK, LEFT, rgb, RIGHT, SENT
from ltc_control.insight.recorded_drive import RecordedDrive, Trace
from ltc_control.insight.recorded_flight import RecordedFlight
import numpy as np

NANO = 1e-9
WIDEST_RASTER = 1600                       # columns; a longer drive shows the newest of each
ROW = 15.0                                 # height of one neuron
SHORTEST_TAU, LONGEST_TAU = 1e-3, 1.0      # [s] ends of the colours of time constants


def seconds(drive: RecordedDrive, stamps_ns: np.ndarray) -> np.ndarray:
    """Return times [s] since the first frame."""
    return (stamps_ns - drive.frames.stamps_ns[0]) * NANO


def line(drive: RecordedDrive, trace: Trace, column: int, look: str, label: str) -> svg.Line:
    """Return one column of a trace as a line, as far as the camera was running."""
    shown = trace.between(int(drive.frames.stamps_ns[0]), int(drive.frames.stamps_ns[-1]))
    return svg.Line(seconds(drive, shown.stamps_ns), shown.values[:, column].astype(float), look,
                    label)


def offset_chart(drive: RecordedDrive) -> str:
    """Return the place in the lane over time, left is up; departures are marked."""
    times, values = seconds(drive, drive.lane.stamps_ns), drive.lane.values[:, 1]
    reach = max(0.1, 1.1 * float(np.abs(values).max()))
    axes = svg.Axes(drive.seconds, low=-reach, high=reach, height=170.0)
    drawn = [axes.frame('offset [m]'),
             svg.area(axes, times, np.maximum(values, 0.0), 'left'),
             svg.area(axes, times, np.minimum(values, 0.0), 'right')]
    for at in seconds(drive, drive.departures.stamps_ns):
        x = f'{float(axes.x(at)):.1f}'
        drawn.append(svg.tag('line', svg.tag('title', f'departure at {at:.1f} s'), x1=x, x2=x,
                             y1=svg.TOP, y2=axes.height - svg.BOTTOM, class_='departure'))
    return svg.figure(''.join(drawn), height=170.0, label='offset from the lane centre')


def curvature_chart(drive: RecordedDrive) -> str:
    """Return the curvature asked for and passed on; '' where neither was recorded."""
    lines = [line(drive, trace, 1, look, label) for trace, look, label in (
        (drive.request, 'asked', 'asked'), (drive.command, 'passed', 'passed on')) if len(trace)]
    return svg.chart(lines, seconds=drive.seconds, label='curvature [1/m]') if lines else ''


def speed_chart(drive: RecordedDrive) -> str:
    """Return the speed driven, asked for and passed on; '' where none was recorded."""
    lines = [line(drive, trace, column, look, label) for trace, column, look, label in (
        (drive.pose, 3, 'driven', 'driven'), (drive.request, 0, 'asked', 'asked'),
        (drive.command, 0, 'passed', 'passed on')) if len(trace)]
    return (svg.chart(lines, seconds=drive.seconds, label='speed [m/s]', low=0.0) if lines
            else '')


def velocity_chart(drive: RecordedDrive, flight: RecordedFlight, column: int) -> str:
    """Return one of a drone's four commands, asked for, passed on and, if it is a speed, flown."""
    lines = [line(drive, trace, at, look, label) for trace, at, look, label in (
        (flight.pose, 4 + column, 'driven', 'flown'), (flight.request, column, 'asked', 'asked'),
        (flight.command, column, 'passed', 'passed on'))
        if len(trace) and at < trace.values.shape[1]]
    unit = 'm/s' if column < 3 else 'rad/s'
    return svg.chart(lines, seconds=drive.seconds, label=f'{unit}, left and up are up')


def distance_chart(drive: RecordedDrive, flight: RecordedFlight) -> str:
    """Return the distance from the drone to its target; '' without ground truth."""
    if not len(flight.distance):
        return ''
    way = svg.Line(seconds(drive, flight.pose.stamps_ns), flight.distance, 'driven', 'distance')
    return svg.chart([way], seconds=drive.seconds, label='distance [m]', low=0.0)


def latencies(drive: RecordedDrive) -> tuple[np.ndarray, np.ndarray]:
    """
    Return times [s] and waits [ms] from the arrival of a frame to that of its first command.

    Empty where the receive times are not those of a clock or no stamp matches.
    """
    first: dict[int, int] = {}
    for stamp, received in zip(drive.command.stamps_ns, drive.command.received_ns, strict=True):
        first.setdefault(int(stamp), int(received))
    rows = [(stamp, first[int(stamp)] - received) for stamp, received in
            zip(drive.frames.stamps_ns, drive.frames.received_ns, strict=True)
            if int(stamp) in first]
    if not rows or not any(wait > 0 for _, wait in rows):
        return np.empty(0), np.empty(0)
    return (seconds(drive, np.array([stamp for stamp, _ in rows])),
            np.array([wait for _, wait in rows]) * 1e-6)


def latency_chart(drive: RecordedDrive) -> str:
    """Return the latency over time; '' where the recording does not tell it."""
    times, waits = latencies(drive)
    if not len(times):
        return ''
    top = float(np.percentile(waits, 99.5))
    shown = svg.Line(times, np.minimum(waits, 1.3 * top), 'wait', 'latency')
    return svg.chart([shown], seconds=drive.seconds, label='latency [ms]', height=140.0, low=0.0)


def verdict_chart(drive: RecordedDrive) -> str:
    """Return what safety said over time, one row a verdict; '' where nothing was recorded."""
    if not len(drive.verdicts):
        return ''
    times = seconds(drive, drive.verdicts.stamps_ns)
    said = drive.verdicts.values.astype(str)
    names = sorted(set(said), key=lambda name: -np.count_nonzero(said == name))
    height = svg.TOP + svg.BOTTOM + 22.0 * len(names)
    axes = svg.Axes(drive.seconds, low=0.0, high=1.0, height=height)
    drawn = [axes.frame('', ticks=False)]
    for start, end, name in _runs(times, said, drive.seconds):
        left, right = float(axes.x(start)), float(axes.x(end))
        tip = svg.tag('title', f'{name} from {start:.2f} s to {end:.2f} s: '
                               f'{words.verdict_words(name)}')
        drawn.append(svg.tag('rect', tip, x=f'{left:.1f}', width=f'{max(right - left, 0.8):.1f}',
                             y=svg.TOP + 22.0 * names.index(name), height=17,
                             class_=f'verdict {words.verdict_level(name)} {name}'))
    for row, name in enumerate(names):
        drawn.append(svg.text(svg.LEFT - 6, svg.TOP + 22.0 * row + 13, name.replace('_', ' '),
                              text_anchor='end'))
    return svg.figure(''.join(drawn), height=height, label='verdicts of the safety node')


def _runs(times: np.ndarray, said: np.ndarray, end: float) -> list[tuple[float, float, str]]:
    """Return (from, to, verdict) of the drive, without what was said before and after it."""
    starts = np.concatenate([[0], np.flatnonzero(said[1:] != said[:-1]) + 1])
    ends = np.concatenate([times[starts[1:]], [times[-1]]])
    spans = ((max(float(times[i]), 0.0), min(float(to), end), str(said[i]))
             for i, to in zip(starts, ends, strict=True))
    return [span for span in spans if span[1] >= span[0]]


def state_raster(drive: RecordedDrive, names: tuple[str, ...], neurons: Trace) -> str:
    """Return the states (K, N) of all neurons as a picture over time: blue high, orange low."""
    states = neurons.values
    reach = np.maximum(np.abs(np.nan_to_num(states)).max(axis=0), 1e-9)
    return _raster(drive, names, neurons.stamps_ns, _diverging(states / reach), 'neuron states')


def tau_raster(drive: RecordedDrive, names: tuple[str, ...], neurons: Trace) -> str:
    """Return the time constants (K, N) [s] as a picture over time, bright is long (log scale)."""
    span = np.log(LONGEST_TAU / SHORTEST_TAU)
    tau = np.nan_to_num(neurons.values, nan=SHORTEST_TAU, posinf=LONGEST_TAU)
    share = np.log(np.clip(tau, SHORTEST_TAU, LONGEST_TAU) / SHORTEST_TAU) / span
    return _raster(drive, names, neurons.stamps_ns, _rising(share), 'time constants')


def _raster(drive: RecordedDrive, names: tuple[str, ...], stamps_ns: np.ndarray,
            colours: np.ndarray, label: str) -> str:
    """Return colours (K, N, 3) in 0 ... 255 as an embedded PNG with names and a time axis."""
    times = seconds(drive, stamps_ns)
    columns = int(np.clip(len(times), 1, WIDEST_RASTER))
    edges = np.linspace(0.0, max(drive.seconds, 1e-3), columns + 1)
    nearest = np.searchsorted(times, 0.5 * (edges[1:] + edges[:-1]), side='right') - 1
    picture = colours[np.maximum(nearest, 0)].transpose(1, 0, 2).astype(np.uint8)
    height = svg.TOP + svg.BOTTOM + ROW * len(names)
    axes = svg.Axes(drive.seconds, low=0.0, high=1.0, height=height)
    image = svg.tag('image', x=svg.LEFT, y=svg.TOP, width=svg.WIDTH - svg.LEFT - svg.RIGHT,
                    height=ROW * len(names), preserveAspectRatio='none', class_='raster',
                    href=data_url(picture, '.png'))
    labels = ''.join(svg.text(svg.LEFT - 6, svg.TOP + ROW * (row + 0.75), name.replace('_', ' '),
                              'name', text_anchor='end') for row, name in enumerate(names))
    return svg.figure(axes.frame('', ticks=False) + image + labels, height=height, label=label)


def data_url(picture: np.ndarray, suffix: str, *, quality: int = 85) -> str:
    """Return an RGB picture (H, W, 3) uint8 as a data URL, '.png' or '.jpg'."""
    settings = (cv2.IMWRITE_JPEG_QUALITY, quality) if suffix == '.jpg' else (
        cv2.IMWRITE_PNG_COMPRESSION, 9)
    _, data = cv2.imencode(suffix, picture[..., ::-1], settings)
    kind = 'jpeg' if suffix == '.jpg' else 'png'
    return f'data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}'


def _diverging(share: np.ndarray) -> np.ndarray:
    """Return colours (..., 3) of shares in -1 ... 1."""
    share = np.clip(np.nan_to_num(share), -1.0, 1.0)[..., None]
    middle, low, high = (np.array(rgb(colour), float) for colour in (CENTRE, RIGHT, LEFT))
    return middle + np.abs(share) * (np.where(share < 0, low, high) - middle)


def _rising(share: np.ndarray) -> np.ndarray:
    """Return colours (..., 3) of shares in 0 ... 1, dark to bright."""
    low, high = (np.array(rgb(colour), float) for colour in (INK, SENT))
    return low + np.clip(share, 0.0, 1.0)[..., None] * (high - low)
