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
A node with states: unconfigured, inactive, active, finalized, for managers and by itself.

A subclass says what to do in ``set_up``, ``wake``, ``rest`` and ``tear_down``; what goes wrong
there as an LtcError is logged and kept in ``failure``, and the state stays as it was. Transition
callbacks always return, whatever happens: one that does not leaves a node in between for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ltc_control.core.errors import LtcError
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class ManagedNode(LifecycleNode):
    """Base of nodes with states; ``start`` goes to active without a manager."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.failure: LtcError | None = None
        self.active = False
        self._alone = False                # ``start`` raises what a manager has to read in the log

    def set_up(self) -> None:
        """Load what is needed, open publishers and subscriptions."""

    def wake(self) -> None:
        """Begin to work."""

    def rest(self) -> None:
        """Stop to work; what was set up stays."""

    def tear_down(self) -> None:
        """Undo ``set_up``; also called after half of it, and more than once."""

    def start(self) -> None:
        """Configure and activate; raises the LtcError that stood in the way."""
        self._alone = True
        for step in (self.trigger_configure, self.trigger_activate):
            if step() != SUCCESS:
                raise self.failure or LtcError(f'{self.get_name()} could not be activated')
        self._alone = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go from unconfigured to inactive."""
        outcome = self._attempt(self.set_up)
        if outcome != SUCCESS:
            self.tear_down()
        return outcome

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go from inactive to active."""
        outcome = self._attempt(self.wake)
        self.active = outcome == SUCCESS
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go from active to inactive."""
        self.active = False
        return self._attempt(self.rest)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go from inactive to unconfigured."""
        return self._attempt(self.tear_down)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go to finalized, from anywhere."""
        self.active = False
        return self._attempt(self.tear_down)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an unexpected exception: undo everything, be unconfigured again."""
        self.active = False
        return self._attempt(self.tear_down)

    def _attempt(self, action: Callable[[], None]) -> TransitionCallbackReturn:
        self.failure = None
        try:
            action()
        except LtcError as error:
            self.failure = error
            if not self._alone:
                self.get_logger().error(str(error))
            return FAILURE
        return SUCCESS

    def _LifecycleNodeMixin__on_change_state(self, request: Any, answer: Any) -> Any:  # noqa: N802
        # Jazzy's own lets an unknown or unfit transition leave the executor: any client could end
        # the node with one call. Kilted says no, and so does this.
        try:
            return super()._LifecycleNodeMixin__on_change_state(request, answer)
        except rclpy_implementation.RCLError as error:
            self.get_logger().warning(f'refused transition {request.transition.id} '
                                      f'{request.transition.label!r}: {error}')
            answer.success = False
            return answer
