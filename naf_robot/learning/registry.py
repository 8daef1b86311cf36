"""Algorithms by name. Importing this loads no torch: an algorithm's module is imported when one is made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.registry import Registry
from naf_robot.learning.ddpg.config import DdpgConfig
from naf_robot.learning.device import check_device
from naf_robot.learning.linear_naf.config import LinearNafConfig
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.sac.config import SacConfig

if TYPE_CHECKING:
    from naf_robot.learning.algorithm import Algorithm, AlgorithmSetup
    from naf_robot.learning.learner import Learner
    from naf_robot.learning.sources import Batches

OFF_POLICY = "naf_robot.learning.off_policy:OffPolicyActorCritic"


class AlgorithmEntry(NamedTuple):
    """Where an algorithm's parts are, each as "module:class", imported on use."""

    config_type: type[Config]
    learner: str = ""  # of an off-policy actor-critic: its learner
    algorithm: str = OFF_POLICY  # called with (name, config, setup)


ALGORITHMS: Registry[AlgorithmEntry] = Registry(
    "algorithm",
    {
        "naf": AlgorithmEntry(NafConfig, "naf_robot.learning.naf.learner:NafLearner"),
        "linear_naf": AlgorithmEntry(LinearNafConfig, "naf_robot.learning.linear_naf.learner:LinearNafLearner"),
        "ddpg": AlgorithmEntry(DdpgConfig, "naf_robot.learning.ddpg.learner:DdpgLearner"),
        "sac": AlgorithmEntry(SacConfig, "naf_robot.learning.sac.learner:SacLearner"),
    },
)
register_algorithm = ALGORITHMS.register


def algorithm_config_type(name: str) -> type[Config]:
    """The configuration record of algorithm `name`.

    Raises:
        UnknownNameError: no such algorithm; the valid names are listed.
    """
    return ALGORITHMS[name].config_type


def make_algorithm(name: str, config: Config, setup: AlgorithmSetup) -> Algorithm:
    """Make algorithm `name` for the run that `setup` describes.

    Raises:
        UnknownNameError: no such algorithm.
        ConfigError: `config` is another algorithm's, or `setup.device` is not present.
    """
    _check_config(name, config)
    check_device(setup.device)
    algorithm: Algorithm = _imported(ALGORITHMS[name].algorithm)(name, config, setup)
    return algorithm


def make_learner(
    name: str,
    config: Config,
    observation_size: int,
    action_size: int,
    batches: Batches,
    seed: int,
    device: str = "cpu",
) -> Learner:
    """Make the learner of off-policy algorithm `name`, which draws from `batches`.

    Raises:
        UnknownNameError: no such algorithm.
        ConfigError: `config` is another algorithm's.
        NafRobotError: the algorithm has no learner of this form.
    """
    _check_config(name, config)
    if not ALGORITHMS[name].learner:
        raise NafRobotError(f"algorithm {name!r} is no off-policy actor-critic: it names no learner")
    learner: Learner = _imported(ALGORITHMS[name].learner)(config, observation_size, action_size, batches, seed, device)
    return learner


def _check_config(name: str, config: Config) -> None:
    config_type = algorithm_config_type(name)
    if not isinstance(config, config_type):
        raise ConfigError(f"algorithm {name!r} takes a {config_type.__name__}, got a {type(config).__name__}")


def _imported(place: str) -> Any:
    module, _, class_name = place.partition(":")
    return getattr(import_module(module), class_name)
