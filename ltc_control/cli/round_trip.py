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
"""Send messages through the ROS 2 middleware and back, on a domain of our own."""

from __future__ import annotations

import statistics
import time

from geometry_msgs.msg import TwistStamped
from ltc_control.core.errors import BringupError
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions

MATCH_S, ANSWER_S = 30.0, 10.0             # a loaded machine is slow, not broken


class _Peer:
    """A node with a context, and so a participant, of its own."""

    def __init__(self, name: str, *, domain: int, out: str, back: str) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain,
                   signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node(name, context=self.context, use_global_arguments=False)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publisher = self.node.create_publisher(TwistStamped, out, qos_profile_sensor_data)
        self.node.create_subscription(TwistStamped, back, self._take, qos_profile_sensor_data)
        self.received: TwistStamped | None = None

    def _take(self, message: TwistStamped) -> None:
        self.received = message

    def matched(self) -> bool:
        """Say whether both directions have found the other."""
        return bool(self.publisher.get_subscription_count()
                    and self.node.count_publishers('/doctor/pong'))

    def close(self) -> None:
        """End the node and its context."""
        self.executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()


def round_trip_ms(*, domain: int, count: int = 20) -> tuple[str, float]:
    """
    Return the middleware's name and the median time of a message there and back [ms].

    Raises BringupError when the two ends do not find each other or an answer stays out.
    """
    near = _Peer('doctor_near', domain=domain, out='/doctor/ping', back='/doctor/pong')
    far = _Peer('doctor_far', domain=domain, out='/doctor/pong', back='/doctor/ping')
    try:
        _await_match(near, far)
        times = [_once(near, far, index) for index in range(count)]
    finally:
        near.close()
        far.close()
    return rclpy.get_rmw_implementation_identifier(), 1e3 * statistics.median(times)


def _await_match(near: _Peer, far: _Peer) -> None:
    deadline = time.monotonic() + MATCH_S
    while not (near.matched() and far.publisher.get_subscription_count()):
        if time.monotonic() > deadline:
            raise BringupError(f'two nodes did not find each other within {MATCH_S:.0f} s; check '
                               'that UDP on the loopback interface is not filtered')
        near.executor.spin_once(timeout_sec=0.05)


def _once(near: _Peer, far: _Peer, index: int) -> float:
    """Return the seconds of one message there and back."""
    near.received = far.received = None
    message = TwistStamped()
    message.header.frame_id = str(index)
    start = time.perf_counter()
    near.publisher.publish(message)
    _await(far, index, start)
    far.publisher.publish(far.received)
    _await(near, index, start)
    return time.perf_counter() - start


def _await(peer: _Peer, index: int, start: float) -> None:
    while peer.received is None or peer.received.header.frame_id != str(index):
        if time.perf_counter() - start > ANSWER_S:
            raise BringupError(f'message {index} did not arrive within {ANSWER_S:.0f} s; look '
                               'for another participant that floods the domain')
        peer.executor.spin_once(timeout_sec=0.01)
