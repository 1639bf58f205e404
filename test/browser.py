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
A real Chromium without a window, spoken to through the DevTools protocol over one websocket.

Tests call plain functions; each runs the event loop until its answer is there.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
import itertools
import os
from pathlib import Path
import shutil
import signal
import subprocess
import time
from typing import Any

import aiohttp

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
SWITCHES = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--disable-dev-shm-usage', '--hide-scrollbars', '--remote-debugging-port=0')
START_S, ANSWER_S = 120.0, 120.0           # many processes on a busy machine


def find() -> str | None:
    """Return the path of a Chromium on this machine, None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One browser process with one page; ``errors`` are what its console complained about."""

    def __init__(self, program: str, profile: Path, *, environment: dict[str, str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._numbers = itertools.count(1)
        self.errors: list[str] = []
        self._process = subprocess.Popen(
            [program, *SWITCHES, f'--user-data-dir={profile}', 'about:blank'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environment, start_new_session=True)
        try:
            self._run(self._connect(profile / 'DevToolsActivePort'))
        except BaseException:
            self.close()
            raise

    def _run(self, coroutine: Any) -> Any:
        return self._loop.run_until_complete(asyncio.wait_for(coroutine, ANSWER_S))

    async def _connect(self, port_file: Path) -> None:
        deadline = time.monotonic() + START_S
        while not (port_file.is_file() and port_file.read_text().count('\n')):
            assert self._process.poll() is None, 'chromium ended at once'
            assert time.monotonic() < deadline, 'chromium did not start'
            await asyncio.sleep(0.05)
        port = port_file.read_text().split()[0]
        self._session = aiohttp.ClientSession()
        async with self._session.put(f'http://127.0.0.1:{port}/json/new?about:blank') as answer:
            page = await answer.json(content_type=None)
        self._socket = await self._session.ws_connect(page['webSocketDebuggerUrl'],
                                                      max_msg_size=0)
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            await self._ask(f'{domain}.enable')

    async def _ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({'id': number, 'method': method, 'params': arguments})
        while True:
            said = await self._socket.receive_json()
            if said.get('id') == number:
                assert 'error' not in said, (method, said)
                return said['result']
            self._hear(said)

    def _hear(self, said: dict[str, Any]) -> None:
        told = said.get('params', {})
        if said['method'] == 'Runtime.exceptionThrown':
            self.errors.append(str(told['exceptionDetails'].get('exception', told))[:500])
        if said['method'] == 'Log.entryAdded' and told['entry']['level'] == 'error':
            self.errors.append(f'{told["entry"]["text"]} {told["entry"].get("url", "")}')

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to one DevTools command."""
        return self._run(self._ask(method, **arguments))

    def open(self, url: str) -> None:
        """Go to ``url`` and wait until it has loaded."""
        self.ask('Page.navigate', url=url)
        self.wait('document.readyState === "complete" && location.href !== "about:blank"')

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.ask('Runtime.evaluate', expression=script, returnByValue=True,
                          awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result'].get('value')

    def wait(self, script: str, *, within_s: float = 120.0,
             alive: Callable[[], None] = lambda: None) -> Any:
        """Return the value of an expression once it is true; ``alive`` may give up earlier."""
        deadline = time.monotonic() + within_s
        while True:
            value, why = None, 'never true'
            try:
                value = self.evaluate(script)
            except AssertionError as error:        # between two pages there is nothing to ask
                why = str(error)
            if value:
                return value
            alive()
            assert time.monotonic() < deadline, f'{why}: {script}'
            self._loop.run_until_complete(asyncio.sleep(0.05))

    def size(self, width: int, height: int, *, scale: float = 1.0, phone: bool = False) -> None:
        """Give the page a window of so many CSS pixels."""
        self.ask('Emulation.setDeviceMetricsOverride', width=width, height=height,
                 deviceScaleFactor=scale, mobile=phone)

    def prefer(self, scheme: str) -> None:
        """Let the page think that its reader prefers 'light' or 'dark'."""
        self.ask('Emulation.setEmulatedMedia',
                 features=[{'name': 'prefers-color-scheme', 'value': scheme}])

    def offline(self) -> None:
        """Cut the page off from every network."""
        self.ask('Network.emulateNetworkConditions', offline=True, latency=0,
                 downloadThroughput=0, uploadThroughput=0)

    def screenshot(self, path: Path, *, whole: bool = True) -> Path:
        """Write a PNG of the page, below the fold too."""
        answer = self.ask('Page.captureScreenshot', format='png', captureBeyondViewport=whole)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(answer['data']))
        return path

    def close(self) -> None:
        """End the browser and all its processes."""
        if hasattr(self, '_session'):
            self._loop.run_until_complete(self._session.close())
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)    # it leads its own session
        self._process.wait()
        self._loop.close()
