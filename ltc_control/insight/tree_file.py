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
``tree.json``: what a robot needs to say why, saved beside the model it was grown for.

It is no part of the model: ``policy.yaml`` does not list it, and a model drives the same without
it. It holds the SHA-256 of the graph that it explains, and is refused beside another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import GRAPH_FILE, ModelSpec
from ltc_control.insight.disentangle import NeuronTree
from ltc_control.insight.tree_variables import Variable
from ltc_control.insight.tree_words import condition, sentence
from ltc_control.insight.trees import PathClassifier, Tree
from ltc_control.insight.whole_policy_tree import PolicyTree
import numpy as np

TREE_FILE = 'tree.json'
FORMAT = 'ltc_control tree'
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Speaker:
    """The neuron whose response is the steering command: curvature = gain z + offset."""

    neuron: int
    gain: float
    offset: float
    r2: float                              # 1 for a motor neuron

    def curvature(self, response: float) -> float:
        """Return the curvature [1/m] that the response asks for."""
        return self.gain * response + self.offset


@dataclass(frozen=True, eq=False)
class Explanation:
    """
    All trees of one model.

    ``graph`` is the SHA-256 of the graph they belong to, ``frames`` how many they were grown on.
    ``facts`` are metrics, fidelity and drives, as they were measured.
    """

    graph: str
    model: str
    frames: int
    variables: tuple[Variable, ...]
    neurons: tuple[NeuronTree, ...]
    speaker: Speaker
    policy: PolicyTree
    facts: Mapping[str, Any]

    def why(self, responses: np.ndarray) -> str:
        """Return the sentence for the responses (N,) of all neurons: the speaker's path."""
        speaker = self.neurons[self.speaker.neuron]
        response = float(responses[self.speaker.neuron])
        path = int(speaker.classify(response))
        return sentence(self.speaker.curvature(response), speaker.tree.boxes[path],
                        self.variables)

    def path_words(self, neuron: int, response: float) -> str:
        """Return all conditions of the path that a neuron's response stands for."""
        one = self.neurons[neuron]
        box = one.tree.boxes[int(one.classify(response))]
        words = [condition(self.variables[v], interval) for v, interval in box.items()]
        return ', '.join(words) if words else 'unexplained'

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file."""
        return {
            'format': FORMAT, 'format_version': FORMAT_VERSION, 'model': self.model,
            'graph_sha256': self.graph, 'frames': self.frames, 'facts': dict(self.facts),
            'variables': [variable.to_dict() for variable in self.variables],
            'speaker': {'neuron': self.speaker.neuron, 'gain': self.speaker.gain,
                        'offset': self.speaker.offset, 'r2': self.speaker.r2},
            'policy': self.policy.to_dict(),
            'neurons': [{'name': one.name, 'tree': one.tree.to_dict(),
                         'classifier': one.classify.to_dict()} for one in self.neurons],
        }


def write_explanation(explanation: Explanation, path: Path | str) -> None:
    """Write the file; a reader never sees half of it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.part')
    part.write_text(json.dumps(explanation.to_dict(), allow_nan=False) + '\n', encoding='utf-8')
    part.replace(path)


def read_explanation(path: Path | str, *, spec: ModelSpec | None = None) -> Explanation:
    """
    Read a file, or the one in a model folder; ``spec`` is of the model that it must explain.

    Raises ModelError where there is none, it is damaged or it was grown for another model.
    """
    path = Path(path)
    path = path / TREE_FILE if path.is_dir() else path
    if not path.is_file():
        raise ModelError(f'{path} is missing: no trees were grown for this model; grow them with '
                         '`ltc explain tree runs/latest`')
    try:
        values = json.loads(path.read_text(encoding='utf-8'))
        found = (values['format'], values['format_version'])
        if found != (FORMAT, FORMAT_VERSION):
            raise ModelError(f'{path} has format and version {found!r}, this program reads '
                             f'{(FORMAT, FORMAT_VERSION)!r}; grow the trees again')
        explanation = _build(values)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ModelError(f'{path} is no file of trees ({error!r}); grow them again with '
                         '`ltc explain tree`') from error
    if spec is not None and explanation.graph != spec.files.get(GRAPH_FILE):
        raise ModelError(f'{path} was grown for another model than {spec.name!r} (its graph is '
                         f'{explanation.graph[:12]}..., the model has '
                         f'{spec.files.get(GRAPH_FILE, "")[:12]}...); grow it again with '
                         '`ltc explain tree`')
    return explanation


def _build(values: Mapping[str, Any]) -> Explanation:
    variables = tuple(Variable.from_dict(item) for item in values['variables'])
    neurons = tuple(NeuronTree(item['name'], Tree.from_dict(item['tree']),
                               PathClassifier.from_dict(item['classifier']))
                    for item in values['neurons'])
    policy = PolicyTree.from_dict(values['policy'])
    for tree in (*(one.tree for one in neurons), policy.curvature, policy.speed):
        if tree.variable.max() >= len(variables):
            raise ModelError(f'a tree asks for variable {int(tree.variable.max())}, there are '
                             f'{len(variables)}; grow it again')
    for one in neurons:
        if one.classify.paths.max() >= len(one.tree.leaf_nodes):
            raise ModelError(f'the paths of {one.name!r} do not fit its tree; grow it again')
    speaker = Speaker(**values['speaker'])
    if not 0 <= speaker.neuron < len(neurons):
        raise ModelError(f'neuron {speaker.neuron!r} is not among {len(neurons)}; grow the trees '
                         'again')
    return Explanation(values['graph_sha256'], values['model'], int(values['frames']), variables,
                       neurons, speaker, policy, values['facts'])
