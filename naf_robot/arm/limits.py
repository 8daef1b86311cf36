"""Joint limits, named as in ros2_control; of several sources the narrowest wins."""

from dataclasses import dataclass, fields

import numpy as np

from naf_robot.core.records import FloatArray


@dataclass(frozen=True)
class JointLimits:
    """Limits of n joints, each array of shape (n,), in the order of the arm's joint names."""

    min_position: FloatArray  # [rad]
    max_position: FloatArray  # [rad]
    max_velocity: FloatArray  # [rad/s] either way
    max_acceleration: FloatArray  # [rad/s^2] either way
    max_effort: FloatArray  # [N m] either way

    def __post_init__(self) -> None:
        for field in fields(self):
            array = np.array(getattr(self, field.name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, field.name, array)

    def narrowed(self, other: "JointLimits") -> "JointLimits":
        """The intersection of both."""
        return JointLimits(
            min_position=np.maximum(self.min_position, other.min_position),
            max_position=np.minimum(self.max_position, other.max_position),
            max_velocity=np.minimum(self.max_velocity, other.max_velocity),
            max_acceleration=np.minimum(self.max_acceleration, other.max_acceleration),
            max_effort=np.minimum(self.max_effort, other.max_effort),
        )
