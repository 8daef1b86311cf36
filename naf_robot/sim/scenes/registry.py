"""Scenes by name: what stands around an arm, described without any simulator. Each simulator builds them."""

from collections.abc import Mapping
from typing import Any

from naf_robot.core.config import Config, build
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.plugins import load_plugins
from naf_robot.sim.scenes.door import DoorSceneConfig


class FreeSceneConfig(Config, frozen=True):
    """Nothing but a marker at the goal."""


SCENES: dict[str, type[Config]] = {"free": FreeSceneConfig, "door": DoorSceneConfig}


def register(name: str, config: type[Config]) -> None:
    """Add a scene's description; the simulators that shall build it need a builder of the same name.

    Raises:
        ConfigError: there is one of that name.
    """
    if name in SCENES:
        raise ConfigError(f"there is a scene {name!r} already; choose another name")
    SCENES[name] = config


def scene_config(name: str, values: Mapping[str, Any] | None = None) -> Any:
    """The description of scene `name` out of plain `values` (defaults where they are silent).

    Raises:
        UnknownNameError: listing the scenes there are, or the keys of the scene's description.
        ConfigError: a value of the wrong type or range.
    """
    load_plugins()
    if name not in SCENES:
        raise UnknownNameError("scene", name, SCENES)
    return build(SCENES[name], values or {}, "simulator.scene")
