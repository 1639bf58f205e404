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
"""The live page of ``ltc drive``: its options, its port, and what to say where it cannot be."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import socket
import sys

from ltc_control import bringup
from ltc_control.core.errors import ConfigError

HOST, PORT = '127.0.0.1', 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the page."""
    parser.add_argument('--no-page', action='store_true', help='leave the live page out')
    parser.add_argument('--page-port', type=int, default=PORT, metavar='PORT',
                        help=f'port of the live page on {HOST}; 0 takes a free one '
                        f'(default {PORT})')


def check(options: argparse.Namespace) -> None:
    """Refuse a port that cannot be."""
    if not 0 <= options.page_port <= 65535:
        raise ConfigError(f'--page-port must be in 0 .. 65535, got {options.page_port!r}')


def with_page(nodes: Sequence[bringup.NodeSpec], options: argparse.Namespace, *,
              model: str) -> tuple[bringup.NodeSpec, ...]:
    """
    Return ``nodes`` and those that show them; says where, or why there is no page.

    Beside the page runs what lays the attention over its picture, where the model has the graph.
    A port in use is no reason not to drive: the drive then goes without a page.
    """
    if options.no_page:
        return tuple(nodes)
    try:
        port = _free_port(options.page_port)
    except OSError as error:
        print(f'no live page: port {options.page_port} cannot be used ({error.strerror}), '
              'perhaps by another drive; choose one with --page-port, 0 takes a free one',
              file=sys.stderr, flush=True)
        return tuple(nodes)
    print(f'live page: http://{HOST}:{port}', file=sys.stderr, flush=True)
    page = bringup.live_page(nodes, model=model, port=port, host=HOST, track=options.track,
                             season=options.season)
    return (*nodes, *bringup.attention(nodes, model=model), page)


def _free_port(wanted: int) -> int:
    """Return a port that can be listened on now: the one wanted, any one for 0; else OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)    # as the server does
        probe.bind((HOST, wanted))
        return int(probe.getsockname()[1])
