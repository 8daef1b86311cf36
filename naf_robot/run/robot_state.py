"""What a robot does at an instant, in one word: the shares of its time are counted by these."""

from collections.abc import Iterable
from typing import Literal, get_args

RobotState = Literal[
    "collecting",  # an episode runs or is prepared
    "homing",
    "policy",  # waits for policy parameters
    "trainer",  # waits for the trainer: it is behind, silent, or has not acknowledged what fills the outbox
    "scene",  # waits for the world around the arm
    "operator",  # waits for a person: disabled, paused, or not at home after many attempts
    "fault",  # a latched fault, a disk that cannot be written, or a batch that the trainer rejected
    "sensor",  # waits for readings
    "unconfigured",  # a managed node that is not active
    "silent",  # its collector has not reported
]
STATES: tuple[RobotState, ...] = get_args(RobotState)
WORKING: frozenset[RobotState] = frozenset({"collecting", "homing"})
UP: frozenset[RobotState] = WORKING | {"policy", "trainer", "scene"}  # nothing keeps the robot itself from working


def held_state(sources: Iterable[str]) -> RobotState:
    """The state of a robot that is held by `sources`: a fault before an operator's consent."""
    others = set(sources) - {"recorder"}
    if not others:
        return "scene"
    if others == {"run"}:  # of a trainer on another machine
        return "trainer"
    return "operator" if others == {"velocity_control"} else "fault"
