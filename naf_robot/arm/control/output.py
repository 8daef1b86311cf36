"""What every kind of output has in common: the arm that it is for, and its messages as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.records import FloatArray

Message = Mapping[str, Any]  # fields by name: arrays, numbers, texts, messages inside as mappings, sequences of these
IntArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass
class OutputArm:
    """What an output knows of its arm; arrays are (n,), in the arm's order of joints.

    `order` says which joint of the arm is at each place of the controller's own order: where a message has no
    names, values are sent as `values[order]`. It may be set anew when the controller's order becomes known.
    """

    joints: tuple[str, ...]
    max_velocity: FloatArray  # [rad/s]
    max_acceleration: FloatArray  # [rad/s^2]
    hold_s: float  # a velocity is meant to last at least this long: the slowest sender's period
    delay_s: float  # delay of the arm that the safety projection allows for
    order: IntArray = field(default_factory=lambda: np.arange(0))

    def __post_init__(self) -> None:
        if len(self.order) != len(self.joints):
            self.order = np.arange(len(self.joints))


class Output(Protocol):
    """The commands of one arm, one after the other. An output may remember what it has sent."""

    def command(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Message | None:
        """The message of a new velocity, or None where nothing is to be sent.

        `velocity` (n,) [rad/s] is what was projected, `position` (n,) [rad] what was measured last, None if
        nothing was, and `period_s` the time since the last command [s].
        """
        ...

    def between(self, elapsed_s: float) -> Message | None:
        """What is to be sent `elapsed_s` after the last command, before the next one; None for nothing."""
        ...


def arm_of(projection: SafetyProjection) -> OutputArm:
    """The arm of a safety projection, with the limits that are in force."""
    limits, config = projection.limits, projection.config
    return OutputArm(
        tuple(projection.model.joint_names),
        limits.max_velocity,
        limits.max_acceleration,
        config.min_period_s,
        config.delay_s,
    )


def order_of(joints: Sequence[str], controller: Sequence[str]) -> IntArray:
    """`OutputArm.order` for a controller whose joints are a permutation of the arm's `joints`."""
    return np.array([list(joints).index(name) for name in controller])
