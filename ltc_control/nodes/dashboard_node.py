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
The live page: what the camera sees, what the neurons do and why the wheel turns, in a browser.

The node only listens. It looks into its topics at the rate of the page, makes one message of what
is newest, once, whoever many watch, and does no work on pictures while nobody does.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys
import threading
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, TwistStamped, Vector3Stamped
from ltc_control import bringup
from ltc_control.core.errors import ImageError, LtcError
from ltc_control.core.model_file import load_spec, ModelSpec
from ltc_control.insight.circuit import Circuit
from ltc_control.nodes import conversions as convert
from ltc_control.nodes.dashboard_guard import is_loopback
from ltc_control.nodes.dashboard_limits import LimitsQuestion
from ltc_control.nodes.dashboard_listener import Ear, Polled
from ltc_control.nodes.dashboard_picture import Picture
from ltc_control.nodes.dashboard_server import pack, PageServer
from ltc_control.nodes.dashboard_vehicle import CAR, VEHICLES
from ltc_control.nodes.dashboard_view import LiveView
from ltc_control.nodes.declared import declare
from ltc_control.nodes.parameters import DashboardParameters
from ltc_control.nodes.running import run
from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import String

LOOK_EVERY_S = 0.25                        # for publishers that have appeared
LONGEST_WAIT_S = 90.0                      # for the others to be ready
QUEUE = 60                                 # messages of a topic between two looks
ROAD_STEP_M = 2.0


