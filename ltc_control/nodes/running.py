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
"""From a node to a process: start, spin, stop on SIGINT and SIGTERM, exit code, one error line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import signal
import sys
import threading
from typing import Any

from ltc_control.core.errors import LtcError
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future


def run(make_node: Callable[[], Node], *, args: Sequence[str] | None = None,
        finished: Callable[[Node], Future] | None = None) -> int:
    """
    Spin what ``make_node`` returns; return the exit code of the process.

    0 after a signal or once ``finished(node)`` is done; the error's own code, after one line on
    standard error, where an :class:`LtcError` leaves the constructor or a callback.
    """
    _take(lambda *_: None)                 # rclpy hears the signal, and no exception flies
    rclpy.init(args=args)
    node = None
    executor = SingleThreadedExecutor()    # the multi-threaded one loses ticks of timers
    try:
        node = make_node()
        executor.add_node(node)
        if finished is None:
            executor.spin()
        else:
            executor.spin_until_future_complete(finished(node))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        return _failed(node, error)
    finally:
        _take(signal.SIG_IGN)
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _take(handler: Any) -> None:
    """
    Let ``handler`` have SIGINT and SIGTERM.

    Ctrl-C reaches a launch and all its nodes, and launch sends another: a KeyboardInterrupt in
    the middle of the end would leave half of it undone.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)


def _failed(node: Node | None, error: Exception) -> int:
    """Return the exit code of what left the node; what no exit code stands for goes on."""
    if isinstance(error, LtcError):
        print(f'{_name(node)}error: {error}', file=sys.stderr, flush=True)
        return error.exit_code
    if rclpy.ok():
        raise error
    return 0    # a signal took the middleware away under a callback that was about to publish


def _name(node: Node | None) -> str:
    return '' if node is None else f'{node.get_name()}: '
