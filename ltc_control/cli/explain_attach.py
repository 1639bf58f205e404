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
"""``ltc explain attach``: give a model folder the graph of its attention maps."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = 'add attention.onnx to model folders that were exported without it (needs torch)'
EPILOG = """examples:
  ltc explain attach models/car_lane
  ltc explain attach runs/car runs/cnn --json
policy.onnx and the weights stay as they are; policy.yaml gets the new file's hash"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('models', type=Path, nargs='+', metavar='MODEL', help='model folder')
    parser.add_argument('--json', action='store_true', help='print one JSON object')


def run(args: argparse.Namespace) -> int:
    """Attach to every folder; a ModelError says what does not fit."""
    from ltc_control.core.errors import ConfigError
    try:
        from ltc_control.nets.export import attach_attention, ATTENTION_FILE
    except ImportError as err:
        raise ConfigError(f'making an attention graph needs the training packages ({err}); '
                          'install them with `make setup-train`') from err

    done = {}
    for folder in args.models:
        spec = attach_attention(folder)
        done[str(folder)] = {'digest': spec.digest, 'sha256': spec.files[ATTENTION_FILE]}
        if not args.json:
            print(f'{folder}: {ATTENTION_FILE} added, digest {spec.digest[:16]}...')
    if args.json:
        print(json.dumps(done, indent=2))
    return 0
