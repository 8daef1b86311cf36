"""Joint limits, named as in ros2_control; of several sources the narrowest wins."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.finite import require_finite
from naf_robot.core.records import FloatArray
from naf_robot.core.types import PositiveFloat


class JointLimitsConfig(Config, frozen=True):
    """What one joint's limits are narrowed to; a value left out keeps the URDF's.

    The `has_*` flags are those of a ros2_control `joint_limits.yaml`. A false flag only means
    that this file adds nothing: it never widens or removes a limit of the URDF.
    """

    min_position: float | None = None  # lowest position [rad]
    max_position: float | None = None  # highest position [rad]
    max_velocity: PositiveFloat | None = None  # [rad/s] highest speed in both directions
    max_acceleration: PositiveFloat | None = None  # [rad/s^2] highest acceleration in both directions
    max_effort: PositiveFloat | None = None  # [N m] highest effort in both directions
    has_position_limits: bool = True  # false: the position limits here add nothing
    has_velocity_limits: bool = True  # false: max_velocity here adds nothing
    has_acceleration_limits: bool = True  # false: max_acceleration here adds nothing
    has_effort_limits: bool = True  # false: max_effort here adds nothing

    def __post_init__(self) -> None:
        require_finite(self, "joint limits")

    def value(self, name: str) -> float | None:
        """The limit `name`, or None where it is left out or its flag is false."""
        return getattr(self, name) if getattr(self, f"has_{name.split('_')[1]}_limits") else None


@dataclass(frozen=True)
class JointLimits:
    """Limits of n joints, each array of shape (n,), in the order of the arm's joint names."""

    min_position: FloatArray  # [rad]
    max_position: FloatArray  # [rad]
    max_velocity: FloatArray  # [rad/s] highest speed in both directions
    max_acceleration: FloatArray  # [rad/s^2] highest acceleration in both directions
    max_effort: FloatArray  # [N m] highest effort in both directions

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

    def check(self, joint_names: tuple[str, ...]) -> None:
        """Refuse limits that are off or empty.

        Raises:
            ConfigError: a joint without a finite positive velocity or acceleration limit, or whose
                position limits leave nothing between them.
        """
        for index, joint in enumerate(joint_names):
            for name in ("max_velocity", "max_acceleration"):
                value = float(getattr(self, name)[index])
                if value == np.inf:
                    raise ConfigError(
                        f"joint {joint!r} has no {name}: the URDF states none, or 0, which means the same; state it "
                        f"there or as safety.joints.{joint}.{name}"
                    )
                if not (np.isfinite(value) and value > 0.0):
                    raise ConfigError(
                        f"joint {joint!r} has {name} {value}; it must be positive and finite: "
                        f"state it in the URDF or as safety.joints.{joint}.{name}"
                    )
            lower, upper = float(self.min_position[index]), float(self.max_position[index])
            if not lower < upper:
                raise ConfigError(
                    f"joint {joint!r} has min_position {lower} and max_position {upper}: nothing is left between them"
                )


def limits_from_config(
    joint_names: tuple[str, ...], joints: Mapping[str, JointLimitsConfig], max_acceleration: float
) -> JointLimits:
    """The limits that a configuration states; infinite where it is silent.

    Acceleration is never infinite: URDF has no such limit, so a joint without its own gets
    `max_acceleration` [rad/s^2].

    Raises:
        UnknownNameError: a configured joint that the arm does not control; those it does are listed.
    """
    for joint in joints:
        if joint not in joint_names:
            raise UnknownNameError("joint", joint, joint_names, "the joint limits")
    silent = {"min_position": -np.inf, "max_acceleration": max_acceleration}
    empty = JointLimitsConfig()
    columns = {}
    for field in fields(JointLimits):
        values = [joints.get(joint, empty).value(field.name) for joint in joint_names]
        columns[field.name] = np.array([silent.get(field.name, np.inf) if v is None else v for v in values])
    return JointLimits(**columns)
