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
``ltc explain``: why it acted, one subject a word; each is a module of its own here.

A subject's module holds what a command's does: HELP, EPILOG, ``add_arguments`` and ``run``.
"""

from __future__ import annotations

import argparse
import importlib

HELP = 'why it acts: one moment, the focus of its eye, trees, lesions, components, causes'
EPILOG = """examples:
  ltc explain moment runs/latest
  ltc explain focus models/car_lane
  ltc explain tree runs/latest
  ltc explain lesions models/car_lane
  ltc explain components models/car_lane
  ltc explain causes models/car_lane
  ltc explain attach runs/my_car
`ltc explain SUBJECT --help` tells the options of each"""

SUBJECTS = {                                   # word -> module here
    'moment': 'explain_moment',
    'focus': 'explain_focus',
    'tree': 'explain_tree',
    'lesions': 'explain_lesions',
    'components': 'explain_components',
    'causes': 'explain_causes',
    'attach': 'explain_attach',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subjects and their options."""
    subjects = parser.add_subparsers(metavar='SUBJECT', dest='subject', required=True)
    for word, name in SUBJECTS.items():
        module = importlib.import_module(f'ltc_control.cli.{name}')
        sub = subjects.add_parser(
            word, help=module.HELP, description=module.HELP, epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(sub)
        sub.set_defaults(explain=module.run)


def run(args: argparse.Namespace) -> int:
    """Explain what was asked for."""
    return int(args.explain(args))