class DashboardNode(Node):
    """Serves the live page of one vehicle; ``url`` is where."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__('dashboard_node', **kwargs)
        self._told = told = declare(self, DashboardParameters)
        spec = load_spec(told.model) if told.model else None
        self._lock = threading.Lock()      # the page's thread asks for what opens a stream
        self._shown = CAR if spec is None else VEHICLES.get(spec.vehicle, CAR)
        self._view = LiveView(title=_title(spec, told), rate_hz=told.rate_hz, shown=self._shown,
                              circuit=None if spec is None else Circuit.of(spec),
                              road=_road(told.track) if self._shown is CAR else None)
        self._picture = Picture()
        self._awaited = set(told.wait_for.split())
        self._made_at = time.monotonic()
        self._group = Polled()
        self._ready = Ear(String, bringup.READY, self._on_ready, depth=QUEUE)
        self._camera, self._ears = self._make_ears()
        self._limits = LimitsQuestion(self)
        self._server = PageServer(host=told.host, port=told.port, hello=self._hello)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / told.rate_hz, self._tick, clock=steady)
        self.create_timer(LOOK_EVERY_S, self._look, clock=steady)
        self.get_logger().info(f'the page is at {self.url}')
        if not is_loopback(told.host):
            self.get_logger().warning(
                f'bound to {told.host!r}: whoever reaches this machine sees what its camera sees')

    @property
    def url(self) -> str:
        """Return the address of the page."""
        return self._server.url

    def _make_ears(self) -> tuple[tuple[Ear, ...], tuple[Ear, ...]]:
        view, shown = self._view, self._shown
        camera = (
            Ear(Image, bringup.CAMERA, self._on_image),
            Ear(CompressedImage, f'{bringup.CAMERA}/compressed', self._on_compressed),
            Ear(CompressedImage, bringup.OVERLAY, self._on_overlay))
        return camera, (
            Ear(TwistStamped, bringup.POLICY_COMMAND, lambda m, _: view.on_request(
                shown.read(m)), depth=QUEUE),
            Ear(DiagnosticArray, bringup.VERDICT, lambda m, _: view.on_verdict(
                convert.verdict_word(m)), depth=QUEUE),
            Ear(TwistStamped, bringup.COMMAND, lambda m, sent: view.on_command(
                shown.read(m), sent_ns=sent or time.time_ns()), depth=QUEUE),
            Ear(OdometryMessage, bringup.ODOMETRY, lambda m, _: view.on_odometry(
                convert.odometry_from_message(m)), depth=QUEUE),
            Ear(JointState, bringup.NEURONS, lambda m, _: view.on_neurons(
                *convert.neuron_values(m))),
            Ear(Vector3Stamped, bringup.LANE_TRUTH, self._on_lane),
            *(Ear(PointStamped, topic, lambda m, _: view.on_departure(), depth=QUEUE)
              for topic in (bringup.DEPARTURE, bringup.COLLISION)),
            Ear(String, bringup.IN_COMMAND, lambda m, _: view.on_in_command(m.data)),
            Ear(String, bringup.WHY, lambda m, _: view.on_why(m.data)),
            Ear(DiagnosticArray, bringup.DIAGNOSTICS, lambda m, _: view.on_health(
                convert.health_values(m, sender='simulator_node')), depth=QUEUE))

    def _look(self) -> None:
        """Listen to topics that somebody publishes, once the drive no longer counts its ears."""
        self._ready.look_for_publishers(self, self._group)
        self._ready.listen()
        if self._awaited and time.monotonic() - self._made_at < LONGEST_WAIT_S:
            return
        for ear in self._ears:
            ear.look_for_publishers(self, self._group)
        for ear in self._camera:           # pictures cost: they are for people who look
            if self._server.watchers:
                ear.look_for_publishers(self, self._group)
            else:
                ear.leave(self)
        limits = self._limits.answer()
        if limits is not None:
            with self._lock:
                self._view.limits, self._view.limits_known = limits, True

    def _tick(self) -> None:
        watched = self._server.watchers > 0
        with self._lock:
            for ear in (*self._ears, *(self._camera if watched else ())):
                ear.listen()
            jpeg, told = b'', {}
            if watched:
                jpeg, told = self._picture.newest(
                    camera=any(ear.listening for ear in self._camera))
            document = self._view.tick(told)
        if watched:
            self._server.publish(pack(document, jpeg))

    def _hello(self) -> str:
        with self._lock:
            return json.dumps(self._view.hello(), separators=(',', ':'), allow_nan=False)

    def _on_ready(self, message: String, _: int) -> None:
        self._awaited.discard(message.data)

    def _on_image(self, message: Image, _: int) -> None:
        try:
            self._picture.on_frame(convert.frame_from_image(message))
        except ImageError as error:
            self._picture.refused = f'the image cannot be shown: {error}'

    def _on_compressed(self, message: CompressedImage, _: int) -> None:
        try:
            self._picture.on_frame(convert.frame_from_compressed(message))
        except ImageError as error:
            self._picture.refused = f'the image cannot be shown: {error}'

    def _on_overlay(self, message: CompressedImage, _: int) -> None:
        self._picture.on_overlay(bytes(message.data))

    def _on_lane(self, message: Vector3Stamped, _: int) -> None:
        truth = convert.lane_truth(message)
        self._view.on_lane(distance_m=truth.distance_m, offset_m=truth.offset_m)

    def destroy_node(self) -> None:
        """Close the page and its thread too."""
        if hasattr(self, '_server'):       # a constructor that failed has none
            self._server.close()
        super().destroy_node()


def _title(spec: ModelSpec | None, told: DashboardParameters) -> dict[str, Any]:
    car = spec is None or spec.vehicle == 'car'
    place = [f'track {told.track}'] if told.track >= 0 and car else []
    place += [told.season] if told.season else []
    return {'model': '' if spec is None else spec.name, 'place': ' · '.join(place),
            'digest': '' if spec is None else spec.digest[:12],
            'neurons': 0 if spec is None else spec.neurons,
            'commands': [] if spec is None else [command.name for command in spec.commands],
            'ranges': {} if spec is None else {
                one.name: {'unit': one.unit, 'low': one.low, 'high': one.high}
                for one in spec.commands}}


def _road(track: int) -> dict[str, Any] | None:
    """Return the road of a simulated track as a page can draw it, or None where it is unknown."""
    if track < 0:
        return None
    try:
        from ltc_control.sim import track as roads
        road = roads.make_track(track, closed=True)
    except (ImportError, LtcError):        # a picture less, no reason to be without a page
        return None
    step = max(1, round(ROAD_STEP_M / road.spacing))
    return {'centre': [[round(float(x), 2), round(float(y), 2)]
                       for x, y in zip(road.x[::step], road.y[::step], strict=True)],
            'heading': [round(float(yaw), 3) for yaw in road.heading[::step]],
            'left': roads.ROAD_LEFT_M, 'right': roads.ROAD_RIGHT_M,
            'lane': roads.LANE_WIDTH_M}


def main(args: Sequence[str] | None = None) -> int:
    """Serve the page until stopped; 4 where its port is taken."""
    return run(DashboardNode, args=args)


if __name__ == '__main__':
    sys.exit(main())
