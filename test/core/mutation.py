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
Single changes of a module's source, each run as a module of its own.

In the spirit of opendbc's ``safety/tests/mutation.py``: whoever lives on under a test shows what
that test does not see.
"""

from __future__ import annotations

import ast
import copy
from pathlib import Path
import sys
import types

NEGATED = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
           ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
SHIFTED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


def variants(node):
    """Yield single changes of one node."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for table in (NEGATED, SHIFTED):
                if type(operator) in table:
                    changed = copy.deepcopy(node)
                    changed.ops[index] = table[type(operator)]()
                    yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Call) and getattr(node.func, 'id', '') in ('min', 'max'):
        other = {'min': 'max', 'max': 'min'}[node.func.id]
        yield ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords)
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


class Replace(ast.NodeTransformer):
    """Put one node in the place of another."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


def mutants(module):
    """Yield (text of the mutated expression, line, syntax tree) of a module's functions."""
    tree = ast.parse(Path(module.__file__).read_text())
    functions = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
    bodies = [statement for f in functions for statement in f.body]
    for node in [n for statement in bodies for n in ast.walk(statement)]:
        for change in variants(node):
            changed = ast.copy_location(change, node)
            mutant = Replace(node, changed).visit(tree)
            yield ast.unparse(changed), node.lineno, ast.fix_missing_locations(mutant)
            Replace(changed, node).visit(tree)             # and back again


def built(tree, name, monkeypatch):
    """Run a syntax tree as a module of its own."""
    module = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)         # where dataclasses look it up
    exec(compile(tree, name, 'exec'), module.__dict__)
    return module


def survivors(module, fault_of, monkeypatch, *, equivalent):
    """Return (those that ``fault_of`` finds nothing in, how many were tried)."""
    alive, count = [], 0
    for text, line, tree in mutants(module):
        if text in equivalent:
            continue
        count += 1
        if fault_of(built(tree, 'mutant', monkeypatch)) is None:
            alive.append(f'line {line}: {text}')
    return alive, count
