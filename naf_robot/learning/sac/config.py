"""Configuration of SAC. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Fraction = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class SacConfig(Config, frozen=True):
    """Defaults of stable-baselines3, except for sizes, batch and discount, which are NAF's."""

    hidden: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)] = (100, 100)
    batch_size: Count = 64
    learning_rate: Positive = 1e-3
    discount: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.98
    tau: Fraction = 0.005  # step of the target critics
    initial_temperature: Positive = 1.0
    target_entropy_per_action: float = -1.0  # times A
    time_limit_is_terminal: bool = False
