"""Algorithms by name. Importing this loads no torch: the learner's module is imported when one is made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.learning.ddpg.config import DdpgConfig
from naf_robot.learning.linear_naf.config import LinearNafConfig
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.sac.config import SacConfig

if TYPE_CHECKING:
    from naf_robot.learning.learner import Learner
    from naf_robot.learning.replay_buffer import ReplayBuffer


class Algorithm(NamedTuple):
    """Where an algorithm's parts are."""

    config_type: type[Config]
    learner: str  # "module:class", imported on use


ALGORITHMS: dict[str, Algorithm] = {
    "naf": Algorithm(NafConfig, "naf_robot.learning.naf.learner:NafLearner"),
    "linear_naf": Algorithm(LinearNafConfig, "naf_robot.learning.linear_naf.learner:LinearNafLearner"),
    "ddpg": Algorithm(DdpgConfig, "naf_robot.learning.ddpg.learner:DdpgLearner"),
    "sac": Algorithm(SacConfig, "naf_robot.learning.sac.learner:SacLearner"),
}


def algorithm_config_type(name: str) -> type[Config]:
    """The configuration record of algorithm `name`.

    Raises:
        UnknownNameError: no such algorithm; the valid names are listed.
    """
    if name not in ALGORITHMS:
        raise UnknownNameError("algorithm", name, ALGORITHMS)
    return ALGORITHMS[name].config_type


def make_learner(
    name: str,
    config: Config,
    observation_size: int,
    action_size: int,
    replay: ReplayBuffer,
    seed: int,
    device: str = "cpu",
) -> Learner:
    """Make the learner of algorithm `name`, which samples from `replay`.

    Raises:
        UnknownNameError: no such algorithm.
        ConfigError: `config` is another algorithm's.
    """
    config_type = algorithm_config_type(name)
    if not isinstance(config, config_type):
        raise ConfigError(f"algorithm {name!r} takes a {config_type.__name__}, got a {type(config).__name__}")
    module, _, class_name = ALGORITHMS[name].learner.partition(":")
    learner: Learner = getattr(import_module(module), class_name)(
        config, observation_size, action_size, replay, seed, device
    )
    return learner
