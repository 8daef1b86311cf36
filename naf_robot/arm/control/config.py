"""Configuration of velocity control: ages, plausibility and contact; the limits of motion are in `SafetyConfig`."""

import msgspec

from naf_robot.arm.control.contact import ContactConfig
from naf_robot.core.config import Config
from naf_robot.core.finite import require_finite
from naf_robot.core.types import PositiveFloat


class FollowingConfig(Config, frozen=True):
    """When measured velocities count as other ones than those that were sent."""

    enabled: bool = True  # whether measured velocities are compared with those that were sent
    window_s: PositiveFloat = 0.25  # time over which they are compared, and for which they must differ
    noise: PositiveFloat = 0.05  # [rad/s] root mean square of a difference that is taken as noise
    drift: PositiveFloat = 0.05  # [rad] by which an arm may go elsewhere than commanded within seconds, beyond lag
    may_be_blocked: bool = False  # whether the arm may stand although it is asked to move, as at a door

    def __post_init__(self) -> None:
        require_finite(self, "following")


class VelocityControlConfig(Config, frozen=True):
    """What velocity control holds its inputs to."""

    joint_states_limit_s: PositiveFloat = 0.1  # age beyond which joint states are stale
    desired_velocity_limit_s: PositiveFloat = 0.1  # age beyond which a desired velocity is stale
    sensor_limits_s: dict[str, PositiveFloat] = msgspec.field(default_factory=dict)  # age beyond which required
    # sensors are stale, by name
    simulated_time: bool = False  # stamps and step times are simulated seconds
    wall_limit_s: PositiveFloat = 2.0  # silence that is too long even for simulated time
    future_s: PositiveFloat = 0.1  # a stamp further ahead of the clock is rejected
    jump_s: PositiveFloat = 1.0  # stamp time that runs ahead of the steady clock by more has jumped
    implausible_velocity: PositiveFloat = 10.0  # a velocity above so many times the limit is implausible
    implausible_position: PositiveFloat = 1.0  # [rad] a position further beyond a limit is implausible
    continuity_margin: PositiveFloat = 0.02  # [rad] difference of successive positions that is taken as noise
    contact: ContactConfig = ContactConfig()
    following: FollowingConfig = FollowingConfig()
    enabled: bool = True  # whether a simulated arm follows commands from the start; a real one waits for `enable`

    def __post_init__(self) -> None:
        require_finite(self, "velocity_control")
