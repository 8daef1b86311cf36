"""Configuration of NAF. Loads no torch."""

from typing import Annotated, Literal

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.types import FractionBelowOne, PositiveFloat, PositiveFraction, PositiveInt, UnitInterval
from naf_robot.learning.ramp import Ramped, check_ramp
from naf_robot.learning.vision.config import EncoderConfig


class NafConfig(Config, frozen=True):
    """One set of defaults for every task.

    `cross_normalised`: batch norm in all three networks, one forward pass over the observations
    and their successors together, no target network (the two ideas of CrossQ, Bhatt et al. 2024).
    `plain`: the paper's networks with a slowly following target network.
    """

    variant: Literal["cross_normalised", "plain"] = "cross_normalised"  # variant of the networks
    # (docs/algorithms/naf.md)
    hidden: Annotated[tuple[PositiveInt, ...], msgspec.Meta(min_length=1)] = (100, 100)  # units per layer, each network
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 64  # transitions per update
    learning_rate: PositiveFloat = 1e-3  # learning rate of Adam
    beta1: FractionBelowOne | None = None  # decay of Adam's first moment; unset: 0.5 cross-normalised, 0.9 plain
    beta2: FractionBelowOne = 0.999  # decay of Adam's second moment
    discount: UnitInterval = 0.98  # discount factor per step
    bounded_values: bool = True  # targets bootstrap from no more than the rewards seen so far can add up to
    gradient_norm_limit: PositiveFloat = 10.0  # bound on the gradient's Euclidean norm over all parameters
    log_diagonal_limit: PositiveFloat = 2.0  # the diagonal of L stays within exp(±this)
    batch_norm_momentum: PositiveFraction = 0.01  # momentum of the running moments; cross-normalised variant only
    layer_norm: bool = False  # layer normalisation; plain variant only
    tau: PositiveFraction = 0.005  # step of the target network; plain variant only
    policy_average: FractionBelowOne = 0.0  # decay per update of the averaged acting parameters; 0: act on the newest
    encoder: EncoderConfig = msgspec.field(default_factory=EncoderConfig)  # of pictures, where the task has any
    cloning_weight: Ramped = 0.0  # weight of behaviour cloning on rows of the source demonstration; a ramp of
    # (updates, weight) decays
    time_limit_is_terminal: bool = False  # Algorithm 1 as printed: no bootstrap at truncation either

    def __post_init__(self) -> None:
        """Check the relations between fields."""
        check_ramp("cloning_weight", self.cloning_weight)
        if self.layer_norm and self.variant != "plain":
            raise ValueError("layer_norm=true needs variant='plain': 'cross_normalised' has batch norm already")

    @property
    def first_moment_decay(self) -> float:
        """Adam's beta1, the variant's own where none is set."""
        if self.beta1 is not None:
            return self.beta1
        return 0.5 if self.variant == "cross_normalised" else 0.9
