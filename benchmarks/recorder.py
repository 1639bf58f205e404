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
What a kill, a drive and a full second of camera cost the recorder.

    python benchmarks/recorder.py --kills 20 --json       SIGKILL at random moments
    python benchmarks/recorder.py --minutes 10 --json     nothing dropped while the car drives

A process of its own publishes 640x480 images at 30 Hz, an IMU at 200 Hz and commands at 50 Hz over
DDS, best effort as on a car, and keeps a list of what it sent. A real recorder process records and
is killed; then its spool is finished as the next recorder would do it, and the bag is compared.

When has a message *reached the recorder*? When ``SpoolWriter.write_all`` returned for it: from
then on it is promised. The recorder process of this benchmark counts them in a file that is mapped
into memory and survives the kill: ``taken`` before the write, ``written`` after it. ``lost`` is

* ``written`` less what the recovered bag holds, added over all kills, and
* every message of the publisher's own list that lies between the first and the last one of its
  topic in the bag and is not in it; this needs no word of the recorder at all.

Beside it ``torn`` counts messages that were taken from the middleware and are not in the bag: the
kill came into the very call that was writing them. ``tail_ms`` is from the last message in the bag
to the last one sent before the kill: what was sent in that time was on its way. A bag counts as
``recovered`` when ``rosbags`` and ``mcap`` both read every message of it. ``frozen`` counts
publishers that hung after a kill: Fast DDS keeps a lock in shared memory, and whoever dies holding
it stops those who wait for it. Such a publisher is replaced.

``recovery_mb_s`` is bytes of spool over the time until the indexed, compressed bag is synced to
disk and has its name; ``disk_mb_s`` is what the disk takes when as many bytes are only written
and synced. ``cpu_share`` is the recorder's CPU time over wall time, from its first messages to the
kill. ``load`` is the machine's: above the number of its cores the times tell of its neighbours.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
import json
import mmap
import os
from pathlib import Path
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from ltc_control.cli.processes import choose_domain, ros_environment
from ltc_control.cli.progress import progress_bar
from ltc_control.data.header_stamps import header_stamp
from ltc_control.data.spool import recover, SpoolWriter
from mcap.reader import make_reader
import numpy as np
from processes import child, cpu_s
from recorder_traffic import Publisher, publishing, sent_stamps, start, TOPICS, until
from rosbags.highlevel import AnyReader

STOP_S = 900.0                             # a long bag takes its time on a slow disk


def main() -> int:
    """Do what is asked; return 0 where nothing was lost."""
    args = _parse()
    if args.ledger is not None:
        return record(args.ledger, args.rest)
    with tempfile.TemporaryDirectory(prefix='recorder_', dir=args.folder) as folder:
        result = (drive(Path(folder), args.minutes) if args.minutes
                  else kills(Path(folder), args.kills, seed=args.seed))
    print(json.dumps(result) if args.json else '\n'.join(f'{k}: {v}' for k, v in result.items()))
    return 0 if result.get('lost', result.get('dropped')) == 0 else 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--minutes', type=float, default=0.0,
                        help='let the shipped model drive for so long instead, and kill nothing')
    parser.add_argument('--seed', type=int, default=None, help='of the moments of the kills')
    parser.add_argument('--folder', type=Path, default=None, help='disk to use (default: /tmp)')
    parser.add_argument('--json', action='store_true', help='print one JSON object')
    parser.add_argument('--ledger', type=Path, help=argparse.SUPPRESS)    # be the recorder
    parser.add_argument('rest', nargs='*', help=argparse.SUPPRESS)
    return parser.parse_args()


# the recorder's process


class Ledger:
    """Two counters in a mapped file: what is written there outlives a SIGKILL."""

    def __init__(self, path: Path, *, new: bool = False) -> None:
        if new:
            path.write_bytes(bytes(16))
        with path.open('r+b') as stream:
            self._map = mmap.mmap(stream.fileno(), 16)

    def add(self, place: int, count: int) -> None:
        """Count up; one aligned store, so that no kill leaves half of it."""
        view = memoryview(self._map).cast('q')
        view[place] += count

    @property
    def taken(self) -> int:
        """Messages handed to the spool."""
        return int(memoryview(self._map).cast('q')[0])

    @property
    def written(self) -> int:
        """Messages for which the spool has returned."""
        return int(memoryview(self._map).cast('q')[1])


