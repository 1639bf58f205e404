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
"""A stage for nodes under test: one context, one executor, and a vehicle that a test plays."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from ltc_control import bringup
from ltc_control.core.contracts import Frame, Odometry
from ltc_control.nodes import conversions as convert
from nav_msgs.msg import Odometry as OdometryMessage
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor, TimeoutException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data, QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, Imu

HEIGHT, WIDTH = 66, 200
PERIOD_S = 1 / 30
AT_ONCE = 50                               # callbacks, before a test has its turn again
LONGEST_S = 120.0                          # that anything is waited for: who waits, waits well
RELIABLE = QoSProfile(depth=100)


class Heard(NamedTuple):
    """One command: when it came, when it was sent [s of this machine], what it asked for."""

    at: float
    sent: float                            # a listener without a turn does not make it later
    stamp_ns: int
    speed: float
    yaw_rate: float


class Stage:
    """Owns context, executor and nodes; ``spin_until`` is the only way to wait."""

    def __init__(self, *, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain,
                   signal_handler_options=SignalHandlerOptions.NO)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.nodes: list[Node] = []

    def add(self, kind: Callable[..., Node], **parameters: Any) -> Any:
        overrides = [Parameter(name, value=value) for name, value in parameters.items()]
        return self.take(kind(context=self.context, use_global_arguments=False,
                              parameter_overrides=overrides))

    def take(self, node: Node) -> Any:
        self.nodes.append(node)
        self.executor.add_node(node)
        return node

    def vehicle(self) -> Vehicle:
        """Return a vehicle whose sensors a test plays."""
        return self.take(Vehicle(self))

    def listener(self) -> Listener:
        """Return ears only, for systems that have a vehicle of their own."""
        return self.take(Listener(self, 'listener'))

    def spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.executor.spin_once(timeout_sec=min(left, 0.02))
        self._catch_up()

    def _catch_up(self) -> None:
        """Let everybody do what is due: a test with little time shall not outrun its nodes."""
        for _ in range(AT_ONCE):
            try:
                handler, *_ = self.executor.wait_for_ready_callbacks(timeout_sec=0.0)
            except TimeoutException:
                return
            handler()
            if handler.exception() is not None:
                raise handler.exception()

    def spin_until(self, condition: Callable[[], bool], *, timeout: float = LONGEST_S) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, 'what was waited for did not come'
            self.executor.spin_once(timeout_sec=0.02)
            self._catch_up()

    def close(self) -> None:
        for node in self.nodes:
            self.executor.remove_node(node)
            node.destroy_node()
            # rclpy forgets it, and whoever looks into the graph later finds a node without topics
            if (states := getattr(node, '_state_machine', None)) is not None:
                states.destroy_when_not_in_use()
        self.executor.shutdown()
        rclpy.try_shutdown(context=self.context)


class Listener(Node):
    """Ears for what policy and safety say."""

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__(name, context=stage.context, use_global_arguments=False)
        self.stage = stage
        self.commands: list[Heard] = []
        self.verdicts: list[str] = []
        self.requests: list[Any] = []
        self.health: dict[str, dict[str, str]] = {}
        self.warnings: dict[str, str] = {}
        self.create_subscription(TwistStamped, bringup.COMMAND, self._on_command, RELIABLE)
        self.create_subscription(DiagnosticArray, bringup.VERDICT, self._on_verdict, RELIABLE)
        self.create_subscription(TwistStamped, bringup.POLICY_COMMAND, self.requests.append,
                                 RELIABLE)
        self.create_subscription(DiagnosticArray, bringup.DIAGNOSTICS, self._on_health, RELIABLE)

    def _on_command(self, message: TwistStamped, info: dict[str, int]) -> None:
        self.commands.append(Heard(
            time.time(), 1e-9 * info['source_timestamp'], convert.stamp_ns(message.header.stamp),
            message.twist.linear.x, message.twist.angular.z))

    def overdue(self, *, since: int, oldest_s: float) -> list[Heard]:
        """
        Return those of ``commands[since:]`` that move the car on requests older than ``oldest_s``.

        One that stands alone is none: it was judged in time, and the machine stood still before
        it was sent. Who does not look at the age sends the next one like it.
        """
        heard = self.commands[since:]
        late = [c.speed != 0.0 and c.sent - 1e-9 * c.stamp_ns > oldest_s for c in heard]
        return [c for c, before, now in zip(heard[1:], late, late[1:], strict=False)
                if before and now]

    def _on_verdict(self, message: DiagnosticArray) -> None:
        self.verdicts.append(message.status[0].message)

    def _on_health(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.health[status.name] = {pair.key: pair.value for pair in status.values}
            self.warnings[status.name] = status.message


class Vehicle(Listener):
    """Sensors that send what a test says, and ears for the answer."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage, 'vehicle')
        self.image_out = self.create_publisher(Image, bringup.CAMERA, qos_profile_sensor_data)
        self.imu_out = self.create_publisher(Imu, bringup.IMU, qos_profile_sensor_data)
        self.odometry_out = self.create_publisher(
            OdometryMessage, bringup.ODOMETRY, qos_profile_sensor_data)
        self.request_out = self.create_publisher(TwistStamped, bringup.POLICY_COMMAND, RELIABLE)
        self._image = Image(height=HEIGHT, width=WIDTH, encoding='rgb8', step=3 * WIDTH)
        self._image.data = bytes(3 * WIDTH * HEIGHT)

    def good_image(self, stamp_ns: int) -> Image:
        self._image.header.stamp = convert.time_message(stamp_ns)
        # a sensor has noise: no two pictures are equal
        self._image.data[0] = (self._image.data[0] + 1) % 256
        return self._image

    def send_odometry(self, stamp_ns: int, *, speed: float = 5.0) -> None:
        self.odometry_out.publish(convert.odometry_message(
            Odometry(stamp_ns, 0.0, 0.0, 0.0, speed, 0.05)))

    def send_imu(self, stamp_ns: int, gyro: tuple[float, float, float] = (0.0, 0.0, 0.1)) -> None:
        self.imu_out.publish(convert.imu_message(
            convert.ImuSample(stamp_ns, gyro, (0.0, 0.0, 9.81))))

    def send_frame(self, frame: Frame) -> None:
        self.image_out.publish(convert.Rgb8Message(HEIGHT, WIDTH).fill(frame))

    def play(self, seconds: float, *, image: Callable[[int], Image | None] | None = None,
             imu: Callable[[int], None] | None = None, odometry: bool = True) -> None:
        """Send one round of all sensors each 1/30 s; ``image`` and ``imu`` replace their part."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            start = time.monotonic()
            now = time.time_ns()
            if odometry:
                self.send_odometry(now)
            (imu or self.send_imu)(now)
            message = (image or self.good_image)(now)
            if message is not None:
                self.image_out.publish(message)
            # on a busy machine rounds come late, but whoever listens gets a turn in each
            self.stage.spin(max(0.01, PERIOD_S - (time.monotonic() - start)))

    def play_until(self, condition: Callable[[], Any], *, timeout: float = LONGEST_S,
                   **how: Any) -> None:
        """Play on until ``condition`` holds; ``how`` is handed to ``play``."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, (
                f'what was waited for did not come: {self.verdicts[-5:]} {self.commands[-3:]}')
            self.play(0.05, **how)

    def play_until_moving(self) -> None:
        self.play_until(lambda: self.commands and self.commands[-1].speed > 0)


def blank(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Return a black image."""
    return np.zeros((height, width, 3), np.uint8)
