"""What one control tick of a collector comes to."""

from collections.abc import Callable
from dataclasses import dataclass

from naf_robot.collecting.episode import Episode
from naf_robot.core.records import FloatArray, StepBatch
from naf_robot.experience.journal import JournalRow


@dataclass(frozen=True)
class Tick:
    """The result of one control tick."""

    desired_velocity: FloatArray | None  # (n,) [rad/s]; None: nothing is asked for, the arm is released
    gripper: FloatArray | None = None  # (k,) numbers for the gripper in [-1, 1], positive to close; None: nothing is
    # asked of it, and what was asked for last holds
    batch: StepBatch | None = None  # to be stored and sent
    recorded: Callable[[], JournalRow] | None = None  # what this tick recorded, to be journalled until its batch is
    # stored; to be called before the next tick, and after the velocity was sent: it compresses pictures
    prepared: FloatArray | None = None  # (3,) [m], base frame: where the next episode's goal is
    began: Episode | None = None  # an episode began with this tick
    ended: Episode | None = None  # an episode ended with this tick
