"""Extensions of the registries by other installed packages.

A package names modules in the entry-point group `naf_robot.plugins`; importing such a module registers its
algorithms, policy kinds and so on. Every process imports them when it reads a name that is not registered.
"""

from functools import cache
from importlib.metadata import entry_points

from naf_robot.core.errors import NafRobotError

GROUP = "naf_robot.plugins"


@cache
def load_plugins() -> tuple[str, ...]:
    """Import every plugin, once per process; their names.

    Raises:
        NafRobotError: one cannot be imported; the message names it.
    """
    names = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            entry.load()
        except Exception as error:  # any error of a foreign module
            raise NafRobotError(f"plugin {entry.name!r} ({entry.value}) cannot be imported: {error!r}") from error
        names.append(entry.name)
    return tuple(names)
