"""What other installed packages add to this one's registries.

A package names modules under the entry-point group `naf_robot.plugins`; importing such a module registers what
it brings. That happens in every process that meets a name which is not known without.
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
        except Exception as error:  # whatever a stranger's module raises
            raise NafRobotError(f"plugin {entry.name!r} ({entry.value}) cannot be imported: {error!r}") from error
        names.append(entry.name)
    return tuple(names)
