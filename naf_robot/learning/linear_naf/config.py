"""Configuration of Linear-NAF. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Fraction = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class LinearNafConfig(Config, frozen=True):
    """Defaults as NAF's plain variant."""

    batch_size: Count = 64
    learning_rate: Positive = 1e-3
    discount: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.98
    tau: Fraction = 0.005  # step of the target network
    log_diagonal_limit: Positive = 5.0  # the diagonal of L stays within exp(±this)
    time_limit_is_terminal: bool = False
