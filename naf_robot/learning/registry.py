"""Algorithms by name. Importing this loads no torch: an algorithm's module is imported when one is made."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from naf_robot.core.array_spec import ArraySpec
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

NAF = "naf_robot.learning.naf.learner:NafLearner"
LINEAR_NAF = "naf_robot.learning.linear_naf.learner:LinearNafLearner"
DDPG = "naf_robot.learning.ddpg.learner:DdpgLearner"
SAC = "naf_robot.learning.sac.learner:SacLearner"
OFF_POLICY = "naf_robot.learning.off_policy:OffPolicyActorCritic"


class AlgorithmEntry(NamedTuple):
    """Where an algorithm's parts are, each as "module:class", imported on use."""

    config_type: type[Config]
    learner: str = ""  # of an off-policy actor-critic: its learner
    algorithm: str = OFF_POLICY  # called with (name, config, setup)
    vision_learner: str = ""  # as `learner`, for observations with pictures; empty: it does not learn from them


ALGORITHMS: Registry[AlgorithmEntry] = Registry(
    "algorithm",
    {
        "naf": AlgorithmEntry(NafConfig, NAF, vision_learner="naf_robot.learning.naf.vision:VisionNafLearner"),
        "linear_naf": AlgorithmEntry(LinearNafConfig, LINEAR_NAF, vision_learner=LINEAR_NAF),
        "ddpg": AlgorithmEntry(DdpgConfig, DDPG, vision_learner=DDPG),
        "sac": AlgorithmEntry(SacConfig, SAC, vision_learner=SAC),
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
    images: Sequence[ArraySpec] = (),
) -> Learner:
    """Make the learner of off-policy algorithm `name`, which draws from `batches`.

    `images` are the pictures of an observation, beside its flat vector of `observation_size`.

    Raises:
        UnknownNameError: no such algorithm.
        ConfigError: `config` is another algorithm's, or there are `images` and it does not learn from pictures.
        NafRobotError: the algorithm has no learner of this form.
    """
    _check_config(name, config)
    if not ALGORITHMS[name].learner:
        raise NafRobotError(f"algorithm {name!r} is no off-policy actor-critic: it names no learner")
    entry, sizes = ALGORITHMS[name], (observation_size, action_size)
    if not images:
        learner: Learner = _imported(entry.learner)(config, *sizes, batches, seed, device)
        return learner
    check_pictures(name, images)
    seeing: Learner = _imported(entry.vision_learner)(config, *sizes, batches, seed, device, images)
    return seeing


def check_pictures(name: str, images: Sequence[ArraySpec]) -> None:
    """Whether algorithm `name` can learn from observations with the pictures `images`.

    Raises:
        ConfigError: it cannot; those that can are listed.
    """
    entry = ALGORITHMS[name]
    if images and entry.algorithm == OFF_POLICY and not entry.vision_learner:
        seeing = ", ".join(known for known, each in ALGORITHMS.items() if each.vision_learner)
        raise ConfigError(f"algorithm {name!r} does not learn from pictures; those that do: {seeing}")


def _check_config(name: str, config: Config) -> None:
    config_type = algorithm_config_type(name)
    if not isinstance(config, config_type):
        raise ConfigError(f"algorithm {name!r} takes a {config_type.__name__}, got a {type(config).__name__}")


def _imported(place: str) -> Any:
    module, _, class_name = place.partition(":")
    return getattr(import_module(module), class_name)