def record(ledger_file: Path, arguments: list[str]) -> int:
    """Run the recorder node as it is, but for two counters around the write to the spool."""
    from ltc_control.nodes import recorder_node
    ledger, write_all = Ledger(ledger_file), SpoolWriter.write_all

    def counted(self: SpoolWriter, batch: Any) -> None:
        ledger.add(0, len(batch))
        write_all(self, batch)
        ledger.add(1, len(batch))

    SpoolWriter.write_all = counted        # type: ignore[method-assign]
    return recorder_node.main(['recorder', '--ros-args', *arguments])


# the benchmark


@dataclass
class Kills:
    """What is added up over all kills."""

    recovered: int = 0
    lost: int = 0
    holes: int = 0
    torn: int = 0
    frozen: int = 0
    messages: int = 0
    megabytes: float = 0.0
    recovery_s: float = 0.0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    tails_ms: list[float] = field(default_factory=list)


def kills(folder: Path, count: int, *, seed: int | None) -> dict[str, Any]:
    """Kill a recorder ``count`` times, finish what it left, compare with what was sent."""
    rng, total = random.Random(seed), Kills()
    environment = _environment(folder, participants=3)
    with publishing(folder, environment) as publisher, \
            progress_bar('killing recorders', total=count) as advance:
        for number in range(count):
            one = folder / f'kill_{number}'
            one.mkdir()
            _kill(one, folder / 'sent', environment, total, publisher=publisher,
                  after_s=rng.uniform(0.5, 4.0))
            total.frozen = publisher.frozen
            shutil.rmtree(one)
            advance(f'{total.recovered} recovered, {total.lost} lost')
    disk = _disk_mb_s(folder, int(1e6 * total.megabytes / count))
    tails = np.array(total.tails_ms)
    return {'kills': count, 'recovered': total.recovered, 'lost': total.lost,
            'recovery_mb_s': round(total.megabytes / total.recovery_s, 1),
            'cpu_share': round(total.cpu_s / total.wall_s, 3), 'messages': total.messages,
            'holes': total.holes, 'torn': total.torn, 'frozen': total.frozen,
            'tail_ms': {'median': round(float(np.median(tails)), 1),
                        'max': round(float(tails.max()), 1)},
            'recorded_mb': round(total.megabytes, 1), 'recorded_s': round(total.wall_s, 1),
            'disk_mb_s': round(disk, 1), 'load': round(os.getloadavg()[0], 2)}


def _kill(one: Path, sent: Path, environment: dict[str, str], total: Kills, *,
          publisher: Publisher, after_s: float) -> None:
    ledger = Ledger(one / 'ledger', new=True)
    process = start(
        Path(__file__), ['--ledger', str(one / 'ledger'), '--', '-p', f'bag:={one / "bag"}',
                         '-p', f'topics:={",".join(TOPICS)}'], environment, one / 'log.txt')
    try:
        until(lambda: publisher.tend() and ledger.written > 20, process,
              'the recorder to receive', log=one / 'log.txt')
        begun, before_s = time.monotonic(), cpu_s(process.pid)
        time.sleep(after_s)
        total.cpu_s += cpu_s(process.pid) - before_s
        total.wall_s += time.monotonic() - begun
    finally:
        process.kill()
        killed_ns = time.monotonic_ns()
        process.wait()
    publisher.pause()
    try:
        spool = one / 'bag.spool'
        megabytes = sum(file.stat().st_size for file in spool.iterdir()) / 1e6
        started = time.monotonic()
        done = recover(spool)
        total.recovery_s += time.monotonic() - started
    finally:
        publisher.go_on()
    total.megabytes += megabytes
    total.messages += done.messages
    stamps = _stamps(done.bag)
    total.recovered += sum(map(len, stamps.values())) == done.messages == _by_mcap(done.bag)
    listed = {topic: sent_stamps(sent, topic) for topic in TOPICS}
    holes = sum(_holes(stamps[topic], listed[topic]) for topic in stamps)
    total.holes += holes
    total.lost += holes + max(0, ledger.written - done.messages)
    total.torn += max(0, ledger.taken - max(ledger.written, done.messages))
    last_ns = max(stamp for topic in TOPICS for stamp in listed[topic] if stamp <= killed_ns)
    total.tails_ms.append((last_ns - max(map(max, stamps.values()))) / 1e6)


