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
"""What a verdict means, who is in command and where a command leads, in words for people."""

from __future__ import annotations

import math

VERDICT_WORDS = {
    'pass': 'The command passes as the network asked for it.',
    'limited': 'The command was brought inside the limits.',
    'human': 'A person drives, inside the same limits.',
    'obstacle_slow': 'Something is ahead: slower, so that the car can stop before it.',
    'no_request': 'Nothing has been asked yet: the car is held at zero.',
    'stale': 'The newest request is too old: the car is held at zero.',
    'invalid': 'The request is not finite or out of range: the car is held at zero.',
    'no_telemetry': 'Odometry is missing or too old: the car is held at zero.',
    'search_over': 'It has looked all round and found nothing: the car is held at zero.',
    'obstacle_blind': 'A sensor that watches the path is silent: the car is held at zero.',
    'obstacle_stop': 'Something is close ahead: zero until it is gone.',
    'take_over': 'A person has taken over: zero from us.',
    'e_stop': 'Emergency stop: zero until it is released.',
}
LEVELS = {'pass': 'good', 'limited': 'good', 'obstacle_slow': 'warn', 'human': 'person',
          'take_over': 'person'}
WITHIN_LIMITS = {'pass', 'limited'}
DRIVERS = {'good': 'policy', 'warn': 'policy', 'person': 'human', 'stop': 'nobody'}
DRIVER_WORDS = {'policy': 'The network drives', 'human': 'A person drives',
                'nobody': 'Nobody drives: held at zero'}
STRAIGHT = 1 / 500                         # [1/m]: a wider curve is called straight
STILL = 0.05                               # [m/s], [rad/s]: less is not worth a word


def verdict_words(verdict: str, vehicle: str = 'car') -> str:
    """Return a sentence for a verdict, its own name where it is a new one; '' for none."""
    return of_vehicle(VERDICT_WORDS.get(verdict, verdict.replace('_', ' ')), vehicle)


def verdict_level(verdict: str) -> str:
    """Return 'good', 'warn' or 'person' while someone drives, 'stop' at zero, '' for none."""
    return LEVELS.get(verdict, 'stop') if verdict else ''


def in_command(said: str, verdict: str) -> str:
    """Return who drives: what the safety node said, else what its verdict implies."""
    return said or DRIVERS.get(verdict_level(verdict), '')


def driver_words(who: str, vehicle: str = 'car') -> str:
    """Return who is in command as a short sentence; '' while nobody has said."""
    return of_vehicle(DRIVER_WORDS.get(who, who.replace('_', ' ')), vehicle)


def of_vehicle(sentence: str, vehicle: str) -> str:
    """Return a sentence about a car as one about ``vehicle``: a drone flies."""
    if vehicle == 'car':
        return sentence
    return sentence.replace('drives', 'flies').replace('the car', f'the {vehicle}')


def command_words(curvature: float, speed: float) -> str:
    """Return a command (curvature [1/m], left positive; speed [m/s]) in words."""
    if abs(curvature) < STRAIGHT:
        way = 'straight on'
    else:
        way = f'{"left" if curvature > 0 else "right"}, radius {1 / abs(curvature):.0f} m'
    return f'{way}, {speed:.1f} m/s'


def velocity_words(forward: float, left: float, up: float, yaw_rate: float) -> str:
    """Return a drone's command ([m/s], yaw rate [rad/s], left and up positive) in words."""
    parts = [f'{plus if value > 0 else minus} {abs(value):.1f} m/s' for value, plus, minus in (
        (forward, 'forward', 'back'), (left, 'left', 'right'), (up, 'up', 'down'))
        if abs(value) >= STILL]
    if abs(yaw_rate) >= STILL:
        side = 'left' if yaw_rate > 0 else 'right'
        parts.append(f'turns {side} {math.degrees(abs(yaw_rate)):.0f}°/s')
    return ', '.join(parts) or 'hovers'
