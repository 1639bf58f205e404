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
"""The door: quick to open, help with examples, one line and a code for whatever is wrong."""

from __future__ import annotations

from pathlib import Path
import re
import shlex
import subprocess
import sys
from types import ModuleType

from ltc_control import __version__
from ltc_control.cli import collect, eval_, info
from ltc_control.cli.main import COMMANDS, main
import pytest

HEAVY = ('torch', 'mujoco', 'rclpy', 'onnxruntime', 'rosbags', 'cv2')


def failed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command that fails; return its code and the one line that it says."""
    code = main(list(words))
    captured = capsys.readouterr()
    line, = captured.err.splitlines()
    assert line.startswith(f'ltc {words[0]}: ')
    return code, line


def test_help_loads_nothing_heavy() -> None:
    script = ('import sys\nfrom ltc_control.cli.main import main\n'
              'try:\n    main(["--help"])\nexcept SystemExit as stop:\n    assert stop.code == 0\n'
              f'print("heavy:", *(name for name in {HEAVY!r} if name in sys.modules))')
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True,
                          check=True, timeout=120)
    *help_lines, last = done.stdout.splitlines()
    assert last == 'heavy:'
    for name in COMMANDS:
        assert any(re.match(rf' +{name} +\w', line) for line in help_lines), name


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        main([*words, '--help'])
    assert stop.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize('name', COMMANDS)
def test_each_command_shows_examples_that_can_be_typed(
        name: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(name, capsys=capsys)
    examples = said.partition('examples:')[2].replace('\\\n', ' ')
    typed = [shlex.split(re.split(r'\s{2,}', line)[0])       # a note follows two spaces
             for line in re.findall(r'^  (ltc .*)$', examples, flags=re.MULTILINE)]
    assert typed
    for words in typed:
        assert words[1] == name, words
        second = re.escape(''.join(words[2:3]))
        kind = words[1:3] if re.search(rf'^ {{4}}{second} ', said, re.MULTILINE) else [name]
        known = re.findall(r'--[a-z][a-z-]*', help_of(*kind, capsys=capsys).split('example')[0])
        assert {word for word in words if word.startswith('--')} <= set(known), words


def test_version_and_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(['--version'])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out
    assert main([]) == 2
    assert 'COMMAND' in capsys.readouterr().out


@pytest.mark.parametrize('words', [['fly'], ['eval'], ['eval', 'expert', '--seconds', 'long'],
                                   ['collect', 'out', '--colour'],
                                   ['eval', 'expert', '--blackout-kind', 'blue']])
def test_wrong_usage_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    assert 'usage: ltc' in capsys.readouterr().err


@pytest.mark.parametrize('words', [
    ['eval', 'expert', '--seasons', 'summer,monsoon'],
    ['collect', 'out', '--season', 'monsoon'],
])
def test_an_unknown_season_is_named_with_those_there_are(
        words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, line = failed(capsys, *words)
    assert code == 2
    assert "'monsoon'" in line
    assert 'winter' in line


@pytest.mark.parametrize('words', [['eval'], ['collect', 'bags', '--policy']])
def test_a_missing_model_folder_is_named(words: list[str], tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'nowhere'
    code, line = failed(capsys, *words, str(folder))
    assert code == 2
    assert str(folder) in line


@pytest.mark.parametrize(('words', 'said'), [
    (['eval', 'expert', '--seconds', '0'], '--seconds must be above 0, got 0.0'),
    (['eval', 'expert', '--blackout-interval', '-1'], '--blackout-interval must be above 0'),
    (['eval', 'expert', '--noise', '-0.1'], '--noise must not be below 0, got -0.1'),
    (['eval', 'expert', '--tracks', '9:3'], "'9:3'; write 3:9"),
    (['collect', 'out', '--tracks', '998:1000'], 'track 1000 is kept for evaluation'),
    (['collect', 'out', '--episodes', '0'], '0 episodes'),
    (['collect', 'out', '--season', 'summer,winter'], "one season a recording, got 'summer,wint"),
])
def test_options_that_cannot_be_are_said_back(
        words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = failed(capsys, *words)
    assert code == 2
    assert said in line
    assert not any(tmp_path.iterdir())                   # nothing was begun


@pytest.mark.parametrize(('raised', 'code', 'said'), [
    (KeyboardInterrupt(), 130, 'ltc info: stopped\n'), (BrokenPipeError(), 0, '')])
def test_a_person_or_a_pipe_that_stops_it(
        raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    def stop(_: object) -> int:
        raise raised
    monkeypatch.setattr(info, 'run', stop)
    assert main(['info', 'models/x']) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize('module', [collect, eval_, info])
def test_help_is_one_line_in_lower_case(module: ModuleType) -> None:
    assert module.HELP[0].islower()
    assert '\n' not in module.HELP
    assert module.EPILOG.startswith('examples:\n')
