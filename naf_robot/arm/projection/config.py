"""Configuration of the safety projection: every limit is on, with a value that is safe."""

from typing import Annotated

import msgspec
import numpy as np

from naf_robot.arm.model.limits import JointLimitsConfig
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.types import FilePath, NonNegativeFloat, PositiveFloat, PositiveFraction, Vector3

JointsByName = Annotated[dict[str, JointLimitsConfig], msgspec.Meta(description="limits by joint name")]


class SphereConfig(Config, frozen=True):
    """The sphere that the tool's origin never leaves, base frame."""

    centre: Vector3  # centre of the sphere, base frame [m]
    radius: PositiveFloat  # radius of the sphere that the tool stays in [m]
    margin: PositiveFloat = 0.01  # [m] distance kept from the surface, for noise and discretisation
    correction_gain: NonNegativeFloat = 1.0  # [1/s] inward speed per metre outside
    correction_speed: NonNegativeFloat = 0.05  # [m/s], highest speed of that correction

    def __post_init__(self) -> None:
        require_finite(self, "sphere")
        if not self.margin < self.radius:
            raise ConfigError(f"sphere margin {self.margin} m must be smaller than its radius {self.radius} m")


class HalfSpaceConfig(Config, frozen=True):
    """A plane such as floor or wall: the tool stays where normal.p >= offset, base frame."""

    name: str  # name in messages; differs from all others
    normal: Vector3  # normal vector into the admitted side; any length but zero
    offset: float  # [m] offset of the plane along the unit normal
    margin: PositiveFloat = 0.01  # distance kept from the plane [m]

    def __post_init__(self) -> None:
        require_finite(self, f"half-space {self.name!r}")
        if not 1e-6 < float(np.linalg.norm(self.normal)) < np.inf:
            raise ConfigError(f"half-space {self.name!r} has normal {self.normal}, which has no direction")


class KeepOutBoxConfig(Config, frozen=True):
    """An axis-aligned box in the base frame that the tool's origin never enters."""

    name: str  # name in messages; differs from all others
    min_corner: Vector3  # corner with the smallest coordinates [m]
    max_corner: Vector3  # corner with the largest coordinates [m]
    margin: PositiveFloat = 0.01  # distance kept from the box [m]

    def __post_init__(self) -> None:
        require_finite(self, f"keep-out box {self.name!r}")
        if not all(low < high for low, high in zip(self.min_corner, self.max_corner, strict=True)):
            raise ConfigError(
                f"keep-out box {self.name!r}: min_corner {self.min_corner} must be below max_corner {self.max_corner}"
            )


class SelfCollisionConfig(Config, frozen=True):
    """How near the arm's links may come to each other."""

    enabled: bool = True  # whether the distances of the links are watched
    pairs: tuple[tuple[str, str], ...] | None = None  # pairs of links to watch; null: every pair that is not adjacent
    ignored_pairs: tuple[tuple[str, str], ...] = ()  # pairs of links that are not watched
    slow_distance: PositiveFloat = 0.05  # [m], distance below which approaching links slow down
    stop_distance: PositiveFloat = 0.01  # [m], least distance of two links
    margin: PositiveFloat = 0.005  # [m] distance kept beyond stop_distance, for noise and discretisation
    approach_speed: PositiveFloat = 0.25  # [m/s] speed admitted at slow_distance, falling to zero at stop_distance

    def __post_init__(self) -> None:
        require_finite(self, "self_collision")
        if not self.stop_distance + self.margin < self.slow_distance:
            raise ConfigError(
                f"self-collision slow_distance {self.slow_distance} m must exceed stop_distance + margin, "
                f"{self.stop_distance + self.margin} m"
            )


class SafetyConfig(Config, frozen=True):
    """Everything the projection holds to."""

    sphere: SphereConfig
    half_spaces: tuple[HalfSpaceConfig, ...] = ()  # planes that the tool stays on one side of
    keep_out_boxes: tuple[KeepOutBoxConfig, ...] = ()  # that the tool stays out of
    self_collision: SelfCollisionConfig = SelfCollisionConfig()
    joint_limits_file: FilePath | None = None  # a joint_limits.yaml in ros2_control's format; narrows the URDF
    joints: JointsByName = msgspec.field(default_factory=dict)  # narrows the URDF, never widens
    max_acceleration: PositiveFloat = 10.0  # [rad/s^2] acceleration limit of joints that state none of their own
    velocity_scale: PositiveFraction = 1.0  # factor on every joint's velocity limit
    position_margin: NonNegativeFloat = 0.01  # [rad] distance kept from each position limit
    max_turns: PositiveFloat | None = 1.0  # turns of a continuous joint either way from its zero, for the sake of its
    # cables; null: no limit
    delay_s: NonNegativeFloat = 0.05  # delay of state and command that is allowed for
    min_period_s: PositiveFloat = 0.05  # a command is taken to last at least this long: the slowest sender's period
    max_period_s: PositiveFloat = 0.1  # a longer measured period counts as this

    def __post_init__(self) -> None:
        require_finite(self, "safety")
        if not self.min_period_s <= self.max_period_s:
            raise ConfigError(f"min_period_s {self.min_period_s} must not exceed max_period_s {self.max_period_s}")
        names = [plane.name for plane in self.half_spaces] + [box.name for box in self.keep_out_boxes]
        for name in names:
            if names.count(name) > 1 or name == "sphere":
                raise ConfigError(f"two workspace limits are called {name!r}; names must differ")
