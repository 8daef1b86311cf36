"""Configuration of DDPG. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Fraction = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class DdpgConfig(Config, frozen=True):
    """Networks of Gu et al. 2016b, section IV-C; rates of Lillicrap et al. 2016 where the paper gives none."""

    hidden: Annotated[tuple[Count, ...], msgspec.Meta(min_length=2)] = (100, 100)
    batch_size: Count = 64
    actor_learning_rate: Positive = 1e-4  # at 1e-3 the actor runs into the tanh before the critic knows anything
    critic_learning_rate: Positive = 1e-3
    discount: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.98
    tau: Fraction = 0.005  # step of the target networks
    time_limit_is_terminal: bool = False
