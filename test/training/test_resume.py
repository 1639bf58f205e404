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
"""A run that is killed and started again ends in the weights of one that never stopped."""

from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
from types import ModuleType

from ltc_control.training.checkpoint import FILE, load_checkpoint
from ltc_control.training.loop import Progress, Trainer

STOP_AT = 6                                # a checkpoint lies at 4, the next comes at 8


def weights(trainer: Trainer) -> dict[str, bytes]:
    nets = {'net': trainer.net, 'average': trainer.average}
    return {f'{name}.{key}': value.numpy().tobytes() for name, net in nets.items()
            for key, value in net.state_dict().items()}


def killed_run(folder: Path) -> None:
    """Train in a process of its own until it says that it stands, then kill it."""
    script = Path(__file__).with_name('tiny_drives.py')
    with subprocess.Popen([sys.executable, script, folder, str(STOP_AT)],
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'standing\n'
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_killed_and_resumed_is_as_never_stopped(tiny: ModuleType, tmp_path: Path) -> None:
    killed_run(tmp_path / 'killed')
    assert load_checkpoint(tmp_path / 'killed')[1]['step'] == 4
    seen: list[Progress] = []
    resumed = Trainer(tiny.tiny_config(), *tiny.tiny_drives(), folder=tmp_path / 'killed')
    resumed.fit(seen.append)
    assert seen[0].step == 5                             # it did not start from nothing

    straight = Trainer(tiny.tiny_config(), *tiny.tiny_drives(), folder=tmp_path / 'straight')
    straight.fit(lambda _: None)
    assert weights(resumed) == weights(straight)
    assert resumed.history == straight.history
    # down to the optimiser's moments and the state that is carried
    assert ((tmp_path / 'killed' / FILE).read_bytes()
            == (tmp_path / 'straight' / FILE).read_bytes())
