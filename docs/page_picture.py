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
Make docs/images/page.png and page_phone.png: the live page in the middle of a real drive.

    python docs/page_picture.py            a lockstep drive, one minute in; needs Chromium
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'test'))

import browser as chromium  # noqa: E402  (stands beside the tests)

IMAGES = ROOT / 'docs' / 'images'
SECONDS, COLOURS = 62, 192
WINDOWS = {'page': (1440, 1000, False, 'dark'), 'page_light': (1440, 1000, False, 'light'),
           'page_phone': (390, 844, True, 'dark')}


def main() -> int:
    """Drive, look, leave."""
    with tempfile.TemporaryDirectory() as scratch:
        said = Path(scratch) / 'said.txt'
        with said.open('wb') as log:
            drive = subprocess.Popen(
                [sys.executable, '-m', 'ltc_control.cli.main', 'drive', '--lockstep', '--seconds',
                 '0', '--no-video', '--page-port', '0', '--out', f'{scratch}/run', *sys.argv[1:]],
                stderr=log, stdout=log)
        try:
            _look(_address(said, drive), Path(scratch))
        finally:
            drive.send_signal(signal.SIGINT)
            drive.wait()
    return 0


def _address(said: Path, drive: subprocess.Popen[bytes]) -> str:
    while not (found := re.search(r'http://[\d.:]+', said.read_text())):
        if drive.poll() is not None:
            sys.exit(said.read_text())
        time.sleep(0.1)
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(found[0]):
            return found[0]
        time.sleep(0.1)


def _look(url: str, scratch: Path) -> None:
    environment = {key: value for key, value in os.environ.items()
                   if key != 'LD_LIBRARY_PATH' and not key.startswith('_ROS')}
    browser = chromium.Browser(chromium.find(), scratch / 'profile', environment=environment)
    try:
        for name, (width, height, phone, scheme) in WINDOWS.items():
            scale = 2.0 if phone else 1.0
            browser.size(width, height, phone=phone, scale=scale)
            browser.prefer(scheme)
            browser.open(url)
            browser.wait(f"parseFloat(document.getElementById('clock')?.textContent) > {SECONDS} "
                         "&& document.getElementById('picture').naturalWidth", within_s=400)
            full = browser.evaluate('document.documentElement.scrollHeight')
            browser.size(width, full, phone=phone, scale=scale)
            before = browser.evaluate('document.body.dataset.count')
            browser.wait(f'Number(document.body.dataset.count) > {int(before) + 5}')
            _write(browser.screenshot(scratch / f'{name}.png'), IMAGES / f'{name}.png')
    finally:
        browser.close()


def _write(picture: Path, path: Path) -> None:
    """Write a picture with few colours: a page has no more, and the file is a third."""
    with Image.open(picture) as image:
        image.convert('RGB').quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f'{path} ({path.stat().st_size / 1e3:.0f} kB)')


if __name__ == '__main__':
    sys.exit(main())
