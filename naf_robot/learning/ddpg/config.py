"""Configuration of DDPG. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.types import PositiveFloat, PositiveFraction, PositiveInt, UnitInterval
from naf_robot.learning.ramp import Ramped, check_ramp
from naf_robot.learning.vision.config import EncoderConfig


class DdpgConfig(Config, frozen=True):
    """Networks of Gu et al. 2016b, section IV-C; rates of Lillicrap et al. 2016 where the paper gives none."""

    hidden: Annotated[tuple[PositiveInt, ...], msgspec.Meta(min_length=2)] = (100, 100)  # units per layer, each network
    batch_size: PositiveInt = 64  # transitions per update
    actor_learning_rate: PositiveFloat = 1e-4  # learning rate of the actor; at 1e-3 the tanh saturates
    # before the critic has learned
    critic_learning_rate: PositiveFloat = 1e-3  # learning rate of the critic
    discount: UnitInterval = 0.98  # discount factor per step
    tau: PositiveFraction = 0.005  # step of the target networks
    encoder: EncoderConfig = msgspec.field(default_factory=EncoderConfig)  # of pictures, where the task has any
    cloning_weight: Ramped = 0.0  # weight of behaviour cloning on rows of the source demonstration; a ramp of
    # (updates, weight) decays
    time_limit_is_terminal: bool = False  # no bootstrap at truncation either

    def __post_init__(self) -> None:
        """Check the ramp."""
        check_ramp("cloning_weight", self.cloning_weight)
