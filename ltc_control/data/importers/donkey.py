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
"""The door to Donkey-car tubs; what reads them is ``data.tub``."""

from __future__ import annotations

from pathlib import Path

from ltc_control.data.importers.door import (
    Format,
    Imported,
    Option,
    Progress,
    register,
    silent,
)
from ltc_control.data.tub import import_tub, TubCar

_CAR = TubCar()


def read_tub(source: Path, out: Path, *, max_steering: float = _CAR.max_steering_rad,
             wheelbase: float = _CAR.wheelbase_m, top_speed: float = _CAR.top_speed_m_s,
             progress: Progress = silent) -> Imported:
    """Write a tub into the new bag ``out``; raises as :func:`import_tub`."""
    car = TubCar(max_steering_rad=max_steering, wheelbase_m=wheelbase, top_speed_m_s=top_speed)
    with progress('importing records', total=0) as advance:
        done = import_tub(source, out, car=car, advance=advance)
    return Imported(done.bag, done.frames, done.seconds, done.gaps, done.without_label,
                    {'deleted': done.deleted, 'without_imu': done.without_imu})


TUB = register(Format(
    'tub', 'a Donkey-car tub (format 2)', 'folder of the tub, with manifest.json',
    'ltc import tub data/tub_lab tub_bag --max-steering 0.4 --wheelbase 0.26', read_tub, (
        Option('max_steering', 'front wheel angle at |angle| = 1 (default %(default)s rad)',
               float, _CAR.max_steering_rad, metavar='RAD'),
        Option('wheelbase', 'front to rear axle (default %(default)s m)', float,
               _CAR.wheelbase_m, metavar='M'),
        Option('top_speed', 'speed at throttle 1 (default %(default)s m/s)', float,
               _CAR.top_speed_m_s, metavar='M_S'))))
