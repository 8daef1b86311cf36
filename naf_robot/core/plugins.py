"""Modules from outside this package that register tasks, sensors, actions, scenes and simulators.

Every process of a run must know them, so they are found by name: in the entry points `naf_robot.plugins` of installed
packages, and in the environment variable NAF_ROBOT_PLUGINS (module names separated by commas).
"""

import os
from importlib import import_module
from importlib.metadata import entry_points

from naf_robot.core.errors import ConfigError

GROUP = "naf_robot.plugins"
VARIABLE = "NAF_ROBOT_PLUGINS"
_loaded: list[str] = []
_done = False


def load_plugins() -> tuple[str, ...]:
    """Import every plugin once; their names. The registries call this before they look a name up.

    Raises:
        ConfigError: one cannot be imported; the reason in one sentence.
    """
    global _done
    if _done:
        return tuple(_loaded)
    _done = True  # a plugin may use the registries while it is imported
    named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    for name in dict.fromkeys([*(point.value for point in entry_points(group=GROUP)), *named]):
        try:
            import_module(name)
        except Exception as error:
            _done = False
            raise ConfigError(
                f"plugin {name!r} ({VARIABLE} or entry points {GROUP!r}) cannot be imported: "
                f"{type(error).__name__}: {error}"
            ) from error
        _loaded.append(name)
    return tuple(_loaded)
