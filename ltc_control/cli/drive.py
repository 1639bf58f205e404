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
"""``ltc drive``: a model drives a simulated car over real ROS 2 nodes, and a report stays."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import math
import os
from pathlib import Path
import shutil
import signal
import sys
import time
from types import FrameType
from typing import Any, TYPE_CHECKING

from ltc_control import bringup
from ltc_control.cli import page
from ltc_control.cli.processes import choose_domain, NodeProcesses, ros_environment
from ltc_control.core.errors import BringupError, ConfigError

if TYPE_CHECKING:
    from ltc_control.cli.monitor import Monitor

HELP = 'let a model drive a simulated car, or fly a drone, over ROS 2, live or in lockstep'
EPILOG = """examples:
  ltc drive                                            60 s on track 1001, real clock
  ltc drive --track 1004 --season winter --seconds 0   until Ctrl-C
  ltc drive --lockstep --seconds 60 --json out.json    the same drive on every machine
  ltc drive --page-port 9000                           live page on http://127.0.0.1:9000
  ltc drive --obstacle 60 --obstacle car:150:0:40      a box to stay, a car gone after 40 s
  ltc drive --vehicle drone --task follow --seed 2001  a drone and a person who walks
  ltc drive --domain 7                                 then, elsewhere: ROS_DOMAIN_ID=7 rviz2
"""
REFRESH_S = 0.1
PLAIN_LINE_EVERY_S = 5.0
FINISH_BAG_S = 300.0                       # indexing an hour of images takes its time
MODELS = {'car': 'models/car_lane', 'drone': 'models/drone_target'}
SIMULATOR, RECORDER = 'simulator_node', 'recorder_node'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``ltc drive``."""
    parser.add_argument('--vehicle', choices=tuple(MODELS), default='car')
    parser.add_argument('--task', choices=('reach', 'follow'), default='reach',
                        help='drone: fly to a target, or follow one that moves; --seed is that '
                             'of the grove')
    parser.add_argument('--gusts', type=float, default=0.0, metavar='M/S',
                        help='drone: peak of the wind in gusts')
    parser.add_argument('--hide', type=float, default=0.0, metavar='S',
                        help='drone: the target is out of sight now and then, for up to so many '
                             'seconds; inf: it never appears')
    parser.add_argument('--model', type=Path, default=None,
                        help='model folder (default: models/car_lane, models/drone_target)')
    parser.add_argument('--track', type=int, default=1001, help='seed of the road (default 1001)')
    parser.add_argument('--season', default='summer',
                        help='summer, autumn, winter, night, dusk or rain (default summer)')
    parser.add_argument('--seconds', type=float, default=60.0,
                        help='length of the drive; 0 drives until Ctrl-C (default 60)')
    parser.add_argument('--seed', type=int, default=0, help='seed of start and noise (default 0)')
    parser.add_argument('--noise', type=float, default=0.0, metavar='VARIANCE',
                        help='variance of Gaussian image noise, images scaled to 0..1')
    parser.add_argument('--lockstep', action='store_true',
                        help='the world waits for each command: deterministic, at full speed')
    parser.add_argument('--json', type=Path, default=None, metavar='FILE',
                        help='write the figures of the drive here too')
    parser.add_argument('--out', type=Path, default=None, metavar='FOLDER',
                        help='folder of the run, must not exist (default runs/drive_<time>)')
    parser.add_argument('--domain', type=int, default=None,
                        help='ROS_DOMAIN_ID to use (default: one that is free)')
    parser.add_argument('--obstacle', action='append', default=[],
                        metavar='[KIND:]ARC[:OFFSET[:UNTIL]]',
                        help='put a box (or car:ARC) on the road, ARC metres along it; give it '
                             'again for more; the car gets a laser scanner and stops before it')
    parser.add_argument('--no-scanner', action='store_true',
                        help='obstacles without the scanner: what the car does to them')
    parser.add_argument('--no-video', action='store_true', help='leave the video out')
    parser.add_argument('--record', action='store_true',
                        help='record every topic that appears (a drive always records those that '
                             'its report and `ltc replay` need)')
    page.add_arguments(parser)


@dataclass
class _Interrupts:
    """How often the user has asked to stop."""

    count: int = 0

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        if self.count > 2:                 # whoever insists gets out at once
            raise KeyboardInterrupt


