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
A second of a car's topics, over and over: what the recorder's benchmark records.

640x480 images at 30 Hz, an IMU at 200 Hz and commands at 50 Hz over DDS, best effort as on a
car, with a list of what was sent. Run as a program it is the publisher's process; ``publishing``
keeps one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
import signal
import struct
import subprocess
import sys
import time
from typing import Any

import numpy as np

IMAGE, IMU, COMMAND = '/bench/image_raw', '/bench/imu', '/bench/command'
TOPICS = (IMAGE, IMU, COMMAND)
RATES_HZ = {IMAGE: 30, IMU: 200, COMMAND: 50}
HEIGHT, WIDTH = 480, 640
SENT = struct.Struct('<qq')                # stamp, 1 after publish returned
START_S = 240.0                            # a busy machine starts a process in a minute
FROZEN_S = 20.0


def publish(log: Path) -> int:
    """Publish until SIGTERM; append stamps to ``log`` + topic number as they go out."""
    from geometry_msgs.msg import TwistStamped
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image, Imu
    rclpy.init()
    node = rclpy.create_node('bench_publisher')
    outs = {topic: node.create_publisher(kind, topic, qos_profile_sensor_data)
            for topic, kind in zip(TOPICS, (Image, Imu, TwistStamped), strict=True)}
    messages = {IMAGE: Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH),
                IMU: Imu(), COMMAND: TwistStamped()}
    pictures = _pictures()
    logs = {topic: open(f'{log}.{k}', 'ab', buffering=0)     # noqa: PTH123, SIM115
            for k, topic in enumerate(TOPICS)}
    due = dict.fromkeys(TOPICS, time.monotonic())
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    count = 0
    while not stopped:
        topic = min(due, key=lambda name: due[name])
        time.sleep(max(0.0, due[topic] - time.monotonic()))
        # after a pause the rate goes on; nothing is caught up in a burst
        due[topic] = max(due[topic] + 1 / RATES_HZ[topic], time.monotonic() - 0.1)
        message = messages[topic]
        if topic == IMAGE:
            message.data = pictures[count % len(pictures)]
            count += 1
        stamp_ns = time.monotonic_ns()     # the clock of a machine may be set back
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        outs[topic].publish(message)
        logs[topic].write(SENT.pack(stamp_ns, 1))
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


def _pictures() -> list[Any]:
    """Return some images of soft shapes with the noise of a sensor: zstd saves little of them."""
    import array

    import cv2
    rng = np.random.default_rng(0)
    soft = cv2.GaussianBlur(rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 9)
    soft = cv2.normalize(soft, None, 20, 235, cv2.NORM_MINMAX)
    noisy = (np.clip(np.roll(soft, 17 * k, axis=1) + rng.normal(0, 2, soft.shape), 0, 255)
             for k in range(8))
    return [array.array('B', picture.astype(np.uint8).tobytes()) for picture in noisy]


def sent_stamps(sent: Path, topic: str) -> list[int]:
    """Return the stamps that the publisher noted as sent on a topic."""
    data = Path(f'{sent}.{TOPICS.index(topic)}').read_bytes()
    return [stamp for stamp, _ in SENT.iter_unpack(data[:len(data) // SENT.size * SENT.size])]


class Publisher:
    """The publisher's process; started anew where it hangs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self._moved = (0, time.monotonic())            # bytes of its list, and since when
        self.frozen = 0
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return start(Path(__file__), [str(self._folder / 'sent')],
                     self._environment, self._folder / 'publisher.txt')

    def wait(self) -> None:
        """Return when it publishes."""
        until(lambda: self._size() > 0, self._process, 'the publisher to start',
              log=self._folder / 'publisher.txt')

    def _size(self) -> int:
        return sum(file.stat().st_size for file in self._folder.glob('sent.*'))

    def tend(self) -> bool:
        """Replace a publisher that has not sent anything for long; return True."""
        size, now = self._size(), time.monotonic()
        if size != self._moved[0]:
            self._moved = (size, now)
        elif now - self._moved[1] > FROZEN_S:
            self._process.kill()           # it waits for a lock: no other signal reaches it
            self._process.wait()
            self._process, self._moved = self._started(), (size, time.monotonic())
            self.frozen += 1
        return True

    def pause(self) -> None:
        """Let it hold its breath."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on; the pause was none of its own."""
        self._process.send_signal(signal.SIGCONT)
        self._moved = (self._size(), time.monotonic())

    def end(self) -> None:
        """End it, whatever it waits for."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def publishing(folder: Path, environment: dict[str, str]) -> Iterator[Publisher]:
    """Keep a publisher while the block runs; its list is ``folder / 'sent'``."""
    publisher = Publisher(folder, environment)
    try:
        publisher.wait()
        yield publisher
    finally:
        publisher.end()


def start(program: Path, words: list[str], environment: dict[str, str],
          log: Path) -> subprocess.Popen[bytes]:
    """Start a Python file as a process of its own, its output in ``log``."""
    with log.open('wb') as stream:
        return subprocess.Popen([sys.executable, str(program), *words], env=environment,
                                stdout=stream, stderr=subprocess.STDOUT)


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes], what: str, *,
          log: Path) -> None:
    """Wait for ``condition``; end with what the process said where it dies or takes too long."""
    deadline = time.monotonic() + START_S
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f'waited in vain for {what}; it said {log.read_text()[-2000:]!r}')
        time.sleep(0.01)


if __name__ == '__main__':
    raise SystemExit(publish(Path(sys.argv[1])))
