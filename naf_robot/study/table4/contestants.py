"""Who takes part: our algorithms, as they are and in the paper's plain forms, and those of other libraries.

What is not said is the library's default, or the task's own setting for ours. Loads no torch.
"""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any, NamedTuple

from naf_robot.core.errors import ConfigError, UnknownNameError

OURS = "naf_robot"


class Library(NamedTuple):
    """Where an algorithm of another library is found."""

    module: str
    title: str
    extra: str  # of this package, that installs it


class Contestant(NamedTuple):
    """One line of the table."""

    algorithm: str
    library: str = OURS
    settings: tuple[str, ...] = ()  # KEY=VALUE over the task's own, of ours
    class_name: str = ""  # of another library
    keywords: tuple[tuple[str, Any], ...] = ()  # of its constructor
    reward_scale: float = 1.0  # factor on the environment's reward, of another library's


LIBRARIES = {
    "stable-baselines3": Library("stable_baselines3", "Stable-Baselines3", "compare"),
    "sb3-contrib": Library("sb3_contrib", "sb3-contrib", "compare"),
    "sbx": Library("sbx", "SBX, Stable-Baselines3 in JAX", "compare-jax"),
}
PLAIN = (  # what of our defaults is not in the paper
    "trainer.updates_per_transition=1",
    "trainer.success_fraction=0",
    "algorithm.batch_size=64",
    "algorithm.time_limit_is_terminal=true",
)
PLAIN_NAF = ("algorithm.variant=plain", "algorithm.bounded_values=false", "algorithm.log_diagonal_limit=5")
THREE_UPDATES = (("gradient_steps", 3),)
OUR_DISCOUNT = (("gamma", 0.98),)
OUR_SCALE = 0.1  # of the reward, as in the doors' files
SAC, CONTRIB, SBX = "stable-baselines3", "sb3-contrib", "sbx"

CONTESTANTS: dict[str, Contestant] = {
    "naf": Contestant("naf"),
    "linear_naf": Contestant("linear_naf"),
    "ddpg": Contestant("ddpg"),
    "sac": Contestant("sac"),
    "naf_plain": Contestant("naf, plain form", settings=(*PLAIN, *PLAIN_NAF)),
    "linear_naf_plain": Contestant("linear_naf, plain form", settings=PLAIN),
    "ddpg_plain": Contestant("ddpg, plain form", settings=PLAIN),
    "sb3_sac": Contestant("sac", SAC, class_name="SAC"),
    "sb3_ddpg": Contestant("ddpg", SAC, class_name="DDPG", keywords=(("action_noise", 0.1),)),
    "crossq": Contestant("crossq", CONTRIB, class_name="CrossQ"),
    "tqc": Contestant("tqc", CONTRIB, class_name="TQC"),
    "simba": Contestant("sac, SimBa networks", SBX, class_name="SAC", keywords=(("policy", "SimbaPolicy"),)),
    # the sweep: each of the three with three updates per step, and with our discount and scale of the reward
    "sb3_sac_updates": Contestant("sac, 3 updates", SAC, class_name="SAC", keywords=THREE_UPDATES),
    "sb3_sac_scaled": Contestant("sac, our scale", SAC, (), "SAC", OUR_DISCOUNT, OUR_SCALE),
    "sb3_ddpg_updates": Contestant(
        "ddpg, 3 updates", SAC, class_name="DDPG", keywords=(("action_noise", 0.1), *THREE_UPDATES)
    ),
    "sb3_ddpg_scaled": Contestant(
        "ddpg, our scale", SAC, (), "DDPG", (("action_noise", 0.1), *OUR_DISCOUNT), OUR_SCALE
    ),
    "crossq_updates": Contestant("crossq, 3 updates", CONTRIB, class_name="CrossQ", keywords=THREE_UPDATES),
    "crossq_scaled": Contestant("crossq, our scale", CONTRIB, (), "CrossQ", OUR_DISCOUNT, OUR_SCALE),
}
DEFAULT = ("naf", "linear_naf", "ddpg", "sac", "sb3_sac", "sb3_ddpg", "crossq")


def chosen(names: Iterable[str]) -> dict[str, Contestant]:
    """The contestants of these names.

    Raises:
        UnknownNameError: listing those that there are.
        ConfigError: a library is not installed.
    """
    found = {}
    for name in names:
        if name not in CONTESTANTS:
            raise UnknownNameError("contestant", name, CONTESTANTS)
        found[name] = CONTESTANTS[name]
        library = LIBRARIES.get(found[name].library)
        if library is not None and find_spec(library.module) is None:
            raise ConfigError(
                f"contestant {name!r} needs {library.title}, which is not installed: "
                f"pip install 'naf_robot[{library.extra}]'"
            )
    return found
