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
"""The policy node as a citizen: states, live parameters, services, report; and its manager."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

import pytest

pytest.importorskip('rclpy')

from lifecycle_msgs.srv import ChangeState, GetState
from ltc_control import bringup
from ltc_control.nodes import qos
from ltc_control.nodes.manager_node import ManagerNode
from ltc_control.nodes.policy_node import PolicyNode
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

pytestmark = pytest.mark.ros
STEP_NS = 1_000_000_000 // 30


class Caller:
    """Calls services of the policy node and waits for the answer."""

    def __init__(self, stage: Any, vehicle: Any) -> None:
        self._stage, self._vehicle = stage, vehicle

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self._vehicle.create_client(kind, name)
        self._stage.spin_until(client.service_is_ready)
        future = client.call_async(request)
        self._stage.spin_until(future.done)
        return future.result()

    def change(self, *, label: str = '', number: int = 0) -> bool:
        request = ChangeState.Request()
        request.transition.label, request.transition.id = label, number
        return bool(self.call(ChangeState, '/policy_node/change_state', request).success)

    def state(self) -> str:
        return str(self.call(GetState, '/policy_node/get_state',
                             GetState.Request()).current_state.label)

    def set(self, name: str, value: Any) -> Any:
        request = SetParametersAtomically.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParametersAtomically,
                         '/policy_node/set_parameters_atomically', request).result


@pytest.fixture
def caller(stage: Any) -> Callable[[], tuple[Any, Caller]]:
    def make() -> tuple[Any, Caller]:
        vehicle = stage.vehicle()
        return vehicle, Caller(stage, vehicle)
    return make


def show(vehicle: Any) -> None:
    """Send a frame and its IMU, one period after the last by its stamp, however long that took."""
    first = time.time_ns() - 3 * STEP_NS                         # none is of the future
    vehicle.shown_ns = getattr(vehicle, 'shown_ns', first) + STEP_NS
    vehicle.send_imu(vehicle.shown_ns)
    vehicle.image_out.publish(vehicle.good_image(vehicle.shown_ns))


def answers_three(stage: Any, vehicle: Any) -> None:
    """Wait until each of three frames got a request, and no more than one."""
    stage.spin_until(lambda: vehicle.count_publishers(bringup.POLICY_COMMAND) == 2)
    before = len(vehicle.requests)
    for number in range(1, 4):
        show(vehicle)
        stage.spin_until(lambda: len(vehicle.requests) >= before + number)     # noqa: B023
    stage.spin(0.1)
    assert len(vehicle.requests) == before + 3


def answers_none(stage: Any, vehicle: Any) -> None:
    before = len(vehicle.requests)
    for _ in range(3):
        show(vehicle)
        stage.spin(0.1)
    assert len(vehicle.requests) == before


def matched(stage: Any, vehicle: Any) -> None:
    stage.spin_until(lambda: vehicle.image_out.get_subscription_count() == 1
                     and vehicle.imu_out.get_subscription_count() == 1)
    stage.spin(0.2)


def test_it_goes_through_its_states_and_back_and_survives_nonsense(
        stage: Any, caller: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), autostart=False, imu_wait_s=1.0)
    vehicle, calls = caller()
    assert calls.state() == 'unconfigured'
    assert not calls.change(number=42)     # on Jazzy this used to end the process
    assert not calls.change(label='no such thing')
    assert not calls.change(label='activate')
    for _ in range(2):
        assert calls.change(label='configure')
        assert calls.state() == 'inactive'
        matched(stage, vehicle)
        answers_none(stage, vehicle)
        assert calls.change(label='activate')
        answers_three(stage, vehicle)
        assert calls.change(label='deactivate')
        answers_none(stage, vehicle)
        assert calls.change(label='cleanup')
        assert calls.state() == 'unconfigured'
        stage.spin_until(lambda: vehicle.image_out.get_subscription_count() == 0)


def test_a_model_that_is_not_there_leaves_it_unconfigured(
        stage: Any, caller: Any, tmp_path: Path) -> None:
    node = stage.add(PolicyNode, model=str(tmp_path), autostart=False)
    _, calls = caller()
    assert not calls.change(label='configure')
    assert calls.state() == 'unconfigured'
    assert str(tmp_path) in str(node.failure)


def test_live_parameters_change_between_frames_and_others_do_not(
        stage: Any, caller: Any, model: Path) -> None:
    stage.add(PolicyNode, model=str(model), imu_wait_s=1.0)
    vehicle, calls = caller()
    matched(stage, vehicle)
    answers_three(stage, vehicle)
    full = vehicle.requests[-1].twist.linear.x
    assert calls.set('speed_scale', 0.5).successful
    answers_three(stage, vehicle)
    assert vehicle.requests[-1].twist.linear.x == pytest.approx(0.5 * full)
    for name, value in (('speed_scale', 1.5), ('imu_wait_s', -1.0), ('model', 'other'),
                        ('threads', 2)):
        assert not calls.set(name, value).successful
    assert calls.set('imu_wait_s', 0.9).successful
    answers_three(stage, vehicle)
    assert vehicle.requests[-1].twist.linear.x == pytest.approx(0.5 * full)


def test_the_state_can_be_reset(stage: Any, caller: Any, model: Path) -> None:
    from sensor_msgs.msg import JointState
    neurons: list[JointState] = []
    stage.add(PolicyNode, model=str(model), imu_wait_s=1.0)
    vehicle, calls = caller()
    vehicle.create_subscription(JointState, bringup.NEURONS, neurons.append, qos.EVENT)
    matched(stage, vehicle)
    stage.spin_until(lambda: vehicle.count_publishers(bringup.NEURONS) == 1)
    stage.spin(0.3)
    answers_three(stage, vehicle)
    stage.spin_until(lambda: len(neurons) == 3)
    assert neurons[-1].position[0] > neurons[0].position[0]     # this model counts its steps
    assert calls.call(Trigger, '/policy_node/reset_state', Trigger.Request()).success
    answers_three(stage, vehicle)
    stage.spin_until(lambda: len(neurons) == 6)
    assert neurons[3].position[0] == pytest.approx(neurons[0].position[0])


def test_it_reports_all_that_was_promised(stage: Any, caller: Any, model: Path) -> None:
    from ltc_control.core.model_file import load_spec
    stage.add(PolicyNode, model=str(model), imu_wait_s=1.0)
    vehicle, _ = caller()
    matched(stage, vehicle)
    answers_three(stage, vehicle)
    stage.spin_until(lambda: vehicle.health.get('policy_node: input', {}).get('commands') == '3')
    told = vehicle.health['policy_node: input']
    assert {'frames', 'image_hz', 'imu_hz', 'command_hz', 'cpu_percent', 'step_ms_p50',
            'step_ms_p99', 'latency_ms_p50', 'latency_ms_p99', 'dt_ms_p50', 'dt_ms_p99',
            'model', 'state'} <= told.keys()
    assert told['model_hash'] == load_spec(model).digest[:16]
    assert sum(int(count) for key, count in told.items() if key.startswith('case_')) == 3
    assert 0.0 < float(told['latency_ms_p50']) < 10_000.0       # longer ones are left out
    assert told['state'] == 'active'


def test_the_quality_of_service_can_be_overridden(stage: Any, model: Path) -> None:
    name = f'qos_overrides.{bringup.CAMERA}.subscription.reliability'
    node = stage.add(PolicyNode, model=str(model), **{name: 'reliable'})
    end, = node.get_subscriptions_info_by_topic(bringup.CAMERA)
    assert end.qos_profile.reliability.name == 'RELIABLE'


def test_a_manager_leads_it_and_stops_the_car_when_it_stays_away(
        stage: Any, caller: Any, model: Path) -> None:
    pressed: list[bool] = []
    policy = stage.add(PolicyNode, model=str(model), autostart=False)
    stage.add(ManagerNode, manage='policy_node', check_s=0.05, patience_s=10.0, answer_s=3.0)
    vehicle, calls = caller()
    vehicle.create_subscription(Bool, bringup.E_STOP, lambda m: pressed.append(m.data), qos.EVENT)
    stage.spin_until(lambda: policy.active)
    assert calls.state() == 'active'
    assert not pressed
    stage.executor.remove_node(policy)     # its process is gone: nobody answers any more
    stage.spin_until(lambda: bool(pressed))
    assert pressed[0]
    stage.spin_until(lambda: 'away' in vehicle.warnings.get('manager_node: supervision', ''))
    assert vehicle.health['manager_node: supervision']['policy_node_deaths'] == '1'


def test_a_manager_without_a_turn_blames_nobody(stage: Any, caller: Any, model: Path) -> None:
    policy = stage.add(PolicyNode, model=str(model), autostart=False)
    stage.add(ManagerNode, manage='policy_node', check_s=0.05, answer_s=1.0, patience_s=60.0)
    vehicle, _ = caller()

    def told() -> dict[str, str]:
        return vehicle.health.pop('manager_node: supervision', {})

    stage.spin_until(lambda: policy.active and told().get('policy_node') == 'active')
    time.sleep(3.0)                        # nobody here has a turn
    told()
    for _ in range(2):
        stage.spin_until(lambda: told() == {'policy_node': 'active', 'policy_node_deaths': '0'})
    assert vehicle.warnings['manager_node: supervision'] == 'ok'
