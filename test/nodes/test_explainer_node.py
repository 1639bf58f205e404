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
"""Neurons in, words out, over real DDS."""

from __future__ import annotations

from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from ltc_control import bringup
from ltc_control.core.errors import ModelError
from ltc_control.core.model_file import GRAPH_FILE, load_spec
from ltc_control.insight.disentangle import NeuronTree
from ltc_control.insight.tree_file import Explanation, Speaker, TREE_FILE, write_explanation
from ltc_control.insight.tree_variables import CAR
from ltc_control.insight.trees import LEAF, PathClassifier, Tree
from ltc_control.insight.whole_policy_tree import PolicyTree
from ltc_control.nodes.explainer_node import ExplainerNode
from ltc_control.nodes.qos import LATCHED
import numpy as np
import pytest
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

pytestmark = pytest.mark.ros
NAMES = ('motor_0', 'inter_0')


def stump(variable: int, threshold: float) -> Tree:
    return Tree(np.array([variable, LEAF, LEAF]), np.array([threshold, 0.0, 0.0]),
                np.array([1, LEAF, LEAF]), np.array([2, LEAF, LEAF]), np.array([0.0, -1.0, 1.0]),
                np.array([2, 1, 1]))


def explained(model: Path) -> Explanation:
    """Write trees for the counting model: its first neuron says where the road bends."""
    bend, slow = stump(4, 0.02), stump(5, 6.0)
    halves = PathClassifier(np.array([0.0]), np.array([0, 1]))
    explanation = Explanation(
        load_spec(model).files[GRAPH_FILE], 'counting', 10, CAR,
        tuple(NeuronTree(name, tree, halves)
              for name, tree in zip(NAMES, (bend, slow), strict=True)),
        Speaker(0, 0.05, 0.0, 1.0), PolicyTree(1, bend, slow), {})
    write_explanation(explanation, model / TREE_FILE)
    return explanation


@pytest.fixture
def told(model: Path, tmp_path: Path) -> Path:
    """Return a copy of the model with trees beside it."""
    folder = tmp_path / 'model'
    folder.mkdir()
    for file in model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    explained(folder)
    return folder


class Brain(Node):
    """Publishes neurons and hears what is said of them."""

    def __init__(self, stage: object) -> None:
        super().__init__('brain', context=stage.context, use_global_arguments=False)
        self.sentences: list[str] = []
        self.paths: list[DiagnosticArray] = []
        self.out = self.create_publisher(JointState, bringup.NEURONS, 10)
        self.create_subscription(String, bringup.WHY, lambda m: self.sentences.append(m.data), 10)
        self.create_subscription(DiagnosticArray, bringup.WHY_PATHS, self.paths.append, 10)

    def say(self, *states: float, names: tuple[str, ...] = NAMES) -> None:
        message = JointState(name=list(names), position=list(states), effort=[0.1] * len(states))
        message.header.stamp.sec = 7
        self.out.publish(message)


def test_it_says_the_path_of_the_newest_neurons(stage: object, told: Path) -> None:
    stage.add(ExplainerNode, model=str(told), rate_hz=30.0)
    brain = stage.take(Brain(stage))
    stage.spin_until(lambda: brain.out.get_subscription_count() > 0
                     and brain.count_publishers(bringup.WHY_PATHS) > 0)

    def heard(words: str) -> bool:
        brain.say(0.8 if 'left: road' in words else -0.8, -0.3)
        return words in brain.sentences and bool(brain.paths)

    stage.spin_until(lambda: heard('steers left: road curves left 10 m ahead > 0.02 1/m'))
    stage.spin_until(lambda: heard('steers right: curvature 10 m ahead at most 0.02 1/m left'))
    detail = brain.paths[-1]
    assert detail.header.stamp.sec == 7
    assert [status.name for status in detail.status] == list(NAMES)
    assert detail.status[1].message == 'speed <= 6 m/s'
    assert {pair.key: pair.value for pair in detail.status[1].values} == {
        'state': '-0.3000', 'path': '0'}


def test_neurons_of_another_model_are_not_explained(stage: object, told: Path) -> None:
    node = stage.add(ExplainerNode, model=str(told), rate_hz=60.0)
    brain = stage.take(Brain(stage))
    stage.spin_until(lambda: brain.out.get_subscription_count() > 0
                     and node.count_subscribers(bringup.WHY) > 0)
    brain.say(0.1, 0.2, 0.3, names=('a', 'b', 'c'))
    stage.spin(0.3)
    assert brain.sentences == []
    stage.spin_until(lambda: brain.say(-0.8, 0.5) or bool(brain.sentences))


def test_it_listens_only_once_the_others_are_ready(stage: object, told: Path) -> None:
    node = stage.add(ExplainerNode, model=str(told), wait_for='policy_node')
    assert node.count_subscribers(bringup.NEURONS) == 0
    ready = node.create_publisher(String, bringup.READY, LATCHED)
    ready.publish(String(data='policy_node'))
    stage.spin_until(lambda: node.count_subscribers(bringup.NEURONS) > 0)


def test_without_trees_it_says_how_to_grow_them(stage: object, model: Path) -> None:
    with pytest.raises(ModelError, match='ltc explain tree'):
        stage.add(ExplainerNode, model=str(model))
    with pytest.raises(ModelError, match='no model folder'):
        stage.add(ExplainerNode)


def test_a_drive_has_an_explainer_where_there_are_trees(told: Path, model: Path) -> None:
    system = bringup.simulated_car(model=str(told), track=1001)
    (node,) = bringup.explainer(system, model=str(told))
    assert node.watches
    assert node.parameters['wait_for'].split() == [one.name for one in system]
    assert bringup.explainer(system, model=str(model)) == ()
