"""Executable `lifecycle`: configures and activates the managed nodes of a system, and those that were started again.

A managed node that an operator deactivates stays inactive: only what is unconfigured is brought up.
"""

import sys
import time

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.task import Future

from naf_robot.core.errors import ConfigError
from naf_robot.nodes.diagnostics import OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run

PERIOD_S = 0.2
STATE_ANSWER_S = 1.0  # a request to a node that was killed has no response
CHANGE_ANSWER_S = 30.0  # hardware may take its time to configure
FAILED = 1


class ManagedNode:
    """One node of the system that has the standard services of a lifecycle."""

    def __init__(self, node: ExecutableNode, name: str) -> None:
        self.name = name
        self.state = "not there"
        self.failure: str | None = None
        self._get = node.create_client(GetState, f"{name}/get_state")
        self._change = node.create_client(ChangeState, f"{name}/change_state")
        self._ours = False  # configured by us, so activated by us
        self._asked: Future | None = None
        self._asked_s = 0.0
        self._doing = ""

    def step(self) -> None:
        """Handle the response to the last request, or send the next one."""
        if self._asked is None:
            if not (self._get.service_is_ready() and self._change.service_is_ready()):
                self.state = "not there"
            else:
                self._ask("", self._get.call_async(GetState.Request()))
        elif self._asked.done():
            answer, self._asked = self._asked.result(), None
            if isinstance(answer, GetState.Response):
                self.state = answer.current_state.label
                self._bring_up(answer.current_state.id)
            elif answer is None or not answer.success:
                self.failure = f"managed node {self.name!r} refused to {self._doing}; its own log says why"
        elif time.monotonic() - self._asked_s > (CHANGE_ANSWER_S if self._doing else STATE_ANSWER_S):
            self._asked = None  # its successor is asked anew

    def _bring_up(self, state: int) -> None:
        if state == State.PRIMARY_STATE_UNCONFIGURED:
            self._ours = True
            self._transition("configure", Transition.TRANSITION_CONFIGURE)
        elif state == State.PRIMARY_STATE_INACTIVE and self._ours:
            self._ours = False
            self._transition("activate", Transition.TRANSITION_ACTIVATE)

    def _transition(self, name: str, number: int) -> None:
        self._ask(name, self._change.call_async(ChangeState.Request(transition=Transition(id=number))))

    def _ask(self, what: str, future: Future) -> None:
        self._asked, self._asked_s, self._doing = future, time.monotonic(), what


class LifecycleNode(ExecutableNode):
    """Brings up the nodes that the parameter `nodes` names; ends with code 1 when one cannot be brought up."""

    def __init__(self) -> None:
        super().__init__("lifecycle")
        names = list(filter(None, self.node_parameters.get("nodes")))
        if not names:
            raise ConfigError("parameter 'nodes' of node 'lifecycle' must name them, such as [/left/driver]")
        self.managed = [ManagedNode(self, name) for name in names]
        self.create_timer(PERIOD_S, self.on_timer, clock=STEADY)
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.failed = False

    def on_timer(self) -> None:
        """One step of each."""
        for node in self.managed:
            node.step()
            if node.failure is not None:
                print(f"error: {node.failure}", file=sys.stderr, flush=True)
                self.failed = self.stop_requested = True

    def loop(self) -> int:
        """Run until a signal, or until a node cannot be brought up."""
        super().loop()
        return FAILED if self.failed else 0

    def report(self) -> Status:
        """The state of each, by name."""
        waiting = [node.name for node in self.managed if node.state != "active"]
        values: dict[str, object] = {node.name: node.state for node in self.managed}
        return (WARN, f"not active: {', '.join(waiting)}", values) if waiting else (OK, "all active", values)


def main() -> int:
    """Entry point."""
    return run(LifecycleNode)


if __name__ == "__main__":
    sys.exit(main())
