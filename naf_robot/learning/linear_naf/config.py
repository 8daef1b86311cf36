"""Configuration of Linear-NAF. Loads no torch."""

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.types import PositiveFloat, PositiveFraction, PositiveInt, UnitInterval
from naf_robot.learning.ramp import Ramped, check_ramp
from naf_robot.learning.vision.config import EncoderConfig


class LinearNafConfig(Config, frozen=True):
    """Defaults as NAF's plain variant."""

    batch_size: PositiveInt = 64  # transitions per update
    learning_rate: PositiveFloat = 1e-3  # learning rate of Adam
    discount: UnitInterval = 0.98  # discount factor per step
    tau: PositiveFraction = 0.005  # step of the target network
    log_diagonal_limit: PositiveFloat = 5.0  # the diagonal of L stays within exp(±this)
    encoder: EncoderConfig = msgspec.field(default_factory=EncoderConfig)  # of pictures, where the task has any
    cloning_weight: Ramped = 0.0  # weight of behaviour cloning on rows of the source demonstration; a ramp of
    # (updates, weight) decays
    time_limit_is_terminal: bool = False  # no bootstrap at truncation either

    def __post_init__(self) -> None:
        """Check the ramp."""
        check_ramp("cloning_weight", self.cloning_weight)
