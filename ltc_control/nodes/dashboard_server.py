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
The web side of the live page: a few files, and a stream of which every browser gets the newest.

A browser answers each message once it has drawn it; no more than two are ever on their way to it,
and whatever comes meanwhile is replaced by what is newer. So a slow browser sees fewer moments,
never old ones, and costs no memory. Nothing can be sent to the robot: there are only GETs, and
what a browser says is its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.resources import files
import json
import threading

from aiohttp import web, WSCloseCode, WSMsgType
from ltc_control.core.errors import BringupError
from ltc_control.nodes.dashboard_guard import Guard

TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript',
         '.svg': 'image/svg+xml'}
MOST_WATCHERS = 64
ON_THE_WAY = 2                             # messages that a browser has not answered yet
HEARTBEAT_S = 10.0                         # a browser that is gone without a word is let go
ANSWER_BYTES = 64                          # what a browser may say at once
ANSWER = 'drawn'


class Watcher:
    """One browser: the newest payload for it, and how many it has not answered yet."""

    def __init__(self) -> None:
        self._newest: bytes | None = None
        self._unanswered = 0
        self._wake = asyncio.Event()

    def offer(self, payload: bytes) -> None:
        """Replace whatever still waits."""
        self._newest = payload
        self._wake.set()

    def answered(self) -> None:
        """Take the word of the browser that it has drawn one."""
        self._unanswered = max(0, self._unanswered - 1)
        self._wake.set()

    async def take(self) -> bytes:
        """Return the newest payload once there is one and the browser keeps up."""
        while self._newest is None or self._unanswered >= ON_THE_WAY:
            self._wake.clear()
            await self._wake.wait()
        payload, self._newest = self._newest, None
        self._unanswered += 1
        return payload


class PageServer:
    """
    Serves the page in a thread of its own; ``close`` ends it.

    ``hello`` returns the document that opens a stream. BringupError where the port is taken or
    the host is none of this machine.
    """

    def __init__(self, *, host: str, port: int, hello: Callable[[], str]) -> None:
        self._hello = hello
        self._guard = Guard(host)
        self._watchers: set[Watcher] = set()
        self._streams: set[web.WebSocketResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._error: OSError | None = None
        self._newest = b''
        self.host, self.port = host, port
        self._thread = threading.Thread(target=self._run, name='page', daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise BringupError(_cannot_listen(host, port, self._error)) from self._error

    @property
    def url(self) -> str:
        """Return the address of the page."""
        host = '127.0.0.1' if self.host in ('0.0.0.0', '::') else self.host
        return f'http://[{host}]:{self.port}' if ':' in host else f'http://{host}:{self.port}'

    @property
    def watchers(self) -> int:
        """Return how many browsers watch."""
        return len(self._watchers)

    def publish(self, payload: bytes) -> None:
        """Hand the newest moment to all browsers; from any thread."""
        self._loop.call_soon_threadsafe(self._offer, payload)

    def close(self) -> None:
        """Close all streams and the port, and wait until the thread has ended."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _offer(self, payload: bytes) -> None:
        self._newest = payload
        for watcher in self._watchers:
            watcher.offer(payload)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(self._application(), access_log=None, handle_signals=False,
                               shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self.host, self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            self._started.set()
            await self._stop.wait()
        except OSError as error:
            self._error = error
        finally:
            streams = list(self._streams)
            await asyncio.gather(*(stream.close(code=WSCloseCode.GOING_AWAY)
                                   for stream in streams), return_exceptions=True)
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard.middleware])
        for name, (kind, content) in page_files().items():
            application.router.add_get('/' if name == 'index.html' else f'/{name}',
                                       _file(kind, content))
        application.router.add_get('/live', self._live)
        return application

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        if len(self._watchers) >= MOST_WATCHERS:
            raise web.HTTPServiceUnavailable(text=f'{MOST_WATCHERS} browsers watch already')
        # small messages many times a second: compressing them would cost more than it saves
        stream = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False,
                                       max_msg_size=ANSWER_BYTES, timeout=1.0)
        await stream.prepare(request)
        watcher = Watcher()
        self._streams.add(stream)
        sender = None
        try:
            await stream.send_str(self._hello())
            if self._newest:
                watcher.offer(self._newest)
            self._watchers.add(watcher)
            sender = asyncio.ensure_future(_send(stream, watcher))
            await _hear(stream, watcher)
        except ConnectionError:            # the browser left in the middle of a message
            pass
        finally:
            self._watchers.discard(watcher)
            self._streams.discard(stream)
            if not self._watchers:         # what comes next may be minutes from now
                self._newest = b''
            if sender is not None:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
        return stream


async def _send(stream: web.WebSocketResponse, watcher: Watcher) -> None:
    while not stream.closed:
        await stream.send_bytes(await watcher.take())


async def _hear(stream: web.WebSocketResponse, watcher: Watcher) -> None:
    async for message in stream:
        if message.type is not WSMsgType.TEXT or message.data != ANSWER:
            await stream.close(code=WSCloseCode.POLICY_VIOLATION, message=b'a page only looks')
            return
        watcher.answered()


def _file(kind: str, content: bytes) -> Callable[[web.Request], object]:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type=kind, charset='utf-8')

    return serve


def page_files() -> dict[str, tuple[str, bytes]]:
    """Return (type, content) of the files of the page by name, read once."""
    found = {}
    for item in files('ltc_control').joinpath('page').iterdir():
        kind = TYPES.get('.' + item.name.rpartition('.')[2])
        if kind is not None:
            found[item.name] = (kind, item.read_bytes())
    return found


def pack(document: object, jpeg: bytes) -> bytes:
    """Return one message: length of the JSON (4 bytes, little endian), JSON, picture."""
    text = json.dumps(document, separators=(',', ':'), allow_nan=False).encode()
    return len(text).to_bytes(4, 'little') + text + jpeg


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    if port and 'in use' in str(error):
        return (f'port {port} of {host} is in use, perhaps by another drive; the page cannot be '
                'served there, choose another port (0 takes a free one)')
    return f'the page cannot be served on {host!r} port {port}: {error}; choose another address'
