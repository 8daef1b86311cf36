"""The door beside an arm in a world that several robots share: a model of its own with the system that moves it."""

from typing import Any
from xml.etree.ElementTree import Element

import msgspec

from naf_robot.core.errors import ConfigError
from naf_robot.sim.gazebo.door_sdf import add_door
from naf_robot.sim.gazebo.elements import add, add_plugin
from naf_robot.sim.scenes.door import DoorSceneConfig

SYSTEM = "naf_robot.sim.gazebo.door_system"
Pose = tuple[float, float, float, float, float, float]


class DoorSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What the system of a door is made from."""

    robot: str
    scene: dict[str, Any]  # a `DoorSceneConfig` as plain values
    seed: int
    number: int  # of the robot
    step_s: float  # of the physics
    period_s: float  # between two messages of the door's state


def add_placed_door(world: Element, config: DoorSceneConfig, setup: DoorSetup, base_pose: Pose) -> None:
    """Add the door of the robot `setup.robot`, whose base is at `base_pose` ([m], roll, pitch and yaw in rad).

    Raises:
        ConfigError: the door's masses and sizes are to vary, which a running Gazebo cannot change.
    """
    if config.variation.draw != "none":
        raise ConfigError(
            f"simulator.scene.variation.draw is {config.variation.draw!r}: a running Gazebo cannot change masses and "
            "sizes; give none, or use a simulator in process"
        )
    holder = Element("world")
    add_door(holder, config, config.physics)
    (model,) = holder
    model.set("name", f"{setup.robot}_door")
    add(model, "pose", base_pose)
    plugin = add_plugin(model, "python-system-loader", "PythonSystemLoader")
    add(plugin, "module_name", SYSTEM)
    add(plugin, "naf_robot", msgspec.json.encode(setup).decode())
    world.append(model)
