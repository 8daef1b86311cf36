"""Scenes by name: what stands around an arm, described without any simulator. Each simulator builds them."""

from collections.abc import Mapping
from typing import Any

from naf_robot.core.config import Config, build
from naf_robot.core.registry import Registry
from naf_robot.core.types import PositiveFloat, UnitInterval
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.pick_place import PickPlaceSceneConfig

Colour = tuple[UnitInterval, UnitInterval, UnitInterval, UnitInterval]


class FreeSceneConfig(Config, frozen=True):
    """Nothing but a marker at the goal, a ball that nothing touches."""

    marker_radius: PositiveFloat = 0.02  # radius of the ball [m]
    marker_colour: Colour = (0.1, 0.7, 0.2, 0.6)  # red, green, blue and opacity of the ball, 0 to 1


SCENES: Registry[type[Config]] = Registry(
    "scene", {"free": FreeSceneConfig, "door": DoorSceneConfig, "pick_place": PickPlaceSceneConfig}
)
register = SCENES.register  # the simulators that shall build a scene need a builder of the same name


def scene_config(name: str, values: Mapping[str, Any] | None = None) -> Any:
    """The description of scene `name` out of plain `values` (defaults where they are silent).

    Raises:
        UnknownNameError: listing the scenes there are, or the keys of the scene's description.
        ConfigError: a value of the wrong type or range.
    """
    return build(SCENES[name], values or {}, "simulator.scene")
