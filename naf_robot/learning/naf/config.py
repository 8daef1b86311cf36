"""Configuration of NAF. Loads no torch."""

from typing import Annotated, Literal

import msgspec

from naf_robot.core.config import Config

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class NafConfig(Config, frozen=True):
    """One set of defaults for every task.

    `cross_normalised`: batch norm in all three networks, one forward pass over the observations
    and their successors together, no target network (the two ideas of CrossQ, Bhatt et al. 2024).
    `plain`: the paper's networks with a slowly following target network.
    """

    variant: Literal["cross_normalised", "plain"] = "cross_normalised"
    hidden: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)] = (100, 100)  # units per layer, each network
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 64
    learning_rate: Positive = 1e-3
    beta1: Fraction | None = None  # Adam's first moment; unset: 0.5 cross-normalised, 0.9 plain
    beta2: Fraction = 0.999
    discount: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.98
    bounded_values: bool = True  # targets bootstrap from no more than the rewards seen so far can add up to
    gradient_norm_limit: Positive = 10.0  # Euclidean norm over all parameters
    log_diagonal_limit: Positive = 2.0  # the diagonal of L stays within exp(±this)
    batch_norm_momentum: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.01  # cross-normalised only
    layer_norm: bool = False  # plain only
    tau: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.005  # plain only: target network's step
    policy_average: Fraction = 0.0  # decay per update of the averaged acting parameters; 0: act on the newest
    time_limit_is_terminal: bool = False  # Algorithm 1 as printed: no bootstrap at truncation either

    def __post_init__(self) -> None:
        """Check the relations between fields."""
        if self.layer_norm and self.variant != "plain":
            raise ValueError("layer_norm=true needs variant='plain': 'cross_normalised' has batch norm already")

    @property
    def first_moment_decay(self) -> float:
        """Adam's beta1, the variant's own where none is set."""
        if self.beta1 is not None:
            return self.beta1
        return 0.5 if self.variant == "cross_normalised" else 0.9
