"""What a collector is doing: the sentence for people, and the one word that statistics count."""

import enum
from collections.abc import Mapping

from naf_robot.run.robot_state import RobotState, held_state


class Phase(enum.Enum):
    """The state of a collector; the value is the sentence shown on `/diagnostics`."""

    HOMING = "moving home"
    NOT_AT_HOME = "holding still: the arm does not get home and needs an operator"
    WAITING_FOR_POLICY = "waiting for policy parameters"
    WAITING_FOR_TRAINER = "waiting at home: the trainer is behind"
    POLICY_TOO_OLD = "holding still: no message from the trainer"
    OUTBOX_FULL = "holding still: the outbox is full"
    WORLD_NOT_READY = "waiting at home: the world is not ready for an episode"
    HELD = "holding still"
    PAUSED = "paused by an operator"
    RELEASED = "released: another node may command the arm until naf-robot resume"
    PREPARING = "at home, preparing the next episode"
    RUNNING = "running an episode"


STATE_OF: dict[Phase, RobotState] = {  # without HELD, whose state depends on who holds the robot
    Phase.HOMING: "homing",
    Phase.NOT_AT_HOME: "operator",
    Phase.WAITING_FOR_POLICY: "policy",
    Phase.WAITING_FOR_TRAINER: "trainer",
    Phase.POLICY_TOO_OLD: "trainer",
    Phase.OUTBOX_FULL: "trainer",
    Phase.WORLD_NOT_READY: "scene",
    Phase.PAUSED: "operator",
    Phase.RELEASED: "operator",
    Phase.PREPARING: "collecting",
    Phase.RUNNING: "collecting",
}


def state_of(phase: Phase, hold_reasons: Mapping[str, str]) -> RobotState:
    """What a robot does, in one word; `hold_reasons` by their sources."""
    if phase is Phase.HELD and hold_reasons:
        return held_state(hold_reasons)
    return STATE_OF.get(phase, "fault")
