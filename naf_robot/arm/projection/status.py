"""What the projection did, in a code, a sentence and names."""

import enum
from dataclasses import dataclass

from naf_robot.core.records import FloatArray


class SafetyStatus(enum.IntEnum):
    """Outcome of one control step, in rising order of concern."""

    OK = 0
    LIMITED = 1
    CORRECTING = 2
    DECELERATING = 3
    STOPPED = 4
    INVALID_INPUT = 5
    INTERNAL_ERROR = 6

    @property
    def sentence(self) -> str:
        """The status in words."""
        return SENTENCES[self]


SENTENCES = {
    SafetyStatus.OK: "the desired velocity is sent unchanged",
    SafetyStatus.LIMITED: "the desired velocity was changed to keep a limit",
    SafetyStatus.CORRECTING: "the tool is outside its workspace: only inward motion is admitted",
    SafetyStatus.DECELERATING: "no velocity is desired: decelerating to zero",
    SafetyStatus.STOPPED: "no velocity is desired: standing still",
    SafetyStatus.INVALID_INPUT: "an input is not finite or of the wrong size: decelerating to zero",
    SafetyStatus.INTERNAL_ERROR: "the projection itself failed: decelerating to zero",
}


@dataclass(frozen=True)
class ProjectionResult:
    """The velocity to send and why it is what it is."""

    velocity: FloatArray  # (n,) [rad/s]
    status: SafetyStatus
    active: tuple[str, ...] = ()  # limits that acted, such as "velocity:joint_3" or "sphere"
    relaxed: tuple[str, ...] = ()  # limits that gave way to a position or workspace limit
    clip_norm: float = 0.0  # [rad/s] Euclidean length of what was taken from the desired velocity
    error: str = ""  # traceback of an INTERNAL_ERROR
