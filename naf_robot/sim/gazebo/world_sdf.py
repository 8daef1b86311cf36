"""A world of SDFormat with one arm in its scene."""

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.sensing.imu import GRAVITY
from naf_robot.sim.gazebo.arm_sdf import add_arm
from naf_robot.sim.gazebo.elements import VERSION, add, add_plugin, document
from naf_robot.sim.registry import LinkPairs


def world_sdf(
    name: str,
    step_s: float,
    arm: ArmModel,
    add_scene: Callable[[Element], None],
    folder: Path,
    ignored: LinkPairs = (),
) -> str:
    """The text of a world called `name`, simulated in steps of `step_s`, with an arm and what `add_scene` adds.

    Meshes are written to `folder`.
    """
    root = Element("sdf", version=VERSION)
    world = add_world(root, name, step_s)
    add_arm(world, arm, folder, ignored)
    add_scene(world)
    return document(root)


def models_sdf(add_models: Callable[[Element], None]) -> str:
    """The text of models alone, to be created in a world that runs."""
    root = Element("sdf", version=VERSION)
    add_models(root)
    return document(root)


def add_world(root: Element, name: str, step_s: float) -> Element:
    """An empty world that runs as fast as it can, and that a viewer can look at."""
    world = add(root, "world", name=name)
    physics = add(world, "physics", name="physics", type="dart")
    add(physics, "max_step_size", step_s)
    add(physics, "real_time_factor", 0.0)
    add(world, "gravity", [0.0, 0.0, -GRAVITY])
    add_plugin(world, "physics", "Physics")
    add_plugin(world, "user-commands", "UserCommands")
    add_plugin(world, "scene-broadcaster", "SceneBroadcaster")
    light = add(world, "light", name="sun", type="directional")
    add(light, "pose", [0.0, 0.0, 10.0, 0.0, 0.0, 0.0])
    add(light, "direction", [-0.5, 0.1, -0.9])
    return world
