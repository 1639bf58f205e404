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
"""The web side of the page with real sockets: who may look, who is slow, and who goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
import json
import socket
import threading
import time
from typing import Any

import aiohttp
from ltc_control.core.errors import BringupError
from ltc_control.nodes.dashboard_guard import Guard, is_loopback
from ltc_control.nodes.dashboard_server import (
    ANSWER,
    ON_THE_WAY,
    pack,
    page_files,
    PageServer,
    Watcher,
)
import pytest

HELLO = {'title': 'hello'}
BIG = b'\xff' * 200_000                    # larger than every buffer of a connection, soon


@pytest.fixture
def server() -> Iterator[PageServer]:
    server = PageServer(host='127.0.0.1', port=0, hello=lambda: json.dumps(HELLO))
    yield server
    server.close()


def run(browser: Callable[[aiohttp.ClientSession], Any]) -> Any:
    async def session() -> Any:
        async with aiohttp.ClientSession() as client:
            return await asyncio.wait_for(browser(client), 120)

    return asyncio.run(session())


def unpacked(data: bytes) -> tuple[Any, bytes]:
    length = int.from_bytes(data[:4], 'little')
    return json.loads(data[4:4 + length]), data[4 + length:]


def test_the_page_and_its_files_are_served(server: PageServer) -> None:
    async def look(client: aiohttp.ClientSession) -> None:
        for name, (kind, content) in page_files().items():
            path = '/' if name == 'index.html' else f'/{name}'
            async with client.get(server.url + path) as answer:
                assert answer.status == 200
                assert answer.content_type == kind
                assert await answer.read() == content
                policy = answer.headers['Content-Security-Policy']
                assert "default-src 'none'" in policy
                assert 'unsafe' not in policy
                assert answer.headers['X-Frame-Options'] == 'DENY'

    run(look)
    assert {'index.html', 'page.css', 'page.js'} <= set(page_files())


def test_the_page_asks_nobody_else_for_anything() -> None:
    for name, (_, content) in page_files().items():
        text = content.decode().replace('http://www.w3.org/2000/svg', '')
        assert '//cdn' not in text, name
        assert 'http://' not in text, name
        assert 'https://' not in text, name


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
@pytest.mark.parametrize('path', ['/', '/live', '/page.js', '/cmd_vel', '/anything'])
def test_nothing_can_be_asked_for(server: PageServer, method: str, path: str) -> None:
    async def ask(client: aiohttp.ClientSession) -> int:
        async with client.request(method, server.url + path, data=b'{"speed": 5}') as answer:
            return answer.status

    assert run(ask) == 405


@pytest.mark.parametrize(('headers', 'status'), [
    ({}, 200),
    ({'Host': 'localhost'}, 200),
    ({'Host': '127.0.0.1:8080', 'Origin': 'http://127.0.0.1:8080'}, 200),
    ({'Host': 'evil.example'}, 403),                       # a name made to point here
    ({'Host': 'evil.example:8080', 'Origin': 'http://evil.example:8080'}, 403),
    ({'Host': '127.0.0.1.evil.example'}, 403),
    ({'Host': '127.0.0.1; script-src *'}, 403),
    ({'Host': '10.0.0.7'}, 403),                           # bound to loopback, so not ours
    ({'Host': '127.0.0.1:8080', 'Origin': 'http://evil.example'}, 403),
    ({'Host': '127.0.0.1:8080', 'Origin': 'http://127.0.0.1:9999'}, 403),
    ({'Host': '127.0.0.1:8080', 'Origin': 'null'}, 403),
])
def test_foreign_hosts_and_origins_are_refused(server: PageServer, headers: dict[str, str],
                                               status: int) -> None:
    async def ask(client: aiohttp.ClientSession) -> int:
        async with client.get(server.url, headers=headers) as answer:
            return answer.status

    assert run(ask) == status


def test_a_foreign_page_gets_no_stream(server: PageServer) -> None:
    async def listen(client: aiohttp.ClientSession) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f'{server.url}/live', origin='http://evil.example')
        return refused.value.status

    assert run(listen) == 403


def test_other_machines_may_look_by_address_or_our_name() -> None:
    guard = Guard('0.0.0.0')
    assert guard.knows('10.0.0.7:8080')
    assert guard.knows('[fe80::1]:8080')
    assert guard.knows(socket.gethostname())
    assert not guard.knows('evil.example')
    assert not guard.knows('')
    assert is_loopback('::1')
    assert not is_loopback('0.0.0.0')


def test_a_stream_opens_with_hello_and_goes_on(server: PageServer) -> None:
    async def watch(client: aiohttp.ClientSession) -> list[Any]:
        async with client.ws_connect(f'{server.url}/live') as stream:
            seen: list[Any] = [await stream.receive_json()]
            for number in range(3):
                server.publish(pack({'n': number}, b'jpeg'))
                seen.append(unpacked(await stream.receive_bytes()))
                await stream.send_str(ANSWER)
            return seen

    assert run(watch) == [HELLO, *(({'n': n}, b'jpeg') for n in range(3))]


def test_a_page_that_is_opened_later_starts_with_what_is_newest(server: PageServer) -> None:
    async def late(client: aiohttp.ClientSession) -> Any:
        async with client.ws_connect(f'{server.url}/live') as stream:
            await stream.receive_json()
            return unpacked(await stream.receive_bytes())

    async def both(client: aiohttp.ClientSession) -> tuple[Any, Any]:
        async with client.ws_connect(f'{server.url}/live') as early:
            await early.receive()
            server.publish(pack({'n': 7}, b'jpeg'))
            await early.receive()
            return await late(client)

    assert run(both) == ({'n': 7}, b'jpeg')
    wait_until(lambda: server.watchers == 0)
    server.publish(pack({'n': 8}, b''))

    async def after(client: aiohttp.ClientSession) -> Any:
        """What was newest when the last one left is old by now."""
        async with client.ws_connect(f'{server.url}/live') as stream:
            await stream.receive_json()
            server.publish(pack({'n': 9}, b''))
            return unpacked(await stream.receive_bytes())

    assert run(after)[0]['n'] in (8, 9)


def test_a_slow_browser_sees_the_newest_and_holds_up_nobody(server: PageServer) -> None:
    """One browser never answers; the other sees all, and the slow one then the last."""
    rounds = 60

    async def watch(client: aiohttp.ClientSession) -> tuple[list[int], list[int]]:
        slow = await client.ws_connect(f'{server.url}/live', max_msg_size=0)
        quick = await client.ws_connect(f'{server.url}/live', max_msg_size=0)
        await slow.receive()
        await quick.receive()
        seen = []
        for number in range(rounds):
            server.publish(pack({'n': number}, BIG))
            seen.append(unpacked(await quick.receive_bytes())[0]['n'])
            await quick.send_str(ANSWER)
        late = [unpacked(await slow.receive_bytes())[0]['n'] for _ in range(ON_THE_WAY)]
        await slow.send_str(ANSWER)
        late.append(unpacked(await slow.receive_bytes())[0]['n'])
        await slow.close()
        await quick.close()
        return seen, late

    seen, late = run(watch)
    assert seen == list(range(rounds))
    assert late == [*range(ON_THE_WAY), rounds - 1]        # nothing was queued in between


def test_what_waits_for_a_browser_is_one_message() -> None:
    async def offer() -> tuple[bytes, bytes]:
        watcher = Watcher()
        for number in range(10_000):
            watcher.offer(b'%d' % number)
        first = await watcher.take()
        watcher.offer(b'next')
        return first, await watcher.take()

    assert asyncio.run(offer()) == (b'9999', b'next')


def test_a_browser_that_talks_is_shown_the_door(server: PageServer) -> None:
    async def talk(client: aiohttp.ClientSession) -> int | None:
        async with client.ws_connect(f'{server.url}/live') as stream:
            await stream.receive()
            await stream.send_str('{"speed": 5}')
            while (await stream.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
            return stream.close_code

    assert run(talk) == aiohttp.WSCloseCode.POLICY_VIOLATION


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_browser_that_goes_in_the_middle_of_a_frame_is_let_go(server: PageServer) -> None:
    for _ in range(5):
        with socket.create_connection(('127.0.0.1', server.port)) as browser:
            browser.sendall(b'GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n'
                            b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                            b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
            assert b'101' in browser.recv(20)
            wait_until(lambda: server.watchers == 1)
            server.publish(pack({}, 40 * BIG))             # far more than fits on the way
            browser.recv(1000)
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')  # RST
        wait_until(lambda: server.watchers == 0)
    test_a_stream_opens_with_hello_and_goes_on(server)


def test_twenty_browsers_watch_and_some_come_and_go(server: PageServer) -> None:
    async def watch(client: aiohttp.ClientSession) -> list[list[int]]:
        streams = [await client.ws_connect(f'{server.url}/live') for _ in range(20)]
        for stream in streams:
            await stream.receive()
        seen: list[list[int]] = [[] for _ in streams]
        for number in range(20):
            server.publish(pack({'n': number}, b''))
            for index, stream in enumerate(streams):
                if not stream.closed:
                    seen[index].append(unpacked(await stream.receive_bytes())[0]['n'])
                    await stream.send_str(ANSWER)
            if number < 10:
                await streams[number].close()              # one leaves after each round
        for stream in streams:
            await stream.close()
        return seen

    seen = run(watch)
    assert [len(numbers) for numbers in seen] == [*range(1, 11), *[20] * 10]
    assert all(numbers == sorted(set(numbers)) for numbers in seen)


def test_a_port_in_use_is_told(server: PageServer) -> None:
    before = threading.active_count()
    with pytest.raises(BringupError, match=f'port {server.port} of 127.0.0.1 is in use'):
        PageServer(host='127.0.0.1', port=server.port, hello=lambda: '{}')
    assert threading.active_count() == before
    with pytest.raises(BringupError, match='cannot be served'):
        PageServer(host='203.0.113.7', port=0, hello=lambda: '{}')


def test_closing_leaves_no_thread_and_frees_the_port() -> None:
    server = PageServer(host='127.0.0.1', port=0, hello=lambda: '{}')

    async def watch(client: aiohttp.ClientSession) -> int | None:
        stream = await client.ws_connect(f'{server.url}/live')
        await stream.receive()
        await asyncio.to_thread(server.close)
        message = await stream.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        return message.data

    assert run(watch) == aiohttp.WSCloseCode.GOING_AWAY
    assert not [thread for thread in threading.enumerate() if thread.name == 'page']
    server.close()                         # twice does no harm
    PageServer(host='127.0.0.1', port=server.port, hello=lambda: '{}').close()
