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
Every command that the pages show is one that exists: parsed by the parser that would run it.

Nothing here runs for long: ``ltc`` words go through its own argument parser, ``make`` targets are
looked up, launch arguments are compared with those of the launch file, nodes with the manifest.
"""

from __future__ import annotations

from pathlib import Path
import re
import shlex
import subprocess
import sys

from ltc_control.cli import main as door
from ltc_control.launches import LAUNCHES
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / 'README.md', *(ROOT / 'docs').glob('*.md')])
OTHERS = {'git', 'cd', 'pip', 'rosdep', 'colcon', 'source', 'export', 'gz', '.', 'ros2', 'make',
          'python', '.venv/bin/python', 'apt-get', 'rviz2', 'sudo', 'docker', 'curl'}
ROS2 = {'launch', 'run', 'lifecycle', 'param', 'service', 'topic', 'pkg', 'bag', 'ltc', 'security'}


def commands(page: Path) -> list[str]:
    """Return the command lines of a page: fenced blocks without a language, or of a shell."""
    lines: list[str] = []
    for language, block in re.findall(r'^```(\w*)\n(.*?)^```', page.read_text(), re.S | re.M):
        if language in ('', 'bash', 'sh', 'console'):
            joined = re.sub(r' *\\\n\s*', ' ', block)
            lines += [line.strip() for line in joined.splitlines()]
    return [line for line in lines
            if re.match(r'(\S*ltc |ltc$|make |ros2 |gz |\.venv/bin/python |python )', line)]


CASES = [(page.name, line) for page in PAGES for line in commands(page)]


def words_of(line: str) -> list[str]:
    """Return the words up to a comment: a note after two spaces is no part of the command."""
    line = re.split(r'\s{2,}', line)[0]
    return shlex.split(line, comments=True)


def test_the_pages_show_commands() -> None:
    assert len(CASES) > 30
    assert {name for name, _ in CASES} >= {'README.md', 'index.md', 'gazebo.md', 'on_a_car.md'}


@pytest.mark.parametrize(('page', 'line'), CASES)
def test_a_command_of_the_pages_exists(page: str, line: str) -> None:
    words = words_of(line)
    if Path(words[0]).name == 'ltc':
        understood_by_ltc(words[1:])
    elif words[0] == 'make':
        understood_by_make(words[1:])
    elif words[0] == 'ros2':
        understood_by_ros2(words[1:])
    elif words[0].endswith('python'):
        assert (ROOT / words[1]).is_file() or words[1] == '-m', line


def understood_by_ltc(words: list[str]) -> None:
    if not words or words[0] not in door.COMMANDS:
        assert not words or words[0] in ('COMMAND', '--help', '--version'), words
        return
    parser = door._parser(wanted=words[0])
    if '--help' in words:
        return
    options = parser.parse_args(words)     # ends with code 2 where it does not understand
    for value in vars(options).values():   # a file of the repository that is named is there
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Path) and one.parts[:1] in (('config',), ('models',)):
                assert (ROOT / one).exists(), one


def understood_by_make(words: list[str]) -> None:
    targets = set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(), re.M))
    for word in words:
        if '=' not in word and not word.startswith('-'):
            assert word in targets, word


def understood_by_ros2(words: list[str]) -> None:
    assert words[0] in ROS2, words
    if words[:2] == ['launch', 'ltc_control']:
        plan = LAUNCHES[words[2].removesuffix('_launch.py')]
        known = {item.name: item for item in plan.arguments}
        for word in words[3:]:
            if word.startswith('--'):
                continue
            name, sign, value = word.partition(':=')
            assert sign, word
            assert name in known, name
            assert not known[name].choices or value in known[name].choices
    if words[:2] == ['run', 'ltc_control']:
        assert f"'{words[2]}'" in (ROOT / 'setup.py').read_text()


def test_no_other_program_is_asked_for() -> None:
    for page in PAGES:
        for line in commands(page):
            first = words_of(line)[0]
            assert first in OTHERS or Path(first).name == 'ltc', (page.name, line)


@pytest.mark.ros
def test_the_reference_is_what_the_code_says() -> None:
    pytest.importorskip('rclpy')
    done = subprocess.run([sys.executable, str(ROOT / 'docs' / 'reference.py'), '--check'],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_the_site_lists_pages_that_exist() -> None:
    site = yaml.safe_load((ROOT / 'mkdocs.yml').read_text())
    named = [page for entry in site['nav'] for page in entry.values()]
    assert len(named) == len(set(named)) > 8
    assert all((ROOT / 'docs' / page).is_file() for page in named)


def test_the_site_builds(tmp_path: Path) -> None:
    pytest.importorskip('mkdocs')
    done = subprocess.run([sys.executable, '-m', 'mkdocs', 'build', '--quiet', '--strict',
                           '--site-dir', str(tmp_path / 'site')], cwd=ROOT, timeout=300,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'make drive' in (tmp_path / 'site' / 'index.html').read_text()
    assert (tmp_path / 'site' / 'reference.html').is_file()