def run(options: argparse.Namespace) -> int:
    """Drive, stop everything, write the report; 130 where Ctrl-C ended the drive."""
    _check(options)
    folder = _run_folder(options.out)
    nodes = _system(options, bag=str(folder / 'bag'))
    nodes = (*nodes, *bringup.explainer(nodes, model=str(_model(options))))
    nodes = page.with_page(nodes, options, model=str(_model(options)))
    domain = choose_domain(options.domain)
    folder.mkdir(parents=True)
    if folder.parent == Path('runs').resolve():
        from ltc_control.data.runs import link_latest
        link_latest(folder)
    environment = ros_environment(domain=domain, logs=folder / 'log',
                                  participants=len(nodes) + 1)
    with _counted_interrupts() as interrupts:
        seen = _drive(nodes, folder, environment, interrupts, domain=domain)
        print('writing the report', file=sys.stderr, flush=True)
        figures = _report(options, folder, nodes, seen)
    _show(figures, folder)
    return 130 if interrupts.count and options.seconds > 0 else 0


def _system(options: argparse.Namespace, *, bag: str) -> tuple[bringup.NodeSpec, ...]:
    model = str(_model(options))
    if options.vehicle == 'drone':
        return bringup.simulated_drone(
            model=model, episode=options.seed, task=options.task, season=options.season,
            duration_s=options.seconds, noise_var=options.noise, gusts=options.gusts,
            hidden_s=options.hide, lockstep=options.lockstep, bag=bag)
    return bringup.simulated_car(
        model=model, track=options.track, season=options.season, seed=options.seed,
        duration_s=options.seconds, noise_var=options.noise, lockstep=options.lockstep, bag=bag,
        obstacles=' '.join(options.obstacle), record_all=options.record,
        scan=bool(options.obstacle) and not options.no_scanner)


def _check(options: argparse.Namespace) -> None:
    from ltc_control.core.model_file import load_spec
    if options.seconds < 0 or options.noise < 0 or options.track < 0:
        raise ConfigError(f'--seconds, --noise and --track must not be negative, got '
                          f'{options.seconds!r}, {options.noise!r} and {options.track!r}')
    try:
        import rclpy  # noqa: F401
    except ImportError as error:
        raise BringupError(f'rclpy cannot be imported ({error}); `make drive` sets it up, or '
                           'source a ROS 2 installation first') from error
    page.check(options)
    load_spec(_model(options), expect_vehicle=options.vehicle)


def _model(options: argparse.Namespace) -> Path:
    return Path(options.model or bringup.share(MODELS[options.vehicle])).resolve()


def _run_folder(wanted: Path | None) -> Path:
    if wanted is not None:
        if wanted.exists():
            raise ConfigError(f'{str(wanted)!r} exists already; remove it or name another --out')
        return wanted.resolve()
    base = Path('runs', time.strftime('drive_%Y%m%d_%H%M%S')).resolve()
    folder, number = base, 1
    while folder.exists():
        number += 1
        folder = base.with_name(f'{base.name}_{number}')
    return folder


@contextmanager
def _counted_interrupts() -> Iterator[_Interrupts]:
    """Take SIGINT and SIGTERM as a wish, not as an exception in the middle of anything."""
    interrupts = _Interrupts()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupts) for number in numbers]
    try:
        yield interrupts
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _drive(nodes: tuple[bringup.NodeSpec, ...], folder: Path, environment: dict[str, str],
           interrupts: _Interrupts, *, domain: int) -> dict[str, Any]:
    """Run the system until the simulator ends or the user stops it; return what only it knew."""
    processes = NodeProcesses(nodes, folder=folder, environment=environment)
    try:
        os.environ.update(environment)     # the listener lives in the same domain
        from ltc_control.cli.monitor import Monitor
        monitor = Monitor(domain=domain)
        try:
            _watch(processes, monitor, interrupts,
                   watchers={node.name for node in nodes if node.watches})
            # whoever answers stops first, the recorder last: it takes in what is on its way
            processes.stop([node.name for node in nodes if node.name != RECORDER])
            monitor.listen(REFRESH_S)
        finally:
            monitor.close()
        processes.stop([RECORDER], patience_s=FINISH_BAG_S)
        if processes.exit_code(RECORDER):
            raise processes.failure([RECORDER])
    finally:
        processes.stop()
    # a recorder's latency would count from when the frame reached the recorder
    latency = {} if monitor.latency_ms is None else {'latency_ms': monitor.latency_ms}
    return {'rmw': monitor.middleware, **latency}


