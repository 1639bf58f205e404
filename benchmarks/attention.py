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
Time what looking on costs: the maps by themselves, and the policy with the attention node beside.

    python benchmarks/attention.py                       a table
    python benchmarks/attention.py --json                JSON on standard output
    python benchmarks/attention.py --skip-nodes          the maps alone, in seconds

(a) one map against the forward pass of the head alone, one thread, turn by turn; (b) latency from
the publication of a frame to its command over real ROS 2, 30 frames a second on two cores, in
segments with and without the attention node (started and ended each time; a process of its own
watches the overlay in both), in the order ABBA. Exits with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import os
from pathlib import Path
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from interleaved import compare, machine, NO_OP, no_op, one_thread, publish

one_thread()

from ltc_control import bringup  # noqa: E402
from ltc_control.core.engine import open_session  # noqa: E402
from ltc_control.insight.attention import Attention  # noqa: E402
from ltc_control.nets.onnx_graph import Graph  # noqa: E402
from ltc_control.nets.onnx_head import add_head  # noqa: E402
from ltc_control.nets.policy_net import load_policy  # noqa: E402
import numpy as np  # noqa: E402  (after the number of threads is fixed)
import onnx  # noqa: E402
import torch  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[1] / 'models' / 'car_lane'
MOST_MAP_COST = 1.5                # of a VisualBackProp map, in forward passes of the head
MOST_LATENCY = 1.05                # of the policy with the node beside, at the median
RATE_HZ, CORES = 30.0, 2
WATCHER = f"""
import rclpy, sys
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage
rclpy.init()
node = rclpy.create_node('watcher')
def heard(_):
    sys.stdout.write('.')
    sys.stdout.flush()
node.create_subscription(CompressedImage, {bringup.OVERLAY!r}, heard, qos_profile_sensor_data)
rclpy.spin(node)
"""
WARM_S = 2.0                       # of a segment, not counted: processes start


def main() -> int:
    """Time, then report; 1 where a target is missed."""
    args = _parse()
    report: dict[str, Any] = {'machine': machine(), 'model': str(args.model)}
    report['rows'] = _maps(args.model)
    if not args.skip_nodes:
        report['nodes'] = beside = _nodes(args.model, pairs=args.pairs, seconds=args.seconds)
    publish(report, args.json)
    if args.json is None and not args.skip_nodes:
        print(f'policy latency: {beside["without_us"]:.0f} us alone, {beside["with_us"]:.0f} us '
              f'with the attention node at {beside["maps_per_s"]:.1f} maps a second: '
              f'{beside["ratio"]:.3f}x (target {MOST_LATENCY}), pairs {beside["ratios"]}')
    missed = any(row['cost'] > row['most'] for row in report['rows'] if 'most' in row)
    return int(missed or (not args.skip_nodes and beside['ratio'] > MOST_LATENCY))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--model', type=Path, default=SHIPPED, help='model folder')
    parser.add_argument('--pairs', type=int, default=8, help='segments with and without')
    parser.add_argument('--seconds', type=float, default=8.0, help='counted part of a segment')
    parser.add_argument('--skip-nodes', action='store_true', help='time the maps alone')
    parser.add_argument('--json', nargs='?', const='-', metavar='FILE', help='write JSON')
    return parser.parse_args()


def _maps(model: Path) -> list[dict[str, Any]]:
    """Return the cost of each map in forward passes of the head."""
    attention = Attention(model)
    image = np.random.default_rng(0).integers(
        0, 256, (attention.spec.image.height, attention.spec.image.width, 3), dtype=np.uint8)
    state = np.zeros(attention.spec.neurons, np.float32)
    target = attention.spec.commands[0].name
    variants = {'head forward': _head(model, image),
                'VisualBackProp': lambda: attention.visual_backprop(image),
                'gradient map': lambda: attention.gradient(image, state, 1 / 30, target=target),
                NO_OP: no_op()}
    rows = []
    for timing in compare(variants, 'head forward'):
        row = {'question': 'map against head', 'name': timing.name, 'cpu_us': timing.cpu_us,
               'wall_us': timing.wall_us, 'ratio': timing.ratio, 'wall_ratio': timing.wall_ratio,
               'cost': round(1.0 / max(timing.ratio, 1e-9), 2)}
        rows.append(row | ({'most': MOST_MAP_COST} if timing.name == 'VisualBackProp' else {}))
    return rows


def _head(model: Path, image: np.ndarray) -> Callable[[], Any]:
    """Return the forward pass of the head alone, as onnxruntime runs it."""
    net = load_policy(model / 'weights.safetensors').double().eval()
    head, graph = net.config.head_config, Graph()
    with torch.no_grad():
        features = add_head(graph, net.head, graph.input('image', 'uint8', head.height,
                                                         head.width, 3))
    graph.output(features, 'features', head.features)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'head.onnx'
        onnx.save(graph.model('head'), path)
        session = open_session(path)
    return lambda: session.run(None, {'image': image})