def _holes(recorded: list[int], sent: list[int]) -> int:
    """Return how many of ``sent`` lie between the ends of ``recorded`` without being there."""
    known, first, last = set(recorded), min(recorded), max(recorded)
    return sum(first < stamp < last and stamp not in known for stamp in sent)


def _stamps(bag: Path) -> dict[str, list[int]]:
    """Return the header stamps by topic, as ``rosbags`` reads them."""
    found: dict[str, list[int]] = {}
    with AnyReader([bag]) as reader:
        for link, _, raw in reader.messages():
            found.setdefault(link.topic, []).append(header_stamp(bytes(raw[:16])) or 0)
    return found


def _by_mcap(bag: Path) -> int:
    count = 0
    for file in sorted(bag.glob('*.mcap')):
        with file.open('rb') as stream:
            count += sum(1 for _ in make_reader(stream, validate_crcs=True).iter_messages())
    return count


def drive(folder: Path, minutes: float) -> dict[str, Any]:
    """Let the shipped model drive, all topics recorded, with a 640x480 camera beside."""
    domain = choose_domain(None)
    environment = ros_environment(domain=domain, logs=folder / 'ros', participants=8)
    run = folder / 'run'
    process = subprocess.Popen(
        [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--seconds', str(60 * minutes),
         '--record', '--no-video', '--domain', str(domain), '--out', str(run), '--json',
         str(folder / 'report.json')], env=environment, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None and child(process.pid, 'recorder_node') is None:
            time.sleep(0.1)                # a drive takes a domain only while nobody is there
        with publishing(folder, environment):
            spent_s, wall_s, load = _watch(process)
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_S)
        raise
    if process.returncode:
        raise SystemExit(f'the drive ended with code {process.returncode}')
    return _compared(run / 'bag', folder, {
        'minutes': minutes, 'cpu_share': round(spent_s / wall_s, 3), 'load': load})


def _compared(bag: Path, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
    report = json.loads((folder / 'report.json').read_text())
    stamps = _stamps(bag)
    dropped = {topic: _holes(stamps[topic], sent_stamps(folder / 'sent', topic))
               for topic in TOPICS}
    # whatever frame the policy acted on must be in the bag
    frames = set(stamps['/camera/image_raw'])
    dropped['/camera/image_raw'] = sum(stamp not in frames
                                       for stamp in stamps['/policy/neurons'])
    return {'minutes': result['minutes'], 'dropped': sum(dropped.values()),
            'messages': sum(map(len, stamps.values())), **result, 'dropped_by_topic': dropped,
            'bag_mb': round(sum(f.stat().st_size for f in bag.iterdir()) / 1e6, 1),
            'frames': report['frames'], 'departures': report['departures'],
            'latency_ms': report.get('latency_ms')}


def _watch(process: subprocess.Popen[bytes]) -> tuple[float, float, float]:
    """Return the recorder's CPU time and the wall time while it recorded, and the mean load."""
    first: tuple[float, float] | None = None
    last = (0.0, 0.0)
    loads = []
    while process.poll() is None:
        time.sleep(0.5)
        pid = child(process.pid, 'recorder_node')
        # a signal has stopped the others by the time that the simulator is gone
        if pid is not None and child(process.pid, 'simulator_node') is not None:
            last = (time.monotonic(), cpu_s(pid))
            first = first or last
            loads.append(os.getloadavg()[0])
    if first is None:
        raise SystemExit('the drive ended before it began')
    return last[1] - first[1], max(last[0] - first[0], 1e-9), round(float(np.mean(loads)), 2)


def _environment(folder: Path, *, participants: int) -> dict[str, str]:
    return ros_environment(domain=choose_domain(None), logs=folder / 'ros',
                           participants=participants)


def _disk_mb_s(folder: Path, size: int) -> float:
    """Return how fast ``size`` bytes go to the disk when nothing else is done with them."""
    block, blocks = os.urandom(1 << 20), max(1, size >> 20)
    started = time.monotonic()
    with (folder / 'disk').open('wb') as stream:
        for _ in range(blocks):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    return blocks * len(block) / 1e6 / (time.monotonic() - started)


if __name__ == '__main__':
    raise SystemExit(main())