def _watch(processes: NodeProcesses, monitor: Monitor, interrupts: _Interrupts, *,
           watchers: set[str]) -> None:
    """Show the drive until it ends; one who only looks on may leave, all others may not."""
    missed: set[str] = set()
    with _live_line() as show:
        while not interrupts.count:
            monitor.listen(REFRESH_S)
            show(monitor.line())
            ended = processes.ended()
            for name in (ended.keys() & watchers) - missed:
                print(f'the drive goes on without {name}: {processes.last_words(name)}',
                      file=sys.stderr, flush=True)
            missed |= ended.keys() & watchers
            ended = {name: code for name, code in ended.items() if name not in watchers}
            if ended.get(SIMULATOR) == 0:
                return
            for name in processes.revive(ended):
                code = ended.pop(name)
                print(f'{name} was killed by signal {-code} and is started again',
                      file=sys.stderr, flush=True)
            if ended:
                raise processes.failure(ended)


@contextmanager
def _live_line() -> Iterator[Any]:
    """Yield a function that shows a line: in place on a terminal, now and then in a log."""
    if not sys.stderr.isatty():
        last = [0.0]

        def show(line: str) -> None:
            if time.monotonic() - last[0] >= PLAIN_LINE_EVERY_S:
                last[0] = time.monotonic()
                print(line, file=sys.stderr, flush=True)

        yield show
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        yield lambda line: live.update(Text(line, no_wrap=True), refresh=True)


def _report(options: argparse.Namespace, folder: Path, nodes: tuple[bringup.NodeSpec, ...],
            seen: dict[str, Any]) -> dict[str, Any]:
    extra = {**seen, 'nodes': [node.name for node in nodes], 'model': str(_model(options)),
             'season': options.season, 'seed': options.seed, 'lockstep': options.lockstep}
    report = _flight_report if options.vehicle == 'drone' else _drive_report
    figures = report(options, folder, extra)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / 'report.json', options.json)
    return figures


def _flight_report(options: argparse.Namespace, folder: Path,
                   extra: dict[str, Any]) -> dict[str, Any]:
    from ltc_control.insight.flight_report import make_flight_report
    from ltc_control.sim.flight import FlightEnvironment, FlightSpec
    with FlightEnvironment(FlightSpec(options.seed, task=options.task, render=False)) as env:
        standing = env.place.thicket.circles()
    return make_flight_report(folder / 'bag', folder, standing=standing,
                              extra={**extra, 'task': options.task})


def _drive_report(options: argparse.Namespace, folder: Path,
                  extra: dict[str, Any]) -> dict[str, Any]:
    from ltc_control.insight.panel import View
    from ltc_control.insight.report import make_report
    from ltc_control.insight.road import Road
    from ltc_control.sim.scene import Mount
    from ltc_control.sim.track import make_track
    track, mount = make_track(options.track, closed=True), Mount()
    road = Road(track.x, track.y, track.heading, closed=True)
    view = View(mount.fovy, mount.high, math.degrees(mount.pitch), mount.ahead)
    return make_report(folder / 'bag', folder, road=road, view=view, film=not options.no_video,
                       extra={**extra, 'track': options.track})


def _show(figures: dict[str, Any], folder: Path) -> None:
    latency = figures.get('latency_ms') or {}
    if 'final_distance_m' in figures:
        print(f'{figures["distance_m"]:.0f} m flown, {figures["final_distance_m"]} m from the '
              f'target, {figures["collisions"]} collisions, {figures["frames"]} frames, '
              f'latency p50 {latency.get("p50")} ms p99 {latency.get("p99")} ms\n{folder}')
        return
    offset = figures.get('mean_abs_offset_m')
    print(f'{figures["distance_m"]:.0f} m driven, {figures["departures"]} departures, mean '
          f'|offset| {offset if offset is None else round(offset, 3)} m, {figures["frames"]} '
          f'frames, latency p50 {latency.get("p50")} ms p99 {latency.get("p99")} ms\n{folder}')