def _nodes(model: Path, *, pairs: int, seconds: float) -> dict[str, Any]:
    """Return the latency of the policy with and without the attention node, medians."""
    from ltc_control.cli.processes import choose_domain, ros_environment
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])    # children inherit it
    domain = choose_domain(None)
    with tempfile.TemporaryDirectory() as logs:
        os.environ.update(ros_environment(domain=domain, logs=Path(logs), participants=8))
        with _Bench(model, folder=Path(logs), domain=domain) as bench:
            order = [(False, True), (True, False)] * pairs
            turns = []
            for number, pair in enumerate(order[:pairs]):
                turns.append({beside: bench.segment(beside, seconds) for beside in pair})
                print(f'pair {number + 1}/{pairs}: {turns[-1]}', file=sys.stderr)
            maps = bench.maps_per_s
    ratios = [turn[True] / turn[False] for turn in turns]
    return {'without_us': statistics.median(t[False] for t in turns),
            'with_us': statistics.median(t[True] for t in turns), 'maps_per_s': maps,
            'ratios': [round(ratio, 3) for ratio in ratios],
            'ratio': round(statistics.median(ratios), 4), 'most': MOST_LATENCY}


class _Bench:
    """A camera at 30 Hz, ears for commands and overlays, and the node processes."""

    def __init__(self, model: Path, *, folder: Path, domain: int) -> None:
        from geometry_msgs.msg import TwistStamped
        from ltc_control.cli.processes import NodeProcesses
        from ltc_control.nodes import conversions as convert
        import rclpy
        from rclpy.qos import qos_profile_sensor_data, QoSProfile
        from sensor_msgs.msg import Image
        self._make, self._convert, self._rclpy = NodeProcesses, convert, rclpy
        self._model, self._folder, self.maps_per_s = str(model), folder, 0.0
        rclpy.init(domain_id=domain)
        self._node = rclpy.create_node('bench')
        self._camera = self._node.create_publisher(Image, bringup.CAMERA, qos_profile_sensor_data)
        self._sent: dict[int, int] = {}
        self._waits: list[int] = []
        self._node.create_subscription(TwistStamped, bringup.POLICY_COMMAND, self._on_command,
                                       QoSProfile(depth=10))
        spec = Attention(model).spec
        picture = np.random.default_rng(1).integers(
            0, 256, (spec.image.height, spec.image.width, 3), dtype=np.uint8)
        self._image = convert.Rgb8Message(spec.image.height, spec.image.width)
        self._image.fill(convert.Frame(0, picture))
        self._policy = self._start(bringup.NodeSpec('policy_node',
                                                    parameters={'model': self._model}), 'policy')
        self._watcher = subprocess.Popen([sys.executable, '-c', WATCHER],
                                         stdout=subprocess.PIPE, preexec_fn=lambda: os.nice(10))
        assert self._watcher.stdout is not None
        os.set_blocking(self._watcher.stdout.fileno(), False)
        self._play(0.0, until=lambda: bool(self._waits))

    def __enter__(self) -> _Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._policy.stop()
        self._watcher.kill()
        self._watcher.wait()
        self._node.destroy_node()
        self._rclpy.try_shutdown()

    def segment(self, beside: bool, seconds: float) -> float:
        """Return the median latency [us] of one segment."""
        looker = None
        if beside:
            looker = self._start(bringup.NodeSpec('attention_node', watches=True, parameters={
                'model': self._model, 'rate_hz': RATE_HZ}), 'attention')
            self._overlays()
            self._play(0.0, until=lambda: self._overlays() > 0)
        self._play(WARM_S)
        self._waits.clear()
        self._overlays()
        self._play(seconds)
        median = statistics.median(self._waits) / 1e3
        if looker is not None:
            self.maps_per_s = self._overlays() / seconds
            looker.stop()
        return round(median, 1)

    def _start(self, node: bringup.NodeSpec, name: str) -> Any:
        return self._make([node], folder=self._folder / name, environment=dict(os.environ))

    def _play(self, seconds: float, *, until: Callable[[], bool] | None = None) -> None:
        """Send frames at the rate of the camera for so long, or until something is true."""
        start = time.monotonic()
        for number in range(10**6):
            due = start + number / RATE_HZ
            while (left := due - time.monotonic()) > 0:
                self._rclpy.spin_once(self._node, timeout_sec=left)
            if until() if until else number >= seconds * RATE_HZ:
                return
            if time.monotonic() - start > 60.0 + seconds:
                raise TimeoutError('the node under test never answered; is its log empty?')
            stamp = time.time_ns()
            message = self._image.message
            message.header.stamp = self._convert.time_message(stamp)
            self._sent[stamp] = time.perf_counter_ns()
            self._camera.publish(message)

    def _on_command(self, message: Any) -> None:
        sent = self._sent.pop(self._convert.stamp_ns(message.header.stamp), None)
        if sent is not None:
            self._waits.append(time.perf_counter_ns() - sent)

    def _overlays(self) -> int:
        """Return how many overlays the watcher has had since the last call."""
        assert self._watcher.stdout is not None
        return len(self._watcher.stdout.read() or b'')


if __name__ == '__main__':
    sys.exit(main())
