"""Brings managed nodes of a robot into a state, one after the other, for an operator."""

from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

NODES = {  # who commands the arm begins last and ends first
    "activate": ("velocity_control", "collector"),
    "deactivate": ("collector", "velocity_control"),
}
STEPS = {  # from a state, what to do next
    "activate": {
        State.PRIMARY_STATE_UNCONFIGURED: Transition.TRANSITION_CONFIGURE,
        State.PRIMARY_STATE_INACTIVE: Transition.TRANSITION_ACTIVATE,
    },
    "deactivate": {State.PRIMARY_STATE_ACTIVE: Transition.TRANSITION_DEACTIVATE},
}
ANSWER_S = 30.0  # configuring makes models, deactivating brings an arm to rest

Call = Callable[[type, str, Any, float], Any]  # of a service; None without an answer


def transition(action: str, name: str, call: Call) -> tuple[bool, str]:
    """Bring the node with the full `name` where `action` leads; whether it is there, and its state in words."""
    while True:
        answer = call(GetState, f"{name}/get_state", GetState.Request(), ANSWER_S)
        if answer is None:
            return False, "does not answer"
        step = STEPS[action].get(answer.current_state.id)
        if step is None:
            return True, answer.current_state.label
        request = ChangeState.Request(transition=Transition(id=step))
        changed = call(ChangeState, f"{name}/change_state", request, ANSWER_S)
        if changed is None or not changed.success:
            return False, f"stays {answer.current_state.label}"
