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
"""``ltc explain focus``: is it the road that it looks at, and does noise move its eye."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
import json
from pathlib import Path
import tempfile
from typing import Any, NamedTuple, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ltc_control.core.contracts import ImuWindow
    from ltc_control.core.model_file import ModelSpec
    from ltc_control.insight.attention import AttentionMap

HELP = 'share of the attention on the road or target, and SSIM under noise, with controls'
EPILOG = """examples:
  ltc explain focus models/car_lane
  ltc explain focus models/car_lane --compare runs/lstm runs/cnn --json focus.json
  ltc explain focus models/car_lane --frames 40 --tracks 1001 --variances 0.1
The expert drives and every model looks on, so all see the same frames; masks are the simulator's
own. Controls: untrained networks (they need the training packages) and an edge filter."""

EDGES = 'edge filter'
SSIM_CHOICE = 'common min and max of both maps, data range 1, uniform 7x7, sample covariance'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('model', type=Path, help='model folder')
    parser.add_argument('--compare', type=Path, nargs='+', default=[], metavar='OTHER',
                        help='models that look on too, best with the identical head')
    parser.add_argument('--frames', type=int, default=200, help='frames in all (default 200)')
    parser.add_argument('--tracks', default='1001:1004',
                        help='road seeds, 1001:1004 (both ends); episodes for a drone')
    parser.add_argument('--season', default='summer', help='look of the world')
    parser.add_argument('--every', type=float, default=0.5, metavar='SECONDS',
                        help='time between two frames (default 0.5)')
    parser.add_argument('--variances', default='0.1,0.2,0.3',
                        help='of Gaussian noise on images of 0 to 1')
    parser.add_argument('--untrained', type=int, default=3, metavar='N',
                        help='untrained networks as control; 0 leaves them out')
    parser.add_argument('--seed', type=int, default=0, help='of places and noise')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE',
                        help='write all numbers to FILE, or to standard output')


class Shot(NamedTuple):
    """One frame of the drive: what is seen, and the mask where numbers are to be taken."""

    track: int
    rgb: np.ndarray
    imu: ImuWindow
    stamp_ns: int
    mask: np.ndarray | None


def run(args: argparse.Namespace) -> int:
    """Drive, look, and print the table."""
    from ltc_control.cli.progress import progress_bar
    from ltc_control.cli.ranges import parse_decimals, parse_numbers, parse_seasons
    from ltc_control.cli.untrained import untrained_model
    from ltc_control.core.errors import ConfigError
    from ltc_control.core.model_file import load_spec

    variances, tracks = parse_decimals(args.variances), parse_numbers(args.tracks)
    (season, *_) = parse_seasons(args.season)
    if args.frames < 1 or args.every <= 0 or args.untrained < 0 or min(variances) < 0:
        raise ConfigError('--frames must be at least 1, --every above 0, --untrained and '
                          f'--variances not below 0, got {args.frames!r}, {args.every!r}, '
                          f'{args.untrained!r} and {args.variances!r}')
    spec = load_spec(args.model)
    with tempfile.TemporaryDirectory() as folder:
        fresh = [untrained_model(args.model, Path(folder, str(seed)), seed=seed)
                 for seed in range(args.untrained)]
        eyes = [_Eye(str(path), load_spec(path, expect_vehicle=spec.vehicle), variances)
                for path in (args.model, *args.compare)]
        eyes += [_Eye(f'untrained {seed}', load_spec(path), variances)
                 for seed, path in enumerate(fresh) if path]
        filtered = _EdgeEye(variances)
        with progress_bar('looking', total=args.frames) as advance:
            for shot in _shots(spec, tracks, season=season, args=args):
                noisy = {} if shot.mask is None else _noise(shot, variances, args.seed)
                for eye in eyes:
                    eye.see(shot, noisy)
                if shot.mask is not None:
                    filtered.see(shot, noisy)
                    advance(f'track {shot.track}')
    document = {
        'vehicle': spec.vehicle, 'mask': 'road' if spec.vehicle == 'car' else 'target',
        'frames': args.frames, 'tracks': tracks, 'season': season, 'seed': args.seed,
        'every_s': args.every, 'variances': variances, 'ssim': SSIM_CHOICE,
        'rows': [row for eye in eyes for row in eye.rows()] + filtered.rows(),
        'notes': [] if len([path for path in fresh if path]) == args.untrained else [
            'the untrained control was left out: it needs torch (make setup-train)']}
    _publish(document, args.json)
    return 0


def _noise(shot: Shot, variances: list[float], seed: int) -> dict[float, np.ndarray]:
    from ltc_control.sim.camera import CameraSpec, expose

    return {v: expose(shot.rgb, CameraSpec(noise_var=v), np.random.default_rng(
        [seed, shot.track, shot.stamp_ns // 1000, k])) for k, v in enumerate(variances)}


class _Eye:
    """One model that looks on: its state is carried through every frame."""

    def __init__(self, name: str, spec: ModelSpec, variances: list[float]) -> None:
        from ltc_control.core.engine import Engine
        from ltc_control.insight.attention import Attention, METHODS
        from ltc_control.insight.focus import FocusTally

        self._name, self._spec, self._variances = name, spec, variances
        self._attention, self._engine = Attention(spec), Engine(spec)
        self._tallies = {method: FocusTally() for method in METHODS}
        self._track: int | None = None

    def see(self, shot: Shot, noisy: dict[float, np.ndarray]) -> None:
        from ltc_control.core.imaging import prepare
        from ltc_control.core.imu import checked_features

        if shot.track != self._track:          # another drive
            self._track, self._state, self._last_ns = shot.track, self._engine.zero_state(), None
        dt = (self._spec.dt_nominal_s if self._last_ns is None
              else (shot.stamp_ns - self._last_ns) * 1e-9)
        image = prepare(shot.rgb, self._spec.image)
        imu, _ = checked_features(shot.imu, self._spec.imu)
        if shot.mask is not None:
            mask = prepare(np.repeat(255 * shot.mask.astype(np.uint8)[..., None], 3, axis=2),
                           self._spec.image)[..., 0] > 127
            images = {v: prepare(rgb, self._spec.image) for v, rgb in noisy.items()}
            for method, tally in self._tallies.items():
                tally.see(self._map(method, image, (imu, dt)), mask,
                          {v: self._map(method, one, (imu, dt)) for v, one in images.items()})
        _, self._state, _ = self._engine.step(image, imu, self._state, dt)
        self._last_ns = shot.stamp_ns

    def _map(self, method: str, image: np.ndarray,
             rest: tuple[np.ndarray, float]) -> np.ndarray | None:
        found: AttentionMap
        if method == 'gradient':
            found = self._attention.gradient(image, self._state, rest[1], imu=rest[0],
                                             target=self._spec.commands[0].name)
        else:
            found = self._attention.visual_backprop(image)
        return None if found.note else found.values

    def rows(self) -> list[dict[str, Any]]:
        return [{'model': self._name, 'kind': self._spec.kind, 'map': method,
                 **({'target': self._spec.commands[0].name} if method == 'gradient' else {}),
                 **tally.to_dict()} for method, tally in self._tallies.items()]


@dataclass
class _EdgeEye:
    """The control that learnt nothing: edges of the image."""

    variances: list[float]

    def __post_init__(self) -> None:
        from ltc_control.insight.focus import FocusTally

        self._tally = FocusTally()

    def see(self, shot: Shot, noisy: dict[float, np.ndarray]) -> None:
        from ltc_control.insight.focus import edges

        assert shot.mask is not None
        self._tally.see(edges(shot.rgb), shot.mask, {v: edges(rgb) for v, rgb in noisy.items()})

    def rows(self) -> list[dict[str, Any]]:
        return [{'model': EDGES, 'kind': '', 'map': EDGES, **self._tally.to_dict()}]


def _shots(spec: ModelSpec, tracks: list[int], *, season: str,
           args: argparse.Namespace) -> Iterator[Shot]:
    """Yield every frame of the expert's drives; each ``every`` seconds one has a mask."""
    share = [args.frames // len(tracks) + (k < args.frames % len(tracks))
             for k in range(len(tracks))]
    for track, count in zip(tracks, share, strict=True):
        world = _fly if spec.vehicle == 'drone' else _drive
        stride = max(1, round(args.every * 30.0))
        for number, (seen, mask) in enumerate(world(spec, track, season, args.seed)):
            if count == 0:
                break
            wanted = number % stride == stride - 1
            yield Shot(track, seen.frame.rgb, seen.imu, seen.frame.stamp_ns,
                       mask() if wanted else None)
            count -= wanted


