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
Who may look at the page: pages of the same origin, by a name that is this machine's own.

A foreign page in the same browser cannot read the stream (Origin), nor can one whose name was
made to point here (Host): a rebound name is neither an address nor ours. The page itself may load
nothing from elsewhere (Content-Security-Policy).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
import ipaddress
import re
import socket

from aiohttp import web

METHODS = ('GET', 'HEAD')
_HOST = re.compile(r'(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?')
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a server bound to ``host``."""
    if host.lower() == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Refuses foreign hosts, foreign origins and every method that could ask for something."""

    def __init__(self, bound_to: str) -> None:
        self._local = is_loopback(bound_to)
        self._own_names = {'localhost', socket.gethostname().lower(), bound_to.lower()}

    def refusal(self, *, method: str, host: str, origin: str | None) -> tuple[int, str] | None:
        """Return (status, words) where a request is refused, None where it may pass."""
        if method not in METHODS:
            return 405, 'this page only looks; there is nothing that it could be asked to do'
        if not self.knows(host):
            return 403, f'{host[:80]!r} is not a name of this machine'
        if origin is not None and origin.lower() != f'http://{host.lower()}':
            return 403, f'pages of {origin[:80]!r} may not look in here'
        return None

    def knows(self, host: str) -> bool:
        """Say whether a Host header names this machine by address or by a name of its own."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip('[]').lower()
        if self._local:
            return is_loopback(name)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._own_names or name.removesuffix('.local') in self._own_names
        return True

    @property
    def middleware(self) -> Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]:
        """Return what aiohttp calls around each request."""
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            refused = self.refusal(method=request.method, host=request.headers.get('Host', ''),
                                   origin=request.headers.get('Origin'))
            if refused is not None:
                status, text = refused
                return web.Response(status=status, text=text + '\n', headers=headers(''))
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update(headers(request.headers['Host']))
                raise
            if not response.prepared:
                response.headers.update(headers(request.headers['Host']))
            return response

        return guard


def headers(host: str) -> dict[str, str]:
    """Return the headers of every answer; ``host`` is a Host header that has been checked."""
    # older Safari does not take 'self' for a websocket
    stream = f"connect-src 'self' ws://{host}" if host else "connect-src 'none'"
    policy = ("default-src 'none'", "script-src 'self'", "style-src 'self'",
              "img-src 'self' blob: data:", stream, "base-uri 'none'", "form-action 'none'",
              "frame-ancestors 'none'")
    return {'Content-Security-Policy': '; '.join(policy), 'X-Frame-Options': 'DENY',
            'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
            'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-store'}
