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
The live page and the HTML report in a real headless Chromium.

The drive is real: `ltc drive`, its nodes, the shipped model, in lockstep, so that a browser which
takes the whole machine for a moment does not stop the car. What is judged is that each
element is there and that what it shows changes while the car drives, in the window of a desk and
of a phone, light and dark. Screenshots stay in `artefacts/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / 'artefacts'
_spec = spec_from_file_location('browser', Path(__file__).parents[1] / 'browser.py')
chromium = module_from_spec(_spec)
_spec.loader.exec_module(chromium)

pytestmark = [
    pytest.mark.ros, pytest.mark.gl, pytest.mark.slow,
    pytest.mark.skipif(chromium.find() is None, reason='no Chromium here and none can be '
                       'installed; `make test` installs it where there is apt')]

# what a page shows, as JavaScript expressions, each of which must change while the car drives
LIVE = {
    'time': "document.getElementById('clock').textContent",
    'camera': "document.getElementById('picture').src",
    'command': "document.getElementById('why').textContent",
    'curvature': "document.getElementById('curvature').textContent",
    'speed': "document.getElementById('speed').textContent",
    'curvature gauge': "document.querySelector('#curvature-gauge .asked').getAttribute('x')",
    'passed on': "document.querySelector('#curvature-gauge .passed').getAttribute('x')",
    'speed gauge': "document.querySelector('#speed-gauge .driven').getAttribute('width')",
    'limit': "document.getElementById('curvature-limit').textContent",
    'neurons': "Array.from(document.querySelectorAll('#circuit .lit'), n => "
               "n.getAttribute('fill-opacity')).join()",
    'currents': "Array.from(document.querySelectorAll('#circuit .inner'), n => "
                "n.getAttribute('stroke-width')).join()",
    'inputs': "Array.from(document.querySelectorAll('#circuit .sensory'), n => "
              "n.getAttribute('stroke-width')).join()",
    'time constants': "document.getElementById('taus').textContent",
    'place': "document.getElementById('lane').textContent",
    'latency': "document.getElementById('p50').textContent",
    **{canvas: f"document.getElementById('{canvas}').toDataURL()"
       for canvas in ('map', 'speed-history', 'curvature-history')},
}
ENDED_S = 300.0                            # at the latest, on a busy machine
DRAWN = 'Number(document.body?.dataset.count) > 0'


class Drive:
    """One ``ltc drive`` in the background."""

    def __init__(self, out: Path, *words: str) -> None:
        self.said = out.parent / 'said.txt'
        self.out = out
        with self.said.open('wb') as said:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--out', str(out),
                 '--no-video', '--page-port', '0', *words],
                stdout=said, stderr=subprocess.STDOUT, start_new_session=True)

    def alive(self) -> None:
        """Fail with what it said where it has ended."""
        assert self.process.poll() is None, self.said.read_text()

    def wait(self, condition: Callable[[], Any], *, within_s: float = 240.0) -> Any:
        deadline = time.monotonic() + within_s
        while not (found := condition()):
            self.alive()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)
        return found

    def url(self) -> str:
        log = self.out / 'log' / 'dashboard_node.txt'

        def told() -> str:
            text = log.read_text() if log.is_file() else ''
            return text.partition('the page is at ')[2].partition('\n')[0].strip()

        return self.wait(told)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=ENDED_S)


@pytest.fixture(scope='module')
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    drive = Drive(tmp_path_factory.mktemp('page') / 'run', '--seconds', '0', '--lockstep')
    try:
        log = drive.out / 'log' / 'simulator_node.txt'
        drive.wait(lambda: log.is_file() and ': driving' in log.read_text())
        yield drive
    finally:
        drive.stop()


@pytest.fixture(scope='module')
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    # what the ROS wheels put into the environment is not for other programs
    environment = {key: value for key, value in os.environ.items()
                   if key != 'LD_LIBRARY_PATH' and not key.startswith('_ROS')}
    browser = chromium.Browser(chromium.find(), tmp_path_factory.mktemp('profile'),
                               environment=environment)
    yield browser
    browser.close()


def look(browser: Any, drive: Drive, *, width: int = 1440, height: int = 1000,
         scheme: str = 'dark', phone: bool = False) -> None:
    browser.size(width, height, phone=phone, scale=2.0 if phone else 1.0)
    browser.prefer(scheme)
    browser.open(drive.url())
    browser.wait(DRAWN, alive=drive.alive)


def has_changed(browser: Any, drive: Drive, shown: dict[str, str]) -> None:
    """Wait until every expression has had another value than at first."""
    everything = f'[{", ".join(shown.values())}]'
    first, still = browser.evaluate(everything), set(shown)
    deadline = time.monotonic() + 180
    while still:
        drive.alive()
        assert time.monotonic() < deadline, f'these never change: {sorted(still)}'
        now = browser.evaluate(everything)
        still -= {name for name, before, after in zip(shown, first, now, strict=True)
                  if before != after}


def test_everything_is_there_and_lives_while_the_car_drives(browser: Any, drive: Drive) -> None:
    look(browser, drive)
    browser.wait("document.getElementById('picture').naturalWidth > 0 && "
                 "document.getElementById('p50').textContent !== '–'", alive=drive.alive)
    counts = {'.inner': 46, '.sensory': 160, '.node': 19, '.lit': 19, '.input': 32}
    for selector, count in counts.items():
        assert browser.evaluate(
            f"document.querySelectorAll('#circuit {selector}').length") == count, selector
    assert browser.evaluate("document.querySelectorAll('#taus > div').length") == 19
    has_changed(browser, drive, LIVE)
    browser.wait("document.getElementById('driver-words').textContent !== ''", alive=drive.alive)
    assert browser.evaluate("document.getElementById('model').textContent") == 'car_lane'
    assert browser.errors == []
    browser.screenshot(ARTEFACTS / 'page.png')


def test_a_reload_goes_on_where_the_drive_is(browser: Any, drive: Drive) -> None:
    look(browser, drive)
    before = float(browser.evaluate("document.getElementById('clock').textContent").split()[0])
    browser.ask('Page.reload')
    browser.wait(DRAWN, alive=drive.alive)
    clock = "parseFloat(document.getElementById('clock').textContent)"
    assert browser.wait(f'{clock} > 0 && {clock}') >= before
    has_changed(browser, drive, {'time': clock})
    assert browser.errors == []


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_a_phone_sees_it_all_without_scrolling_sideways(browser: Any, drive: Drive,
                                                        scheme: str) -> None:
    look(browser, drive, width=390, height=844, scheme=scheme, phone=True)
    assert browser.evaluate('document.documentElement.scrollWidth') <= 390
    assert browser.evaluate('document.documentElement.dataset.theme') == scheme
    boxes = browser.evaluate("Array.from(document.querySelectorAll('.card'), card => "
                             'card.getBoundingClientRect().width)')
    assert len(boxes) == 8
    assert min(boxes) > 340
    browser.screenshot(ARTEFACTS / f'page_phone_{scheme}.png')


def test_light_and_dark_follow_the_reader_and_the_button(browser: Any, drive: Drive) -> None:
    look(browser, drive, scheme='light')
    paper = 'getComputedStyle(document.body).backgroundColor'
    light = browser.evaluate(paper)
    browser.screenshot(ARTEFACTS / 'page_light.png')
    browser.prefer('dark')
    browser.wait(f"{paper} !== '{light}'")
    browser.evaluate("document.getElementById('theme').click()")
    assert browser.evaluate(paper) == light
    browser.ask('Page.reload')
    browser.wait(DRAWN, alive=drive.alive)
    assert browser.evaluate(paper) == light        # the wish of the reader is kept
    browser.evaluate('localStorage.clear()')


def test_a_drive_in_lockstep_has_a_page_says_its_end_and_reports_offline(
        browser: Any, tmp_path: Path) -> None:
    # long enough for a browser that a busy machine lets open the page late
    drive = Drive(tmp_path / 'run', '--seconds', '20', '--lockstep')
    try:
        look(browser, drive)
        browser.wait("parseFloat(document.getElementById('clock').textContent) > 2 && "
                     "document.getElementById('p50').textContent !== '–'")
        browser.wait("document.getElementById('link').textContent.startsWith('The drive has')",
                     within_s=ENDED_S)
    finally:
        drive.process.wait(timeout=ENDED_S)
    assert drive.process.returncode == 0, drive.said.read_text()
    out = tmp_path / 'report.html'
    made = subprocess.run([sys.executable, '-m', 'ltc_control.cli.main', 'report',
                           str(tmp_path / 'run'), '--out', str(out)],
                          capture_output=True, text=True, timeout=ENDED_S, check=False)
    assert made.returncode == 0, made.stderr
    browser.size(1180, 900)
    browser.open('about:blank#')
    browser.offline()
    browser.open(out.as_uri())
    assert browser.evaluate("performance.getEntriesByType('resource').filter(entry => "
                            "!entry.name.startsWith('data:')).length") == 0
    assert browser.evaluate('Array.from(document.images, i => i.naturalWidth > 0)'
                            '.every(Boolean)')
    shown = browser.evaluate("Array.from(document.querySelectorAll('section.panel'), s => s.id)")
    assert shown == ['map', 'offset', 'curvature', 'speed', 'latency', 'verdicts', 'neurons',
                     'taus', 'attention']
    assert browser.evaluate("document.querySelectorAll('#attention figure').length") == 12
    # the page of the drive that had ended was still calling
    assert [error for error in browser.errors if '/live' not in error] == []
    browser.screenshot(ARTEFACTS / 'report.png')


def test_a_port_in_use_costs_the_page_and_not_the_drive(drive: Drive, tmp_path: Path) -> None:
    taken = drive.url().rpartition(':')[2]
    done = subprocess.run(
        [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--out', str(tmp_path / 'run'),
         '--no-video', '--lockstep', '--seconds', '1', '--page-port', taken],
        capture_output=True, text=True, timeout=2 * ENDED_S, check=False)
    assert done.returncode == 0, done.stderr
    assert f'no live page: port {taken} cannot be used' in done.stderr
