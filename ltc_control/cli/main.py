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
``ltc``: the door for people. Finds the subcommand, prints errors as one line, sets the exit code.

Exit codes: 0 done, 1 done but the answer is no (a failed check), 2 wrong input or usage, 3 the
machine lacks something (GL), 4 nodes failed, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import importlib
import sys
from types import ModuleType

from ltc_control import __version__
from ltc_control.core.errors import LtcError

# name on the command line -> module here; 'import' is a Python keyword, hence the mapping
COMMANDS = {
    'drive': 'drive',
    'collect': 'collect',
    'train': 'train',
    'eval': 'eval_',
    'import': 'import_',
    'explain': 'explain',
    'report': 'report',
    'info': 'info',
    'bag': 'bag',
    'replay': 'replay',
    'world': 'world',
    'doctor': 'doctor',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(wanted=_first_word(arguments))
    options = parser.parse_args(arguments)
    if options.run is None:
        parser.print_help()
        return 2
    try:
        return int(options.run(options))
    except LtcError as error:
        print(f'ltc {options.command}: {error}', file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f'ltc {options.command}: stopped', file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


def _first_word(arguments: list[str]) -> str | None:
    return next((word for word in arguments if not word.startswith('-')), None)


def _parser(*, wanted: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='ltc', description='Robots that drive and fly on a brain small enough to read.')
    parser.add_argument('--version', action='version', version=f'ltc_control {__version__}')
    parser.set_defaults(run=None, command=None)
    subparsers = parser.add_subparsers(metavar='COMMAND', dest='command')
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(f'ltc_control.cli.{module_name}')
        sub = subparsers.add_parser(
            name, help=module.HELP, description=module.HELP, epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == wanted:
            _fill(sub, module)
    return parser


def _fill(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)


if __name__ == '__main__':
    sys.exit(main())