def _drive(spec: ModelSpec, track: int, season: str, seed: int) -> Iterator[Any]:
    from ltc_control.sim.environment import CameraSpec, Environment, EnvironmentSpec

    camera = CameraSpec(width=spec.image.width, height=spec.image.height)
    with Environment(EnvironmentSpec(track=track, season=season, camera=camera)) as env:
        start = np.random.default_rng([seed, track, 6]).uniform(0.0, env.track.length)
        seen = env.reset(seed=seed, arc_m=float(start))
        while True:
            yield seen, env.road_mask
            seen = env.step(env.expert.command(seen.truth, seen.odometry))


def _fly(spec: ModelSpec, episode: int, season: str, seed: int) -> Iterator[Any]:
    from ltc_control.sim.flight import FlightEnvironment, FlightSpec

    with FlightEnvironment(FlightSpec(episode=episode, season=season)) as env:
        seen = env.reset(seed=None)
        while True:
            yield seen, env.target_mask
            seen = env.step(env.expert.command(seen.truth, seen.odometry))


def _publish(document: dict[str, Any], target: str | None) -> None:
    if target == '-':
        print(json.dumps(document, indent=2))
        return
    if target is not None:
        Path(target).write_text(json.dumps(document, indent=2) + '\n')
    _print_table(document)


def _print_table(document: dict[str, Any]) -> None:
    variances = document['variances']
    print(f'{document["frames"]} frames of {document["season"]}, tracks {document["tracks"]}, '
          f'seed {document["seed"]}; mass on the {document["mask"]}')
    wide = max(len(row['model']) for row in document['rows'])
    print(f'{"model":<{wide}}  {"map":<15}  {"mass":>6}  {"by area":>7}  {"spread":>6}  '
          + '  '.join(f'SSIM {v:<4g}' for v in variances) + '   floor  empty')
    for row in document['rows']:
        noisy = '  '.join(f'{_text(row["ssim"].get(f"{v:g}")):>9}' for v in variances)
        print(f'{row["model"]:<{wide}}  {row["map"]:<15}  {_text(row["mass"]):>6}  '
              f'{_text(row["enrichment"]):>7}  {_text(row["spread"]):>6}  {noisy}  '
              f'{_text(row["ssim_floor"]):>6}  {row["empty"]:>5}')
    for note in document['notes']:
        print(note)


def _text(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'
