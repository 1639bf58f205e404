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
"""``ros2 ltc ...``: the same door beside ``ros2 topic`` and the others, where ros2cli is."""

from __future__ import annotations

import argparse
from typing import Any

from ltc_control.cli.main import main
from ros2cli.command import CommandExtension


class LtcCommand(CommandExtension):
    """Drive, train, explain and examine 19-neuron policies; ``ros2 ltc -- --help`` lists all."""

    def add_arguments(self, parser: argparse.ArgumentParser, cli_name: str, *,
                      argv: Any = None) -> None:
        """Take every word as it is: ``ltc`` parses them."""
        parser.add_argument('words', nargs=argparse.REMAINDER, metavar='...',
                            help='a command of ltc and its options')

    def main(self, *, parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
        """Run ``ltc`` with the words."""
        words = args.words[1:] if args.words[:1] == ['--'] else args.words
        return main(words)
