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
"""A dozen moments of a drive as pictures: what the camera saw, and where the network looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
from ltc_control.core.contracts import Frame
from ltc_control.core.errors import LtcError
from ltc_control.core.imaging import prepare
from ltc_control.insight import words
from ltc_control.insight.attention import Attention, AttentionMap
from ltc_control.insight.html_charts import data_url, NANO
from ltc_control.insight.overlay import overlay
from ltc_control.insight.recorded_drive import camera_frames, RecordedDrive, Trace
import numpy as np

MOMENTS = 12
WIDEST = 480                               # pixels of one picture


@dataclass(frozen=True)
class Moment:
    """One picture: seconds since the start, what it is of, its caption and a data URL."""

    seconds: float
    caption: str
    pictures: tuple[tuple[str, str], ...]  # (what it shows, data URL)
    notes: tuple[str, ...] = ()


def moments(drive: RecordedDrive, attention: Attention | None, neurons: Trace,
            ) -> Iterator[Moment]:
    """
    Yield up to MOMENTS moments spread over the drive.

    With ``attention``: the VisualBackProp map, and where ``neurons`` (K, N) has the state before
    the frame, the map of what moved the first command from that state.
    """
    stamps = drive.frames.stamps_ns
    index = np.unique(np.linspace(0, len(stamps) - 1, min(MOMENTS, len(stamps)) + 2)[1:-1]
                      .round().astype(int))
    for frame in camera_frames(drive.bag, stamps_ns=set(stamps[index].tolist())):
        yield _moment(drive, frame, attention, neurons)


def _moment(drive: RecordedDrive, frame: Frame, attention: Attention | None,
            neurons: Trace) -> Moment:
    asked = drive.request.at(frame.stamp_ns) if len(drive.request) else None
    caption = '' if asked is None else words.command_words(float(asked[1]), float(asked[0]))
    pictures = [('camera', data_url(_sized(frame.rgb), '.jpg'))]
    notes = []
    if attention is not None:
        image = prepare(frame.rgb, attention.spec.image)
        found = [('what the head passes on', attention.visual_backprop(image))]
        found += _gradient(attention, image, frame.stamp_ns, neurons)
        for title, seen in found:
            shown = overlay(frame.rgb, seen, attention.spec.image)
            pictures.append((title, data_url(_sized(shown), '.jpg')))
            notes += [f'{title}: {seen.note}'] if seen.note else []
    seconds = NANO * (frame.stamp_ns - drive.frames.stamps_ns[0])
    return Moment(seconds, caption, tuple(pictures), tuple(notes))


def _gradient(attention: Attention, image: np.ndarray, stamp_ns: int,
              neurons: Trace) -> list[tuple[str, AttentionMap]]:
    before = int(np.searchsorted(neurons.stamps_ns, stamp_ns, side='left')) - 1
    if before < 0 or neurons.values.shape[1:] != (attention.spec.neurons,):
        return []
    target = attention.spec.commands[0].name
    dt = NANO * float(stamp_ns - neurons.stamps_ns[before])
    return [(f'what moved the {target}', attention.gradient(
        image, neurons.values[before], dt, target=target))]


def _sized(rgb: np.ndarray) -> np.ndarray:
    if rgb.shape[1] <= WIDEST:
        return rgb
    size = WIDEST, round(rgb.shape[0] * WIDEST / rgb.shape[1])
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def open_attention(model: Path | None) -> tuple[Attention | None, str]:
    """Return the attention of a model folder, or None and the words that say why not."""
    if model is None:
        return None, 'the recording names no model; name its folder with --model'
    try:
        return Attention(model), ''
    except LtcError as error:
        return None, str(error)
