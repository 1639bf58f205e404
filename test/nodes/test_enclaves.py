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
"""The SROS2 policy allows what real nodes do, and no more: compared with their own endpoints."""

from __future__ import annotations

import contextlib
from pathlib import Path
import runpy
import shutil
from typing import Any
import xml.etree.ElementTree as ET

import pytest

pytest.importorskip('rclpy')

from ltc_control import bringup
from ltc_control.nodes.attention_node import AttentionNode
from ltc_control.nodes.dashboard_node import DashboardNode
from ltc_control.nodes.explainer_node import ExplainerNode
from ltc_control.nodes.flight_safety_node import FlightSafetyNode
from ltc_control.nodes.manager_node import ManagerNode
from ltc_control.nodes.policy_node import PolicyNode
from ltc_control.nodes.recorder_node import RecorderNode
from ltc_control.nodes.safety_node import SafetyNode
from ltc_control.nodes.simulator_node import SimulatorNode

pytestmark = pytest.mark.ros

ROOT = Path(bringup.__file__).resolve().parents[1]
# allowed and not always used: the other transport, simulated time, what newer rclpy offers
SOMETIMES = {'/clock', bringup.CAMERA + '/compressed', bringup.TARGET_TRUTH, bringup.COLLISION}
NEWER = '/get_type_description'
SHIPPED = str(bringup.share('models/car_lane'))


def allowed(node: str, kind: str, way: str) -> set[str]:
    """Return the absolute names that the policy allows a node, as ``topics`` to ``publish``."""
    root = ET.parse(ROOT / 'config' / 'sros2_policy.xml').getroot()
    profile = next(one for one in root.iter('profile') if one.get('node') == node)
    names = {item.text for group in profile.findall(kind) if group.get(way) == 'ALLOW'
             for item in group}
    return {f'/{node}/{name[2:]}' if name.startswith('~/') else f'/{name}' for name in names}


def make(name: str, stage: Any, model: Path, folder: Path) -> Any:
    """Start the node of that name, with every sensor that it can have."""
    if name == 'safety_node':
        return stage.add(SafetyNode, scan_topic=bringup.SCAN, range_topic=bringup.RANGE,
                         depth_topic=bringup.DEPTH, joy_topic=bringup.JOY)
    if name == 'explainer_node':
        shutil.copytree(model, folder / 'explained')
        trees = runpy.run_path(str(Path(__file__).with_name('test_explainer_node.py')))
        trees['explained'](folder / 'explained')
    kind, parameters = {
        'flight_safety_node': (FlightSafetyNode, {'human_topic': bringup.HUMAN_COMMAND}),
        'policy_node': (PolicyNode, {'model': str(model)}),
        'manager_node': (ManagerNode, {'manage': 'policy_node'}),
        'recorder_node': (RecorderNode, {'bag': str(folder / 'bag'),
                                         'topics': ','.join(bringup.RECORDED)}),
        'simulator_node': (SimulatorNode, {'scan': True}),
        'attention_node': (AttentionNode, {'model': SHIPPED}),
        'explainer_node': (ExplainerNode, {'model': str(folder / 'explained')}),
        'dashboard_node': (DashboardNode, {'port': 0})}[name]
    return stage.add(kind, **parameters)


def later(node: Any) -> set[str]:
    """Return the topics that a node listens to once somebody speaks there, or asks for more."""
    if isinstance(node, DashboardNode):
        return {ear.topic for ear in (*node._camera, *node._ears, node._ready)}
    if isinstance(node, RecorderNode):
        return {*bringup.RECORDED, *bringup.FLIGHT_RECORDED}
    if isinstance(node, SimulatorNode):    # of the other vehicle
        return {bringup.TARGET_TRUTH, bringup.COLLISION}
    return {bringup.NEURONS, bringup.IMU} if isinstance(node, AttentionNode) else set()


def profiles() -> list[str]:
    root = ET.parse(ROOT / 'config' / 'sros2_policy.xml').getroot()
    return [profile.get('node') for profile in root.iter('profile')]


@pytest.mark.parametrize('name', profiles())
def test_a_node_may_do_what_it_does_and_nothing_else(
        name: str, stage: Any, model: Path, tmp_path: Path) -> None:
    node = make(name, stage, model, tmp_path)
    own = (name, node.get_namespace())
    known = SOMETIMES | later(node)

    def topics(way: str) -> set[str]:
        ends = {'publish': node.get_publisher_names_and_types_by_node,
                'subscribe': node.get_subscriber_names_and_types_by_node}[way]
        return {topic for topic, _ in ends(*own)}

    with contextlib.suppress(AssertionError):              # the graph is a thread behind its node
        stage.spin_until(lambda: all(allowed(name, 'topics', way) - topics(way) <= known
                                     for way in ('publish', 'subscribe')))
    for way in ('publish', 'subscribe'):
        used, may = topics(way), allowed(name, 'topics', way)
        assert used <= may, f'{name} may not {way} {used - may}'
        assert may - used <= known, f'{name} does not {way} {may - used - known}'
    assert later(node) <= allowed(name, 'topics', 'subscribe') | allowed(name, 'topics', 'publish')
    served = {service for service, _ in node.get_service_names_and_types_by_node(*own)}
    may = allowed(name, 'services', 'reply')
    assert served <= may, f'{name} may not serve {served - may}'
    assert all(service.endswith(NEWER) for service in may - served), may - served
    asked = {service for service, _ in node.get_client_names_and_types_by_node(*own)}
    assert asked == allowed(name, 'services', 'request')


def test_every_node_has_an_enclave() -> None:
    nodes = {path.stem for path in (ROOT / 'ltc_control' / 'nodes').glob('*_node.py')}
    assert sorted(profiles()) == sorted(nodes)


def test_only_safety_may_speak_to_the_vehicle() -> None:
    root = ET.parse(ROOT / 'config' / 'sros2_policy.xml').getroot()
    speakers = [profile.get('node') for profile in root.iter('profile')
                if bringup.COMMAND in allowed(profile.get('node'), 'topics', 'publish')]
    assert speakers == ['safety_node', 'flight_safety_node']
