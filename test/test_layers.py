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
The arrows of docs/architecture.md: who may import whom, and what never loads on a vehicle.

Two independent looks. One walks the syntax tree of every module, function bodies included; the
other asks a fresh interpreter what was really loaded.
"""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'ltc_control'

ARROWS = {
    'core': set(),
    'nets': {'core'},
    'sim': {'core'},
    'data': {'core'},
    'insight': {'core', 'data', 'bringup'},
    'training': {'core', 'nets', 'sim', 'data'},
    'nodes': {'core', 'sim', 'insight', 'data', 'bringup'},
    'bringup': set(),
    'launches': {'bringup'},
    'cli': {'core', 'nets', 'sim', 'data', 'insight', 'training', 'nodes', 'bringup',
            'launches'},
}
HEAVY = {'torch', 'rclpy', 'mujoco', 'rosbags', 'mcap', 'matplotlib', 'onnx'}
FORBIDDEN = {                              # third parties a layer may not import at all
    'core': HEAVY,
    'bringup': HEAVY,
    'sim': {'torch', 'rclpy', 'rosbags', 'mcap'},
    'data': {'torch', 'rclpy', 'mujoco'},
    'nets': {'rclpy', 'mujoco', 'rosbags', 'mcap'},
    'insight': {'torch', 'rclpy', 'mujoco'},
    'training': {'rclpy'},
    'nodes': {'torch', 'onnx', 'ncps'},
}


def layer_of(path: Path) -> str:
    """Return the layer that a module stands in: a folder, or a module beside the folders."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix('').parts
    return parts[0]


def absolute(node: ast.ImportFrom, path: Path) -> str:
    """Return the full name of the module that a from-import names."""
    if not node.level:
        return node.module or ''
    package = path.relative_to(ROOT).with_suffix('').parts[:-node.level]
    return '.'.join([*package, *([node.module] if node.module else [])])


def imports(source: str, path: Path) -> set[str]:
    """Return every module that a file imports, wherever in it the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node, path)
            found |= {module, *(f'{module}.{alias.name}' for alias in node.names)}
    return found


def layers_used(source: str, path: Path) -> set[str]:
    """Return the layers of this package that a file imports from, its own left out."""
    inside = {name.split('.')[1] for name in imports(source, path)
              if name.startswith(f'{PACKAGE}.')}
    return (inside & set(ARROWS)) - {layer_of(path)}


def modules() -> list[Path]:
    return sorted(path for path in (ROOT / PACKAGE).rglob('*.py') if path.name != '__init__.py'
                  or path.parent != ROOT / PACKAGE)


@pytest.mark.parametrize('path', modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    layer, source = layer_of(path), path.read_text(encoding='utf-8')
    assert layer in ARROWS, f'{path.name} stands in no known layer: add its arrows here'
    assert layers_used(source, path) <= ARROWS[layer]
    outside = {name.split('.')[0] for name in imports(source, path)}
    assert not outside & FORBIDDEN.get(layer, set())


@pytest.mark.parametrize(('source', 'layers'), [
    ('from ltc_control.core.policy import Policy', {'core'}),
    ('from ltc_control import nets', {'nets'}),
    ('import ltc_control.training.loop as loop', {'training'}),
    ('def late():\n    from ..nodes import policy_node', {'nodes'}),
    ('from . import camera', set()),
    ('import numpy', set()),
])
def test_the_walk_sees_each_form_of_import(source: str, layers: set[str]) -> None:
    assert layers_used(source, ROOT / PACKAGE / 'sim' / 'world.py') == layers


def test_arrows_have_no_cycle() -> None:
    left = {layer: set(uses) for layer, uses in ARROWS.items()}
    while left:
        free = {layer for layer, uses in left.items() if not uses & left.keys()}
        assert free, f'cycle among {sorted(left)}'
        left = {layer: uses for layer, uses in left.items() if layer not in free}


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a statement."""
    code = (f'{statement}\nimport sys\n'
            'print("LOADED", *{name.split(".")[0] for name in sys.modules})')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          timeout=300, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    line = next(text for text in done.stdout.splitlines() if text.startswith('LOADED'))
    return set(line.split()[1:])


def submodules(layer: str) -> list[str]:
    """Return the import names of a layer's modules."""
    files = sorted((ROOT / PACKAGE / layer).glob('*.py'))
    return [f'{PACKAGE}.{layer}.{path.stem}' for path in files if path.stem != '__init__']


def test_core_loads_nothing_heavy() -> None:
    names = ', '.join([f'{PACKAGE}.core', *submodules('core')])
    assert not loaded_after(f'import {names}') & HEAVY


@pytest.mark.ros
def test_no_node_loads_torch() -> None:
    pytest.importorskip('rclpy')
    names = submodules('nodes')
    assert names, 'there are no nodes'
    assert not loaded_after(f'import {", ".join(names)}') & {'torch', 'onnx'}


def test_drive_and_doctor_load_no_torch() -> None:
    assert importlib.util.find_spec(f'{PACKAGE}.cli.drive'), '`ltc drive` is missing'
    statement = ('import ltc_control.cli.main, ltc_control.cli.drive, ltc_control.cli.doctor, '
                 'argparse\n'
                 'for module in (ltc_control.cli.drive, ltc_control.cli.doctor):\n'
                 '    module.add_arguments(argparse.ArgumentParser())')
    assert not loaded_after(statement) & {'torch', 'onnx'}


def test_the_fresh_interpreter_would_see_a_heavy_module() -> None:
    assert 'yaml' in loaded_after('import yaml')
    assert 'yaml' not in loaded_after('import json')
