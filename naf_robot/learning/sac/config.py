"""Configuration of SAC. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.types import PositiveFloat, PositiveFraction, PositiveInt, UnitInterval
from naf_robot.learning.ramp import Ramped, check_ramp
from naf_robot.learning.vision.config import EncoderConfig


class SacConfig(Config, frozen=True):
    """Defaults of stable-baselines3, except for sizes, batch and discount, which are NAF's."""

    hidden: Annotated[tuple[PositiveInt, ...], msgspec.Meta(min_length=1)] = (100, 100)  # units per layer, each network
    batch_size: PositiveInt = 64  # transitions per update
    learning_rate: PositiveFloat = 1e-3  # learning rate of Adam
    discount: UnitInterval = 0.98  # discount factor per step
    tau: PositiveFraction = 0.005  # step of the target critics
    initial_temperature: PositiveFloat = 1.0  # weight of the entropy at the start
    target_entropy_per_action: float = -1.0  # target entropy divided by the number A of action components
    encoder: EncoderConfig = msgspec.field(default_factory=EncoderConfig)  # of pictures, where the task has any
    cloning_weight: Ramped = 0.0  # weight of behaviour cloning on rows of the source demonstration; a ramp of
    # (updates, weight) decays
    time_limit_is_terminal: bool = False  # no bootstrap at truncation either

    def __post_init__(self) -> None:
        """Check the ramp."""
        check_ramp("cloning_weight", self.cloning_weight)
